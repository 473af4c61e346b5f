"""What a call is called, how a system stands, what nobody uses: tables and properties of pure functions."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matters.exchange.rules import as_of, outcome_of, resource_of, speaks_of, unused, worst
from matters.exchange.types import ExchangeOutcome, Standing, Unused
from matters.exchange.wording import service_of
from matters.types import ServiceState

NOW = datetime(2026, 3, 10, 2, 0, tzinfo=UTC)
PATIENCE = timedelta(minutes=15)
WITHIN = timedelta(minutes=15)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/v1/cases", "POST /v1/cases"),
        ("/v1/public-security/cases", "POST /v1/public-security/cases"),
        ("/sns/jscode2session", "POST /sns/jscode2session"),
        ("/v1/reports/202603100001", "POST /v1/reports/*"),
        ("/v1/people/999999198503122179", "POST /v1/people/*"),
        ("/v1/people/E12345678", "POST /v1/people/*"),
        ("/v1/people/19900000001/cases", "POST /v1/people/*/cases"),
        ("/v1/people/%E9%9C%8D%E6%98%8E%E5%93%B2", "POST /v1/people/*"),
        ("/v1/people/霍明哲", "POST /v1/people/*"),
        ("/ab/3f2a9c", "POST /*/*"),
        ("/v1/departments/<department:str>/progress", "POST /v1/departments/*/progress"),
    ],
)
def test_a_call_is_named_without_what_may_name_somebody(path: str, name: str) -> None:
    assert resource_of("POST", path) == name


@given(st.from_regex(r"[0-9A-Za-z]{0,4}[0-9]{6,18}[0-9Xx]", fullmatch=True), st.integers(0, 4))
def test_no_number_of_a_person_or_case_is_in_a_name(number: str, place: int) -> None:
    parts = ["v1", "people", "cases", "query"]
    parts.insert(place, number)
    assert number not in resource_of("GET", "/" + "/".join(parts))


@pytest.mark.parametrize(
    ("told", "outcome", "works"),
    [
        ("200", ExchangeOutcome.OK, True),
        ("204", ExchangeOutcome.OK, True),
        ("401", ExchangeOutcome.REFUSED, True),
        ("503", ExchangeOutcome.REFUSED, True),
        ("status-503", ExchangeOutcome.FAILED, False),
        ("timeout", ExchangeOutcome.TIMEOUT, False),
        ("no-connection", ExchangeOutcome.UNREACHABLE, False),
        ("broken-answer", ExchangeOutcome.FAILED, False),
        ("held-back", ExchangeOutcome.HELD_BACK, None),
        ("cut-off", ExchangeOutcome.FAILED, None),
    ],
)
def test_how_a_call_ended_says_whether_the_system_works(
    told: str, outcome: ExchangeOutcome, works: bool | None
) -> None:
    assert (outcome_of(told), speaks_of(told)) == (outcome, works)


@pytest.mark.parametrize(
    ("state", "silent_minutes", "stands"),
    [
        (ServiceState.OK, 0, None),
        (ServiceState.DEGRADED, 0, ServiceState.DEGRADED),
        (ServiceState.DOWN, 0, ServiceState.DOWN),
        (ServiceState.DOWN, 15, ServiceState.DOWN),
        (ServiceState.DOWN, 16, ServiceState.DEGRADED),
        (ServiceState.DOWN, 150, ServiceState.DEGRADED),
        (ServiceState.DOWN, 151, None),
        (ServiceState.DEGRADED, 151, None),
    ],
)
def test_trouble_that_nothing_is_heard_of_grows_old(
    state: ServiceState, silent_minutes: int, stands: ServiceState | None
) -> None:
    seen_at = NOW - timedelta(minutes=silent_minutes)
    found = as_of(Standing(state, seen_at, seen_at), NOW, patience=PATIENCE)
    assert (found.state if found else None) is stands
    assert as_of(None, NOW, patience=PATIENCE) is None


def test_a_matter_stands_as_the_worst_of_the_systems_it_needs() -> None:
    trouble = Standing(ServiceState.DEGRADED, NOW - timedelta(hours=2), NOW)
    late = Standing(ServiceState.DOWN, NOW, NOW)
    early = Standing(ServiceState.DOWN, NOW - timedelta(hours=1), NOW)
    assert worst([None, trouble, late, None, early]) is early
    assert worst([trouble, None]) is trouble
    assert worst([None, None]) is None


def test_residents_read_what_happens_to_what_they_submit() -> None:
    well = service_of(None, NOW, within=WITHIN)
    assert (well.state, well.since, well.expected_at) == (ServiceState.OK, None, None)
    expected = NOW + timedelta(hours=3)
    away = service_of(Standing(ServiceState.DOWN, NOW, NOW, expected), NOW, within=WITHIN)
    assert (away.state, away.since, away.expected_at) == (ServiceState.DOWN, NOW, expected)
    assert "先收下" in away.text.zh
    assert "3月10日13时00分" in away.text.zh
    assert "15分钟内自动转交" in away.text.zh
    assert "2026-03-10 13:00" in away.text.en
    # What was expected before now says nothing any more.
    late = service_of(Standing(ServiceState.DOWN, NOW, NOW, NOW), NOW, within=WITHIN)
    assert late.expected_at is None
    assert "预计" not in late.text.zh
    shaky = service_of(Standing(ServiceState.DEGRADED, NOW, NOW), NOW, within=WITHIN)
    assert (shaky.state, "自动转交" in shaky.text.zh) == (ServiceState.DEGRADED, True)


TODAY = date(2026, 3, 10)


def _unused(last_used: dict[tuple[str, str], date], since: date | None = date(2025, 1, 1)) -> list[Unused]:
    return unused(
        systems=["education", "health"],
        resources=[("education", "degree-register"), ("health", "birth-register")],
        last_used=last_used,
        counted_since=since,
        today=TODAY,
        days=90,
    )


def test_what_nobody_asked_for_so_long_is_unused() -> None:
    border = TODAY - timedelta(days=90)
    used = {("education", "degree-register"): border, ("department-desk.health", "POST /v1/health/cases"): TODAY}
    assert _unused(used) == [Unused("health", "birth-register", None)]
    old = {("education", "degree-register"): border - timedelta(days=1), ("health", "birth-register"): TODAY}
    assert _unused(old) == [
        Unused("education", "", border - timedelta(days=1)),
        Unused("education", "degree-register", border - timedelta(days=1)),
    ]


def test_nothing_is_called_unused_before_it_was_counted_so_long() -> None:
    assert _unused({}, None) == []
    assert _unused({}, TODAY - timedelta(days=89)) == []
    assert len(_unused({}, TODAY - timedelta(days=90))) == 4
