"""Alive, ready, draining: what supervisors and proxies ask."""

import asyncio
import time
from datetime import timedelta

import pytest

from api.app import Lines, outcome_of
from api.health import Health, LoopWatch, Part, State, Watchdog
from core.clock import SystemClock
from core.db import DatabaseUnavailable
from core.metrics import LOOP_LAG, REGISTRY
from tests.api.edge import Edge
from tests.fakes.ground import FixedClock


def part(name: str, answer: State | Exception, *, needed: bool = False, after: float = 0) -> Part:
    async def look() -> State:
        await asyncio.sleep(after)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return Part(name, look, needed=needed)


async def test_a_process_is_ready_while_what_it_needs_is_there() -> None:
    good, found = await Health([part("database", "ok", needed=True), part("redis", OSError())]).ready()
    assert good
    assert found == {"database": "ok", "redis": "down"}


@pytest.mark.parametrize("failure", [OSError(), DatabaseUnavailable(), TimeoutError()])
async def test_a_process_is_not_ready_without_what_it_needs(failure: Exception) -> None:
    good, found = await Health([part("database", failure, needed=True)]).ready()
    assert not good
    assert found == {"database": "down"}


async def test_parts_are_asked_at_once() -> None:
    clock = SystemClock()
    began = clock.monotonic()
    await Health([part(str(number), "ok", after=0.1) for number in range(20)]).ready()
    assert clock.monotonic() - began < 1


async def test_a_part_that_is_not_in_order_says_for_how_long() -> None:
    clock, answers = FixedClock(), {"redis": "ok"}

    async def redis() -> State:
        return "degraded" if answers["redis"] != "ok" else "ok"

    health = Health([Part("redis", redis)], clock=clock)
    await health.ready()
    assert health.ages() == {}
    answers["redis"] = "away"
    await health.ready()
    clock.move(timedelta(seconds=42))
    assert await health.ready() == (True, {"redis": "degraded"})
    assert health.ages() == {"redis": 42}
    assert REGISTRY.get_sample_value("zhijian_part_ok", {"part": "redis"}) == 0
    answers["redis"] = "ok"
    await health.ready()
    assert health.ages() == {}


async def test_a_draining_process_is_not_ready() -> None:
    health = Health([part("database", "ok", needed=True)])
    health.drain()
    assert (await health.ready())[0] is False


async def test_the_addresses_answer_without_a_token(edge: Edge) -> None:
    live = await edge.ask("GET", "/health/live", token=None)
    ready = await edge.ask("GET", "/health/ready", token=None)
    assert (live.status, live.json) == (200, {"status": "alive"})
    assert (ready.status, ready.json) == (200, {"status": "ready", "parts": {"database": "ok"}, "ages": {}})
    assert ready.headers["cache-control"] == "no-store"


async def test_requests_are_counted_by_audience_without_ids(edge: Edge) -> None:
    labels = {"audience": "citizen", "method": "GET", "status": "200", "outcome": "ok"}
    before = REGISTRY.get_sample_value("zhijian_requests_total", labels) or 0
    await edge.ask("GET", "/v1/citizen/things")
    assert REGISTRY.get_sample_value("zhijian_requests_total", labels) == before + 1
    for method in ("BREW", "x" * 20):
        await edge.ask(method, "/v1/neverland/19900000001")
    told = await edge.ask("GET", "/metrics", token=None)
    assert told.headers["content-type"].startswith("text/plain")
    assert b"zhijian_request_seconds" in told.body
    for word in (b"BREW", b"19900000001", b"neverland"):
        assert word not in told.body


async def test_the_longest_hold_of_the_loop_is_measured() -> None:
    LOOP_LAG.set(0)
    watch = asyncio.create_task(LoopWatch(clock=SystemClock(), every_seconds=0.01).watch())
    await asyncio.sleep(0.05)
    time.sleep(0.1)  # noqa: ASYNC251 — the very thing that is measured
    await asyncio.sleep(1.1)
    watch.cancel()
    held = REGISTRY.get_sample_value("zhijian_loop_lag_seconds")
    assert held is not None
    assert 0.08 < held < 5


async def test_a_held_loop_ends_the_process_and_a_busy_one_does_not() -> None:
    ended: list[float] = []
    clock = SystemClock()
    dog = Watchdog(patience_seconds=0.5, clock=clock, end=lambda: ended.append(clock.monotonic()))
    beat = asyncio.create_task(dog.beat())
    for _ in range(10):
        await asyncio.sleep(0.01)
        time.sleep(0.1)  # noqa: ASYNC251 — busy, but the loop goes round
    assert ended == []
    await asyncio.sleep(0.1)  # It has just been round when it is held.
    began = clock.monotonic()
    time.sleep(2)  # noqa: ASYNC251 — the very thing that is watched
    beat.cancel()
    assert len(ended) == 1
    assert ended[0] - began > 0.4


async def test_a_watchdog_without_patience_watches_nothing() -> None:
    await asyncio.wait_for(Watchdog(patience_seconds=0, clock=SystemClock()).beat(), 1)


@pytest.mark.parametrize(
    ("log", "seconds", "outcome", "wanted"),
    [
        ("all", 0.01, "ok", True), ("failed", 0.01, "ok", False), ("failed", 1.5, "ok", True),
        ("failed", 0.01, "refused", True), ("failed", 0.01, "failed", True), ("none", 9.0, "failed", False),
    ],
)  # fmt: skip
def test_a_request_gets_a_line_as_the_settings_say(log: str, seconds: float, outcome: str, wanted: bool) -> None:
    assert Lines(log=log).wants(outcome, seconds) is wanted


@pytest.mark.parametrize(
    ("status", "outcome"), [(200, "ok"), (304, "ok"), (404, "refused"), (429, "refused"), (503, "failed")]
)
def test_an_outcome_says_whose_part_it_was(status: int, outcome: str) -> None:
    assert outcome_of(status) == outcome
