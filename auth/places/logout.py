"""Logging out: of one place, or everywhere for somebody who has lost a phone or trusts nothing any more."""

from typing import Final
from uuid import UUID

from auth.places.recent import RecentSessions
from auth.types import Caller
from core.audit.record import Audit
from core.clock import Clock
from core.db import as_uuid, execute, fetch, transaction

_END_ONE: Final = """
UPDATE citizen_session SET ended_at = $3, end_reason = 'logout', present_until = NULL
WHERE id = $1 AND citizen_id = $2 AND ended_at IS NULL AND expires_at > $3
"""
_END_ALL: Final = """
UPDATE citizen_session SET ended_at = $2, end_reason = 'logout', present_until = NULL
WHERE citizen_id = $1 AND ended_at IS NULL AND expires_at > $2 RETURNING id
"""


class Logout:
    """Ends a resident's sessions, one or all of them."""

    def __init__(self, *, recent: RecentSessions, audit: Audit, clock: Clock) -> None:
        self._recent = recent
        self._audit = audit
        self._clock = clock

    async def of(self, caller: Caller, session_id: UUID) -> bool:
        """Log the caller out of one of their sessions; return whether there was such a session.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """

        async def work() -> bool:
            ended = await execute(_END_ONE, session_id, caller.citizen_id, self._clock.now()) == 1
            if ended:
                self._recent.changed(caller.citizen_id)
                await self._audit.record(
                    "auth.session-ended",
                    actor=caller.actor,
                    subject_id=caller.citizen_id,
                    object_kind="session",
                    object_id=session_id,
                )
            return ended

        return await transaction(work)

    async def everywhere(self, caller: Caller) -> int:
        """End every session of the caller, this one too, and return how many there were.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """

        async def work() -> int:
            rows = await fetch(_END_ALL, caller.citizen_id, self._clock.now())
            self._recent.changed(caller.citizen_id)
            for row in rows:
                await self._audit.record(
                    "auth.session-ended",
                    actor=caller.actor,
                    subject_id=caller.citizen_id,
                    object_kind="session",
                    object_id=as_uuid(row["id"]),
                )
            return len(rows)

        return await transaction(work)
