"""Emergencies (break-glass): one person does what takes two, gives a reason, and others look at it within a day."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from auth.errors import RoleForbidden
from auth.settings import OperatorSettings
from auth.staff.approvals import Deed
from auth.staff.errors import ApprovalDecided, NoSuchApproval, SelfApproval
from auth.staff.grants import hold, holds_everywhere
from auth.staff.papers import Papers, view_of
from auth.staff.rules import ACTIONS, payload_hash
from auth.staff.types import ApprovalView, Finding
from auth.types import StaffCaller
from core.audit.actors import SYSTEM
from core.audit.record import Audit
from core.clock import Clock
from core.db import as_uuid, execute, fetch, fetch_one, transaction
from core.ids import Ids
from core.jobs.queue import Jobs
from core.jobs.runner import Change
from core.log import get_logger
from core.metrics import EMERGENCIES, EMERGENCIES_OPEN

log = get_logger(__name__)

_BREAK: Final = """
INSERT INTO approval (id, action, payload_hash, payload_sealed, reason_sealed, state, emergency, requested_by,
                      requested_at, expires_at, executed_at, finding)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, '') RETURNING id
"""
_FIND: Final = "SELECT * FROM approval WHERE id = $1 AND emergency"
_REVIEW: Final = """
UPDATE approval SET reviewed_by = $2, reviewed_at = $3, finding = $4
WHERE id = $1 AND emergency AND reviewed_at IS NULL AND requested_by <> $2
"""
# What nobody has looked at comes first, the oldest of it before all.
_OPEN: Final = """
SELECT * FROM approval
WHERE emergency AND reviewed_at IS NULL AND (requested_at > $1 OR (requested_at = $1 AND id > $2))
ORDER BY requested_at, id LIMIT $3
"""
_COUNT_OPEN: Final = "SELECT count(*) AS n FROM approval WHERE emergency AND reviewed_at IS NULL"

ANNOUNCE: Final = "auth.announce-emergency"
REMIND: Final = "auth.remind-of-emergency"


class Emergencies:
    """What one person did alone, until others have looked at it."""

    def __init__(
        self,
        *,
        deeds: Mapping[str, Deed],
        papers: Papers,
        audit: Audit,
        jobs: Jobs,
        clock: Clock,
        ids: Ids,
        settings: OperatorSettings,
    ) -> None:
        self._deeds = dict(deeds)
        self._papers = papers
        self._audit = audit
        self._jobs = jobs
        self._clock = clock
        self._ids = ids
        self._lasts = timedelta(hours=settings.approval_hours)
        self._review = timedelta(hours=settings.review_hours)

    async def act(
        self, caller: StaffCaller, action: str, payload: Mapping[str, object], *, reason: str
    ) -> ApprovalView:
        """Do something alone that takes two people; what a command does, it may do by this from now on.

        Raises:
            RoleForbidden: the caller is none who may ask for it, or it is nothing for emergencies.
            Problem: what the deed itself raises; nothing is done then.
        """
        rule = ACTIONS[action]
        approval_id = self._ids.uuid()

        async def work() -> None:
            held = await hold((caller.operator_id,))
            if not held or not rule.in_emergency or not await holds_everywhere(caller.operator_id, rule.asked_by):
                raise RoleForbidden
            now, deed = self._clock.now(), self._deeds.get(action)
            await fetch(
                _BREAK,
                approval_id,
                action,
                payload_hash(action, payload),
                self._papers.seal_payload(approval_id, payload),
                self._papers.seal_reason(approval_id, reason),
                "approved" if deed is None else "executed",
                True,
                caller.operator_id,
                now,
                now + self._lasts,
                None if deed is None else now,
            )
            if deed is not None:
                await deed(payload, caller)
            await self._jobs.enqueue(ANNOUNCE, approval_id=approval_id)
            await self._jobs.enqueue(REMIND, after=self._review, approval_id=approval_id)
            await self._audit.record(
                "auth.glass-broken",
                actor=caller.actor,
                object_kind="approval",
                object_id=approval_id,
                outcome=action,
            )

        await transaction(work)
        EMERGENCIES.labels(action).inc()
        return await self.get(approval_id)

    async def get(self, approval_id: UUID) -> ApprovalView:
        """Return an emergency with what was done and why.

        Raises:
            NoSuchApproval: there is none.
        """
        row = await fetch_one(_FIND, approval_id)
        if row is None:
            raise NoSuchApproval
        return view_of(row, self._clock.now(), papers=self._papers)

    async def list_open(self, *, after: tuple[datetime, UUID], limit: int) -> list[ApprovalView]:
        """Return the emergencies that nobody has looked at yet, the oldest first, those after a place.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        now = self._clock.now()
        return [view_of(row, now) for row in await fetch(_OPEN, *after, limit)]

    async def review(self, caller: StaffCaller, approval_id: UUID, finding: Finding) -> ApprovalView:
        """Write down what was found of an emergency; not by who has caused it.

        Raises:
            NoSuchApproval: there is none.
            SelfApproval: it is the caller's own.
            ApprovalDecided: somebody has looked at it before.
        """

        async def work() -> None:
            row = await fetch_one(_FIND, approval_id)
            if row is None:
                raise NoSuchApproval
            if as_uuid(row["requested_by"]) == caller.operator_id:
                raise SelfApproval
            if await execute(_REVIEW, approval_id, caller.operator_id, self._clock.now(), finding.value) != 1:
                raise ApprovalDecided
            await self._audit.record(
                "auth.emergency-reviewed",
                actor=caller.actor,
                object_kind="approval",
                object_id=approval_id,
                outcome=finding.value,
            )

        await transaction(work)
        await self.count_open()
        return await self.get(approval_id)

    async def announce(self, approval_id: str) -> None:
        """Tell those on watch that somebody acts alone."""
        log.error("somebody acts alone in an emergency", approval=approval_id)
        await self.count_open()

    async def remind(self, approval_id: str) -> Change:
        """Tell those on watch when nobody has looked at an emergency in time; give the line of the audit about it."""
        return lambda: self._remind(UUID(approval_id))

    async def _remind(self, approval_id: UUID) -> None:
        row = await fetch_one(_FIND, approval_id)
        if row is None or row["reviewed_at"] is not None:
            return
        log.error("an emergency was not reviewed in time", approval=str(approval_id))
        await self._audit.record(
            "auth.emergency-unreviewed", actor=SYSTEM, object_kind="approval", object_id=approval_id
        )

    async def count_open(self) -> int:
        """Count what nobody has looked at, for the alarms.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        row = await fetch_one(_COUNT_OPEN)
        count = 0 if row is None else int(row["n"])
        EMERGENCIES_OPEN.set(count)
        return count
