"""Carrying jobs: in this process and over Redis; whatever the broker loses, the sweeper finds."""

import asyncio
import os
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit
from uuid import UUID

import pytest

from core.db import fetch_one, transaction
from core.errors import Unavailable
from core.jobs.carrier import Sweeper, TaskiqCarrier
from core.jobs.queue import Jobs
from core.jobs.runner import Change, JobRunner
from core.log import current_request_id, set_request_id
from core.settings import JobSettings
from tests.conftest import Ground
from tests.core.bureau import closed_port

REDIS = os.environ.get("ZHIJIAN_TEST_REDIS_URL", "")
needs_redis = pytest.mark.skipif(not REDIS, reason="ZHIJIAN_TEST_REDIS_URL is not set")
URLS = ["memory://", *([REDIS] if REDIS else [])]
# Named without the number of the database, which is another in each worker of a run.
EVERYWHERE = pytest.mark.parametrize("url", URLS, ids=lambda url: url.partition(":")[0])


class Worked:
    """Notes which jobs were worked on, and in what surroundings."""

    def __init__(self) -> None:
        self.numbers: list[str] = []
        self.request_ids: list[str] = []

    async def __call__(self, **payload: str) -> Change | None:
        self.numbers.append(payload["number"])
        self.request_ids.append(current_request_id())
        return None

    async def until(self, count: int) -> None:
        async with asyncio.timeout(8):
            while len(self.numbers) < count:
                await asyncio.sleep(0.01)


def runner_of(ground: Ground, worked: Worked) -> JobRunner:
    return JobRunner(handlers={"test.note": worked}, settings=JobSettings(), clock=ground.clock, ids=ground.ids)


@asynccontextmanager
async def carrier_of(
    url: str, runner: JobRunner, *, listen: bool = True, queue: str | None = None
) -> AsyncIterator[TaskiqCarrier]:
    carrier = TaskiqCarrier(url, queue=queue or f"test-{uuid.uuid4().hex}")
    carrier.attach(runner)
    await carrier.start(listen=listen)
    try:
        yield carrier
    finally:
        await carrier.stop()
        await runner.idle()


async def promise(ground: Ground, carrier: TaskiqCarrier, number: int = 1) -> UUID:
    jobs = Jobs(clock=ground.clock, ids=ground.ids, carrier=carrier)

    async def work() -> UUID:
        return await jobs.enqueue("test.note", number=str(number))

    return await transaction(work)


async def done() -> int:
    row = await fetch_one("SELECT count(*) AS n FROM job WHERE state = 'done'")
    assert row is not None
    return int(row["n"])


async def until_done(count: int) -> None:
    async with asyncio.timeout(8):
        while await done() < count:
            await asyncio.sleep(0.02)


class Proxy:
    """A way to Redis that can be cut and mended."""

    def __init__(self) -> None:
        target = urlsplit(REDIS)
        self.host, self.port = target.hostname, target.port or 6379
        self.own_port = closed_port()
        self.url = target._replace(netloc=f"127.0.0.1:{self.own_port}").geturl()
        self.server: asyncio.Server | None = None
        self.writers: set[asyncio.StreamWriter] = set()

    async def mend(self) -> None:
        self.server = await asyncio.start_server(self.serve, "127.0.0.1", self.own_port)

    def cut(self) -> None:
        assert self.server is not None
        self.server.close()
        for writer in self.writers:
            writer.transport.abort()
        self.writers.clear()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        back_reader, back_writer = await asyncio.open_connection(self.host, self.port)
        self.writers |= {writer, back_writer}
        await asyncio.gather(self.pump(reader, back_writer), self.pump(back_reader, writer))

    async def pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(65_536):
                writer.write(data)
                await writer.drain()
        with suppress(OSError, RuntimeError):
            writer.close()


@EVERYWHERE
async def test_a_promised_job_is_worked_on_in_surroundings_of_its_own(ground: Ground, url: str) -> None:
    worked = Worked()
    async with carrier_of(url, runner_of(ground, worked)) as carrier:
        set_request_id("request-a")
        await promise(ground, carrier, 1)
        set_request_id("request-b")
        await worked.until(1)
        await until_done(1)
    assert worked.request_ids == ["request-a"]
    assert current_request_id() == "request-b"


@EVERYWHERE
async def test_many_jobs_are_each_worked_on_once(ground: Ground, url: str) -> None:
    worked = Worked()
    async with carrier_of(url, runner_of(ground, worked)) as carrier:
        for number in range(40):
            await promise(ground, carrier, number)
        await until_done(40)
    assert sorted(worked.numbers, key=int) == [str(number) for number in range(40)]


@EVERYWHERE
async def test_what_the_broker_lost_the_sweeper_finds(ground: Ground, url: str) -> None:
    worked = Worked()
    runner = runner_of(ground, worked)
    # Promised while nobody carries: as if the broker had lost it.
    await transaction(lambda: ground.jobs.enqueue("test.note", number="7"))
    async with carrier_of(url, runner) as carrier:
        assert await Sweeper(runner=runner, carrier=carrier).sweep() == 1
        await until_done(1)
        assert await Sweeper(runner=runner, carrier=carrier).sweep() == 0
    assert worked.numbers == ["7"]


@EVERYWHERE
async def test_offering_twice_works_once(ground: Ground, url: str) -> None:
    worked = Worked()
    runner = runner_of(ground, worked)
    async with carrier_of(url, runner) as carrier:
        job_id = await promise(ground, carrier)
        for _ in range(10):
            carrier.offer(job_id)
        await until_done(1)
        await asyncio.sleep(0.1)
    assert worked.numbers == ["1"]


async def test_a_carrier_without_a_runner_carries_into_the_void_and_fails_nobody(ground: Ground) -> None:
    carrier = TaskiqCarrier("memory://")
    await carrier.start(listen=True)
    await promise(ground, carrier)
    await carrier.stop()
    assert await done() == 0


async def test_a_portal_starts_and_promises_while_its_broker_is_away(ground: Ground) -> None:
    worked = Worked()
    async with carrier_of(f"redis://127.0.0.1:{closed_port()}/0", runner_of(ground, worked), listen=False) as carrier:
        await promise(ground, carrier)
    row = await fetch_one("SELECT state FROM job")
    assert row == {"state": "ready"}
    assert worked.numbers == []


async def test_a_worker_goes_on_by_itself_while_its_broker_is_away(ground: Ground) -> None:
    worked = Worked()
    runner = runner_of(ground, worked)
    await transaction(lambda: ground.jobs.enqueue("test.note", number="3"))
    async with carrier_of(f"redis://127.0.0.1:{closed_port()}/0", runner) as carrier:
        await Sweeper(runner=runner, carrier=carrier).sweep()
        await until_done(1)
    assert worked.numbers == ["3"]


async def test_a_job_that_cannot_be_claimed_now_fails_nobody(ground: Ground) -> None:
    class Away(JobRunner):
        async def run(self, job_id: UUID, lane: str = "") -> None:
            raise Unavailable

    runner = Away(handlers={}, settings=JobSettings(), clock=ground.clock, ids=ground.ids)
    async with carrier_of("memory://", runner) as carrier:
        await promise(ground, carrier)
        await asyncio.sleep(0.05)
    assert await done() == 0


@needs_redis
async def test_two_workers_share_the_work(ground: Ground) -> None:
    one, two = Worked(), Worked()
    queue = f"test-{uuid.uuid4().hex}"
    async with (
        carrier_of(REDIS, runner_of(ground, one), queue=queue) as carrier,
        carrier_of(REDIS, runner_of(ground, two), queue=queue),
    ):
        for number in range(30):
            await promise(ground, carrier, number)
        await until_done(30)
    assert sorted(one.numbers + two.numbers, key=int) == [str(number) for number in range(30)]


@needs_redis
async def test_listening_goes_on_when_redis_comes_back(ground: Ground) -> None:
    worked = Worked()
    proxy = Proxy()
    await proxy.mend()
    async with carrier_of(proxy.url, runner_of(ground, worked), queue=f"test-{uuid.uuid4().hex}") as carrier:
        await promise(ground, carrier, 1)
        await until_done(1)
        proxy.cut()
        await promise(ground, carrier, 2)
        await until_done(2)  # By the worker itself.
        await proxy.mend()
        await asyncio.sleep(1.5)
        await promise(ground, carrier, 3)
        await until_done(3)
    proxy.cut()
    assert worked.numbers == ["1", "2", "3"]


@needs_redis
async def test_listening_goes_on_when_redis_has_forgotten_everything(ground: Ground) -> None:
    worked = Worked()
    queue = f"test-{uuid.uuid4().hex}"
    async with carrier_of(REDIS, runner_of(ground, worked), queue=queue) as carrier:
        await promise(ground, carrier, 1)
        await until_done(1)
        await ground.cache.forget(queue)
        await asyncio.sleep(1.6)
        await promise(ground, carrier, 2)
        await until_done(2)
    assert worked.numbers == ["1", "2"]
