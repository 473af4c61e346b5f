"""What a person says about a line of their ledger: this was not me; ask them to erase what they have."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from auth.rights.errors import NoSuchLine, NoSuchReport, ReportUnsuitable
from auth.rights.types import LedgerReport, ReportAnswer, ReportKind
from auth.types import Caller, StaffCaller
from core.audit.actors import Actor, ActorKind
from core.audit.ledger import LedgerLine, find_line
from core.audit.record import Audit
from core.clock import Clock
from core.db import as_moment, as_uuid, fetch, fetch_one, transaction
from core.ids import Ids
from core.jobs.queue import Jobs

_ADD: Final = """
INSERT INTO ledger_report (id, citizen_id, line_id, kind, party_id, state, reported_at)
VALUES ($1, $2, $3, $4, $5, 'open', $6) ON CONFLICT (line_id, kind) DO NOTHING RETURNING *
"""
_FIND: Final = "SELECT * FROM ledger_report WHERE line_id = $1 AND kind = $2"
# A verifier that is suspended cannot come in: what it is asked then goes to the security staff.
_OPEN: Final = """
SELECT * FROM ledger_report
WHERE state = 'open' AND id > $1
      AND (kind = 'not-me'
           OR NOT EXISTS (SELECT 1 FROM party p WHERE p.id = ledger_report.party_id AND p.state = 'active'))
ORDER BY id LIMIT $2
"""
_FOR_PARTY: Final = """
SELECT * FROM ledger_report WHERE kind = 'erasure' AND party_id = $1 AND state = 'open' AND id > $2
ORDER BY id LIMIT $3
"""
_ANSWER: Final = """
UPDATE ledger_report SET state = $2, answered_at = $3 WHERE id = $1 AND kind = 'not-me' AND state = 'open' RETURNING *
"""
_ANSWER_UNHEARD: Final = """
UPDATE ledger_report SET state = $2, answered_at = $3
WHERE id = $1 AND kind = 'erasure' AND state = 'open'
      AND NOT EXISTS (SELECT 1 FROM party p WHERE p.id = ledger_report.party_id AND p.state = 'active')
RETURNING *
"""
_CONFIRM: Final = """
UPDATE ledger_report SET state = $3, answered_at = $4
WHERE id = $1 AND party_id = $2 AND kind = 'erasure' AND state = 'open' RETURNING *
"""

_MINE: Final = "SELECT * FROM ledger_report WHERE id = $1 AND citizen_id = $2"


class LedgerReports:
    """Tickets on lines of the ledger: the security staff answer those of use by others, verifiers those to erase."""

    def __init__(self, *, audit: Audit, jobs: Jobs, clock: Clock, ids: Ids) -> None:
        self._audit = audit
        self._jobs = jobs
        self._clock = clock
        self._ids = ids

    async def report(self, caller: Caller, line_id: UUID, kind: ReportKind) -> LedgerReport:
        """Report a line of one's own ledger; the same again is the same report.

        Raises:
            NoSuchLine: there is no such line about the caller.
            ReportUnsuitable: only a registered verifier can be asked to erase what it has read.
            DatabaseUnavailable: the database could not be reached.
        """
        line = await find_line(caller.citizen_id, line_id)
        if line is None:
            raise NoSuchLine
        party = _party_of(line) if kind is ReportKind.ERASURE else None
        if kind is ReportKind.ERASURE and party is None:
            raise ReportUnsuitable

        async def work() -> LedgerReport:
            now = self._clock.now()
            rows = await fetch(_ADD, self._ids.uuid(), caller.citizen_id, line_id, kind.value, party, now)
            if rows:
                await self._tell("auth.line-reported", caller.actor, rows[0])
                return _report(rows[0])
            row = await fetch_one(_FIND, line_id, kind.value)
            if row is None:
                raise NoSuchLine
            return _report(row)

        return await transaction(work)

    async def get(self, caller: Caller, report_id: UUID) -> LedgerReport:
        """Return one of the caller's own reports, with its answer once there is one.

        Raises:
            NoSuchReport: there is none of the caller's.
            DatabaseUnavailable: the database could not be reached.
        """
        row = await fetch_one(_MINE, report_id, caller.citizen_id)
        if row is None:
            raise NoSuchReport
        return _report(row)

    async def list_open(self, *, after: UUID, limit: int) -> list[LedgerReport]:
        """Return the open reports of use by others, and what suspended verifiers shall erase; oldest first, after one.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        return [_report(row) for row in await fetch(_OPEN, after, limit)]

    async def answer(self, caller: StaffCaller, report_id: UUID, outcome: ReportAnswer) -> None:
        """Answer a report of use by others, or for a verifier that is suspended; the person is told.

        Raises:
            NoSuchReport: there is none that is open and may be answered so.
            DatabaseUnavailable: the database could not be reached.
        """

        async def work() -> None:
            sql = _ANSWER if outcome in {ReportAnswer.IN_ORDER, ReportAnswer.MISUSE} else _ANSWER_UNHEARD
            await self._close(await fetch(sql, report_id, outcome.value, self._clock.now()), caller.actor)

        await transaction(work)

    async def list_for(self, party_id: UUID, *, after: UUID, limit: int) -> list[LedgerReport]:
        """Return what a verifier is asked to erase, oldest first, those after one.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        return [_report(row) for row in await fetch(_FOR_PARTY, party_id, after, limit)]

    async def confirm(self, party_id: UUID, report_id: UUID, outcome: ReportAnswer) -> None:
        """Take a verifier's word that it has erased, or has to keep; the person is told.

        Raises:
            NoSuchReport: it is not asked, or has answered.
            DatabaseUnavailable: the database could not be reached.
        """

        async def work() -> None:
            rows = await fetch(_CONFIRM, report_id, party_id, outcome.value, self._clock.now())
            await self._close(rows, Actor(ActorKind.VERIFIER, str(party_id)))

        await transaction(work)

    async def _close(self, rows: Sequence[Mapping[str, Any]], actor: Actor) -> None:
        if not rows:
            raise NoSuchReport
        await self._tell("auth.report-answered", actor, rows[0])
        await self._jobs.enqueue(
            "notices.tell",
            event="auth.report-answered",
            citizen_id=as_uuid(rows[0]["citizen_id"]),
            object_id=as_uuid(rows[0]["id"]),
        )

    async def _tell(self, action: str, actor: Actor, row: Mapping[str, Any]) -> None:
        await self._audit.record(
            action,
            actor=actor,
            subject_id=as_uuid(row["citizen_id"]),
            object_kind="ledger-report",
            object_id=as_uuid(row["id"]),
            outcome=row["state"],
        )


def _party_of(line: LedgerLine) -> UUID | None:
    return UUID(line.actor_id) if line.actor_kind == ActorKind.VERIFIER else None


def _report(row: Mapping[str, Any]) -> LedgerReport:
    answered: datetime | None = None if row["answered_at"] is None else as_moment(row["answered_at"])
    return LedgerReport(
        id=as_uuid(row["id"]),
        line_id=as_uuid(row["line_id"]),
        kind=ReportKind(row["kind"]),
        answer=None if row["state"] == "open" else ReportAnswer(row["state"]),
        reported_at=as_moment(row["reported_at"]),
        answered_at=answered,
    )
