"""Exchanges are counted in memory, added up in the database, and read by day; nothing is lost or counted twice."""

import asyncio
from datetime import date, timedelta
from typing import Any

import pytest

from core.db import fetch
from core.errors import Unavailable
from core.outside.watching import on_behalf_of
from matters.catalogue.loading import load_sharing
from matters.exchange import counting
from matters.exchange.counting import ExchangeCounts
from matters.exchange.reading import load_resources
from matters.exchange.settings import ExchangeSettings
from matters.exchange.types import Direction, ExchangeOutcome, ExchangeWanted
from tests.matters.conftest import Desk

DAY = date(2026, 3, 10)
ALL = ExchangeWanted(since=date(2026, 1, 1), until=date(2026, 12, 31))


async def rows() -> list[dict[str, Any]]:
    return await fetch("SELECT * FROM exchange_count ORDER BY day, partner, resource, consumer, outcome")


async def test_calls_are_added_up_by_day_partner_resource_consumer_and_outcome(desk: Desk) -> None:
    counts, watch = desk.exchange.counts, desk.exchange.watch
    for seconds in (0.1, 0.3, 0.2):
        watch.passed("education", "POST", "/v1/checks/degree", "200", seconds)
    watch.passed("education", "POST", "/v1/checks/degree", "timeout", 3.0)
    with on_behalf_of(matter="11A", consumer="human-resources"):
        watch.passed("education", "POST", "/v1/checks/degree", "200", 0.05)
    await counts.flush()
    watch.passed("education", "POST", "/v1/checks/degree", "204", 0.9)
    await counts.flush()
    lines = await desk.exchange.figures.page(ALL, before=None, limit=10)
    told = {
        (line.exchanged.consumer, line.exchanged.matter, line.exchanged.outcome): (
            line.count, line.total_us, line.longest_us
        )
        for line in lines
    }  # fmt: skip
    assert told == {
        ("platform", "", ExchangeOutcome.OK): (4, 1_500_000, 900_000),
        ("platform", "", ExchangeOutcome.TIMEOUT): (1, 3_000_000, 3_000_000),
        ("human-resources", "11A", ExchangeOutcome.OK): (1, 50_000, 50_000),
    }
    assert {line.exchanged.resource for line in lines} == {"degree-register"}
    assert {line.exchanged.day for line in lines} == {DAY}


async def test_two_processes_add_to_one_count(desk: Desk) -> None:
    ground = desk.ground
    both = [
        ExchangeCounts(resources={}, clock=ground.clock, ids=ground.ids, settings=ExchangeSettings()) for _ in range(2)
    ]
    # Each in its own order, and more rows than go into one statement.
    for number in range(450):
        both[0].count(Direction.OUT, f"partner-{number:03d}", "GET /v1/x", "200", 0.001)
        both[1].count(Direction.OUT, f"partner-{449 - number:03d}", "GET /v1/x", "200", 0.002)
    await asyncio.gather(*(each.flush() for each in both))
    written = await rows()
    assert len(written) == 450
    assert {(int(row["count"]), int(row["total_us"]), int(row["longest_us"])) for row in written} == {(2, 3000, 2000)}


async def test_midnight_in_china_begins_a_new_day(desk: Desk) -> None:
    counts, clock = desk.exchange.counts, desk.ground.clock
    clock.move(timedelta(hours=13, minutes=59))  # 23:59 in China
    counts.passed("education", "GET", "/v1/x", "200", 0.1)
    clock.move(timedelta(minutes=2))
    counts.passed("education", "GET", "/v1/x", "200", 0.1)
    await counts.flush()
    assert [(row["day"], int(row["count"])) for row in await rows()] == [("2026-03-10", 1), ("2026-03-11", 1)]


async def test_what_cannot_be_written_now_is_written_once_later(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    counts = desk.exchange.counts

    async def away(work: Any) -> None:
        raise Unavailable

    counts.passed("education", "GET", "/v1/x", "200", 0.1)
    with monkeypatch.context() as patch:
        patch.setattr(counting, "transaction", away)
        await counts.flush()
    counts.passed("education", "GET", "/v1/x", "200", 0.1)
    assert await rows() == []
    await counts.flush()
    await counts.flush()
    assert [int(row["count"]) for row in await rows()] == [2]


async def test_a_flush_that_is_cut_short_counts_once(desk: Desk) -> None:
    """As when a process stops: the timetable is cut short, and closing writes the rest."""
    counts = desk.exchange.counts
    counts.passed("education", "GET", "/v1/x", "200", 0.1)
    cut = asyncio.create_task(counts.flush())
    await asyncio.sleep(0)
    cut.cancel()
    with pytest.raises(asyncio.CancelledError):
        await cut
    counts.passed("education", "GET", "/v1/x", "200", 0.1)
    await counts.close()
    assert [int(row["count"]) for row in await rows()] == [2]


async def test_names_that_are_not_from_a_closed_list_are_counted_together(desk: Desk) -> None:
    counts = desk.exchange.counts
    for number in range(6000):
        counts.count(Direction.OUT, "education", f"GET /v1/{number}", "200", 0.001)
    await counts.flush()
    written = await rows()
    assert len(written) == 5001
    assert sum(int(row["count"]) for row in written) == 6000
    assert {row["resource"]: int(row["count"]) for row in written}["other"] == 1000


async def test_counts_are_searched_by_day_partner_matter_and_outcome_page_by_page(desk: Desk) -> None:
    counts, figures, clock = desk.exchange.counts, desk.exchange.figures, desk.ground.clock
    for day in range(3):
        for partner in ("education", "health"):
            for matter in ("11A", "11B"):
                with on_behalf_of(matter=matter, consumer="education"):
                    counts.passed(partner, "GET", "/v1/x", "200", 0.1)
                    counts.passed(partner, "GET", "/v1/x", "no-connection", 0.3)
        clock.move(timedelta(days=1 if day < 2 else 0))
    await counts.flush()
    assert len(await figures.page(ALL, before=None, limit=100)) == 24
    for wanted, many in [
        (ExchangeWanted(since=DAY, until=DAY), 8),
        (ExchangeWanted(since=DAY, until=DAY, partner="health"), 4),
        (ExchangeWanted(since=ALL.since, until=ALL.until, matter="11B"), 12),
        (ExchangeWanted(since=ALL.since, until=ALL.until, outcome="unreachable"), 12),
        (ExchangeWanted(since=ALL.since, until=ALL.until, direction="in"), 0),
        (ExchangeWanted(since=ALL.since, until=ALL.until, resource="GET /v1/*"), 24),
    ]:
        assert len(await figures.page(wanted, before=None, limit=100)) == many
    seen, before = [], None
    while page := await figures.page(ALL, before=before, limit=5):
        seen += page
        before = (page[-1].exchanged.day, page[-1].id)
    assert len({line.id for line in seen}) == 24
    assert [line.exchanged.day for line in seen] == sorted((line.exchanged.day for line in seen), reverse=True)
    days = await figures.days(ALL, before=None, limit=4)
    assert [(each.day, each.partner, each.count, each.failed) for each in days[:2]] == [
        (DAY + timedelta(days=2), "education", 4, 2),
        (DAY + timedelta(days=2), "health", 4, 2),
    ]
    rest = await figures.days(ALL, before=(days[-1].day, days[-1].partner, days[-1].direction), limit=4)
    assert [(each.day, each.partner) for each in rest] == [(DAY, "education"), (DAY, "health")]


async def test_old_counts_are_forgotten(desk: Desk) -> None:
    counts, clock = desk.exchange.counts, desk.ground.clock
    counts.passed("education", "GET", "/v1/x", "200", 0.1)
    await counts.flush()
    clock.move(timedelta(days=400))
    assert await counts.forget() == 0
    clock.move(timedelta(days=1))
    assert await counts.forget() == 1
    assert await rows() == []


async def test_systems_and_resources_that_nobody_asks_are_found(desk: Desk) -> None:
    counts, figures, clock = desk.exchange.counts, desk.exchange.figures, desk.ground.clock
    counts.passed("public-security", "POST", "/v1/certificates/query", "200", 0.1)
    counts.passed("education", "POST", "/v1/checks/degree", "200", 0.1)
    await counts.flush()
    assert await figures.unused() == []
    clock.move(timedelta(days=91))
    counts.passed("public-security", "POST", "/v1/certificates/query", "200", 0.1)
    await counts.flush()
    found = {(each.partner, each.resource): each.last_on for each in await figures.unused()}
    assert found["education", ""] == found["education", "degree-register"] == DAY
    assert found["taxation", "income-record"] is None
    # One call asks for several resources; what is open to everybody is fetched without us.
    assert not {("public-security", ""), ("public-security", "driver-register")} & found.keys()
    assert not {each for each in found if each[1].endswith("-list")}


def test_every_resource_that_a_call_asks_for_is_in_the_sharing_catalogue() -> None:
    shared = {(each.department, each.code) for each in load_sharing().resources}
    told = {(partner, name) for (partner, _), names in load_resources().items() for name in names}
    assert told <= shared
