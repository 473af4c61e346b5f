"""Ending what somebody holds and what was given in their name: by the register's word, and when a person goes."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from auth.delegation.attempts import Attempts
from auth.delegation.records import Rows
from auth.delegation.trail import Trail
from auth.settings import DelegationSettings
from core.audit.actors import SYSTEM, Actor
from core.clock import Clock
from core.db import as_uuid, execute, fetch, require_transaction, transaction
from core.jobs.runner import Change

_OF_LINK: Final = """
UPDATE mandate SET state = 'revoked', ended_at = $2, end_reason = 'relative-ended'
WHERE relative_id = $1 AND state IN ('offered', 'active', 'used') RETURNING id, principal_id, agent_id
"""
# One that rests on a representative's mandate falls with it.
_ONE: Final = """
UPDATE mandate SET state = $3, ended_at = $2, end_reason = $4
WHERE (id = $1 OR under_id = $1) AND state IN ('offered', 'active', 'used') RETURNING id, principal_id, agent_id
"""
_UNDER_THOSE_OF: Final = """
UPDATE mandate SET state = 'ended', ended_at = $2, end_reason = $3
WHERE state IN ('offered', 'active', 'used')
  AND (principal_id = $1 OR agent_id = $1 OR granted_by = $1
       OR under_id IN (SELECT id FROM mandate WHERE agent_id = $1 AND kind = 'representative'))
RETURNING id, principal_id, agent_id
"""
_LINKS_OF: Final = """
UPDATE relative SET state = 'ended', ended_at = $2, name_sealed = NULL, id_number_sealed = NULL
WHERE state <> 'ended'
  AND (citizen_id = $1 OR other_id = $1 OR number_hash IN ($3, $4))
RETURNING id, citizen_id, other_id
"""
_OVERDUE: Final = """
UPDATE mandate SET state = 'ended', ended_at = $1, end_reason = 'over'
WHERE state IN ('offered', 'active') AND ends_at <= $1
"""
_UNANSWERED: Final = """
UPDATE relative SET state = 'ended', ended_at = $2, name_sealed = NULL, id_number_sealed = NULL
WHERE state = 'waiting' AND asked_at <= $1
"""


class Ending:
    """Ends ties and mandates. What has ended stays as history and lets nobody do anything."""

    def __init__(
        self,
        *,
        rows: Rows,
        trail: Trail,
        clock: Clock,
        settings: DelegationSettings,
        attempts: Sequence[Attempts],
    ) -> None:
        self._rows = rows
        self._trail = trail
        self._clock = clock
        self._settings = settings
        self._attempts = attempts

    async def end_all_of(self, citizen_id: UUID, reason: str) -> int:
        """End every tie and every mandate in which somebody is one side, in the running transaction; return how many.

        `reason` is a word such as `death` or `account-closed`; it stands in the ledger of the other sides.

        Raises:
            OutsideTransaction: no transaction is running.
        """
        require_transaction()
        now = self._clock.now()
        number = await self._trail.number_of(citizen_id)
        hashes = ("", "") if number is None else self._rows.number_hashes(number)
        links = await fetch(_LINKS_OF, citizen_id, now, *hashes)
        mandates = await fetch(_UNDER_THOSE_OF, citizen_id, now, reason[:24])
        for row in links:
            sides = {as_uuid(row[side]) for side in ("citizen_id", "other_id") if row[side] is not None}
            await self._trail.tell(
                "auth.relative-ended",
                actor=SYSTEM,
                subjects=sorted(sides | {citizen_id}),
                object_kind="relative",
                object_id=as_uuid(row["id"]),
                outcome=reason,
            )
        await self._tell_ended(mandates, SYSTEM, "auth.mandate-ended", reason)
        return len(links) + len(mandates)

    async def end_later(self, citizen_id: str, reason: str) -> Change:
        """Give the change that ends everything in which somebody is one side (job `auth.end-delegations`)."""

        async def change() -> None:
            await self.end_all_of(UUID(citizen_id), reason)

        return change

    async def end_on_link(self, link_id: UUID, actor: Actor) -> None:
        """Revoke the mandates that rest on a tie between relatives, in the running transaction.

        Raises:
            OutsideTransaction: no transaction is running.
        """
        require_transaction()
        ended = await fetch(_OF_LINK, link_id, self._clock.now())
        await self._tell_ended(ended, actor, "auth.mandate-revoked", "relative-ended")

    async def end_one(self, mandate_id: UUID, *, state: str, reason: str, actor: Actor, action: str) -> None:
        """End a mandate and what rests on it, in the running transaction; one that has ended stays as it is.

        Raises:
            OutsideTransaction: no transaction is running.
        """
        require_transaction()
        ended = await fetch(_ONE, mandate_id, self._clock.now(), state, reason)
        await self._tell_ended(ended, actor, action, reason)

    async def tidy(self) -> int:
        """Write down what is over, forget what nobody has answered and attempts that count no more; return how many.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        now = self._clock.now()

        async def work() -> int:
            unanswered = await execute(_UNANSWERED, now - timedelta(days=self._settings.waiting_days), now)
            return unanswered + await execute(_OVERDUE, now)

        count = await transaction(work)
        for each in self._attempts:
            await each.forget()
        return count

    async def _tell_ended(self, rows: Sequence[Mapping[str, Any]], actor: Actor, action: str, outcome: str) -> None:
        for row in rows:
            sides = {as_uuid(row[side]) for side in ("principal_id", "agent_id") if row[side] is not None}
            await self._trail.tell(
                action,
                actor=actor,
                subjects=sorted(sides),
                object_kind="mandate",
                object_id=as_uuid(row["id"]),
                outcome=outcome,
            )
