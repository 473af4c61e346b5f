"""News from departments: once, in any order, about their own cases."""

import asyncio
import itertools
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.cache import TooManyRequests
from core.calendar_store import extend_calendar
from core.db import as_json, execute, fetch, fetch_one, transaction
from matters.cases.tracking import Heard
from matters.errors import CaseNotYours, NewsOutOfTime, StateForbids
from matters.settings import MatterSettings
from matters.types import ProgressEvent, State, Step
from tests.matters.conftest import Desk, count_of, jobs_named

PATH = [(1, State.ACCEPTED), (2, State.IN_REVIEW), (3, State.APPROVED)]


def event(reference: str, sequence: int = 1, state: State = State.ACCEPTED, **more: object) -> ProgressEvent:
    at = datetime(2026, 3, 10, 3, 0, tzinfo=UTC)
    return ProgressEvent(f"e-{reference[-8:]}-{sequence}", reference, sequence, state, at, **more)  # type: ignore[arg-type]


async def test_news_brings_a_case_to_its_end_and_the_permit_is_fetched_again(desk: Desk) -> None:
    caller = desk.citizen()
    submitted = await desk.submitted(caller)
    await desk.deliver(submitted.application_id)
    for sequence, state in PATH:
        result = {"endorsed_until": "2027-03-20"} if state is State.APPROVED else None
        await desk.hear(submitted.number, sequence, state, note="好的", result=result)
    view = await desk.view(caller, submitted.application_id)
    assert view.state is State.APPROVED
    assert view.result is not None
    assert view.result.details == {"endorsed_until": "2027-03-20"}
    assert [entry.step for entry in view.timeline] == [
        Step.CREATED,
        Step.SUBMITTED,
        Step.HANDED_OVER,
        Step.ACCEPTED,
        Step.REVIEWED,
        Step.APPROVED,
    ]
    assert view.timeline[-1].note == "已批准。好的"
    assert view.timeline[-1].actor == "示例市公安局"
    assert await jobs_named("certificates.refresh") == [
        {"citizen_id": str(caller.citizen_id), "kind": "residence-permit"}
    ]


async def test_the_applicant_is_told_of_every_move_once(desk: Desk) -> None:
    caller = desk.citizen()
    submitted = await desk.submitted(caller)
    await desk.deliver(submitted.application_id)
    for sequence, state in (*PATH, *PATH):
        await desk.hear(submitted.number, sequence, state, note="经办人瞿漫林")
    told = await jobs_named("notices.tell")
    assert [payload["event"] for payload in told] == ["matters.accepted", "matters.in-review", "matters.approved"]
    assert {payload["citizen_id"] for payload in told} == {str(caller.citizen_id)}
    assert {payload["object_id"] for payload in told} == {str(submitted.application_id)}
    # The words are the catalogue's: whatever a department writes stays in the case.
    assert all(set(payload) == {"event", "citizen_id", "object_id", "matter", "matter_en"} for payload in told)
    assert "瞿漫林" not in str(told)


async def test_a_case_that_is_not_accepted_is_told(desk: Desk) -> None:
    desk.public_security.declines = "incomplete"
    submitted = await desk.submitted(desk.citizen())
    await desk.deliver(submitted.application_id)
    assert [payload["event"] for payload in await jobs_named("notices.tell")] == ["matters.not-accepted"]


async def test_acceptance_starts_the_clock_in_working_days(desk: Desk) -> None:
    caller = desk.citizen()
    submitted = await desk.submitted(caller)
    await desk.deliver(submitted.application_id)
    assert (await desk.view(caller, submitted.application_id)).clock == "stopped"
    await desk.hear(submitted.number, 1, State.ACCEPTED)
    view = await desk.view(caller, submitted.application_id)
    # Accepted on Tuesday the 10th; three working days end with Friday the 13th in China.
    assert view.due_at == datetime(2026, 3, 13, 15, 59, 59, tzinfo=UTC)
    assert view.clock == "running"


async def test_every_order_with_duplicates_ends_in_one_state(desk: Desk) -> None:
    ends = set()
    for order in itertools.permutations(PATH):
        caller = desk.citizen()
        submitted = await desk.submitted(caller)
        await desk.deliver(submitted.application_id)
        for sequence, state in (*order, *order):
            await desk.hear(submitted.number, sequence, state)
        view = await desk.view(caller, submitted.application_id)
        ends.add((view.state, view.due_at, tuple(entry.step for entry in view.timeline)))
    assert len(ends) == 1
    assert len(await jobs_named("certificates.refresh")) == 6


@given(st.lists(st.integers(0, 2), min_size=3, max_size=10), st.integers(0, 10))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_duplicates_in_any_order_around_the_delivery_change_nothing(
    desk: Desk, draws: list[int], delivered_after: int
) -> None:
    caller = desk.citizen()
    submitted = await desk.submitted(caller)
    news = [PATH[index] for index in draws]
    await desk.claim(submitted.application_id)
    for place, (sequence, state) in enumerate(news):
        if place == delivered_after:
            await desk.deliver(submitted.application_id)
        await desk.hear(submitted.number, sequence, state)
    await desk.deliver(submitted.application_id)
    view = await desk.view(caller, submitted.application_id)
    assert view.state is PATH[max(draws)][1]


async def test_news_before_our_call_returned_is_taken_by_our_reference(desk: Desk) -> None:
    caller = desk.citizen()
    submitted = await desk.submitted(caller)
    change = await desk.submission.deliver(str(submitted.application_id))
    await desk.hear(submitted.number, 1, State.ACCEPTED)
    assert change is not None
    await transaction(change)
    assert (await desk.view(caller, submitted.application_id)).state is State.ACCEPTED
    row = await fetch_one("SELECT state, receipt_number FROM delivery")
    assert row is not None
    assert row["state"] == "acknowledged"
    assert row["receipt_number"] == f"R-{submitted.number[-4:]}"


async def test_news_settles_a_delivery_whose_answer_was_lost(desk: Desk) -> None:
    submitted = await desk.submitted(desk.citizen())
    await desk.claim(submitted.application_id)
    await desk.hear(submitted.number, 1, State.ACCEPTED)
    await desk.deliver(submitted.application_id)
    assert desk.public_security.arrived == []


async def test_another_departments_case_and_nobodys_look_the_same(desk: Desk) -> None:
    submitted = await desk.submitted(desk.citizen())
    with pytest.raises(CaseNotYours):
        await desk.tracking.hear("human-resources", event(submitted.number))
    with pytest.raises(CaseNotYours):
        await desk.tracking.hear("public-security", event("0" * 43))
    assert await count_of("department_event") == 0


async def test_the_same_news_again_has_no_effect(desk: Desk) -> None:
    submitted = await desk.submitted(desk.citizen())
    news = event(submitted.number)
    assert await desk.tracking.hear("public-security", news) is Heard.NEW
    actions = await count_of("case_action")
    assert await desk.tracking.hear("public-security", news) is Heard.KNOWN
    assert await desk.tracking.hear("public-security", news, old_nonce=True) is Heard.KNOWN
    assert await count_of("case_action") == actions


async def test_a_spent_nonce_tells_nothing_new(desk: Desk) -> None:
    submitted = await desk.submitted(desk.citizen())
    assert await desk.tracking.hear("public-security", event(submitted.number), old_nonce=True) is Heard.REPLAYED
    assert await count_of("department_event") == 0


async def test_a_department_may_tell_a_hundred_things_in_a_second(desk: Desk) -> None:
    desk.tracking._settings = MatterSettings()
    for _ in range(100):
        await desk.tracking.let_in("public-security")
    with pytest.raises(TooManyRequests):
        await desk.tracking.let_in("public-security")
    await desk.tracking.let_in("human-resources")


async def test_news_that_contradicts_has_no_effect_and_is_kept(desk: Desk) -> None:
    caller = desk.citizen()
    submitted = await desk.submitted(caller)
    await desk.tracking.hear("public-security", event(submitted.number))
    other = await desk.submitted(desk.citizen())
    at = datetime(2026, 3, 10, 3, 0, tzinfo=UTC)
    first = event(submitted.number).event_id
    for news in (
        ProgressEvent("other", submitted.number, 1, State.IN_REVIEW, at),
        ProgressEvent(first, submitted.number, 2, State.IN_REVIEW, at),
        ProgressEvent(first, submitted.number, 1, State.ACCEPTED, at, note="more"),
        ProgressEvent(first, other.number, 1, State.ACCEPTED, at),
    ):
        for old_nonce in (False, True):
            assert await desk.tracking.hear("public-security", news, old_nonce=old_nonce) is Heard.CLASHED
    assert await count_of("department_event_clash") == 4
    assert (await desk.view(caller, submitted.application_id)).state is State.ACCEPTED


async def test_the_same_id_at_once_with_other_words_counts_once(desk: Desk) -> None:
    submitted = await desk.submitted(desk.citizen())
    heard = await asyncio.gather(
        *(desk.tracking.hear("public-security", event(submitted.number, note=str(number % 2))) for number in range(20))
    )
    assert heard.count(Heard.NEW) == 1
    assert heard.count(Heard.KNOWN) == 9
    assert heard.count(Heard.CLASHED) == 10


async def test_news_from_the_future_is_refused(desk: Desk) -> None:
    submitted = await desk.submitted(desk.citizen())
    at = desk.ground.clock.now() + timedelta(days=1)
    late = ProgressEvent("late", submitted.number, 1, State.ACCEPTED, at + timedelta(seconds=1))
    with pytest.raises(NewsOutOfTime):
        await desk.tracking.hear("public-security", late)
    good = ProgressEvent("good", submitted.number, 1, State.ACCEPTED, at)
    assert await desk.tracking.hear("public-security", good) is Heard.NEW


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
async def test_the_timeline_never_runs_backwards(desk: Desk, order: tuple[int, ...]) -> None:
    clock = desk.ground.clock
    clock.set(datetime(2026, 3, 10, 3, 0, 0, 700_000, tzinfo=UTC))
    caller = desk.citizen()
    submitted = await desk.submitted(caller)
    await desk.deliver(submitted.application_id)
    clock.move(timedelta(seconds=2))
    # Whole seconds; one clock that is behind ours, one that goes back, one that is ahead.
    told = [datetime(2026, 3, 10, 3, 0, second, tzinfo=UTC) for second in (0, 1, 59)]
    for place in order:
        sequence, state = PATH[place]
        news = ProgressEvent(f"e-{sequence}", submitted.number, sequence, state, told[place])
        await desk.tracking.hear("public-security", news)
    view = await desk.view(caller, submitted.application_id)
    times = [entry.at for entry in view.timeline]
    assert times == sorted(times)
    assert times[-1] == clock.now()
    assert view.result is not None
    assert view.result.at == times[-1]
    rows = await fetch(
        "SELECT data FROM case_action WHERE department_sequence IS NOT NULL ORDER BY department_sequence"
    )
    assert [as_json(row["data"])["told_at"] for row in rows] == [moment.isoformat() for moment in told]


async def test_the_same_news_at_once_counts_once(desk: Desk) -> None:
    submitted = await desk.submitted(desk.citizen())
    news = event(submitted.number)
    heard = await asyncio.gather(*(desk.tracking.hear("public-security", news) for _ in range(20)))
    assert heard.count(Heard.NEW) == 1


@pytest.mark.parametrize("state", [State.DRAFT, State.WITHDRAWN, State.CLOSED, State.SUBMITTED])
async def test_a_department_cannot_tell_what_is_not_its_to_say(desk: Desk, state: State) -> None:
    submitted = await desk.submitted(desk.citizen())
    with pytest.raises(StateForbids):
        await desk.tracking.hear("public-security", event(submitted.number, state=state))


async def test_a_withdrawn_case_stays_withdrawn_whatever_is_told(desk: Desk) -> None:
    caller = desk.citizen()
    submitted = await desk.submitted(caller)
    await desk.withdrawals.withdraw(caller, submitted.application_id)
    for sequence, state in PATH:
        await desk.hear(submitted.number, sequence, state)
    assert (await desk.view(caller, submitted.application_id)).state is State.WITHDRAWN
    assert await jobs_named("certificates.refresh") == []


async def test_a_case_accepted_late_in_a_year_without_a_table_has_no_date_until_there_is_one(desk: Desk) -> None:
    caller = desk.citizen()
    desk.ground.clock.set(datetime(2026, 12, 30, 2, 0, tzinfo=UTC))
    submitted = await desk.submitted(caller)
    await desk.deliver(submitted.application_id)
    accepted = ProgressEvent("late", submitted.number, 1, State.ACCEPTED, desk.ground.clock.now())
    await desk.tracking.hear("public-security", accepted)
    view = await desk.view(caller, submitted.application_id)
    assert view.state is State.ACCEPTED
    assert view.due_at is None
    assert view.due_note == "calendar-missing"
    assert await desk.deadlines.catch_up() == 0
    await extend_calendar(2027, {}, source="operator")
    desk.ground.clock.move(timedelta(minutes=2))
    assert await desk.deadlines.catch_up() == 1
    view = await desk.view(caller, submitted.application_id)
    assert view.due_at is not None
    assert view.due_note is None


async def test_a_history_can_be_appended_to_and_never_changed(desk: Desk) -> None:
    await desk.submitted(desk.citizen())
    with pytest.raises(Exception, match="append-only"):
        await execute("UPDATE case_action SET step = 'approved'")
    with pytest.raises(Exception, match="append-only"):
        await execute("DELETE FROM case_action")
