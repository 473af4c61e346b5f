"""How often a real name may be tried: attempts count when they start, on the account and on the number."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from math import ceil
from typing import Final
from uuid import UUID

from limits import RateLimitItem, parse

from auth.settings import AuthLimits
from core.cache import TooManyRequests
from core.clock import Clock
from core.db import as_moment, execute, fetch, fetch_one, transaction
from core.ids import Ids

# Two attempts at once wait here for each other: the second counts the first.
_HOLD: Final = """
INSERT INTO real_name_subject (key, counted_at) VALUES ($1, $2)
ON CONFLICT (key) DO UPDATE SET counted_at = excluded.counted_at RETURNING key
"""
_BY_ACCOUNT: Final = """
SELECT count(*) AS started, min(started_at) AS earliest FROM real_name_attempt
WHERE citizen_id = $1 AND started_at > $2
"""
_ON_NUMBER: Final = """
SELECT count(*) AS started, min(started_at) AS earliest FROM real_name_attempt
WHERE number_hash IN ($1, $3) AND started_at > $2
"""
_START: Final = """
INSERT INTO real_name_attempt (id, citizen_id, number_hash, started_at) VALUES ($1, $2, $3, $4) RETURNING id
"""
_GIVE_BACK: Final = "DELETE FROM real_name_attempt WHERE id = $1"
_FORGET: Final = "DELETE FROM real_name_attempt WHERE started_at <= $1"
_FORGET_SUBJECTS: Final = "DELETE FROM real_name_subject WHERE counted_at <= $1"


class Attempts:
    """Counts attempts at a real name in the database: neither a restart nor a wiped cache gives anybody more of them.

    A number is counted across all accounts and addresses that try it, an account across all numbers.
    """

    def __init__(self, *, clock: Clock, ids: Ids, settings: AuthLimits) -> None:
        self._clock = clock
        self._ids = ids
        self._by_account = parse(settings.identity_account)
        self._on_number = parse(settings.identity_number)

    async def start(self, citizen_id: UUID, number_hash: str, other_hash: str | None = None) -> UUID:
        """Count one attempt and return its id. `other_hash`: under which the number may stand as well.

        Raises:
            TooManyRequests: the account or the number was tried too often; `retry_after` says when it may be again.
            DatabaseUnavailable: attempts cannot be counted now, so none may be made.
        """
        hashes = (number_hash, other_hash or number_hash)

        async def work() -> UUID:
            now = self._clock.now()
            # The same order everywhere, so that two transactions never wait for each other.
            for key in (f"a:{citizen_id}", f"n:{min(hashes)}"):
                await fetch(_HOLD, key, now)
            await self._require(_BY_ACCOUNT, (citizen_id,), self._by_account, now)
            await self._require(_ON_NUMBER, hashes, self._on_number, now)
            attempt_id = self._ids.uuid()
            await fetch(_START, attempt_id, citizen_id, number_hash, now)
            return attempt_id

        return await transaction(work)

    async def give_back(self, attempt_id: UUID) -> None:
        """Take one attempt back, because it came to nothing through no fault of the caller's.

        Raises:
            DatabaseUnavailable: the database could not be reached; the attempt counts.
        """
        await transaction(lambda: execute(_GIVE_BACK, attempt_id))

    async def forget(self) -> int:
        """Delete the attempts that count no more and return how many went: nobody needs to know of them then.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        old = self._clock.now() - max(_window(self._by_account), _window(self._on_number))

        async def work() -> int:
            await execute(_FORGET_SUBJECTS, old)
            return await execute(_FORGET, old)

        return await transaction(work)

    @staticmethod
    async def _require(sql: str, keys: Sequence[UUID | str], rule: RateLimitItem, now: datetime) -> None:
        row = await fetch_one(sql, keys[0], now - _window(rule), *keys[1:])
        if row is None or int(row["started"]) < rule.amount:
            return
        again = as_moment(row["earliest"]) + _window(rule)
        raise TooManyRequests(retry_after=max(1, ceil((again - now).total_seconds())))


def _window(rule: RateLimitItem) -> timedelta:
    return timedelta(seconds=rule.get_expiry())
