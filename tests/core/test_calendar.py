"""Working days: holidays, make-up days, years without a table."""

from collections.abc import Mapping
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.calendar import UnknownYear, WorkingCalendar
from core.calendar_store import CalendarStore, extend_calendar, fill_calendar, read_calendar
from tests.fakes.ground import FixedClock

PLAIN = WorkingCalendar(years=frozenset(range(2020, 2031)))
Database = Mapping[str, object]


async def published() -> WorkingCalendar:
    await fill_calendar(first_year=2025)
    return await read_calendar()


async def test_make_up_days_are_worked_and_holidays_are_not(database: Database) -> None:
    calendar = await published()
    for worked in (date(2025, 10, 11), date(2026, 2, 14), date(2026, 10, 10), date(2025, 1, 26)):
        assert calendar.is_working(worked), worked
    for free in (date(2025, 10, 8), date(2026, 10, 1), date(2026, 2, 16), date(2026, 3, 14)):
        assert not calendar.is_working(free), free


async def test_a_count_over_the_national_holiday_uses_the_make_up_day(database: Database) -> None:
    calendar = await published()
    # 30 September 2026 is a Wednesday; the holiday lasts to the 7th, Saturday the 10th is worked.
    assert calendar.after(date(2026, 9, 30), 3) == date(2026, 10, 10)


async def test_a_year_without_a_table_is_unknown_not_guessed(database: Database) -> None:
    calendar = await published()
    with pytest.raises(UnknownYear) as unknown:
        calendar.after(date(2026, 12, 30), 3)
    assert unknown.value.year == 2027
    assert calendar.after(date(2026, 12, 30), 1) == date(2026, 12, 31)


async def test_filling_twice_adds_nothing(database: Database) -> None:
    assert await fill_calendar(first_year=2025) == [2025, 2026]
    assert await fill_calendar(first_year=2025) == []


async def test_an_operator_extends_the_table(database: Database) -> None:
    assert await extend_calendar(2027, {date(2027, 1, 1): (False, "元旦")}, source="operator")
    assert not await extend_calendar(2027, {date(2027, 1, 2): (True, "元旦调休")}, source="operator")
    calendar = await read_calendar()
    assert not calendar.is_working(date(2027, 1, 1))
    assert calendar.is_working(date(2027, 1, 2))
    with pytest.raises(ValueError, match="another year"):
        await extend_calendar(2027, {date(2028, 1, 1): (False, "")}, source="operator")


async def test_a_new_year_is_seen_a_minute_later(database: Database) -> None:
    clock = FixedClock()
    store = CalendarStore(clock=clock)
    assert not await store.covers(2027)
    await extend_calendar(2027, {}, source="operator")
    assert not await store.covers(2027)
    clock.move(timedelta(seconds=61))
    assert await store.covers(2027)


DAYS = st.dates(date(2021, 1, 1), date(2028, 12, 31))
EXCEPTIONS = st.dictionaries(DAYS, st.booleans(), max_size=40)


@given(DAYS, st.integers(0, 60), EXCEPTIONS)
def test_after_and_between_are_each_others_reverse(start: date, days: int, exceptions: dict[date, bool]) -> None:
    calendar = WorkingCalendar(PLAIN.years, exceptions)
    end = calendar.after(start, days)
    assert calendar.between(start, end) == days
    assert calendar.between(end, start) == -days
    assert days == 0 or calendar.is_working(end)


@given(DAYS, st.integers(0, 60), st.integers(0, 60), EXCEPTIONS)
def test_counting_in_two_steps_is_counting_in_one(
    start: date, first: int, second: int, exceptions: dict[date, bool]
) -> None:
    calendar = WorkingCalendar(PLAIN.years, exceptions)
    assert calendar.after(calendar.after(start, first), second) == calendar.after(start, first + second)


@given(DAYS, st.integers(1, 60))
def test_without_exceptions_weekends_are_free(start: date, days: int) -> None:
    end = PLAIN.after(start, days)
    assert end.weekday() < 5
    assert (end - start).days >= days


def test_fewer_than_no_days_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="working_days"):
        PLAIN.after(date(2026, 1, 1), -1)
