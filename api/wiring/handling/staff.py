"""The services by which staff handles cases."""

from dataclasses import dataclass

from core.audit.record import Audit
from core.clock import Clock
from core.crypto import Vault
from core.jobs.queue import Jobs
from matters.cases.deadlines import Deadlines
from matters.cases.history import History
from matters.cases.tracking import Tracking
from matters.catalogue.catalogue import Catalogue
from matters.handling.acceptance import Acceptance
from matters.handling.acting import Acting
from matters.handling.branches import StuckBranches
from matters.handling.deliveries import StuckDeliveries
from matters.handling.endings import Endings
from matters.handling.figures import HandlingFigures
from matters.handling.letters import StuckLetters
from matters.handling.looking import Looking
from matters.handling.moving import Moving
from matters.handling.queues import Queues
from matters.handling.review import Review
from matters.handling.silence import Silence
from matters.handover.letters import Letters
from matters.handover.polling import Polling


@dataclass(frozen=True, slots=True)
class HandlingServices:
    """Queues, what may be done to a case, deliveries that need a person, and what the law makes of silence."""

    queues: Queues
    looking: Looking
    acceptance: Acceptance
    review: Review
    endings: Endings
    moving: Moving
    deliveries: StuckDeliveries
    branches: StuckBranches
    letters: StuckLetters
    silence: Silence
    figures: HandlingFigures

    @classmethod
    def build(
        cls,
        *,
        catalogue: Catalogue,
        history: History,
        tracking: Tracking,
        deadlines: Deadlines,
        polling: Polling,
        audit: Audit,
        vault: Vault,
        jobs: Jobs,
        letters: Letters,
        clock: Clock,
    ) -> "HandlingServices":
        """Build them over the ground and the history of cases."""
        acting = Acting(catalogue=catalogue, history=history, tracking=tracking, audit=audit)
        return cls(
            queues=Queues(catalogue=catalogue),
            looking=Looking(catalogue=catalogue, history=history, vault=vault, audit=audit),
            acceptance=Acceptance(acting=acting),
            review=Review(acting=acting),
            endings=Endings(acting=acting, clock=clock),
            moving=Moving(acting=acting, catalogue=catalogue, jobs=jobs, clock=clock),
            deliveries=StuckDeliveries(
                catalogue=catalogue, history=history, polling=polling, audit=audit, jobs=jobs, clock=clock
            ),
            branches=StuckBranches(catalogue=catalogue, audit=audit, jobs=jobs),
            letters=StuckLetters(catalogue=catalogue, letters=letters, audit=audit, clock=clock),
            silence=Silence(
                catalogue=catalogue,
                deadlines=deadlines,
                history=history,
                tracking=tracking,
                audit=audit,
                clock=clock,
            ),
            figures=HandlingFigures(),
        )
