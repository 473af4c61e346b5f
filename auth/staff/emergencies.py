"""Emergencies (break-glass): one person does what takes two, gives a reason, and others look at it (`reviews.py`)."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from auth.errors import RoleForbidden
from auth.settings import OperatorSettings
from auth.staff.approvals import Deed
from auth.staff.errors import EmergencyBarred, NoSuchApproval
from auth.staff.grants import hold, holds_everywhere, take_turn
from auth.staff.papers import Papers, view_of
from auth.staff.reviews import Undoing
from auth.staff.rules import ACTIONS, payload_hash
from auth.staff.types import ApprovalView
from auth.types import StaffCaller
from core.audit.actors import SYSTEM
from core.audit.record import Audit
from core.clock import Clock
from core.db import fetch, fetch_one, transaction
from core.ids import Ids
from core.jobs.queue import Jobs
from core.jobs.runner import Change
from core.log import get_logger
from core.metrics import EMERGENCIES, EMERGENCIES_OPEN, EMERGENCIES_UNJUSTIFIED

log = get_logger(__name__)

_BREAK: Final = """
INSERT INTO approval (id, action, payload_hash, payload_sealed, reason_sealed, state, emergency, requested_by,
                      requested_at, expires_at, executed_at, finding, before_sealed)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, '', $12) RETURNING id
"""
_FIND: Final = "SELECT * FROM approval WHERE id = $1 AND emergency"
_BARRED: Final = """
SELECT id FROM approval
WHERE requested_by = $1 AND emergency AND finding = 'unjustified' AND followed_up_at IS NULL LIMIT 1
"""
# What still waits for somebody: to be looked at, or, found unjustified, to be seen to. The oldest before all.
_OPEN: Final = """
SELECT * FROM approval
WHERE emergency AND (reviewed_at IS NULL OR (finding = 'unjustified' AND followed_up_at IS NULL))
      AND (requested_at > $1 OR (requested_at = $1 AND id > $2))
ORDER BY requested_at, id LIMIT $3
"""
_COUNT_OPEN: Final = """
SELECT coalesce(sum(CASE WHEN reviewed_at IS NULL THEN 1 ELSE 0 END), 0) AS unseen,
       coalesce(sum(CASE WHEN finding = 'unjustified' THEN 1 ELSE 0 END), 0) AS wrong
FROM approval WHERE emergency AND followed_up_at IS NULL
"""

ANNOUNCE: Final = "auth.announce-emergency"
REMIND: Final = "auth.remind-of-emergency"


class Emergencies:
    """What one person did alone, until others have looked at it."""

    def __init__(
        self,
        *,
        deeds: Mapping[str, Deed],
        undoing: Undoing,
        papers: Papers,
        audit: Audit,
        jobs: Jobs,
        clock: Clock,
        ids: Ids,
        settings: OperatorSettings,
    ) -> None:
        self._deeds = dict(deeds)
        self._undoing = undoing
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
            EmergencyBarred: the caller's last one was found unjustified, and nobody has seen to it.
            Problem: what the deed itself raises; nothing is done then.
        """
        rule = ACTIONS[action]
        approval_id = self._ids.uuid()

        async def work() -> None:
            await take_turn()
            held = await hold((caller.operator_id,))
            if not held or not rule.in_emergency or not await holds_everywhere(caller.operator_id, rule.asked_by):
                raise RoleForbidden
            if await fetch(_BARRED, caller.operator_id):
                raise EmergencyBarred
            now, deed = self._clock.now(), self._deeds.get(action)
            before = await self._undoing.remember(action, payload)
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
                None if before is None else self._papers.seal_before(approval_id, before),
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
        """Return the emergencies that wait for somebody, the oldest first, those after a place.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        now = self._clock.now()
        return [view_of(row, now) for row in await fetch(_OPEN, *after, limit)]

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
        """Count what nobody has looked at, and what was found unjustified and nobody has seen to, for the alarms.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        row = await fetch_one(_COUNT_OPEN)
        count, wrong = (0, 0) if row is None else (int(row["unseen"]), int(row["wrong"]))
        EMERGENCIES_OPEN.set(count)
        EMERGENCIES_UNJUSTIFIED.set(wrong)
        return count
