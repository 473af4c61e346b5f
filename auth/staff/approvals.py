"""What takes two people: one asks, another decides about exactly what was asked, and then it is done.

Approving and doing are one transaction where we do it ourselves; what a command does spends the approval in the
transaction of its effect. In an emergency one person does it alone, and others look at it within a day
(`security.md` T16, `docs/decisions/0026`).
"""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from auth.errors import RoleForbidden
from auth.settings import OperatorSettings
from auth.staff.errors import (
    ApprovalChanged,
    ApprovalDecided,
    ApprovalExpired,
    NoSuchApproval,
    NotApproved,
    RequesterGone,
    SelfApproval,
)
from auth.staff.grants import hold, holds_everywhere, take_turn
from auth.staff.papers import Papers, view_of
from auth.staff.rules import ACTIONS, has_everywhere, payload_hash
from auth.staff.types import ApprovalState, ApprovalView
from auth.types import StaffCaller
from core.audit.record import Audit
from core.clock import Clock
from core.db import as_moment, as_uuid, execute, fetch, fetch_one, transaction
from core.ids import Ids

# Does what was approved, in the running transaction, for who has approved it.
Deed = Callable[[Mapping[str, Any], StaffCaller], Awaitable[None]]
# Says at once, when something is asked for, what could never be done.
Check = Callable[[Mapping[str, Any]], Awaitable[None]]

_ASK: Final = """
INSERT INTO approval (id, action, payload_hash, payload_sealed, reason_sealed, state, emergency, requested_by,
                      requested_at, expires_at, finding)
VALUES ($1, $2, $3, $4, $5, 'waiting', $6, $7, $8, $9, '') RETURNING id
"""
_FIND: Final = "SELECT * FROM approval WHERE id = $1"
_CHANGE: Final = """
UPDATE approval SET payload_hash = $3, payload_sealed = $4, expires_at = $5
WHERE id = $1 AND requested_by = $2 AND state = 'waiting' AND NOT emergency AND expires_at > $6
"""
_WITHDRAW: Final = """
UPDATE approval SET state = 'withdrawn' WHERE id = $1 AND requested_by = $2 AND state IN ('waiting', 'approved')
"""
_REJECT: Final = """
UPDATE approval SET state = 'rejected', decided_by = $2, decided_at = $3
WHERE id = $1 AND state = 'waiting' AND payload_hash = $4 AND expires_at > $3
"""
# The hash is of what the approver has looked at: what was changed since is not what they approve.
_APPROVE: Final = """
UPDATE approval SET state = 'approved', decided_by = $2, approved_by = $2, decided_at = $3
WHERE id = $1 AND state = 'waiting' AND payload_hash = $4 AND expires_at > $3 AND requested_by <> $2
RETURNING payload_sealed
"""
_EXECUTE: Final = "UPDATE approval SET state = 'executed', executed_at = $2 WHERE id = $1 AND state = 'approved'"
_SPEND: Final = """
UPDATE approval SET state = 'executed', executed_at = $4
WHERE id = $1 AND action = $2 AND payload_hash = $3 AND state = 'approved' AND expires_at > $4
      AND finding <> 'unjustified'
RETURNING payload_sealed, requested_by, approved_by, emergency
"""
_LIST: Final = """
SELECT * FROM approval WHERE NOT emergency AND (requested_at < $1 OR (requested_at = $1 AND id < $2))
ORDER BY requested_at DESC, id DESC LIMIT $3
"""


class Approvals:
    """Requests and decisions. Nothing is done that was not asked for by one person and approved by another."""

    def __init__(
        self,
        *,
        deeds: Mapping[str, Deed],
        checks: Mapping[str, Check],
        papers: Papers,
        audit: Audit,
        clock: Clock,
        ids: Ids,
        settings: OperatorSettings,
    ) -> None:
        self._deeds = dict(deeds)
        self._checks = dict(checks)
        self._papers = papers
        self._audit = audit
        self._clock = clock
        self._ids = ids
        self._lasts = timedelta(hours=settings.approval_hours)

    def take_on(self, deeds: Mapping[str, Deed], checks: Mapping[str, Check]) -> None:
        """Do further actions too: those of the rooms that are built after this one."""
        self._deeds |= deeds
        self._checks |= checks

    async def ask(
        self, caller: StaffCaller, action: str, payload: Mapping[str, object], *, reason: str
    ) -> ApprovalView:
        """Ask for something that takes two people.

        Raises:
            RoleForbidden: the caller is none who may ask for this.
            Problem: what the check of the action raises: it could never be done.
        """
        if not has_everywhere(caller, ACTIONS[action].asked_by):
            raise RoleForbidden
        await self._check(action, payload)
        approval_id, now = self._ids.uuid(), self._clock.now()

        async def work() -> None:
            await fetch(
                _ASK,
                approval_id,
                action,
                payload_hash(action, payload),
                self._papers.seal_payload(approval_id, payload),
                self._papers.seal_reason(approval_id, reason),
                False,
                caller.operator_id,
                now,
                now + self._lasts,
            )
            await self._record("auth.approval-asked", caller, approval_id, outcome=action)

        await transaction(work)
        return await self.get(approval_id)

    async def change(self, caller: StaffCaller, approval_id: UUID, payload: Mapping[str, object]) -> ApprovalView:
        """Ask for something else instead; whoever has looked at it has to look again.

        Raises:
            NoSuchApproval: there is none, or somebody else has asked for it.
            ApprovalDecided: it was decided before.
            ApprovalExpired: it has run out.
            Problem: what the check of the action raises: it could never be done.
        """

        async def work() -> None:
            row = await self._mine(caller, approval_id)
            await self._check(row["action"], payload)
            now = self._clock.now()
            told = payload_hash(row["action"], payload)
            sealed = self._papers.seal_payload(approval_id, payload)
            if await execute(_CHANGE, approval_id, caller.operator_id, told, sealed, now + self._lasts, now) != 1:
                raise self._why_not(row, now)
            await self._record("auth.approval-changed", caller, approval_id, outcome=row["action"])

        await transaction(work)
        return await self.get(approval_id)

    async def withdraw(self, caller: StaffCaller, approval_id: UUID) -> None:
        """Ask for it no more.

        Raises:
            NoSuchApproval: there is none, or somebody else has asked for it.
            ApprovalDecided: it was decided or done before.
        """

        async def work() -> None:
            row = await self._mine(caller, approval_id)
            if await execute(_WITHDRAW, approval_id, caller.operator_id) != 1:
                raise ApprovalDecided
            await self._record("auth.approval-withdrawn", caller, approval_id, outcome=row["action"])

        await transaction(work)

    async def decide(self, caller: StaffCaller, approval_id: UUID, *, approve: bool, looked_at: str) -> ApprovalView:
        """Approve or reject what somebody else has asked for, as it was looked at; approved, it is done at once.

        `looked_at` is the hash of what the caller has looked at.

        Raises:
            NoSuchApproval: there is none.
            SelfApproval: the caller has asked for it.
            RoleForbidden: the caller is disabled, or none who may approve this.
            RequesterGone: who has asked for it may ask for it no more.
            ApprovalChanged: it is not what was looked at.
            ApprovalDecided: it was decided before.
            ApprovalExpired: it has run out.
            Problem: what the deed itself raises; nothing is decided then.
        """

        async def work() -> None:
            row = await fetch_one(_FIND, approval_id)
            if row is None or row["emergency"]:
                raise NoSuchApproval
            requester = as_uuid(row["requested_by"])
            if requester == caller.operator_id:
                raise SelfApproval
            # Both as they are now, and neither changes before the end of this.
            await take_turn()
            rule, active = ACTIONS[row["action"]], await hold((requester, caller.operator_id))
            if caller.operator_id not in active or not await holds_everywhere(caller.operator_id, rule.approved_by):
                raise RoleForbidden
            now = self._clock.now()
            if not approve:
                if await execute(_REJECT, approval_id, caller.operator_id, now, looked_at) != 1:
                    raise await self._why(approval_id, now)
                await self._record("auth.approval-rejected", caller, approval_id, outcome=row["action"])
                return
            if requester not in active or not await holds_everywhere(requester, rule.asked_by):
                raise RequesterGone
            rows = await fetch(_APPROVE, approval_id, caller.operator_id, now, looked_at)
            if not rows:
                raise await self._why(approval_id, now)
            await self._record("auth.approval-given", caller, approval_id, outcome=row["action"])
            payload = self._opened(approval_id, row["action"], rows[0]["payload_sealed"], looked_at)
            deed = self._deeds.get(row["action"])
            if deed is not None:
                # Written down first: who is shut out by it loses what they still ask for, and this is not that.
                await execute(_EXECUTE, approval_id, now)
                await deed(payload, caller)

        await transaction(work)
        return await self.get(approval_id)

    async def spend(self, approval_id: UUID, action: str, payload: Mapping[str, object]) -> tuple[UUID, UUID | None]:
        """Use an approval up for exactly this, in the transaction of the effect; return who asked and who approved.

        For what a command does. Of an emergency there is nobody who approved.

        Raises:
            NotApproved: nobody has approved exactly this, it was done before, the approval has run out, or whoever
                looked at the emergency found no reason for it.
            OutsideTransaction: no transaction is running.
        """
        await take_turn()
        wanted = payload_hash(action, payload)
        rows = await fetch(_SPEND, approval_id, action, wanted, self._clock.now())
        if not rows:
            raise NotApproved
        self._opened(approval_id, action, rows[0]["payload_sealed"], wanted)
        requester = as_uuid(rows[0]["requested_by"])
        if rows[0]["emergency"]:
            return requester, None
        approver = as_uuid(rows[0]["approved_by"])
        if await hold((requester, approver)) != {requester, approver}:
            raise NotApproved
        return requester, approver

    async def get(self, approval_id: UUID) -> ApprovalView:
        """Return something that takes two people, with what exactly is asked for and why.

        Raises:
            NoSuchApproval: there is none.
        """
        row = await fetch_one(_FIND, approval_id)
        if row is None:
            raise NoSuchApproval
        return view_of(row, self._clock.now(), papers=self._papers)

    async def list_approvals(self, *, before: tuple[datetime, UUID], limit: int) -> list[ApprovalView]:
        """Return what was asked for, newest first, what was asked before a place.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        now = self._clock.now()
        return [view_of(row, now) for row in await fetch(_LIST, *before, limit)]

    async def _check(self, action: str, payload: Mapping[str, object]) -> None:
        if action in self._checks:
            await self._checks[action](payload)

    async def _mine(self, caller: StaffCaller, approval_id: UUID) -> dict[str, Any]:
        row = await fetch_one(_FIND, approval_id)
        if row is None or row["emergency"] or as_uuid(row["requested_by"]) != caller.operator_id:
            raise NoSuchApproval
        return row

    def _opened(self, approval_id: UUID, action: str, sealed: bytes, expected: str) -> Mapping[str, Any]:
        """Return what was asked for, hashed once more: it is what was approved, or nothing is done."""
        payload = self._papers.open_payload(approval_id, sealed)
        if payload_hash(action, payload) != expected:
            raise ApprovalChanged
        return payload

    async def _why(self, approval_id: UUID, now: datetime) -> Exception:
        row = await fetch_one(_FIND, approval_id)
        return NoSuchApproval() if row is None else self._why_not(row, now)

    @staticmethod
    def _why_not(row: Mapping[str, Any], now: datetime) -> Exception:
        if row["state"] != ApprovalState.WAITING:
            return ApprovalDecided()
        return ApprovalExpired() if as_moment(row["expires_at"]) <= now else ApprovalChanged()

    async def _record(self, action: str, caller: StaffCaller, approval_id: UUID, *, outcome: str) -> None:
        await self._audit.record(
            action, actor=caller.actor, object_kind="approval", object_id=approval_id, outcome=outcome
        )
