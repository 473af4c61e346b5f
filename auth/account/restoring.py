"""After a restore: logins that had been ended since the backup must not live again, so all end."""

from typing import Final

from auth.places.recent import RecentSessions
from core.clock import Clock
from core.db import execute, require_transaction

_RESIDENTS: Final = """
UPDATE citizen_session SET ended_at = $1, end_reason = 'restored', present_until = NULL WHERE ended_at IS NULL
"""
_OPERATORS: Final = "UPDATE operator_session SET ended_at = $1 WHERE ended_at IS NULL"


class RestoredSessions:
    """The sessions of a database that was restored."""

    def __init__(self, *, recent: RecentSessions, clock: Clock) -> None:
        self._recent = recent
        self._clock = clock

    async def end_all(self) -> int:
        """End every session of residents and operators and return how many there were: all log in again.

        Raises:
            OutsideTransaction: no transaction is running.
        """
        require_transaction()
        now = self._clock.now()
        self._recent.changed(None)
        return await execute(_RESIDENTS, now) + await execute(_OPERATORS, now)
