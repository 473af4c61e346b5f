"""Deaths, as the population registry tells them: what somebody had open ends, and nobody comes in as them again."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final
from uuid import UUID

from auth.records import ID_NUMBER
from core.audit.actors import Actor
from core.audit.record import Audit
from core.clock import Clock
from core.crypto import Vault
from core.db import as_uuid, execute, fetch, transaction
from core.pii import IdNumber

_DIE: Final = """
UPDATE citizen SET state = 'deceased' WHERE id_number_hash IN ($1, $2) AND state IN ('active', 'closing') RETURNING id
"""
_LIVE: Final = (
    "UPDATE citizen SET state = 'active' WHERE id_number_hash IN ($1, $2) AND state = 'deceased' RETURNING id"
)
_END_SESSIONS: Final = """
UPDATE citizen_session SET ended_at = $2, end_reason = 'death', present_until = NULL
WHERE citizen_id = $1 AND ended_at IS NULL
"""
_STOP_TAKEOVERS: Final = """
UPDATE takeover SET state = 'stopped', ended_at = $2 WHERE holder_id = $1 AND state = 'waiting'
"""

# Ends something else that a person had open, in the running transaction.
Ending = Callable[[UUID], Awaitable[None]]


class Deaths:
    """Records deaths. What ends does not come back when the registry takes its word back; the account does."""

    def __init__(self, *, vault: Vault, audit: Audit, clock: Clock, endings: Sequence[Ending] = ()) -> None:
        self._vault = vault
        self._audit = audit
        self._clock = clock
        self._endings = endings

    async def record(self, id_number: IdNumber, *, actor: Actor) -> bool:
        """Record that somebody has died; return whether they had an account that was open.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """

        async def work() -> bool:
            rows = await fetch(_DIE, *self._indexes(id_number))
            for row in rows:
                citizen_id = as_uuid(row["id"])
                now = self._clock.now()
                await execute(_END_SESSIONS, citizen_id, now)
                await execute(_STOP_TAKEOVERS, citizen_id, now)
                for end in self._endings:
                    await end(citizen_id)
                await self._audit.record("auth.death-recorded", actor=actor, subject_id=citizen_id)
            return bool(rows)

        return await transaction(work)

    async def take_back(self, id_number: IdNumber, *, actor: Actor) -> bool:
        """Record that somebody was told dead and lives; return whether their account was closed for it.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """

        async def work() -> bool:
            rows = await fetch(_LIVE, *self._indexes(id_number))
            for row in rows:
                await self._audit.record("auth.death-taken-back", actor=actor, subject_id=as_uuid(row["id"]))
            return bool(rows)

        return await transaction(work)

    def _indexes(self, id_number: IdNumber) -> tuple[str, str]:
        return self._vault.indexes(ID_NUMBER, id_number.reveal())
