"""The clock: what was used, what is left, how long it stood and when it ends, over ten years of any calendar."""

from datetime import UTC, date, datetime, timedelta

import pytest
from chinese_calendar.constants import holidays, workdays
from hypothesis import given, settings
from hypothesis import strategies as st

from core.calendar import WorkingCalendar
from core.clock import CHINA, china_date
from matters.clocks.rules import due_of, measure, working_days
from matters.clocks.types import CALENDAR_MISSING, CLOCK_STOPPED, Allowance, Course, Reading, Stop, Unit

YEARS = frozenset(range(2024, 2037))
FIRST = datetime(2025, 1, 1, 1, 0, tzinfo=UTC)
TEN_YEARS = timedelta(days=3650)
PUBLISHED = WorkingCalendar(
    frozenset({2025, 2026}),
    {day: False for day in holidays if day.year in {2025, 2026}}
    | {day: True for day in workdays if day.year in {2025, 2026}},
)


def at(text: str) -> datetime:
    """A moment in China."""
    return datetime.fromisoformat(text).replace(tzinfo=CHINA).astimezone(UTC)


def reading(course: Course, allowance: Allowance, now: datetime, calendar: WorkingCalendar = PUBLISHED) -> Reading:
    found = measure(course, allowance, calendar, now)
    assert found is not None
    return found


def numbers(found: Reading) -> tuple[int, int, int]:
    assert found.used is not None
    assert found.left is not None
    assert found.stopped is not None
    return found.used, found.left, found.stopped


# --- what the law and the published table say -----------------------------------------------------------------------


def test_a_make_up_saturday_counts_and_the_holiday_does_not() -> None:
    course = Course(at("2025-09-30 10:00"))
    # 2025-10-01 to 08 are holidays; 2025-10-11, a Saturday, is worked: 9, 10, 11.
    due_at, note = due_of(course, Allowance(days=3), PUBLISHED)
    assert (due_at, note) == (at("2025-10-11 23:59:59"), "")
    assert not PUBLISHED.is_working(date(2025, 10, 8))
    assert numbers(reading(course, Allowance(days=3), at("2025-10-08 12:00"))) == (0, 3, 0)
    assert numbers(reading(course, Allowance(days=3), at("2025-10-11 12:00"))) == (3, 0, 0)


def test_counting_begins_on_the_next_working_day() -> None:
    friday = Course(at("2026-03-06 00:00:01"))
    assert numbers(reading(friday, Allowance(days=5), at("2026-03-06 23:59"))) == (0, 5, 0)
    assert numbers(reading(friday, Allowance(days=5), at("2026-03-08 12:00"))) == (0, 5, 0)
    assert numbers(reading(friday, Allowance(days=5), at("2026-03-09 00:00"))) == (1, 4, 0)
    assert reading(friday, Allowance(days=5), at("2026-03-09 00:00")).due_at == at("2026-03-13 23:59:59")


def test_the_day_of_a_stop_is_used_and_the_day_of_going_on_is_not() -> None:
    stop = Stop(at("2026-03-11 09:00"), at("2026-03-16 09:00"), "hearing")
    course = Course(at("2026-03-09 10:00"), (stop,))
    # Used: the 10th and 11th. Stopped: 12, 13 and 16. Then three are left: 17, 18, 19.
    assert numbers(reading(course, Allowance(days=5), at("2026-03-16 18:00"))) == (2, 3, 3)
    found = reading(course, Allowance(days=5), at("2026-03-17 18:00"))
    assert (found.due_at, found.total) == (at("2026-03-19 23:59:59"), 8)


def test_a_stop_that_ends_on_its_own_day_costs_nothing() -> None:
    stop = Stop(at("2026-03-11 09:00"), at("2026-03-11 15:00"), "test")
    course = Course(at("2026-03-09 10:00"), (stop,))
    assert numbers(reading(course, Allowance(days=5), at("2026-03-12 09:00"))) == (3, 2, 0)


def test_while_a_clock_stands_nobody_knows_when_it_ends_but_what_is_over_stays_over() -> None:
    open_stop = Stop(at("2026-03-11 09:00"), None, "expert-review")
    standing = reading(Course(at("2026-03-09 10:00"), (open_stop,)), Allowance(days=5), at("2026-04-01 09:00"))
    assert (standing.due_at, standing.note) == (None, CLOCK_STOPPED)
    assert (standing.used, standing.left) == (2, 3)
    late = reading(Course(at("2026-03-09 10:00"), (open_stop,)), Allowance(days=1), at("2026-04-01 09:00"))
    assert (late.due_at, late.left) == (at("2026-03-10 23:59:59"), -1)
    # Stopped on its last day: that day is used, none is left, and it is up once the clock would go on.
    last = Course(at("2026-03-09 10:00"), (Stop(at("2026-03-10 09:00"), at("2026-03-12 09:00"), "test"),))
    assert due_of(last, Allowance(days=1), PUBLISHED) == (at("2026-03-12 23:59:59"), "")


def test_an_extension_moves_the_end_and_an_end_stops_the_counting() -> None:
    course = Course(at("2026-03-09 10:00"), ended_at=at("2026-03-12 10:00"), added_days=10)
    found = reading(course, Allowance(days=5), at("2026-06-01 10:00"))
    assert (found.granted, *numbers(found)) == (15, 3, 12, 0)
    assert found.due_at == at("2026-03-30 23:59:59")


def test_a_year_without_a_table_leaves_the_date_open_and_stops_nothing() -> None:
    late = Course(at("2026-12-28 10:00"))
    found = reading(late, Allowance(days=10), at("2026-12-30 12:00"))
    assert (found.due_at, found.note, found.left) == (None, CALENDAR_MISSING, 8)
    assert reading(late, Allowance(days=3), at("2026-12-30 12:00")).due_at == at("2026-12-31 23:59:59")
    beyond = reading(late, Allowance(days=3), at("2027-01-04 12:00"))
    assert (beyond.used, beyond.left, beyond.stopped, beyond.total) == (None, None, None, None)
    assert beyond.due_at == at("2026-12-31 23:59:59")
    assert working_days(at("2026-12-30 12:00"), at("2027-01-04 12:00"), PUBLISHED) is None


def test_hours_run_by_the_clock_on_holidays_too() -> None:
    course = Course(at("2026-09-30 22:30"), (Stop(at("2026-10-01 00:30"), at("2026-10-01 03:00"), "test"),))
    found = reading(course, Allowance(hours=3), at("2026-10-01 03:30"))
    assert found.unit is Unit.MINUTE
    assert (found.granted, *numbers(found)) == (180, 150, 30, 150)
    assert found.due_at == at("2026-10-01 04:00")
    assert due_of(
        Course(course.began_at, (Stop(at("2026-10-01 00:30"), None, "test"),)), Allowance(hours=3), PUBLISHED
    ) == (
        None,
        CLOCK_STOPPED,
    )


def test_what_is_done_at_once_has_no_clock() -> None:
    course = Course(at("2026-03-09 10:00"))
    assert measure(course, Allowance(), PUBLISHED, at("2026-03-10 10:00")) is None
    assert due_of(course, Allowance(), PUBLISHED) == (None, "")


# --- over ten years of any calendar -----------------------------------------------------------------------------------


@st.composite
def calendars(draw: st.DrawFn) -> WorkingCalendar:
    """Ten years with holidays of any length anywhere, and weekend days worked for them."""
    exceptions: dict[date, bool] = {}
    for _ in range(draw(st.integers(0, 60))):
        start = FIRST.date() + timedelta(days=draw(st.integers(0, 4300)))
        for offset in range(draw(st.integers(1, 9))):
            exceptions[start + timedelta(days=offset)] = draw(st.booleans())
    return WorkingCalendar(YEARS, {day: works for day, works in exceptions.items() if day.year in YEARS})


@st.composite
def courses(draw: st.DrawFn) -> tuple[Course, datetime]:
    """A course with stops at any moments, and a moment at which it is looked at."""
    began = FIRST + timedelta(minutes=draw(st.integers(0, int(TEN_YEARS.total_seconds() // 60) - 600_000)))
    gaps = draw(st.lists(st.tuples(st.integers(0, 30_000), st.integers(0, 60_000)), max_size=5))
    stops: list[Stop] = []
    moment = began
    for run, stand in gaps:
        start = moment + timedelta(minutes=run)
        moment = start + timedelta(minutes=stand)
        stops.append(Stop(start, moment, "hearing"))
    stands = draw(st.booleans())
    if stops and stands:
        stops[-1] = Stop(stops[-1].at, None, "test")
        moment = stops[-1].at
    now = moment + timedelta(minutes=draw(st.integers(0, 60_000)))
    ended = now if draw(st.booleans()) else None
    return Course(began, tuple(stops), ended, draw(st.integers(0, 15))), now


ALLOWANCES = st.one_of(
    st.integers(1, 60).map(lambda days: Allowance(days=days)),
    st.integers(1, 200).map(lambda hours: Allowance(hours=hours)),
)


@settings(max_examples=400)
@given(calendar=calendars(), course=courses(), allowance=ALLOWANCES)
def test_used_and_left_and_stopped_are_the_total_always(
    calendar: WorkingCalendar, course: tuple[Course, datetime], allowance: Allowance
) -> None:
    """Whatever the calendar, the stops, the extensions and the moment."""
    counted, now = course
    found = reading(counted, allowance, now, calendar)
    used, left, stopped = numbers(found)
    assert min(used, stopped) >= 0
    assert used + left + stopped == found.total
    assert used + left == found.granted
    if found.unit is Unit.WORKING_DAY:
        # What has gone by is counted a second time, by the calendar alone.
        assert used + stopped == calendar.between(china_date(counted.began_at), china_date(now))
        assert found.granted == allowance.days + counted.added_days
    else:
        assert used + stopped == (now - counted.began_at) // timedelta(minutes=1)


@settings(max_examples=400)
@given(calendar=calendars(), course=courses(), days=st.integers(1, 60))
def test_a_date_agrees_with_what_is_left(calendar: WorkingCalendar, course: tuple[Course, datetime], days: int) -> None:
    """On the day that is due nothing is left, one day before one; and the whole way there is the total."""
    counted, now = course
    found = reading(counted, Allowance(days=days), now, calendar)
    used, left, stopped = numbers(found)
    stands = bool(counted.stops) and counted.stops[-1].until is None and counted.ended_at is None
    if found.due_at is None:
        assert stands
        assert left >= 0
        assert found.note == CLOCK_STOPPED
        return
    due_on, today = china_date(found.due_at), china_date(now)
    if left > 0:
        # Nothing has been overdrawn, and every stop that was counts: the way is exactly as long as the total.
        assert not stands
        assert calendar.between(today, due_on) == left
        assert calendar.between(china_date(counted.began_at), due_on) == days + counted.added_days + stopped
    if left < 0:
        assert due_on < today
    assert calendar.is_working(due_on)
    on_the_day = reading(counted, Allowance(days=days), found.due_at, calendar)
    if on_the_day.left is not None and counted.ended_at is None:
        assert on_the_day.left == 0
    del used


@settings(max_examples=200)
@given(calendar=calendars(), course=courses(), days=st.integers(1, 40), more=st.integers(1, 15))
def test_an_extension_adds_exactly_its_days(
    calendar: WorkingCalendar, course: tuple[Course, datetime], days: int, more: int
) -> None:
    """Extending changes neither what was used nor how long the clock stood."""
    counted, now = course
    extended = Course(counted.began_at, counted.stops, counted.ended_at, counted.added_days + more)
    before = numbers(reading(counted, Allowance(days=days), now, calendar))
    after = numbers(reading(extended, Allowance(days=days), now, calendar))
    assert after == (before[0], before[1] + more, before[2])


@pytest.mark.parametrize(("left", "now"), [(1, "2026-03-12 12:00"), (0, "2026-03-13 12:00"), (-1, "2026-03-16 12:00")])
def test_left_goes_below_nothing_once_it_is_overdrawn(left: int, now: str) -> None:
    assert reading(Course(at("2026-03-09 10:00")), Allowance(days=4), at(now)).left == left
