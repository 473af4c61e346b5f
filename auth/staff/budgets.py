"""How often an operator may do something to people's data within an hour and within a day, counted in the database."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from auth.staff.grants import hold
from core.db import as_moment, fetch_one

_HOUR: Final = timedelta(hours=1)
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Spent:
    """How a budget stands: seconds to wait (0: there is room), and whether the next makes half of what is allowed."""

    wait: int
    is_half: bool


class Budget:
    """Counts rows: `sql` gives their number `n` and the `earliest` for an operator ($1) since a moment ($2)."""

    def __init__(self, sql: str, *, an_hour: int, a_day: int) -> None:
        self._sql = sql
        self._most = ((_HOUR, an_hour), (_DAY, a_day))

    async def look(self, operator_id: UUID, now: datetime) -> Spent:
        """Return how the budget stands, for whoever writes the next row in the running transaction.

        Raises:
            OutsideTransaction: no transaction is running.
        """
        await hold((operator_id,))  # Two at once wait here for each other.
        is_half = False
        for window, most in self._most:
            row = await fetch_one(self._sql, str(operator_id), now - window)
            count = 0 if row is None else int(row["n"])
            if row is not None and count >= most:
                wait = as_moment(row["earliest"]) + window - now
                return Spent(max(1, int(wait.total_seconds()) + 1), is_half=False)
            is_half = is_half or count + 1 == (most + 1) // 2
        return Spent(0, is_half)
