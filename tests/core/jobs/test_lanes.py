"""Lanes: a slow outside system holds back the jobs that wait for it, and no others."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.audit.actors import SYSTEM
from core.db import execute, fetch_one, transaction
from core.jobs.carrier import Sweeper
from core.jobs.desk import JobDesk
from core.jobs.lanes import Lanes
from core.jobs.queue import Jobs
from core.jobs.runner import Change, JobRunner
from core.settings import JobSettings
from tests.conftest import Ground
from tests.core.jobs.test_carrier import EVERYWHERE, carrier_of

SLOW, QUICK = "desk/slow", "desk/quick"


class Departments:
    """The slow one answers when it is let; how many wait for it at once is noted."""

    def __init__(self) -> None:
        self.answers = asyncio.Event()
        self.waiting = self.most = 0
        self.done: list[str] = []

    async def __call__(self, **payload: str) -> Change | None:
        if payload["lane_of"] == SLOW:
            self.waiting += 1
            self.most = max(self.most, self.waiting)
            await self.answers.wait()
            self.waiting -= 1
        self.done.append(payload["lane_of"])
        return None

    async def until(self, lane: str, count: int) -> None:
        async with asyncio.timeout(20):
            while self.done.count(lane) < count:
                await asyncio.sleep(0.01)


def runner_of(ground: Ground, departments: Departments) -> JobRunner:
    settings = JobSettings(concurrency=8, lane_concurrency=2)
    return JobRunner(handlers={"test.ask": departments}, settings=settings, clock=ground.clock, ids=ground.ids)


async def promise(jobs: Jobs, lane: str, count: int) -> list[UUID]:
    async def work() -> list[UUID]:
        return [await jobs.enqueue("test.ask", lane=lane, lane_of=lane) for _ in range(count)]

    return await transaction(work)


async def all_done(count: int) -> None:
    async with asyncio.timeout(20):
        while True:
            row = await fetch_one("SELECT count(*) AS n FROM job WHERE state = 'done'")
            if row is not None and int(row["n"]) == count:
                return
            await asyncio.sleep(0.02)


@EVERYWHERE
async def test_many_deliveries_to_a_slow_department_hold_back_no_other(ground: Ground, url: str) -> None:
    departments = Departments()
    runner = runner_of(ground, departments)
    async with carrier_of(url, runner) as carrier:
        jobs = Jobs(clock=ground.clock, ids=ground.ids, carrier=carrier)
        # One message each, as they come one after the other: more than a listener takes on at once.
        for _ in range(100):
            await promise(jobs, SLOW, 1)
            await asyncio.sleep(0.006)
        await promise(jobs, SLOW, 150)
        # The slow one does not answer until all of the quick one's are done.
        await promise(jobs, QUICK, 30)
        await Sweeper(runner=runner, carrier=carrier).sweep()
        await departments.until(QUICK, 30)
        assert departments.done.count(SLOW) == 0
        assert departments.most == 2
        departments.answers.set()
        await departments.until(SLOW, 250)
        await all_done(280)
    assert departments.most == 2


async def test_what_waits_behind_a_full_lane_is_taken_up_without_being_offered_again(ground: Ground) -> None:
    departments = Departments()
    runner = runner_of(ground, departments)
    ids = await promise(ground.jobs, SLOW, 6)
    running = [asyncio.create_task(runner.run(job_id, SLOW)) for job_id in ids]
    await asyncio.wait(running[2:])
    departments.answers.set()
    await asyncio.gather(*running)
    await runner.idle()
    assert departments.done == [SLOW] * 6


async def test_the_sweeper_passes_over_a_full_lane(ground: Ground) -> None:
    """However many wait there, what could be done is among what it finds."""
    departments = Departments()
    runner = runner_of(ground, departments)
    slow = await promise(ground.jobs, SLOW, 5)
    ground.clock.move(timedelta(seconds=1))
    quick, none = await promise(ground.jobs, QUICK, 1), await promise(ground.jobs, "", 1)
    assert await runner.due(at_most=2) == dict.fromkeys(sorted(slow)[:2], SLOW)
    running = [asyncio.create_task(runner.run(job_id, SLOW)) for job_id in slow[:2]]
    async with asyncio.timeout(5):
        while departments.waiting < 2:
            await asyncio.sleep(0.01)
    assert await runner.due(at_most=2) == {quick[0]: QUICK, none[0]: ""}
    departments.answers.set()
    await asyncio.gather(*running)
    await runner.idle()


async def test_closing_leaves_what_waits_behind_a_full_lane_for_the_next_start(ground: Ground) -> None:
    departments = Departments()
    runner = runner_of(ground, departments)
    ids = await promise(ground.jobs, SLOW, 4)
    running = [asyncio.create_task(runner.run(job_id, SLOW)) for job_id in ids]
    await asyncio.wait(running[2:])
    closing = asyncio.create_task(runner.close())
    departments.answers.set()
    await asyncio.gather(closing, *running)
    assert len(departments.done) == 2
    row = await fetch_one("SELECT count(*) AS n FROM job WHERE state = 'ready'")
    assert row is not None
    assert int(row["n"]) == 2


async def test_a_dead_letter_that_is_sent_again_waits_in_its_own_lane(ground: Ground) -> None:
    offered: list[tuple[UUID, str]] = []

    class Noting:
        def offer(self, job_id: UUID, lane: str = "") -> None:
            offered.append((job_id, lane))

    runner = runner_of(ground, Departments())
    (job_id,) = await promise(ground.jobs, SLOW, 1)
    desk = JobDesk(runner=runner, carrier=Noting(), audit=ground.audit)
    assert not await desk.resend(SYSTEM, job_id)
    await transaction(lambda: execute("UPDATE job SET state = 'buried' WHERE id = $1", job_id))
    assert await desk.resend(SYSTEM, job_id)
    assert offered == [(job_id, SLOW)]


@given(st.lists(st.tuples(st.booleans(), st.sampled_from(["", "a", "b"])), max_size=60))
def test_no_lane_ever_holds_more_than_its_places(steps: list[tuple[bool, str]]) -> None:
    lanes, inside = Lanes(2), {"": 0, "a": 0, "b": 0}
    refused: set[str] = set()
    for enters, lane in steps:
        if enters:
            had_place = not lane or inside[lane] < 2
            assert lanes.enter(lane) is had_place
            inside[lane] += had_place
            refused |= set() if had_place else {lane}
        elif inside[lane]:
            inside[lane] -= 1
            assert lanes.leave(lane) is (lane in refused)
        assert lanes.full == {name for name, used in inside.items() if name and used == 2}
        assert all(used <= 2 for name, used in inside.items() if name)


def test_nobody_is_waited_for_once_a_lane_is_cleared() -> None:
    lanes = Lanes(1)
    assert lanes.enter("a")
    assert not lanes.enter("a")
    lanes.clear("a")
    assert not lanes.leave("a")


@pytest.mark.parametrize("lane", [SLOW, ""])
async def test_a_lane_is_written_with_its_job(ground: Ground, lane: str) -> None:
    (job_id,) = await promise(ground.jobs, lane, 1)
    row = await fetch_one("SELECT lane FROM job WHERE id = $1", job_id)
    assert row is not None
    assert row["lane"] == lane
