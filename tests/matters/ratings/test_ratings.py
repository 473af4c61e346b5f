"""Ratings: once for each occasion, defaults that are marked, bad ones that somebody follows up."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from auth.types import Caller, Role, RoleGrant, StaffCaller, StaffScope
from core.audit.ledger import lines_of
from core.db import fetch
from matters.errors import (
    AlreadyRated,
    NoSuchApplication,
    NoSuchTicket,
    RatingInvalid,
    ReasonNeeded,
    StateForbids,
)
from matters.ratings.figures import RatingFigures
from matters.ratings.types import Dimension, RatingSource, Said, TicketState
from matters.types import Satisfaction
from tests.matters.conftest import ENDORSEMENT, SETTLEMENT, Desk, count_of

GOOD = Said(Satisfaction.VERY_SATISFIED, text="很快")
BAD = Said(Satisfaction.DISSATISFIED, ("slow",), "等了很久")
EVERYWHERE = [StaffScope()]
DAY = timedelta(days=1)


def clerk(desk: Desk) -> StaffCaller:
    return StaffCaller(desk.ground.ids.uuid(), desk.ground.ids.uuid(), "clerk", (RoleGrant(Role.OPERATOR),))


async def decided(desk: Desk) -> tuple[Caller, UUID]:
    caller = desk.citizen()
    submitted = await desk.submitted(caller, SETTLEMENT)
    await desk.deliver(submitted.application_id)
    return caller, submitted.application_id


async def test_a_decided_case_is_rated_once(desk: Desk) -> None:
    caller, application_id = await decided(desk)
    await desk.ratings.rate(caller, application_id, GOOD)
    with pytest.raises(AlreadyRated):
        await desk.ratings.rate(caller, application_id, Said(Satisfaction.SATISFIED))
    assert (await desk.view(caller, application_id)).rated is Satisfaction.VERY_SATISFIED
    assert await count_of("rating_ticket") == 0


async def test_ten_ratings_at_once_are_one(desk: Desk) -> None:
    caller, application_id = await decided(desk)
    told = await asyncio.gather(
        *(desk.ratings.rate(caller, application_id, BAD) for _ in range(10)), return_exceptions=True
    )
    assert sum(isinstance(each, UUID) for each in told) == 1
    assert sum(isinstance(each, AlreadyRated) for each in told) == 9
    assert (await count_of("rating"), await count_of("rating_ticket")) == (1, 1)


async def test_a_bad_rating_says_why(desk: Desk) -> None:
    caller, application_id = await decided(desk)
    with pytest.raises(ReasonNeeded):
        await desk.ratings.rate(caller, application_id, Said(Satisfaction.DISSATISFIED, (), "  "))
    await desk.ratings.rate(caller, application_id, BAD)
    [row] = await fetch("SELECT text_sealed FROM rating")
    assert "等了很久".encode() not in bytes(row["text_sealed"])


async def test_dimensions_are_those_of_the_way_it_came(desk: Desk) -> None:
    caller, application_id = await decided(desk)
    with pytest.raises(RatingInvalid) as wrong:
        await desk.ratings.rate(
            caller, application_id, Said(Satisfaction.SATISFIED, dimensions={Dimension.SKILL: Satisfaction.SATISFIED})
        )
    assert [error.pointer for error in wrong.value.extras.errors] == ["/dimensions/skill"]
    said = Said(Satisfaction.SATISFIED, dimensions={Dimension.PLATFORM: Satisfaction.DISSATISFIED})
    await desk.ratings.rate(caller, application_id, said)
    now = desk.ground.clock.now()
    [line] = await RatingFigures().page(since=now - DAY, until=now + DAY, after=None, limit=10)
    assert line.dimensions == {Dimension.PLATFORM: Satisfaction.DISSATISFIED}
    assert line.channel == "mobile"


async def test_only_ones_own_decided_case_is_rated(desk: Desk) -> None:
    caller = desk.citizen()
    submitted = await desk.submitted(caller)
    with pytest.raises(StateForbids):
        await desk.ratings.rate(caller, submitted.application_id, GOOD)
    with pytest.raises(NoSuchApplication):
        await desk.ratings.rate(desk.citizen(), submitted.application_id, GOOD)


async def test_after_seven_days_without_a_word_the_default_stands_and_is_marked(desk: Desk) -> None:
    caller, application_id = await decided(desk)
    rated_by, rated = await decided(desk)
    await desk.ratings.rate(rated_by, rated, GOOD)
    await desk.submitted(desk.citizen(), ENDORSEMENT)
    desk.ground.clock.move(7 * DAY - timedelta(seconds=1))
    assert await desk.default_ratings.fill_in() == 0
    desk.ground.clock.move(timedelta(seconds=1))
    assert [await desk.default_ratings.fill_in() for _ in range(2)] == [1, 0]
    now = desk.ground.clock.now()
    lines = await RatingFigures().page(since=now - 8 * DAY, until=now + DAY, after=None, limit=10)
    assert {line.number: (line.level, line.source) for line in lines} == {
        (await desk.view(rated_by, rated)).number: (Satisfaction.VERY_SATISFIED, RatingSource.CITIZEN),
        (await desk.view(caller, application_id)).number: (Satisfaction.BASICALLY_SATISFIED, RatingSource.DEFAULT),
    }
    assert (await desk.view(caller, application_id)).rated is None


async def test_what_the_applicant_says_takes_the_place_of_what_nobody_said(desk: Desk) -> None:
    caller, application_id = await decided(desk)
    desk.ground.clock.move(8 * DAY)
    await desk.default_ratings.fill_in()
    await desk.ratings.rate(caller, application_id, BAD)
    [row] = await fetch("SELECT level, source, occasion FROM rating")
    assert (row["level"], row["source"], row["occasion"]) == ("dissatisfied", "citizen", 1)
    assert await desk.default_ratings.fill_in() == 0


async def test_a_bad_rating_opens_a_ticket_to_be_taken_up_within_a_working_day(desk: Desk) -> None:
    caller, application_id = await decided(desk)
    await desk.ratings.rate(caller, application_id, BAD)
    [ticket] = await desk.rating_tickets.list_tickets(TicketState.OPEN, EVERYWHERE)
    # Tuesday, 10 March 2026, in the morning: by the end of Wednesday.
    assert ticket.contact_by == datetime(2026, 3, 11, 15, 59, 59, tzinfo=UTC)
    assert (ticket.level, list(ticket.reasons)) == (Satisfaction.DISSATISFIED, ["slow"])
    assert await desk.rating_tickets.list_tickets(TicketState.OPEN, [StaffScope(department="education")]) == []
    await desk.look_at_remarks()
    opened = await desk.rating_tickets.read(clerk(desk), ticket.id)
    assert opened.text == "等了很久"
    await desk.rating_tickets.note_contact(clerk(desk), ticket.id)
    with pytest.raises(StateForbids):
        await desk.rating_tickets.note_contact(clerk(desk), ticket.id)
    with pytest.raises(AlreadyRated):
        await desk.ratings.rate(caller, application_id, GOOD)
    await desk.rating_tickets.settle(clerk(desk), ticket.id, "已致歉并加开窗口")
    with pytest.raises(StateForbids):
        await desk.rating_tickets.settle(clerk(desk), ticket.id, "又一次")
    actions = [line.action for line in await lines_of(caller.citizen_id, before=None, limit=20)]
    assert {"matters.rating-read", "matters.rating-contacted", "matters.rating-settled"} <= set(actions)


async def test_once_it_is_settled_the_applicant_says_how_it_is_now(desk: Desk) -> None:
    caller, application_id = await decided(desk)
    await desk.ratings.rate(caller, application_id, BAD)
    [ticket] = await desk.rating_tickets.list_tickets(TicketState.OPEN, EVERYWHERE)
    await desk.rating_tickets.settle(clerk(desk), ticket.id, "已整改")
    await desk.ratings.rate(caller, application_id, GOOD)
    with pytest.raises(AlreadyRated):
        await desk.ratings.rate(caller, application_id, GOOD)
    rows = await fetch("SELECT occasion, level FROM rating ORDER BY occasion")
    assert [(row["occasion"], row["level"]) for row in rows] == [(1, "dissatisfied"), (2, "very_satisfied")]
    assert (await desk.view(caller, application_id)).rated is Satisfaction.VERY_SATISFIED


async def test_a_ticket_that_is_none_is_not_found(desk: Desk) -> None:
    for tried in (
        desk.rating_tickets.find(desk.ground.ids.uuid()),
        desk.rating_tickets.read(clerk(desk), desk.ground.ids.uuid()),
        desk.rating_tickets.settle(clerk(desk), desk.ground.ids.uuid(), "无"),
    ):
        with pytest.raises(NoSuchTicket):
            await tried


async def test_figures_go_on_after_a_line_and_are_counted_as_far_as_one_reaches(desk: Desk) -> None:
    for said in (GOOD, BAD, GOOD):
        caller, application_id = await decided(desk)
        await desk.ratings.rate(caller, application_id, said)
    await decided(desk)
    desk.ground.clock.move(8 * DAY)
    await desk.default_ratings.fill_in()
    figures, now = RatingFigures(), desk.ground.clock.now()
    seen: list[UUID] = []
    after = None
    while page := await figures.page(since=now - 9 * DAY, until=now + DAY, after=after, limit=1):
        seen += [line.id for line in page]
        after = (page[-1].rated_at, page[-1].id)
    assert len(seen) == len(set(seen)) == 4
    whole, matters = await figures.rates(since=now - 9 * DAY, until=now + DAY, scopes=EVERYWHERE)
    assert (whole.ratings, whole.good, whole.given, whole.given_good) == (4, 3, 3, 2)
    assert list(matters.values()) == [whole]
    none, _ = await figures.rates(since=now - 9 * DAY, until=now + DAY, scopes=[StaffScope(department="education")])
    assert none.ratings == 0
