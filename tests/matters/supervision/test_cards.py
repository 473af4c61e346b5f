"""Time travel: yellow near a date, red beyond it, an order to say why, its way up, and the record where nobody did."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from api.wiring.handling.supervision import SupervisionServices
from auth.errors import RoleForbidden
from auth.types import EVERYWHERE, Role, StaffScope
from core.calendar_store import extend_calendar
from core.db import fetch, is_postgres
from core.metrics import CARDS, ORDERS_OPEN
from matters.supervision.cards import _DUE, _OVER
from matters.supervision.errors import NoSuchCard, NoSuchOrder, NoSuchRecord, SupervisionSettled
from matters.supervision.types import (
    Card,
    CardColour,
    CardState,
    Closed,
    Deadline,
    Ground,
    LateReason,
    Order,
    OrderLevel,
    OrderState,
    Record,
    RecordState,
)
from matters.types import Step
from tests.matters.cases.test_deadlines import at
from tests.matters.conftest import Desk
from tests.matters.overseeing import go_to, in_review, member, overseen

CLERK = member(Role.DEPARTMENT_OPERATOR, department="public-security")
SUPERIOR = member(Role.OPERATOR)
START = (at("2020-01-01 00:00"), UUID(int=0))


async def cards(
    rooms: SupervisionServices, state: CardState = CardState.OPEN, scope: StaffScope = EVERYWHERE
) -> list[Card]:
    return await rooms.orders.list_cards(state, None, [scope], after=START, limit=100)


async def orders(rooms: SupervisionServices, state: OrderState = OrderState.OPEN) -> list[Order]:
    return await rooms.orders.list_orders(state, None, [EVERYWHERE], after=START, limit=100)


async def records(rooms: SupervisionServices, state: RecordState = RecordState.OPEN) -> list[Record]:
    return await rooms.records.list_records(state, [EVERYWHERE], after=START, limit=100)


def kinds(found: list[Card]) -> list[tuple[str, str]]:
    return sorted((card.deadline.value, card.colour.value) for card in found)


async def look(desk: Desk, rooms: SupervisionServices, when: str) -> None:
    """Let the timetable look, twice as two workers do: the second finds nothing more."""
    desk.ground.clock.set(at(when))
    await rooms.cards.look()
    before = await fetch("SELECT id FROM supervision_card")
    await rooms.cards.look()
    assert await fetch("SELECT id FROM supervision_card") == before


async def test_a_case_goes_from_yellow_to_red_to_the_superior_to_the_record(desk: Desk) -> None:
    rooms, case = overseen(desk), await in_review(desk)
    await look(desk, rooms, "2026-03-12 12:00")
    assert await cards(rooms) == []
    await look(desk, rooms, "2026-03-13 00:00")  # One working day after this one is left: Monday the 16th.
    assert kinds(await cards(rooms)) == [("promised", "yellow")]
    await look(desk, rooms, "2026-03-16 23:00")
    assert kinds(await cards(rooms)) == [("promised", "yellow")]
    assert await orders(rooms) == []
    await look(desk, rooms, "2026-03-17 00:01")
    assert kinds(await cards(rooms)) == [("promised", "red")]
    [yellow] = await cards(rooms, CardState.CLOSED)
    assert yellow.closed_because == Closed.OVERDUE
    [order] = await orders(rooms)
    assert (order.level, order.issued_by, order.number) == (OrderLevel.DEPARTMENT, None, case.number)
    assert order.answer_by == at("2026-03-19 23:59:59")
    assert CARDS.labels("red", "promised")._value.get() == 1
    await look(desk, rooms, "2026-03-20 00:01")
    [order] = await orders(rooms)
    assert (order.level, order.answer_by) == (OrderLevel.SUPERIOR, at("2026-03-23 23:59:59"))
    assert ORDERS_OPEN.labels("superior")._value.get() == 1
    with pytest.raises(RoleForbidden):
        await rooms.orders.answer(CLERK, order.id, reason=LateReason.APPLICANT, note="等申请人来")
    assert await records(rooms) == []
    await look(desk, rooms, "2026-03-24 00:01")
    [order] = await orders(rooms, OrderState.UNANSWERED)
    [record] = await records(rooms)
    assert (record.ground, record.deadline, record.due_at) == (
        Ground.UNANSWERED, Deadline.PROMISED, at("2026-03-16 23:59:59"),
    )  # fmt: skip
    # The legal date was up on the 23rd; it has its own card.
    assert kinds(await cards(rooms)) == [("legal", "red"), ("promised", "red")]
    await go_to(desk, case, Step.APPROVED, "2026-03-24 10:00")
    await look(desk, rooms, "2026-03-24 10:01")
    assert await cards(rooms) == []
    assert {card.closed_because for card in await cards(rooms, CardState.CLOSED)} == {Closed.ENDED, Closed.OVERDUE}
    assert sorted(each.ground.value for each in await records(rooms)) == ["no-reason", "unanswered"]
    assert await orders(rooms) == []


async def test_a_reason_given_in_time_leaves_no_record_and_none_leaves_one_at_once(desk: Desk) -> None:
    rooms = overseen(desk)
    first, second = await in_review(desk), await in_review(desk)
    await look(desk, rooms, "2026-03-17 09:00")
    by_number = {order.number: order for order in await orders(rooms)}
    good = await rooms.orders.answer(
        CLERK, by_number[first.number].id, reason=LateReason.OTHER_DEPARTMENT, note="等待协查结果"
    )
    assert (good.state, good.reason, good.answered_by) == (
        OrderState.ANSWERED, "other-department", CLERK.operator_id,
    )  # fmt: skip
    assert (await rooms.orders.read(SUPERIOR, good.id)).answer == "等待协查结果"
    with pytest.raises(SupervisionSettled):
        await rooms.orders.answer(CLERK, good.id, reason=LateReason.APPLICANT, note="再说一次")
    assert await records(rooms) == []
    await rooms.orders.answer(CLERK, by_number[second.number].id, reason=LateReason.NONE, note="没有原因")
    [record] = await records(rooms)
    assert (record.number, record.ground) == (second.number, Ground.NO_REASON)
    for case in (first, second):
        await go_to(desk, case, Step.APPROVED, "2026-03-17 10:00")
    await look(desk, rooms, "2026-03-17 10:01")
    assert await cards(rooms) == []
    assert len(await records(rooms)) == 1
    upheld = await rooms.records.review(SUPERIOR, record.id, excused=False, note="情况属实")
    assert upheld.state is RecordState.UPHELD
    with pytest.raises(SupervisionSettled):
        await rooms.records.review(SUPERIOR, record.id, excused=True, note="情况不实")


async def test_a_case_that_stands_gets_no_card_and_a_date_that_moves_gets_a_new_one(desk: Desk) -> None:
    rooms, case = overseen(desk), await in_review(desk)
    await look(desk, rooms, "2026-03-13 09:00")
    assert kinds(await cards(rooms)) == [("promised", "yellow")]
    await go_to(desk, case, Step.SUSPENDED, "2026-03-13 10:00", reason="hearing")
    await look(desk, rooms, "2026-05-13 10:01")
    assert await cards(rooms) == []
    [closed] = await cards(rooms, CardState.CLOSED)
    assert closed.closed_because == Closed.MOVED
    # Four were used before, with the day of the stop; the day of going on is still stopped: one is left.
    await go_to(desk, case, Step.RESUMED, "2026-05-13 11:00")
    await look(desk, rooms, "2026-05-13 11:01")
    [again] = await cards(rooms)
    assert (again.colour, again.due_at) == (CardColour.YELLOW, at("2026-05-14 23:59:59"))
    await go_to(desk, case, Step.APPROVED, "2026-05-14 09:00")
    await look(desk, rooms, "2026-05-15 09:00")
    assert (await cards(rooms), await records(rooms)) == ([], [])


async def test_a_pre_review_is_watched_by_the_hour_over_a_weekend(desk: Desk) -> None:
    rooms = overseen(desk)
    desk.ground.clock.set(at("2026-03-06 20:00"))  # A Friday.
    case = await desk.submitted(desk.citizen())
    await desk.deliver(case.application_id)
    await look(desk, rooms, "2026-03-07 15:59")
    assert await cards(rooms) == []
    await look(desk, rooms, "2026-03-07 16:00")
    assert kinds(await cards(rooms)) == [("pre-review", "yellow")]
    await look(desk, rooms, "2026-03-07 20:00")
    assert kinds(await cards(rooms)) == [("pre-review", "red")]
    await go_to(desk, case, Step.SUPPLEMENT_REQUESTED, "2026-03-08 09:00")
    await look(desk, rooms, "2026-03-08 09:01")
    assert await cards(rooms) == []
    [record] = await records(rooms)
    assert (record.deadline, record.ground) == (Deadline.PRE_REVIEW, Ground.NO_REASON)


async def test_an_operator_asks_about_a_yellow_card_and_nobody_is_blamed_for_it(desk: Desk) -> None:
    rooms, case = overseen(desk), await in_review(desk)
    await look(desk, rooms, "2026-03-13 09:00")
    [card] = await cards(rooms)
    given = await rooms.orders.give(SUPERIOR, card.id, "请说明进展")
    assert (await rooms.orders.read(CLERK, given.id)).instruction == "请说明进展"
    with pytest.raises(SupervisionSettled):
        await rooms.orders.give(SUPERIOR, card.id, "再问一次")
    await go_to(desk, case, Step.APPROVED, "2026-03-13 15:00")
    await look(desk, rooms, "2026-03-13 15:01")
    assert [order.state for order in await orders(rooms, OrderState.CLOSED)] == [OrderState.CLOSED]
    assert await records(rooms) == []
    for wrong, problem in (
        (rooms.orders.find_card, NoSuchCard), (rooms.orders.find, NoSuchOrder), (rooms.records.find, NoSuchRecord),
    ):  # fmt: skip
        with pytest.raises(problem):
            await wrong(desk.ground.ids.uuid())


async def test_an_order_in_a_year_without_a_table_waits_for_it(desk: Desk) -> None:
    rooms = overseen(desk)
    desk.ground.clock.set(at("2026-12-29 09:00"))
    case = await desk.submitted(desk.citizen())
    await desk.deliver(case.application_id)
    await look(desk, rooms, "2026-12-31 09:00")
    [order] = await orders(rooms)
    assert order.answer_by is None
    await look(desk, rooms, "2027-01-10 09:00")
    assert [(each.level, each.answer_by) for each in await orders(rooms)] == [(OrderLevel.DEPARTMENT, None)]
    await extend_calendar(2027, {}, source="operator")
    desk.ground.clock.move(timedelta(minutes=2))
    await rooms.cards.look()
    [order] = await orders(rooms)
    assert order.answer_by == at("2027-01-12 23:59:59")


@pytest.mark.parametrize(
    ("scope", "sees"),
    [
        (EVERYWHERE, True),
        (StaffScope(department="public-security"), True),
        (StaffScope(department="education"), False),
        (StaffScope(matter="11370800MB285591843370117002011"), False),
        (StaffScope(region="3708"), False),
        (StaffScope(region="999901"), True),
        (StaffScope(region="999901", department="public-security"), True),
        (StaffScope(region="999902", department="public-security"), False),
    ],
)
async def test_a_list_shows_what_a_grant_reaches(desk: Desk, scope: StaffScope, sees: bool) -> None:
    rooms = overseen(desk)
    await in_review(desk)
    await look(desk, rooms, "2026-03-17 09:00")
    [card] = await cards(rooms)
    assert bool(await cards(rooms, scope=scope)) is sees
    assert bool(await cards(rooms, scope=StaffScope(matter=card.matter)))
    assert bool(await cards(rooms, scope=StaffScope(department=card.department, matter=card.matter)))
    later = await rooms.orders.list_cards(CardState.OPEN, None, [EVERYWHERE], after=(card.issued_at, card.id), limit=9)
    assert later == []


async def test_what_looks_each_minute_reads_no_table_of_cases_from_end_to_end(desk: Desk) -> None:
    """Of a table large enough that it would matter, on both databases."""
    await in_review(desk)
    await _many_closed_cases()
    now = desk.ground.clock.now()
    for deadline in Deadline:
        plan = await _plan(_DUE[deadline], START[0], now, CardColour.RED.value, 500, 1)
        assert "application" in plan
        assert not _scans_cases(plan), plan
    assert not _scans_cases(await _plan(_OVER, 500))


async def _many_closed_cases() -> None:
    row = (await fetch("SELECT * FROM application"))[0]
    columns = [name for name in row if name not in {"id", "number", "state", "due_at", "legal_due_at", "review_due_at"}]
    names = ", ".join(columns)
    make_id = "gen_random_uuid()" if is_postgres() else "lower(hex(randomblob(16)))"
    series = (
        "generate_series(1, 20000)"
        if is_postgres()
        else "(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) SELECT i FROM n)"
    )
    await fetch(
        f"INSERT INTO application (id, state, due_at, legal_due_at, {names}) "  # noqa: S608 — columns of our own table
        f"SELECT {make_id}, 'closed', due_at, legal_due_at, {names} FROM application, {series} RETURNING NULL"
    )
    await fetch("ANALYZE")


async def _plan(sql: str, *values: Any) -> str:
    rows = await fetch(("EXPLAIN " if is_postgres() else "EXPLAIN QUERY PLAN ") + sql, *values)
    return "\n".join(str(row.get("QUERY PLAN") or row.get("detail")) for row in rows)


def _scans_cases(plan: str) -> bool:
    lines = plan.splitlines()
    return any("Seq Scan on application" in line or line.strip() == "SCAN application" for line in lines)
