"""How often something may be tried: attempts count when they start, in the database, each kind by itself."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from math import ceil
from typing import Final
from uuid import UUID

from auth.ways.errors import WayLocked
from core.clock import Clock
from core.db import as_moment, execute, fetch, fetch_one, require_transaction
from core.errors import Alternative
from core.ids import Ids

# Two attempts at once wait here for each other: the second counts the first.
_HOLD: Final = """
INSERT INTO way_subject (key, counted_at) VALUES ($1, $2)
ON CONFLICT (key) DO UPDATE SET counted_at = excluded.counted_at RETURNING key
"""
_COUNT: Final = """
SELECT count(*) AS started, min(started_at) AS earliest FROM way_attempt
WHERE kind = $1 AND key = $2 AND started_at > $3
"""
_START: Final = """
INSERT INTO way_attempt (id, attempt_id, kind, key, started_at) VALUES ($1, $2, $3, $4, $5) RETURNING id
"""
_GIVE_BACK: Final = "DELETE FROM way_attempt WHERE attempt_id = $1"
_FORGET: Final = "DELETE FROM way_attempt WHERE started_at <= $1"
_FORGET_SUBJECTS: Final = "DELETE FROM way_subject WHERE counted_at <= $1"
# No kind is counted over a longer time.
LONGEST: Final = timedelta(hours=48)


@dataclass(frozen=True, slots=True)
class Allowance:
    """How many attempts of a kind are allowed on each key within a time."""

    kind: str
    amount: int
    window: timedelta


class Attempts:
    """Counts attempts in the database: neither a restart nor a wiped cache gives anybody more of them.

    Every kind is counted by itself, so that one method that is used up leaves the others open.
    """

    def __init__(self, *, clock: Clock, ids: Ids) -> None:
        self._clock = clock
        self._ids = ids

    async def start(
        self, allowance: Allowance, keys: Sequence[str], *, alternatives: Sequence[Alternative] = ()
    ) -> UUID:
        """Count one attempt on all of `keys`, in the running transaction, and return its id.

        Raises:
            WayLocked: one of the keys has no attempt left; `retry_after` says when it has again.
            OutsideTransaction: no transaction is running.
        """
        require_transaction()
        now = self._clock.now()
        # The same order everywhere, so that two transactions never wait for each other.
        for key in sorted(keys):
            await fetch(_HOLD, f"{allowance.kind}:{key}", now)
        for key in keys:
            row = await fetch_one(_COUNT, allowance.kind, key, now - allowance.window)
            if row is not None and int(row["started"]) >= allowance.amount:
                again = as_moment(row["earliest"]) + allowance.window
                wait = max(1, ceil((again - now).total_seconds()))
                raise WayLocked(retry_after=wait, alternatives=alternatives)
        attempt_id = self._ids.uuid()
        for key in keys:
            await fetch(_START, self._ids.uuid(), attempt_id, allowance.kind, key, now)
        return attempt_id

    async def left(self, allowance: Allowance, keys: Sequence[str]) -> int:
        """Return how many attempts are left on the key that has fewest.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        since = self._clock.now() - allowance.window
        rows = [await fetch_one(_COUNT, allowance.kind, key, since) for key in keys]
        return max(0, allowance.amount - max(int(row["started"]) if row else 0 for row in rows))

    async def give_back(self, attempt_id: UUID) -> None:
        """Take an attempt back, in the running transaction: it came to nothing through no fault, or it was right.

        Raises:
            OutsideTransaction: no transaction is running.
        """
        require_transaction()
        await execute(_GIVE_BACK, attempt_id)

    async def forget(self) -> None:
        """Delete the attempts that count no more, in the running transaction.

        Raises:
            OutsideTransaction: no transaction is running.
        """
        require_transaction()
        old = self._clock.now() - LONGEST
        await execute(_FORGET_SUBJECTS, old)
        await execute(_FORGET, old)
