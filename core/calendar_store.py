"""The published calendar in the database: read by deadlines, extended by an operator each autumn.

`fill_calendar` takes the years that the package `chinesecalendar` knows; later years come from the operator.
"""

from collections.abc import Mapping
from datetime import date
from typing import Final

from chinese_calendar.constants import holidays, workdays

from core.calendar import WorkingCalendar
from core.clock import Clock
from core.db import fetch, transaction

_YEARS: Final = "SELECT year FROM holiday_year ORDER BY year"
_DAYS: Final = "SELECT day, works FROM holiday"
_ADD_YEAR: Final = (
    "INSERT INTO holiday_year (year, source) VALUES ($1, $2) ON CONFLICT (year) DO NOTHING RETURNING year"
)
_SET_DAY: Final = """
INSERT INTO holiday (day, works, label) VALUES ($1, $2, $3)
ON CONFLICT (day) DO UPDATE SET works = excluded.works, label = excluded.label RETURNING day
"""
_KEEP_SECONDS: Final = 60.0
_LABEL: Final = 32


class CalendarStore:
    """Reads the table, at most once a minute: a year that an operator adds counts a minute later."""

    def __init__(self, *, clock: Clock) -> None:
        self._clock = clock
        self._known: WorkingCalendar | None = None
        self._read_at = 0.0

    async def current(self) -> WorkingCalendar:
        """Return the calendar as published.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        now = self._clock.monotonic()
        if self._known is None or now - self._read_at > _KEEP_SECONDS:
            self._known = await read_calendar()
            self._read_at = now
        return self._known

    async def covers(self, year: int) -> bool:
        """Tell whether a year's table is there; readiness warns in November when the next one's is not.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        return year in (await self.current()).years


async def read_calendar() -> WorkingCalendar:
    """Read the whole table.

    Raises:
        DatabaseUnavailable: the database could not be reached.
    """
    years = await fetch(_YEARS)
    days = await fetch(_DAYS)
    return WorkingCalendar(
        years=frozenset(int(row["year"]) for row in years),
        exceptions={_as_date(row["day"]): bool(row["works"]) for row in days},
    )


async def extend_calendar(year: int, exceptions: Mapping[date, tuple[bool, str]], *, source: str) -> bool:
    """Publish one year: its exceptions with their labels; return whether the year is new.

    Raises:
        ValueError: a day lies in another year.
        DatabaseUnavailable: the database could not be reached.
    """
    if any(day.year != year for day in exceptions):
        raise ValueError("a day lies in another year")

    async def work() -> bool:
        for day, (works, label) in exceptions.items():
            await fetch(_SET_DAY, day, works, label[:_LABEL])
        return bool(await fetch(_ADD_YEAR, year, source))

    return await transaction(work)


async def fill_calendar(*, first_year: int) -> list[int]:
    """Publish each year from `first_year` on that `chinesecalendar` knows and the table lacks; return the new ones.

    Raises:
        DatabaseUnavailable: the database could not be reached.
    """
    known = {int(row["year"]) for row in await fetch(_YEARS)}
    new = [year for year in sorted({day.year for day in holidays}) if year >= first_year and year not in known]
    for year in new:
        exceptions = {day: (False, label) for day, label in holidays.items() if day.year == year}
        exceptions |= {day: (True, label) for day, label in workdays.items() if day.year == year}
        await extend_calendar(year, exceptions, source="chinesecalendar")
    return new


def _as_date(value: object) -> date:
    """SQLite keeps dates as text."""
    return value if isinstance(value, date) else date.fromisoformat(str(value))
