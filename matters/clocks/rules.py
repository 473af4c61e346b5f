"""Counting: pure functions of a course, a limit, the calendar and the moment.

One rule holds for every working day: **it belongs to the state in which it began.** So the day on which time begins is
not counted (Administrative Licensing Law art. 82, Civil Code art. 201), the day of a stop is used, the day of going on
again is still stopped, and a stop that ends on its own day costs nothing. Hours of the day run as the clock does, on
holidays too (docs/decisions/0042).
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from core.calendar import UnknownYear, WorkingCalendar
from matters.clocks.types import CALENDAR_MISSING, CLOCK_STOPPED, Allowance, Course, Reading, Stop, Unit

_CHINA: Final = ZoneInfo("Asia/Shanghai")
_ONE_DAY: Final = timedelta(days=1)
_MINUTE: Final = timedelta(minutes=1)
_LAST_SECOND: Final = time(23, 59, 59)
_HOURS_OF_A_DAY: Final = 24
_MINUTES_OF_AN_HOUR: Final = 60
# The days on which a stop began and ended.
_Span = tuple[date, date]


def measure(course: Course, allowance: Allowance, calendar: WorkingCalendar, now: datetime) -> Reading | None:
    """Return what a clock shows at a moment, or as it ended; None where nothing is due.

    Always `used + left == granted`, `used + stopped ==` what has gone by since the beginning, and so
    `used + left + stopped == total`.
    """
    at = now if course.ended_at is None else min(now, course.ended_at)
    due_at, note = due_of(course, allowance, calendar)
    course = _at_its_end(course)
    if allowance.hours:
        granted, used, stopped = _granted_minutes(course, allowance), *_minutes(course, at)
        return Reading(Unit.MINUTE, granted, used, granted - used, stopped, due_at, note)
    if not allowance.days:
        return None
    granted = allowance.days + course.added_days
    try:
        used, stopped = _days(course, calendar, at)
    except UnknownYear:
        return Reading(Unit.WORKING_DAY, granted, None, None, None, due_at, note)
    return Reading(Unit.WORKING_DAY, granted, used, granted - used, stopped, due_at, note)


def due_of(course: Course, allowance: Allowance, calendar: WorkingCalendar) -> tuple[datetime | None, str]:
    """Return when the time is up, or None and why nobody knows; None without a reason where nothing is due."""
    course = _at_its_end(course)
    if allowance.hours:
        due_at = _due_moment(course, _granted_minutes(course, allowance) * _MINUTE)
        return due_at, "" if due_at else CLOCK_STOPPED
    if not allowance.days:
        return None, ""
    return _due_day(_day(course.began_at), allowance.days + course.added_days, _spans(course), calendar)


def end_of(day: date) -> datetime:
    """Return the last second of a day in China."""
    return datetime.combine(day, _LAST_SECOND, tzinfo=_CHINA).astimezone(UTC)


def working_days(start: datetime, end: datetime, calendar: WorkingCalendar) -> int | None:
    """Return how many working days began between two moments, None where a year's table is missing."""
    try:
        return calendar.between(_day(start), _day(end))
    except UnknownYear:
        return None


def _at_its_end(course: Course) -> Course:
    """What still stands when all is over stood until then."""
    if course.ended_at is None or not course.stops or course.stops[-1].until is not None:
        return course
    return replace(course, stops=(*course.stops[:-1], replace(course.stops[-1], until=course.ended_at)))


def _days(course: Course, calendar: WorkingCalendar, at: datetime) -> tuple[int, int]:
    """Return how many working days were used and how many stopped.

    Raises:
        UnknownYear: a day has to be counted of a year without a table.
    """
    today, spans = _day(at), _spans(course)
    used = stopped = 0
    for day in _days_after(_day(course.began_at)):
        if day > today:
            break
        if calendar.is_working(day):
            if _standing(day, spans) is None:
                used += 1
            else:
                stopped += 1
    return used, stopped


def _due_day(first: date, granted: int, spans: list[_Span], calendar: WorkingCalendar) -> tuple[datetime | None, str]:
    """Return the end of the day on which the time is up: the last one before a day that would be one too many."""
    last, left = first, granted
    try:
        for day in _days_after(first):
            until = _standing(day, spans)
            if not left and until is None:
                break
            if until == date.max:
                return None, CLOCK_STOPPED
            if calendar.is_working(day):
                last = day
                left -= until is None
    except UnknownYear:
        return None, CALENDAR_MISSING
    return end_of(last), ""


def _granted_minutes(course: Course, allowance: Allowance) -> int:
    """A day of an extension is a whole day to a limit that counts by the clock."""
    return (allowance.hours + course.added_days * _HOURS_OF_A_DAY) * _MINUTES_OF_AN_HOUR


def _minutes(course: Course, at: datetime) -> tuple[int, int]:
    """Return how many whole minutes were used and how many stopped; together they are those that have gone by."""
    gone = max(at - course.began_at, timedelta())
    stood = sum((_overlap(stop, at) for stop in course.stops), timedelta())
    return gone // _MINUTE - stood // _MINUTE, stood // _MINUTE


def _due_moment(course: Course, left: timedelta) -> datetime | None:
    running_from = course.began_at
    for stop in course.stops:
        ran = stop.at - running_from
        if ran >= left:
            break
        if stop.until is None:
            return None
        left -= ran
        running_from = stop.until
    return running_from + left


def _overlap(stop: Stop, at: datetime) -> timedelta:
    end = at if stop.until is None else min(stop.until, at)
    return max(end - stop.at, timedelta())


def _spans(course: Course) -> list[_Span]:
    return [(_day(stop.at), date.max if stop.until is None else _day(stop.until)) for stop in course.stops]


def _standing(day: date, spans: list[_Span]) -> date | None:
    """Return until when the clock stands that stood as a day began."""
    return next((end for start, end in spans if start < day <= end), None)


def _days_after(day: date) -> Iterator[date]:
    while True:
        day += _ONE_DAY
        yield day


def _day(moment: datetime) -> date:
    return moment.astimezone(_CHINA).date()
