"""Working days in China: a pure calendar over a published table.

The state publishes each year's holidays and make-up days in the autumn before. Days of a year without a table are
unknown: nothing here guesses Monday to Friday.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final

_SATURDAY: Final = 5
_ONE_DAY: Final = timedelta(days=1)


class UnknownYear(LookupError):
    """No calendar is published for a year that had to be counted in."""

    def __init__(self, year: int) -> None:
        super().__init__(year)
        self.year = year


@dataclass(frozen=True, slots=True)
class WorkingCalendar:
    """Which days are worked.

    `years` are those whose table is published; `exceptions` the days that differ from the week: False for a holiday on
    a weekday, True for a weekend day that is worked to make up for one.
    """

    years: frozenset[int]
    exceptions: Mapping[date, bool] = field(default_factory=dict)

    def is_working(self, day: date) -> bool:
        """Tell whether `day` is worked.

        Raises:
            UnknownYear: no table covers it.
        """
        if day.year not in self.years:
            raise UnknownYear(day.year)
        exception = self.exceptions.get(day)
        return day.weekday() < _SATURDAY if exception is None else exception

    def after(self, start: date, working_days: int) -> date:
        """Return the day on which the given number of working days is over; the first is the next one after `start`.

        So counts the Administrative Licensing Law (art. 82): the day of acceptance is not counted, and days are working
        days. With 0 it is `start` itself.

        Raises:
            UnknownYear: the count runs into a year without a table.
            ValueError: fewer than no days.
        """
        if working_days < 0:
            raise ValueError("working_days")
        day, left = start, working_days
        while left:
            day += _ONE_DAY
            left -= self.is_working(day)
        return day

    def between(self, start: date, end: date) -> int:
        """Return how many working days lie after `start` up to and with `end`; negative when `end` is earlier.

        Raises:
            UnknownYear: a day between lies in a year without a table.
        """
        if end < start:
            return -self.between(end, start)
        days = (end - start).days
        return sum(self.is_working(start + timedelta(days=step)) for step in range(1, days + 1))
