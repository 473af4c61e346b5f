"""Looking at emergencies afterwards: what was found, what is undone when there was no reason, who sees to the rest."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, Protocol
from uuid import UUID

from auth.staff.errors import (
    ApprovalDecided,
    EmergencyUnused,
    NoSuchApproval,
    NothingToFollowUp,
    SelfApproval,
)
from auth.staff.papers import Papers, kept, view_of
from auth.staff.types import Aftermath, ApprovalState, ApprovalView, Finding, Left, Undone
from auth.types import StaffCaller
from core.audit.record import Audit
from core.clock import Clock
from core.db import as_moment, as_uuid, execute, fetch, fetch_one, transaction
from core.jobs.queue import Jobs
from core.log import get_logger

log = get_logger(__name__)

_FIND: Final = "SELECT * FROM approval WHERE id = $1 AND emergency"
# Whether there was a reason shows when it is over; that there was none stops it at once.
_REVIEW: Final = """
UPDATE approval
SET reviewed_by = $2, reviewed_at = $3, finding = $4,
    state = CASE WHEN state = 'approved' AND $5 THEN 'withdrawn' ELSE state END
WHERE id = $1 AND emergency AND reviewed_at IS NULL AND requested_by <> $2
      AND (state = 'executed' OR expires_at <= $3 OR $5)
RETURNING state, action, payload_sealed, before_sealed, executed_at
"""
_KEEP_AFTERMATH: Final = "UPDATE approval SET aftermath = $2 WHERE id = $1"
_FOLLOW_UP: Final = """
UPDATE approval SET followed_up_by = $2, followed_up_at = $3, follow_up_sealed = $4
WHERE id = $1 AND emergency AND finding = 'unjustified' AND followed_up_at IS NULL AND requested_by <> $2
"""

ANNOUNCE_UNJUSTIFIED: Final = "auth.announce-unjustified"


class Undoing(Protocol):
    """Takes back what an emergency has done, as far as that can be."""

    async def remember(self, action: str, payload: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """Return what stands where the action is about to change something; None where there is nothing."""
        ...

    async def undo(
        self,
        action: str,
        payload: Mapping[str, Any],
        before: Mapping[str, Any] | None,
        *,
        since: datetime,
        caller: StaffCaller,
    ) -> Aftermath:
        """Take back what was done at `since`, in the running transaction; return what was undone and what is left."""
        ...


class Reviews:
    """What others find of an emergency. Nobody looks at their own."""

    def __init__(self, *, undoing: Undoing, papers: Papers, audit: Audit, jobs: Jobs, clock: Clock) -> None:
        self._undoing = undoing
        self._papers = papers
        self._audit = audit
        self._jobs = jobs
        self._clock = clock

    async def review(self, caller: StaffCaller, approval_id: UUID, finding: Finding) -> ApprovalView:
        """Write down what was found of an emergency. Of one without a reason all that can be is undone.

        Raises:
            NoSuchApproval: there is none.
            SelfApproval: it is the caller's own.
            EmergencyUnused: it was not used yet, so that nobody can say that there was a reason.
            ApprovalDecided: somebody has looked at it before.
        """

        async def work() -> None:
            before = await self._of_another(caller, approval_id)
            wrong = finding is Finding.UNJUSTIFIED
            rows = await fetch(_REVIEW, approval_id, caller.operator_id, self._clock.now(), finding.value, wrong)
            if not rows:
                row = await self._of_another(caller, approval_id)
                raise EmergencyUnused if row["reviewed_at"] is None else ApprovalDecided
            await self._record("auth.emergency-reviewed", caller, approval_id, outcome=finding.value)
            if wrong:
                aftermath = await self._take_back(caller, approval_id, rows[0])
                await execute(_KEEP_AFTERMATH, approval_id, kept(aftermath))
                await self._record(
                    "auth.emergency-undone", caller, approval_id, outcome=",".join(aftermath.undone)[:48] or "nothing"
                )
                await self._jobs.enqueue(ANNOUNCE_UNJUSTIFIED, approval_id=approval_id, by=before["requested_by"])

        await transaction(work)
        return await self._get(approval_id)

    async def follow_up(self, caller: StaffCaller, approval_id: UUID, note: str) -> ApprovalView:
        """Write down that what is left of an unjustified emergency was seen to; until then it rings.

        Raises:
            NoSuchApproval: there is none.
            SelfApproval: it is the caller's own.
            NothingToFollowUp: it was not found unjustified, or somebody has seen to it before.
        """

        async def work() -> None:
            await self._of_another(caller, approval_id)
            sealed = self._papers.seal_follow_up(approval_id, note)
            if await execute(_FOLLOW_UP, approval_id, caller.operator_id, self._clock.now(), sealed) != 1:
                raise NothingToFollowUp
            await self._record("auth.emergency-followed-up", caller, approval_id)

        await transaction(work)
        return await self._get(approval_id)

    async def announce(self, approval_id: str, by: str) -> None:
        """Tell those on watch that somebody has acted alone without a reason."""
        log.error("an emergency was found unjustified", approval=approval_id, operator=by)

    async def _take_back(self, caller: StaffCaller, approval_id: UUID, row: Mapping[str, Any]) -> Aftermath:
        if row["state"] != ApprovalState.EXECUTED:
            return Aftermath(undone=(Undone.STOPPED,))
        if row["action"] in _BY_COMMAND:
            return Aftermath(left={_BY_COMMAND[row["action"]]: 0})
        sealed = row["before_sealed"]
        return await self._undoing.undo(
            row["action"],
            self._papers.open_payload(approval_id, row["payload_sealed"]),
            None if sealed is None else self._papers.open_before(approval_id, sealed),
            since=as_moment(row["executed_at"]),
            caller=caller,
        )

    async def _of_another(self, caller: StaffCaller, approval_id: UUID) -> dict[str, Any]:
        row = await fetch_one(_FIND, approval_id)
        if row is None:
            raise NoSuchApproval
        if as_uuid(row["requested_by"]) == caller.operator_id:
            raise SelfApproval
        return row

    async def _get(self, approval_id: UUID) -> ApprovalView:
        row = await fetch_one(_FIND, approval_id)
        if row is None:
            raise NoSuchApproval
        return view_of(row, self._clock.now(), papers=self._papers)

    async def _record(self, action: str, caller: StaffCaller, approval_id: UUID, *, outcome: str = "ok") -> None:
        await self._audit.record(
            action, actor=caller.actor, object_kind="approval", object_id=approval_id, outcome=outcome
        )


# What a command has done to our own keys stands.
_BY_COMMAND: Final = {"keys.rotate": Left.KEY_MADE, "keys.retire": Left.KEYS_DESTROYED}
