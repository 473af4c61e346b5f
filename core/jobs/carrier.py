"""Carrying job ids through taskiq: inside this process, or over Redis Streams to the workers.

The broker carries, the row remembers: whatever is lost here is offered again by the sweeper. While the broker is away a
worker works on what its own sweeper finds, so jobs go on without it.
"""

import asyncio
import contextvars
from collections.abc import AsyncGenerator
from contextlib import suppress
from typing import Final
from uuid import UUID

from taskiq import AckableMessage, AsyncBroker, InMemoryBroker
from taskiq.api import run_receiver_task
from taskiq_redis import RedisStreamBroker
from taskiq_redis.redis_cluster_broker import RedisStreamClusterBroker

from core.errors import Unavailable
from core.jobs.runner import JobRunner
from core.log import get_logger

log = get_logger(__name__)

_QUEUE: Final = "zhijian-jobs"
_TASK: Final = "zhijian.job"
# Below the lease: a dead worker's messages are handed on; the sweeper covers what this misses.
_IDLE_MS: Final = 30_000
_SEND_SECONDS: Final = 2.0
_REST_SECONDS: Final = 1.0
_GATHER_SECONDS: Final = 0.005
# Between an id and its lane in a message.
_BESIDE: Final = " "


class TaskiqCarrier:
    """Offers ids to the broker, and as a worker listens to it and runs them."""

    def __init__(self, url: str, *, runner: JobRunner | None = None, queue: str = _QUEUE) -> None:
        self._local = url.startswith("memory://")
        self._broker = _broker(url, queue)
        self._runner = runner

        # taskiq names the function it is given, which a method does not allow.
        async def carry(job_ids: list[str]) -> None:
            await asyncio.gather(*(self._run(job_id) for job_id in job_ids))

        self._task = self._broker.register_task(carry, task_name=_TASK)
        self._waiting: list[str] = []
        self._sending: set[asyncio.Task[None]] = set()
        self._listener: asyncio.Task[None] | None = None
        self._away = False

    @property
    def is_away(self) -> bool:
        """Whether the broker was away when it was last used."""
        return self._away

    def attach(self, runner: JobRunner) -> None:
        """Tell who works on the ids that arrive; needed where jobs are run."""
        self._runner = runner

    async def start(self, *, listen: bool) -> None:
        """Open the broker; with `listen` also take ids from it. In-process there is nothing to listen to.

        A broker that is away stops nobody from starting: ids are carried once it is back.
        """
        try:
            await self._broker.startup()
        except Exception as error:  # noqa: BLE001 — a broker fails in its own ways; the row is the truth
            self._away = True
            log.warning("the job broker is away", error=type(error).__name__)
        if listen and not self._local:
            self._listener = asyncio.create_task(run_receiver_task(self._broker, max_async_tasks=64))

    async def stop(self) -> None:
        """Stop taking ids, let those being sent go out, and close the broker."""
        if self._listener is not None:
            self._listener.cancel()
            with suppress(asyncio.CancelledError):
                await self._listener
            self._listener = None
        if self._sending:
            await asyncio.wait(set(self._sending), timeout=_SEND_SECONDS)
        with suppress(OSError, RuntimeError):
            await self._broker.shutdown()

    def offer(self, job_id: UUID, lane: str = "") -> None:
        """Send an id on its way, with its lane. Never waits, never fails."""
        self._waiting.append(f"{job_id}{_BESIDE}{lane}" if lane else str(job_id))
        if len(self._waiting) > 1:
            return
        # A context of its own: the job must not inherit the request's transaction or identity.
        task = asyncio.get_running_loop().create_task(self._send(), context=contextvars.Context())
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def _send(self) -> None:
        # What is offered within a few milliseconds goes out in one message.
        await asyncio.sleep(_GATHER_SECONDS)
        job_ids, self._waiting = self._waiting, []
        try:
            async with asyncio.timeout(_SEND_SECONDS):
                await self._task.kiq(job_ids)
            self._away = False
        except Exception as error:  # noqa: BLE001 — a broker fails in its own ways; the row is the truth
            self._away = True
            log.warning("job ids not carried", count=len(job_ids), error=type(error).__name__)
            if self._listener is not None:
                await asyncio.gather(*(self._run(job_id) for job_id in job_ids))

    async def _run(self, offered: str) -> None:
        if self._runner is None:
            return
        job_id, _, lane = offered.partition(_BESIDE)
        with suppress(Unavailable):  # Not claimed: the sweeper offers it again.
            await self._runner.run(UUID(job_id), lane)


class _PatientStream(RedisStreamBroker):
    """Listens on when Redis comes back, also when it has forgotten the stream and its group."""

    async def listen(self) -> AsyncGenerator[AckableMessage, None]:
        while True:
            try:
                await self._declare_consumer_group()
                async for message in super().listen():
                    yield message
            except Exception as error:  # noqa: BLE001 — the library passes on whatever Redis and the network raise
                log.warning("the job broker is away", error=type(error).__name__)
                await asyncio.sleep(_REST_SECONDS)


class _PatientClusterStream(RedisStreamClusterBroker):
    """The same over a Redis Cluster."""

    async def listen(self) -> AsyncGenerator[AckableMessage, None]:
        while True:
            try:
                await self._declare_consumer_group()
                async for message in super().listen():
                    yield message
            except Exception as error:  # noqa: BLE001 — the library passes on whatever Redis and the network raise
                log.warning("the job broker is away", error=type(error).__name__)
                await asyncio.sleep(_REST_SECONDS)


def _broker(url: str, queue: str) -> AsyncBroker:
    if url.startswith("memory://"):
        return InMemoryBroker(max_async_tasks=64, max_stored_results=1)
    if url.startswith("redis+cluster://"):
        return _PatientClusterStream(
            url.replace("redis+cluster://", "redis://", 1), queue_name=queue, idle_timeout=_IDLE_MS, maxlen=100_000
        )
    return _PatientStream(
        url,
        queue_name=queue,
        idle_timeout=_IDLE_MS,
        maxlen=100_000,
        unacknowledged_lock_timeout=10,
        xread_block=500,
        socket_connect_timeout=1,
    )


class Sweeper:
    """Offers again what is due, late or lost."""

    def __init__(self, *, runner: JobRunner, carrier: TaskiqCarrier) -> None:
        self._runner = runner
        self._carrier = carrier

    async def sweep(self) -> int:
        """Offer every due job once and return how many there were.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        due = await self._runner.due()
        for job_id, lane in due.items():
            self._carrier.offer(job_id, lane)
        return len(due)
