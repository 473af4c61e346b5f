"""Identifiers are new, sorted and unpredictable; times are aware and days are China's."""

from datetime import UTC, date, datetime, timedelta

import pytest

from core.clock import SystemClock, china_date
from core.ids import RandomIds


def test_row_ids_are_version_7_new_and_carry_their_time() -> None:
    before = datetime.now(UTC) - timedelta(milliseconds=1)
    ids = [RandomIds().uuid() for _ in range(1000)]
    after = datetime.now(UTC)
    assert len(set(ids)) == 1000
    for each in ids:
        assert (each.version, each.variant) == (7, "specified in RFC 4122")
        assert before <= datetime.fromtimestamp((each.int >> 80) / 1000, UTC) <= after
    milliseconds = [each.int >> 80 for each in ids]
    assert milliseconds == sorted(milliseconds)


def test_tokens_and_digits_have_the_size_asked_for() -> None:
    ids = RandomIds()
    assert len({ids.token(32) for _ in range(100)}) == 100
    assert len(ids.token(32)) == 43
    digits = {ids.digits(6) for _ in range(100)}
    assert len(digits) > 90
    assert all(len(each) == 6 and each.isdigit() for each in digits)


def test_the_machines_clock_is_aware_and_its_seconds_never_jump_back() -> None:
    clock = SystemClock()
    assert clock.now().utcoffset() == timedelta(0)
    assert clock.monotonic() <= clock.monotonic()


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        (datetime(2026, 3, 9, 15, 59, 59, tzinfo=UTC), date(2026, 3, 9)),
        (datetime(2026, 3, 9, 16, 0, tzinfo=UTC), date(2026, 3, 10)),
        (datetime(2026, 12, 31, 16, 0, tzinfo=UTC), date(2027, 1, 1)),
    ],
)
def test_a_day_in_china_begins_eight_hours_before_the_one_in_greenwich(moment: datetime, day: date) -> None:
    assert china_date(moment) == day
