"""The decisions of telling people."""

from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notices.rules import CHINA, channels_for, fit_field, is_spread, not_before
from notices.types import Channel, QuietHours, Urgency

NIGHT = QuietHours(time(22, 0), time(7, 30))
MOMENTS = st.integers(0, 525_600).map(lambda minutes: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes))


@pytest.mark.parametrize(
    ("elder", "urgency", "expected"),
    [
        (False, Urgency.USUAL, (Channel.WECHAT, Channel.SMS)),
        (True, Urgency.USUAL, (Channel.SMS, Channel.WECHAT)),
        (False, Urgency.URGENT, (Channel.SMS, Channel.WECHAT)),
        (True, Urgency.LOW, (Channel.WECHAT,)),
        (False, Urgency.LOW, (Channel.WECHAT,)),
    ],
)
def test_the_order_goes_by_person_and_urgency(elder: bool, urgency: Urgency, expected: tuple[Channel, ...]) -> None:
    assert channels_for(elder=elder, urgency=urgency, wanted=True, has_wechat=True, has_mobile=True) == expected


@given(st.booleans(), st.sampled_from(Urgency), st.booleans(), st.booleans(), st.booleans())
def test_nobody_is_told_by_a_way_they_do_not_have_or_want(
    elder: bool, urgency: Urgency, wanted: bool, has_wechat: bool, has_mobile: bool
) -> None:
    found = channels_for(elder=elder, urgency=urgency, wanted=wanted, has_wechat=has_wechat, has_mobile=has_mobile)
    assert len(set(found)) == len(found)
    assert Channel.WECHAT not in found or (has_wechat and wanted)
    assert Channel.SMS not in found or (has_mobile and wanted)


def test_only_what_is_urgent_goes_all_ways_at_once() -> None:
    assert [urgency for urgency in Urgency if is_spread(urgency)] == [Urgency.URGENT]


@given(MOMENTS, st.sampled_from([Urgency.USUAL, Urgency.LOW]))
def test_nothing_that_can_wait_is_sent_at_night(now: datetime, urgency: Urgency) -> None:
    due = not_before(now, urgency, NIGHT)
    assert now <= due <= now + timedelta(hours=9, minutes=30)
    local = due.astimezone(CHINA).time()
    assert time(7, 30) <= local < time(22, 0)


@given(MOMENTS)
def test_what_is_urgent_is_sent_at_any_hour(now: datetime) -> None:
    assert not_before(now, Urgency.URGENT, NIGHT) == now


@pytest.mark.parametrize(
    ("hour", "minute", "wait"), [(21, 59, 0), (22, 0, 570), (23, 30, 480), (0, 0, 450), (7, 29, 1), (7, 30, 0)]
)
def test_the_night_ends_at_half_past_seven_in_china(hour: int, minute: int, wait: int) -> None:
    now = datetime(2026, 3, 10, hour, minute, tzinfo=CHINA)
    assert not_before(now, Urgency.USUAL, NIGHT) - now == timedelta(minutes=wait)


def test_quiet_hours_may_lie_within_a_day() -> None:
    noon = QuietHours(time(12, 0), time(14, 0))
    now = datetime(2026, 3, 10, 12, 30, tzinfo=CHINA)
    assert not_before(now, Urgency.USUAL, noon) - now == timedelta(minutes=90)
    assert not_before(now - timedelta(hours=1), Urgency.USUAL, noon) == now - timedelta(hours=1)


@given(st.text(min_size=1, max_size=200))
def test_a_thing_holds_twenty_characters_and_no_more(text: str) -> None:
    fitted = fit_field("thing1", text)
    assert 1 <= len(fitted) <= 20
    assert fitted == text or (fitted[:19] == text[:19] and fitted[19] == "…")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("phrase2", "六个字的状态"),
        ("number3", "9" * 33),
        ("letter4", "x" * 33),
        ("character_string5", "x" * 33),
        ("symbol6", "------"),
        ("name7", "名" * 11),
        ("car_number8", "x" * 9),
        ("phone_number9", "1" * 18),
        ("thing1", ""),
        ("colour1", "red"),
    ],
)
def test_what_does_not_fit_and_may_not_be_cut_is_refused(field: str, value: str) -> None:
    with pytest.raises(ValueError, match=field):
        fit_field(field, value)
    if value and field != "colour1":
        assert fit_field(field, value[:-1]) == value[:-1]
