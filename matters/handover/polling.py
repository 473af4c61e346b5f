"""Asking departments that do not call back how their cases stand, until each is decided."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from core.clock import Clock
from core.db import as_moment, fetch_one
from core.jobs.queue import Jobs
from core.log import get_logger
from matters.cases.errors import AskedBefore
from matters.cases.rules import is_open
from matters.cases.tracking import Tracking
from matters.catalogue.catalogue import Catalogue
from matters.errors import DemandUnlawful, DepartmentUnavailable, NewsOutOfTime, StateForbids
from matters.handover.rules import pause_before
from matters.materials.demands import Demands
from matters.ports import Department
from matters.types import Capability, CaseStatus, Filed, ProgressEvent, State

log = get_logger(__name__)

Change = Callable[[], Awaitable[None]]

_CASE: Final = """
SELECT a.number, a.department, a.matter_code, a.matter_version, a.state, a.submitted_at, d.receipt_number
FROM application a JOIN delivery d ON d.application_id = a.id WHERE a.id = $1
"""
ASK: Final = "matters.ask-progress"


class Polling:
    """Looks after cases of departments that can be asked and do not call back.

    One job for each open case asks, and promises the next: no case is forgotten while a department is away, and what is
    told goes the way of a callback.
    """

    def __init__(
        self,
        *,
        departments: Mapping[str, Department],
        pauses: Mapping[str, timedelta],
        catalogue: Catalogue,
        tracking: Tracking,
        demands: Demands,
        jobs: Jobs,
        clock: Clock,
    ) -> None:
        """`pauses`: by who takes the dossiers, how long after a hand-over it is asked first."""
        self._departments = departments
        self._pauses = pauses
        self._catalogue = catalogue
        self._tracking = tracking
        self._demands = demands
        self._jobs = jobs
        self._clock = clock

    async def begin(self, application_id: UUID, desk: str) -> None:
        """Promise to ask about a case that was handed over, where its department has to be asked.

        Raises:
            OutsideTransaction: no transaction is running.
        """
        capabilities = self._departments[desk].capabilities
        if Capability.STATUS in capabilities and Capability.CALLBACK not in capabilities:
            await self._jobs.enqueue(ASK, after=self._first_pause(desk), application_id=application_id)

    async def ask(self, application_id: str) -> Change | None:
        """Ask how a case stands (job `matters.ask-progress`); return what is to be written, the next asking included.

        Raises:
            QuestionRefused: an operator has to mend how we ask.
        """
        row = await fetch_one(_CASE, UUID(application_id))
        if row is None or row["number"] is None or not is_open(State(row["state"])):
            return None
        published = self._catalogue.of_case(row["matter_code"], int(row["matter_version"]))
        desk = published.desk_for(str(row["department"]))
        filed = Filed(str(row["number"]), str(row["department"]), str(row["receipt_number"]))
        submitted_at = as_moment(row["submitted_at"])
        try:
            status = await self._departments[desk].status(filed)
        except DepartmentUnavailable:
            # An outage is no failure of the asking: it goes on for as long as the case is open.
            status = None
        else:
            if status is None:
                log.error("a department does not know a case that it took", partner=filed.department)
        return lambda: self._go_on(UUID(application_id), desk, filed, submitted_at, status)

    async def _go_on(
        self, application_id: UUID, desk: str, filed: Filed, submitted_at: datetime, status: CaseStatus | None
    ) -> None:
        for event in status.events if status else ():
            await self._hear(filed, event)
        row = await fetch_one(_CASE, application_id)
        if row is not None and is_open(State(row["state"])):
            age = self._clock.now() - submitted_at
            pause = pause_before(age, self._first_pause(desk))
            await self._jobs.enqueue(ASK, after=pause, application_id=application_id)

    async def _hear(self, filed: Filed, event: ProgressEvent) -> None:
        """Take one event in; one that may not be told changes nothing and stops no other."""
        try:
            if event.demands:
                await self._demands.require_lawful(filed.department, filed.reference, event.demands)
            await self._tracking.hear(filed.department, event)
        except (AskedBefore, DemandUnlawful, NewsOutOfTime, StateForbids) as problem:
            log.error("a department tells what it may not", partner=filed.department, code=problem.code)

    def _first_pause(self, desk: str) -> timedelta:
        return self._pauses.get(desk, timedelta(minutes=1))
