"""Counting what passes between us and outside systems: in memory as it happens, in the database every few seconds.

Nothing of what was said is kept, and nobody it was about: only names from closed lists, counts and times.
"""

from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from typing import Final

from core.clock import Clock, china_date
from core.db import after_commit, drain, execute, transaction
from core.errors import Unavailable
from core.ids import Ids
from core.log import get_logger
from core.outside.watching import current_concern
from matters.exchange.rules import outcome_of, resource_of
from matters.exchange.settings import ExchangeSettings
from matters.exchange.types import Direction, Exchanged

log = get_logger(__name__)

OURSELVES: Final = "platform"
# Names come from closed lists; should one not, it counts under this beyond so many of them at once.
_OTHER: Final = "other"
_MOST_KINDS: Final = 5000
_ROWS_AT_ONCE: Final = 200
_COLUMNS: Final = 11
_MICROSECONDS: Final = 1_000_000
_ADD: Final = """
INSERT INTO exchange_count (id, day, direction, partner, resource, matter, consumer, outcome, count, total_us,
                            longest_us)
VALUES {rows}
ON CONFLICT (day, direction, partner, resource, matter, consumer, outcome) DO UPDATE SET
  count = exchange_count.count + excluded.count, total_us = exchange_count.total_us + excluded.total_us,
  longest_us = CASE WHEN excluded.longest_us > exchange_count.longest_us THEN excluded.longest_us
                    ELSE exchange_count.longest_us END
"""
_FORGET: Final = "DELETE FROM exchange_count WHERE day < $1"

Kind = tuple[Direction, str, str, str, str, str]


class ExchangeCounts:
    """Counts exchanges. `resources` are entries of the sharing catalogue by partner and by what a call is called."""

    def __init__(
        self, *, resources: Mapping[tuple[str, str], str], clock: Clock, ids: Ids, settings: ExchangeSettings
    ) -> None:
        self._resources = resources
        self._clock = clock
        self._ids = ids
        self._settings = settings
        self._counts: dict[Kind, list[int]] = {}
        self._day = china_date(clock.now())
        self._full: list[tuple[Exchanged, list[int]]] = []

    def count(
        self,
        direction: Direction,
        partner: str,
        call: str,
        told: str,
        seconds: float,
        *,
        matter: str = "",
        consumer: str = OURSELVES,
    ) -> None:
        """Count one exchange. `call` is its name (`resource_of`), `told` its status or the reason there was none."""
        if (today := china_date(self._clock.now())) != self._day:
            self._set_aside()
            self._day = today
        key = (direction, partner, self._resources.get((partner, call), call), matter, consumer, told)
        counted = self._counts.get(key)
        if counted is None:
            if len(self._counts) >= _MOST_KINDS:
                key = (direction, partner, _OTHER, "", consumer, told)
            counted = self._counts.setdefault(key, [0, 0, 0])
        microseconds = int(seconds * _MICROSECONDS)
        counted[0] += 1
        counted[1] += microseconds
        counted[2] = max(counted[2], microseconds)

    def passed(self, partner: str, method: str, path: str, outcome: str, seconds: float) -> None:
        """Count a call that went out, on whose behalf it was made."""
        concern = current_concern()
        self.count(
            Direction.OUT,
            partner,
            resource_of(method, path),
            outcome,
            seconds,
            matter=concern.matter,
            consumer=concern.consumer or OURSELVES,
        )

    async def flush(self) -> None:
        """Add what was counted to the database; what cannot be written now is kept for the next time."""
        self._set_aside()
        while part := self._full[:_ROWS_AT_ONCE]:
            try:
                await transaction(partial(self._write, part))
            except Unavailable:
                return

    async def close(self) -> None:
        """Write all that is left; a flush that was cut short comes to its end first."""
        await drain()
        await self.flush()
        if self._full:
            log.warning("exchanges were not written", count=sum(counted[0] for _, counted in self._full))

    async def forget(self) -> int:
        """Delete counts of days long past, and return how many rows went.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        before = china_date(self._clock.now()) - timedelta(days=self._settings.keep_days)
        return await transaction(lambda: execute(_FORGET, before.isoformat()))

    def _set_aside(self) -> None:
        counts, self._counts = self._counts, {}
        merged = dict(self._full)
        for (direction, partner, resource, matter, consumer, told), (count, total, longest) in counts.items():
            exchanged = Exchanged(self._day, direction, partner, resource, matter, consumer, outcome_of(told))
            counted = merged.setdefault(exchanged, [0, 0, 0])
            counted[0] += count
            counted[1] += total
            counted[2] = max(counted[2], longest)
        # In one order in every process: none waits for a row of another that waits for one of its own.
        self._full = sorted(merged.items(), key=lambda item: item[0])

    async def _write(self, part: list[tuple[Exchanged, list[int]]]) -> None:
        values = [value for exchanged, counted in part for value in self._row(exchanged, counted)]
        await execute(_ADD.format(rows=", ".join(map(_place, range(len(part))))), *values)
        # With the commit, also when whoever asked for it was cut short meanwhile: nothing is added twice.
        after_commit(partial(self._written, len(part)))

    def _written(self, count: int) -> None:
        del self._full[:count]

    def _row(self, exchanged: Exchanged, counted: list[int]) -> tuple[object, ...]:
        return (
            self._ids.uuid(),
            exchanged.day.isoformat(),
            exchanged.direction.value,
            exchanged.partner,
            exchanged.resource,
            exchanged.matter,
            exchanged.consumer,
            exchanged.outcome.value,
            *counted,
        )


def _place(number: int) -> str:
    first = number * _COLUMNS + 1
    return f"({', '.join(f'${place}' for place in range(first, first + _COLUMNS))})"
