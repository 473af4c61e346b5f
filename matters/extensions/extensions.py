"""Making a limit longer: one person asks, another approves, the resident is told (行政许可法 art. 42)."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from auth.types import StaffCaller, StaffScope
from core.audit.record import Audit
from core.clock import Clock
from core.crypto import Vault
from core.db import as_moment, as_uuid, fetch, fetch_one, transaction
from core.errors import FieldError
from core.ids import Ids
from core.jobs.queue import Jobs
from matters.cases.course import ADDED_DAYS, course_of
from matters.cases.history import Entry, History
from matters.cases.rules import fold, may_step
from matters.catalogue.catalogue import Catalogue
from matters.catalogue.types import Matter
from matters.errors import NoSuchApplication, StateForbids
from matters.extensions.errors import (
    ExtensionForbidden,
    ExtensionSettled,
    ExtensionTooLong,
    NoSuchExtension,
    OwnExtension,
)
from matters.extensions.types import ExtensionLine, ExtensionReason, ExtensionState
from matters.reach import Condition
from matters.settings import MatterSettings
from matters.types import State, Step

NOTE: Final = "extension_request.note"
# The kind of a matter's special procedure that is an extension (GB/T 39046: 延长审批).
_EXTENSION: Final = "1"

# The update takes the row's lock: nobody else extends or decides the case meanwhile.
_TAKE: Final = """
UPDATE application SET version = version + 1 WHERE id = $1
RETURNING citizen_id, matter_code, matter_version, department, state, due_at, legal_due_at, limit_days, limit_hours
"""
_CASE: Final = "SELECT citizen_id, matter_code, matter_version FROM application WHERE id = $1"
_ASK: Final = """
INSERT INTO extension_request (id, application_id, department, matter_code, days, reason, note_sealed, state,
                               requested_by, requested_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, 'waiting', $8, $9) ON CONFLICT DO NOTHING RETURNING id
"""
_DECIDE: Final = """
UPDATE extension_request SET state = $2, decided_by = $3, decided_at = $4
WHERE id = $1 AND state = 'waiting' AND requested_by <> $3 RETURNING application_id, days, reason
"""
_FIND: Final = """
SELECT found.*, application.number, application.region
FROM extension_request AS found JOIN application ON application.id = found.application_id WHERE found.id = $1
"""
_LIST: Final = """
SELECT found.*, application.number, application.region
FROM extension_request AS found JOIN application ON application.id = found.application_id
WHERE {condition} ORDER BY found.requested_at, found.id LIMIT $1
"""


class Extensions:
    """Requests for longer limits. A case is extended once, before its time is up, by two people."""

    def __init__(
        self,
        *,
        catalogue: Catalogue,
        history: History,
        audit: Audit,
        jobs: Jobs,
        vault: Vault,
        clock: Clock,
        ids: Ids,
        settings: MatterSettings,
    ) -> None:
        self._catalogue = catalogue
        self._history = history
        self._audit = audit
        self._jobs = jobs
        self._vault = vault
        self._clock = clock
        self._ids = ids
        self._days = settings.extension_days

    async def ask(
        self, operator: StaffCaller, application_id: UUID, *, days: int, reason: ExtensionReason, note: str
    ) -> ExtensionLine:
        """Ask for so many working days more.

        Raises:
            NoSuchApplication: there is none.
            StateForbids: it is not being handled.
            ExtensionTooLong: more than may be.
            ExtensionForbidden: extended before, overdue, without a limit, or asked for already.
        """
        request_id = self._ids.uuid()

        async def work() -> None:
            row, _ = await self._extensible(application_id, days)
            asked = await fetch(
                _ASK,
                request_id,
                application_id,
                row["department"],
                row["matter_code"],
                days,
                reason.value,
                self._vault.seal(NOTE, request_id, note),
                operator.operator_id,
                self._clock.now(),
            )
            if not asked:
                raise ExtensionForbidden
            await self._tell("matters.extension-asked", operator, row, application_id, outcome="ok")

        await transaction(work)
        return await self.find(request_id)

    async def decide(self, operator: StaffCaller, request_id: UUID, *, approve: bool) -> ExtensionLine:
        """Approve or reject what somebody else has asked for; approved, both dates move and the applicant is told.

        Raises:
            NoSuchExtension: there is none.
            OwnExtension: the caller has asked for it.
            ExtensionSettled: it was decided before.
            StateForbids: the case is not being handled any more.
            ExtensionForbidden: the case was extended meanwhile, or its time is up.
        """
        line = await self.find(request_id)
        if line.requested_by == operator.operator_id:
            raise OwnExtension

        async def work() -> None:
            now = self._clock.now()
            state = ExtensionState.APPROVED if approve else ExtensionState.REJECTED
            decided = await fetch(_DECIDE, request_id, state.value, operator.operator_id, now)
            if not decided:
                raise ExtensionSettled
            if not approve:
                row = await self._case(line.application_id)
                await self._tell("matters.extension-decided", operator, row, line.application_id, outcome=state.value)
                return
            row, matter = await self._extensible(line.application_id, line.days)
            await self._history.append(
                line.application_id,
                Entry(
                    step=Step.EXTENDED,
                    actor=operator.actor,
                    reason=line.reason.value,
                    data={ADDED_DAYS: line.days, "request": str(request_id)},
                ),
            )
            await self._tell("matters.extension-decided", operator, row, line.application_id, outcome=state.value)
            await self._jobs.enqueue(
                "notices.tell",
                event="matters.extended",
                citizen_id=as_uuid(row["citizen_id"]),
                object_id=line.application_id,
                matter=matter.title.zh,
                matter_en=matter.title.en,
                days=str(line.days),
            )

        await transaction(work)
        return await self.find(request_id)

    async def find(self, request_id: UUID) -> ExtensionLine:
        """Return a request without what was written.

        Raises:
            NoSuchExtension: there is none.
        """
        row = await fetch_one(_FIND, request_id)
        if row is None:
            raise NoSuchExtension
        return _line(row)

    async def read(self, operator: StaffCaller, request_id: UUID) -> tuple[ExtensionLine, str]:
        """Return a request with what was written, for whoever decides; the applicant's ledger says who read it.

        Raises:
            NoSuchExtension: there is none.
            RecordUnreadable: the note does not open.
        """
        row = await fetch_one(_FIND, request_id)
        if row is None:
            raise NoSuchExtension
        note = self._vault.open(NOTE, request_id, row["note_sealed"])
        line = _line(row)

        async def work() -> None:
            case = await self._case(line.application_id)
            await self._tell("matters.extension-read", operator, case, line.application_id, outcome="ok")

        await transaction(work)
        return line, note

    async def list_requests(
        self,
        state: ExtensionState,
        scopes: Collection[StaffScope],
        *,
        after: tuple[datetime, UUID],
        limit: int,
    ) -> list[ExtensionLine]:
        """Return requests of a state after a place, the oldest first, as far as one of the scopes reaches.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        condition = Condition(limit)
        condition.among("found.state", [state.value])
        condition.after("found.requested_at", *after, row="found.id")
        condition.reach(scopes, row="found")
        return [_line(row) for row in await fetch(_LIST.format(condition=condition.text), *condition.values)]

    async def _case(self, application_id: UUID, sql: str = _CASE) -> dict[str, Any]:
        row = await fetch_one(sql, application_id)
        if row is None:
            raise NoSuchApplication
        return row

    async def _extensible(self, application_id: UUID, days: int) -> tuple[dict[str, Any], Matter]:
        """Lock a case and see that it may be extended by so many days."""
        row = await self._case(application_id, _TAKE)
        if not may_step(State(row["state"]), Step.EXTENDED):
            raise StateForbids(state=row["state"])
        matter = self._catalogue.of_case(row["matter_code"], int(row["matter_version"])).matter
        most = next((each.days for each in matter.special_procedures if each.kind == _EXTENSION), self._days)
        if days > most:
            raise ExtensionTooLong(
                errors=[FieldError("/days", "too-many", f"最多 {most} 个工作日", f"At most {most} working days")]
            )
        course = course_of(fold(line.action for line in await self._history.read(application_id)))
        now = self._clock.now()
        over = [row[name] for name in ("due_at", "legal_due_at") if row[name] and as_moment(row[name]) < now]
        if course is None or course.added_days or over or matter.legal_limit.is_at_once:
            raise ExtensionForbidden
        return row, matter

    async def _tell(
        self, action: str, operator: StaffCaller, row: Mapping[str, Any], application_id: UUID, *, outcome: str
    ) -> None:
        await self._audit.record(
            action,
            actor=operator.actor,
            subject_id=as_uuid(row["citizen_id"]),
            purpose=self._catalogue.of_case(row["matter_code"], int(row["matter_version"])).matter.title.zh,
            object_kind="application",
            object_id=application_id,
            outcome=outcome,
        )


def _line(row: Mapping[str, Any]) -> ExtensionLine:
    return ExtensionLine(
        id=as_uuid(row["id"]),
        application_id=as_uuid(row["application_id"]),
        number=str(row["number"]),
        department=row["department"],
        region=row["region"],
        matter=row["matter_code"],
        days=int(row["days"]),
        reason=ExtensionReason(row["reason"]),
        state=ExtensionState(row["state"]),
        requested_by=as_uuid(row["requested_by"]),
        requested_at=as_moment(row["requested_at"]),
        decided_by=None if row["decided_by"] is None else as_uuid(row["decided_by"]),
        decided_at=None if row["decided_at"] is None else as_moment(row["decided_at"]),
    )
