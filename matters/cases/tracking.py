"""News from departments: what they tell about a case, once, in their own order, about their own cases only."""

from datetime import UTC
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from core.audit.record import Actor, Audit
from core.cache import Limits
from core.clock import Clock
from core.db import as_uuid, execute, fetch, fetch_one, transaction
from core.ids import Ids
from core.jobs.queue import Jobs
from core.log import get_logger
from matters.cases.history import Entry, History, Moved
from matters.cases.rules import TOLD_BY_DEPARTMENTS, step_to
from matters.catalogue.catalogue import Catalogue
from matters.errors import CaseNotYours, StateForbids
from matters.settings import MatterSettings
from matters.types import ProgressEvent, State

log = get_logger(__name__)

_FIND: Final = "SELECT id, department, citizen_id, matter_code FROM application WHERE number = $1"
_KNOWN: Final = "SELECT id FROM department_event WHERE department = $1 AND event_id = $2"
_KEEP: Final = """
INSERT INTO department_event (id, department, event_id, application_id, sequence, received_at)
VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING RETURNING id
"""
# News about a dossier proves that it arrived, even while our call has not returned or its answer was lost.
_ARRIVED: Final = """
UPDATE delivery SET state = 'acknowledged', settled_at = $2
WHERE application_id = $1 AND state IN ('pending', 'sent', 'unknown')
"""


class Heard(StrEnum):
    """What became of a piece of news."""

    NEW = "new"
    KNOWN = "known"
    REPLAYED = "replayed"


class Tracking:
    """Takes news in. The same news again has no effect; any order of the same news gives the same state."""

    def __init__(
        self,
        *,
        history: History,
        catalogue: Catalogue,
        audit: Audit,
        jobs: Jobs,
        limits: Limits,
        clock: Clock,
        ids: Ids,
        settings: MatterSettings,
    ) -> None:
        self._history = history
        self._catalogue = catalogue
        self._audit = audit
        self._jobs = jobs
        self._limits = limits
        self._clock = clock
        self._ids = ids
        self._settings = settings

    async def hear(self, department: str, event: ProgressEvent, *, old_nonce: bool = False) -> Heard:
        """Take in what a department tells; return whether it was new.

        `old_nonce` says that the signed message itself was seen before: then it may only repeat what is known, and
        `REPLAYED` means that it tried to tell something else.

        Raises:
            CaseNotYours: the reference is another department's case, or nobody's.
            StateForbids: a state that no department may tell.
            TooManyRequests: more news than a department may send; it repeats them later.
            DatabaseUnavailable: the database could not be reached.
        """
        await self._limits.hit("matters.callback", self._settings.callback_limit, f"department:{department}")
        if event.state not in TOLD_BY_DEPARTMENTS:
            raise StateForbids(state=event.state.value)

        async def work() -> Heard:
            row = await fetch_one(_FIND, event.reference)
            if row is None or row["department"] != department:
                raise CaseNotYours
            if old_nonce:
                known = await fetch_one(_KNOWN, department, event.event_id)
                return Heard.KNOWN if known else Heard.REPLAYED
            application_id = as_uuid(row["id"])
            kept = await fetch(
                _KEEP,
                self._ids.uuid(),
                department,
                event.event_id,
                application_id,
                event.sequence,
                self._clock.now(),
            )
            if not kept:
                return Heard.KNOWN
            await self._follow(department, application_id, row, event)
            return Heard.NEW

        return await transaction(work)

    async def _follow(self, department: str, application_id: UUID, row: dict[str, Any], event: ProgressEvent) -> None:
        await execute(_ARRIVED, application_id, self._clock.now())
        actor = Actor.department(department)
        moved = await self._history.append(
            application_id,
            Entry(
                step=step_to(event.state),
                actor=actor,
                at=event.at.astimezone(UTC),
                department_sequence=event.sequence,
                note=event.note,
                result=event.result,
            ),
            strict=False,
        )
        await self._audit.record(
            "matters.progressed",
            actor=actor,
            subject_id=as_uuid(row["citizen_id"]),
            object_kind="application",
            object_id=application_id,
            outcome=event.state.value,
        )
        await self.announce(moved, citizen_id=as_uuid(row["citizen_id"]), matter_code=row["matter_code"])

    async def announce(self, moved: Moved, *, citizen_id: UUID, matter_code: str) -> None:
        """Promise what follows a decision: an approval that changes a certificate has it fetched again.

        Raises:
            OutsideTransaction: no transaction is running.
        """
        kind = self._catalogue.find(matter_code).matter.refreshes_certificate
        if moved.came_to(State.APPROVED) and kind is not None:
            await self._jobs.enqueue("certificates.refresh", citizen_id=citizen_id, kind=kind)
