"""Forgetting what has served its time: answers kept for lost connections, ended sessions, old attempts."""

from datetime import timedelta
from typing import Final

from auth.attempts import Attempts
from auth.settings import SessionSettings
from core.clock import Clock
from core.db import execute, transaction

_WIPE_SUCCESSORS: Final = """
UPDATE refresh_token SET successor_sealed = NULL WHERE successor_sealed IS NOT NULL AND used_at <= $1
"""
_FORGET_TOKENS: Final = """
DELETE FROM refresh_token WHERE session_id IN (SELECT id FROM citizen_session WHERE ended_at < $1 OR expires_at < $1)
"""
_FORGET_SESSIONS: Final = "DELETE FROM citizen_session WHERE ended_at < $1 OR expires_at < $1"


class Tidying:
    """Keeps the rows of auth to those that are of use; it runs from the timetable."""

    def __init__(self, *, attempts: Attempts, clock: Clock, settings: SessionSettings) -> None:
        self._attempts = attempts
        self._clock = clock
        self._settings = settings

    async def tidy(self) -> int:
        """Wipe and forget what has served its time and return how many sessions went.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        now = self._clock.now()
        old = now - timedelta(days=self._settings.keep_ended_days)

        async def work() -> int:
            await execute(_WIPE_SUCCESSORS, now - timedelta(seconds=self._settings.grace_seconds))
            await execute(_FORGET_TOKENS, old)
            return await execute(_FORGET_SESSIONS, old)

        forgotten = await transaction(work)
        await self._attempts.forget()
        return forgotten
