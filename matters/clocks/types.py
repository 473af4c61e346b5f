"""The words of a clock: what it was given, when it ran and stood, and what it shows."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

# The year's table is not published: nobody is stopped, an operator is alarmed, the date is filled in later.
CALENDAR_MISSING: Final = "calendar-missing"
# While a clock stands nobody knows when its time will be up.
CLOCK_STOPPED: Final = "clock-stopped"


class Unit(StrEnum):
    """In what a reading counts: limits in working days by the day, limits in hours of the day by the minute."""

    WORKING_DAY = "working-day"
    MINUTE = "minute"


@dataclass(frozen=True, slots=True)
class Allowance:
    """How long something may take: working days, or hours of the day; 0 of both: it is at once, and nothing is due."""

    days: int = 0
    hours: int = 0


@dataclass(frozen=True, slots=True)
class Stop:
    """The clock stood from one moment to another, or stands still; `reason` is a code."""

    at: datetime
    until: datetime | None
    reason: str


@dataclass(frozen=True, slots=True)
class Course:
    """When a clock began, when it stood, when it ended. `added_days` are working days of extensions.

    Stops are in order and do not overlap; only the last may be open.
    """

    began_at: datetime
    stops: tuple[Stop, ...] = ()
    ended_at: datetime | None = None
    added_days: int = 0


@dataclass(frozen=True, slots=True)
class Reading:
    """What a clock shows. `granted` is the limit with its extensions; `left` is negative once it is overdrawn.

    `used`, `left` and `stopped` are None while a day that has to be counted lies in a year without a table. `due_at` is
    None then too, and while the clock stands before its time is up; `note` says why.
    """

    unit: Unit
    granted: int
    used: int | None
    left: int | None
    stopped: int | None
    due_at: datetime | None
    note: str = ""

    @property
    def total(self) -> int | None:
        """How long it takes in all, from the beginning to the end of its time: used, left and stopped together."""
        return None if self.stopped is None else self.granted + self.stopped


@dataclass(frozen=True, slots=True)
class Suspension:
    """One time that the clock stood, for the resident. `days` are working days, None where they cannot be counted."""

    reason: str
    text: str
    text_en: str
    at: datetime
    until: datetime | None
    days: int | None


@dataclass(frozen=True, slots=True)
class CaseTime:
    """How the time of a case stands. `stands` is why its clock does not run, a code with its words; "" while it does.

    `step` is the one by which it came to where it is, `since` when that was, `handler` who has it now.
    """

    since: datetime
    step: str
    step_text: str
    step_text_en: str
    handler: str
    handler_en: str
    promised: Reading | None
    legal: Reading | None
    pre_review_due_at: datetime | None
    stands: str
    stands_text: str
    stands_text_en: str
    suspensions: tuple[Suspension, ...]
    extended_days: int
