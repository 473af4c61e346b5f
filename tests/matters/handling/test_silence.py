"""What the law makes of silence: accepted after five working days, from the day of receipt, and never by guessing."""

import asyncio
from datetime import UTC, datetime, timedelta

from auth.types import Role
from core.calendar_store import extend_calendar
from core.db import fetch_one
from matters.handling.types import DeliveryQueue, Done
from matters.types import State, Suggestion, TextVerdict
from tests.matters.conftest import Desk, jobs_named
from tests.matters.handling.conftest import ENDORSEMENT, Case, Hall, operator

# The test clock begins on Tuesday 10 March 2026: five working days later is the 17th, over at midnight in China.
LAST_MOMENT = datetime(2026, 3, 17, 15, 59, tzinfo=UTC)
AFTER = datetime(2026, 3, 17, 16, 1, tzinfo=UTC)


def move_to(desk: Desk, moment: datetime) -> None:
    desk.ground.clock.move(moment - desk.ground.clock.now())


async def accepted_at(case: Case) -> datetime | None:
    row = await fetch_one("SELECT accepted_at, due_at FROM application WHERE id = $1", case.id)
    assert row is not None
    return row["accepted_at"]  # type: ignore[no-any-return]


async def test_nothing_said_in_five_working_days_is_acceptance_from_the_day_of_receipt(hall: Hall) -> None:
    desk = hall.desk
    received = desk.ground.clock.now()
    silent, unsent = await hall.handed_over(ENDORSEMENT), await hall.submitted()
    answered = await hall.at(State.NOT_ACCEPTED)
    move_to(desk, LAST_MOMENT)
    assert await desk.handling.silence.end() == 0
    move_to(desk, AFTER)
    assert await desk.handling.silence.end() == 2
    assert await desk.handling.silence.end() == 0
    for case in (silent, unsent):
        view = await desk.view(case.owner, case.id)
        assert view.state is State.ACCEPTED
        [entry] = [each for each in view.timeline if each.step.value == "accepted"]
        assert (entry.at, entry.actor) == (received, "系统")
        assert f"依法视为已受理：受理通知书（SL{case.number}-1）" in entry.note
        # The promised time runs from then on, and not from when somebody looked.
        assert view.due_at is not None
        assert view.due_at < AFTER + timedelta(days=2)
    assert await hall.state_of(answered) is State.NOT_ACCEPTED
    assert [job["event"] for job in await jobs_named("notices.tell")].count("matters.accepted") == 2


async def test_what_comes_after_silence_changes_the_acceptance_no_more(hall: Hall) -> None:
    desk = hall.desk
    case = await hall.submitted()
    move_to(desk, AFTER)
    assert await desk.handling.silence.end() == 1
    desk.common_desk.declines = "not-eligible"
    await desk.deliver(case.id)
    assert await hall.state_of(case) is State.ACCEPTED
    # The department says no to what is accepted by law: that waits for a person, who may send it again.
    office = operator(Role.OPERATOR)
    [stuck] = await desk.handling.deliveries.list_stuck(
        DeliveryQueue.REFUSED, office.scopes([Role.OPERATOR]), after=None, limit=10
    )
    assert (stuck.id, stuck.reason) == (case.id, "not-eligible")
    desk.common_desk.declines = None
    desk.common_desk.approves = {"ok": True}
    await desk.handling.deliveries.resend(office, case.id)
    await desk.deliver(case.id)
    assert await hall.state_of(case) is State.APPROVED


async def test_a_supplement_begins_the_five_days_anew(hall: Hall) -> None:
    desk = hall.desk
    case = await hall.at(State.SUPPLEMENT_REQUESTED)
    move_to(desk, datetime(2026, 3, 16, 3, 0, tzinfo=UTC))
    await desk.supplements.hand_in(case.owner, case.id, "")
    supplied = desk.ground.clock.now()
    move_to(desk, AFTER)
    assert await desk.handling.silence.end() == 0
    move_to(desk, datetime(2026, 3, 23, 16, 1, tzinfo=UTC))
    assert await desk.handling.silence.end() == 1
    view = await desk.view(case.owner, case.id)
    assert [entry.at for entry in view.timeline if entry.step.value == "accepted"] == [supplied]


async def test_a_year_without_a_table_accepts_nothing_by_itself_and_stops_nobody(hall: Hall) -> None:
    desk = hall.desk
    move_to(desk, datetime(2026, 12, 30, 3, 0, tzinfo=UTC))
    case = await hall.handed_over()
    move_to(desk, datetime(2027, 2, 20, 3, 0, tzinfo=UTC))
    assert await desk.handling.silence.end() == 0
    assert await hall.state_of(case) is State.PRE_REVIEW
    await extend_calendar(2027, {}, source="test")
    desk.ground.clock.move(timedelta(minutes=2))
    assert await desk.handling.silence.end() == 1


async def test_what_waits_for_a_reader_was_received_by_nobody(hall: Hall) -> None:
    desk = hall.desk
    desk.platform.thinks = TextVerdict(Suggestion.RISK, 20001)
    case = await hall.handed_over()
    move_to(desk, AFTER)
    assert await desk.handling.silence.end() == 0
    assert await hall.state_of(case) is State.SUBMITTED


async def test_whoever_speaks_at_the_last_moment_is_heard_or_was_late_and_never_both(hall: Hall) -> None:
    desk = hall.desk
    for _ in range(4):
        case = await hall.handed_over()
        order = await hall.order(case, reason="not-in-charge")
        desk.ground.clock.move(timedelta(days=15))
        ours, silence = await asyncio.gather(
            desk.handling.acceptance.refuse(operator(Role.ACCEPTOR), order),
            desk.handling.silence.end(),
            return_exceptions=True,
        )
        assert isinstance(silence, int)
        assert isinstance(ours, Done) == (silence == 0)
        assert await hall.state_of(case) is (State.NOT_ACCEPTED if silence == 0 else State.ACCEPTED)
