"""How often somebody may name a relative or an organisation: counted in the database, on both sides."""

from datetime import timedelta
from math import ceil
from typing import Final
from uuid import UUID

from limits import RateLimitItem, parse

from core.cache import TooManyRequests
from core.clock import Clock
from core.db import as_moment, execute, fetch, fetch_one, transaction
from core.ids import Ids

# Two attempts at once wait here for each other: the second counts the first. The rows are those of real-name attempts
# under keys of their own, and are forgotten with them.
_HOLD: Final = """
INSERT INTO real_name_subject (key, counted_at) VALUES ($1, $2)
ON CONFLICT (key) DO UPDATE SET counted_at = excluded.counted_at RETURNING key
"""
_BY_ACCOUNT: Final = """
SELECT count(*) AS started, min(started_at) AS earliest FROM delegation_attempt
WHERE citizen_id = $1 AND started_at > $2 AND purpose = $3
"""
_ON_KEY: Final = """
SELECT count(*) AS started, min(started_at) AS earliest FROM delegation_attempt
WHERE key = $1 AND started_at > $2 AND purpose = $3
"""
_START: Final = """
INSERT INTO delegation_attempt (id, citizen_id, key, started_at, purpose) VALUES ($1, $2, $3, $4, $5) RETURNING id
"""
_FORGET: Final = "DELETE FROM delegation_attempt WHERE started_at <= $1"
_LONGEST: Final = timedelta(days=2)


class Attempts:
    """Counts attempts of one purpose where no wiped cache and no restart gives anybody more of them."""

    def __init__(self, purpose: str, *, clock: Clock, ids: Ids, by_account: str, on_key: str) -> None:
        self._purpose = purpose
        self._clock = clock
        self._ids = ids
        self._by_account = parse(by_account)
        self._on_key = parse(on_key)
        if max(_window(self._by_account), _window(self._on_key)) > _LONGEST:
            raise ValueError("attempts are remembered for two days")

    async def start(self, citizen_id: UUID, key: str) -> None:
        """Count one attempt by an account at what the mark `key` stands for.

        Raises:
            TooManyRequests: the account or what it names was tried too often; `retry_after` says when it may be again.
            DatabaseUnavailable: attempts cannot be counted now, so none may be made.
        """

        async def work() -> None:
            now = self._clock.now()
            # The same order everywhere, so that two transactions never wait for each other.
            for held in (f"da:{citizen_id}", f"dk:{key}"):
                await fetch(_HOLD, held, now)
            await self._require(_BY_ACCOUNT, citizen_id, self._by_account)
            await self._require(_ON_KEY, key, self._on_key)
            await fetch(_START, self._ids.uuid(), citizen_id, key, now, self._purpose)

        await transaction(work)

    async def forget(self) -> int:
        """Delete the attempts that count no more and return how many went.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        return await transaction(lambda: execute(_FORGET, self._clock.now() - _LONGEST))

    async def _require(self, sql: str, key: UUID | str, rule: RateLimitItem) -> None:
        now = self._clock.now()
        row = await fetch_one(sql, key, now - _window(rule), self._purpose)
        if row is None or int(row["started"]) < rule.amount:
            return
        again = as_moment(row["earliest"]) + _window(rule)
        raise TooManyRequests(retry_after=max(1, ceil((again - now).total_seconds())))


def _window(rule: RateLimitItem) -> timedelta:
    return timedelta(seconds=rule.get_expiry())
