"""Counts of exchange for staff: line by line, by day and partner, and what nobody uses."""

import json
from collections.abc import Callable, Collection, Mapping
from datetime import date
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from core.clock import Clock, china_date
from core.db import as_uuid, fetch, fetch_one
from core.metrics import EXCHANGE_UNUSED
from matters.catalogue.loading import load_sharing
from matters.exchange.rules import unused
from matters.exchange.settings import ExchangeSettings
from matters.exchange.types import (
    Direction,
    Exchanged,
    ExchangeDay,
    ExchangeLine,
    ExchangeOutcome,
    ExchangeWanted,
    Unused,
)

_RESOURCES: Final = Path(__file__).with_name("resources.json")
_PAGE: Final = """
SELECT id, day, direction, partner, resource, matter, consumer, outcome, count, total_us, longest_us
FROM exchange_count
WHERE day >= $1 AND day <= $2 AND (CAST($3 AS TEXT) = '' OR partner = $3) AND (CAST($4 AS TEXT) = '' OR matter = $4)
  AND (CAST($5 AS TEXT) = '' OR resource = $5) AND (CAST($6 AS TEXT) = '' OR outcome = $6)
  AND (CAST($7 AS TEXT) = '' OR direction = $7) AND (day < $8 OR (day = $8 AND id < $9))
ORDER BY day DESC, id DESC LIMIT $10
"""
_DAYS: Final = """
SELECT day, direction, partner, SUM(count) AS count, SUM(total_us) AS total_us, MAX(longest_us) AS longest_us,
       SUM(CASE WHEN outcome IN ('ok', 'refused') THEN 0 ELSE count END) AS failed
FROM exchange_count
WHERE day >= $1 AND day <= $2 AND (CAST($3 AS TEXT) = '' OR partner = $3) AND (CAST($4 AS TEXT) = '' OR matter = $4)
  AND (CAST($5 AS TEXT) = '' OR resource = $5) AND (CAST($6 AS TEXT) = '' OR outcome = $6)
  AND (CAST($7 AS TEXT) = '' OR direction = $7)
  AND (day < $8 OR (day = $8 AND (partner > $9 OR (partner = $9 AND direction > $10))))
GROUP BY day, direction, partner ORDER BY day DESC, partner, direction LIMIT $11
"""
_LAST: Final = "SELECT partner, resource, MAX(day) AS day FROM exchange_count GROUP BY partner, resource"
_FIRST_DAY: Final = "SELECT MIN(day) AS day FROM exchange_count"
_AFTER_ALL_DAYS: Final = "9999-12-31"
_AFTER_ALL: Final = UUID(int=(1 << 128) - 1)


def load_resources() -> Mapping[tuple[str, str], tuple[str, ...]]:
    """Return which entries of the sharing catalogue a call asks for, by partner and by what the call is called.

    Raises:
        OSError: the file cannot be read.
    """
    told = json.loads(_RESOURCES.read_bytes())
    return {(each["partner"], each["call"]): tuple(each["resources"]) for each in told}


def counted_as(resources: Mapping[tuple[str, str], tuple[str, ...]]) -> Mapping[tuple[str, str], str]:
    """Return under which entry calls are counted that ask for one alone."""
    return {call: names[0] for call, names in resources.items() if len(names) == 1}


class ExchangeFigures:
    """Reads what was counted. `systems` gives the names of the systems that are configured."""

    def __init__(
        self,
        *,
        systems: Callable[[], Collection[str]],
        resources: Mapping[tuple[str, str], tuple[str, ...]],
        clock: Clock,
        settings: ExchangeSettings,
    ) -> None:
        self._systems = systems
        self._resources = resources
        self._clock = clock
        self._settings = settings

    async def page(self, wanted: ExchangeWanted, *, before: tuple[date, UUID] | None, limit: int) -> list[ExchangeLine]:
        """Return counts, the newest day first, those before one when it is given.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        day, last = (before[0].isoformat(), before[1]) if before else (_AFTER_ALL_DAYS, _AFTER_ALL)
        return [_line(row) for row in await fetch(_PAGE, *_parameters(wanted), day, last, limit)]

    async def days(
        self, wanted: ExchangeWanted, *, before: tuple[date, str, str] | None, limit: int
    ) -> list[ExchangeDay]:
        """Return sums by day and partner, the newest day first, those before one when it is given.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        place = (before[0].isoformat(), *before[1:]) if before else (_AFTER_ALL_DAYS, "", "")
        return [_day(row) for row in await fetch(_DAYS, *_parameters(wanted), *place, limit)]

    async def unused(self) -> list[Unused]:
        """Return configured systems and shared resources that nobody asked for so long, and note how many.

        What is open to everybody is fetched without us and does not count.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        first = await fetch_one(_FIRST_DAY)
        found = unused(
            systems=self._systems(),
            resources=[(each.department, each.code) for each in load_sharing().resources if not each.open],
            last_used=self._spread(await fetch(_LAST)),
            counted_since=date.fromisoformat(first["day"]) if first and first["day"] else None,
            today=china_date(self._clock.now()),
            days=self._settings.unused_days,
        )
        EXCHANGE_UNUSED.set(len(found))
        return found

    def _spread(self, rows: list[dict[str, Any]]) -> Mapping[tuple[str, str], date]:
        """Return when each resource was asked for last; a call may ask for several."""
        last: dict[tuple[str, str], date] = {}
        for row in rows:
            partner, call, day = str(row["partner"]), str(row["resource"]), date.fromisoformat(row["day"])
            for name in self._resources.get((partner, call), (call,)):
                last[partner, name] = max(day, last.get((partner, name), day))
        return last


def _parameters(wanted: ExchangeWanted) -> tuple[str, ...]:
    return (
        wanted.since.isoformat(),
        wanted.until.isoformat(),
        wanted.partner,
        wanted.matter,
        wanted.resource,
        wanted.outcome,
        wanted.direction,
    )


def _line(row: Mapping[str, Any]) -> ExchangeLine:
    exchanged = Exchanged(
        day=date.fromisoformat(row["day"]),
        direction=Direction(row["direction"]),
        partner=row["partner"],
        resource=row["resource"],
        matter=row["matter"],
        consumer=row["consumer"],
        outcome=ExchangeOutcome(row["outcome"]),
    )
    return ExchangeLine(as_uuid(row["id"]), exchanged, int(row["count"]), int(row["total_us"]), int(row["longest_us"]))


def _day(row: Mapping[str, Any]) -> ExchangeDay:
    return ExchangeDay(
        day=date.fromisoformat(row["day"]),
        direction=Direction(row["direction"]),
        partner=row["partner"],
        count=int(row["count"]),
        failed=int(row["failed"]),
        total_us=int(row["total_us"]),
        longest_us=int(row["longest_us"]),
    )
