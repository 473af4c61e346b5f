"""Deaths, as the population registry tells them: what somebody had open ends, and nobody comes in as them again."""

from typing import Final

from auth.places.recent import RecentSessions
from auth.records import ID_NUMBER
from core.audit.actors import Actor
from core.audit.record import Audit
from core.clock import Clock
from core.crypto import Vault
from core.db import as_uuid, execute, fetch, transaction
from core.jobs.queue import Jobs
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

END_DELEGATIONS: Final = "auth.end-delegations"


class Deaths:
    """Records deaths. What ends does not come back when the registry takes its word back; the account does."""

    def __init__(self, *, recent: RecentSessions, vault: Vault, audit: Audit, jobs: Jobs, clock: Clock) -> None:
        self._recent = recent
        self._vault = vault
        self._audit = audit
        self._jobs = jobs
        self._clock = clock

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
                self._recent.changed(citizen_id)
                await execute(_STOP_TAKEOVERS, citizen_id, now)
                # Mandates are checked against the state of both sides: this tidies up, and tells the other side.
                await self._jobs.enqueue(END_DELEGATIONS, citizen_id=citizen_id, reason="death")
                await self._jobs.enqueue("certificates.hold-back", citizen_id=citizen_id, reason="death")
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
                citizen_id = as_uuid(row["id"])
                await self._jobs.enqueue("certificates.release", citizen_id=citizen_id, reason="death")
                await self._audit.record("auth.death-taken-back", actor=actor, subject_id=citizen_id)
            return bool(rows)

        return await transaction(work)

    def _indexes(self, id_number: IdNumber) -> tuple[str, str]:
        return self._vault.indexes(ID_NUMBER, id_number.reveal())
