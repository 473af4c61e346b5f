"""Working on jobs: claim, run, and write the result together with the row's completion.

A handler does what is outside (a call to a department) and returns the change to be written, or None. The runner writes
that change and the completion in one transaction, so the effect happens exactly once although delivery may happen
often.
"""

import asyncio
import contextvars
from collections.abc import Awaitable, Callable, Collection, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from core.clock import Clock
from core.db import as_json, as_uuid, execute, fetch, fetch_one, transaction
from core.errors import Problem, TooMany, Unavailable
from core.ids import Ids
from core.jobs.backoff import pause
from core.jobs.lanes import Lanes
from core.log import get_logger, set_request_id
from core.metrics import JOBS, JOBS_BURIED, JOBS_DUE
from core.settings import JobSettings

log = get_logger(__name__)

Change = Callable[[], Awaitable[None]]


# Does a job's outside part with the ids of its payload as keywords, and returns the change that is written with the
# job's completion. Unavailable is tried again later; any other problem buries the job for an operator.
Handler = Callable[..., Awaitable[Change | None]]


class LostLease(Exception):
    """Another worker took the job over; this one's result is not written."""


# A handler is ended while its lease still holds, so that its result is not written for nothing.
_SHARE_OF_LEASE: Final = 0.8

_CLAIM = """
UPDATE job SET state = 'running', attempts = attempts + 1, lease_until = $3, fence = $4
WHERE id = $1 AND state = 'ready' AND run_at <= $2
RETURNING name, payload, attempts, request_id
"""
_DONE = (
    "UPDATE job SET state = 'done', done_at = $3, lease_until = NULL WHERE id = $1 AND fence = $2 AND state = 'running'"
)
_AGAIN = """
UPDATE job SET state = 'ready', run_at = $3, last_error = $4, lease_until = NULL
WHERE id = $1 AND fence = $2 AND state = 'running'
"""
_BURY = """
UPDATE job SET state = 'buried', last_error = $3, lease_until = NULL WHERE id = $1 AND fence = $2 AND state = 'running'
"""
# A job that takes its worker down with it comes back here every time, never to `_AGAIN`: it too ends under the ground.
_EXPIRED_FOR_GOOD = """
UPDATE job SET state = 'buried', last_error = 'lease expired', lease_until = NULL
WHERE state = 'running' AND lease_until < $1 AND attempts >= $2
"""
_FREE_ALL = "UPDATE job SET state = 'ready', lease_until = NULL WHERE state = 'running'"
_EXPIRED = "UPDATE job SET state = 'ready', lease_until = NULL WHERE state = 'running' AND lease_until < $1"
# What waits in a lane that is full here would only be turned away, and stand in the way of what could be done.
_DUE = """
SELECT id, lane FROM job
WHERE state = 'ready' AND run_at <= $1 AND CAST($3 AS TEXT) NOT LIKE '%,' || lane || ',%'
ORDER BY run_at, id LIMIT $2
"""
_NEXT = "SELECT id FROM job WHERE state = 'ready' AND run_at <= $1 AND lane = $2 ORDER BY run_at, id LIMIT $3"
_RESEND = "UPDATE job SET state = 'ready', run_at = $2, attempts = 0 WHERE id = $1 AND state = 'buried'"


class JobRunner:
    """Runs jobs by name. `handlers` is the wiring's map of every name that is ever enqueued."""

    def __init__(self, *, handlers: Mapping[str, Handler], settings: JobSettings, clock: Clock, ids: Ids) -> None:
        self._handlers = handlers
        self._settings = settings
        self._clock = clock
        self._ids = ids
        self._places = asyncio.Semaphore(settings.concurrency)
        self._lanes = Lanes(settings.lane_concurrency)
        self._looking: set[asyncio.Task[None]] = set()
        # What waits for a place or is worked on here; offered again it is not taken twice, so the queue is bounded.
        self._taken: set[UUID] = set()
        self._idle = asyncio.Event()
        self._idle.set()
        self._closing = False

    @property
    def names(self) -> frozenset[str]:
        """The names of all jobs that can be run."""
        return frozenset(self._handlers)

    async def run(self, job_id: UUID, lane: str = "") -> None:
        """Claim one job and work on it; a job that is not ready any more is left alone.

        So is one whose lane is full: its row waits, and is taken up as soon as a place in the lane is free.

        Raises:
            DatabaseUnavailable: the claim could not be written; the sweeper will offer the job again.
        """
        if job_id in self._taken or self._closing or not self._lanes.enter(lane):
            return
        self._taken.add(job_id)
        self._idle.clear()
        try:
            async with self._places:
                if not self._closing:
                    await self._claim_and_work(job_id)
        finally:
            self._taken.discard(job_id)
            if self._lanes.leave(lane) and not self._closing:
                # On its own: whoever offered this job does not wait for those behind it.
                task = asyncio.get_running_loop().create_task(self._take_next(lane), context=contextvars.Context())
                self._looking.add(task)
                task.add_done_callback(self._looked)
            self._rest()

    async def _take_next(self, lane: str) -> None:
        with suppress(Unavailable):
            rows = await fetch(_NEXT, self._clock.now(), lane, self._settings.concurrency * 2)
            waiting = [job_id for row in rows if (job_id := as_uuid(row["id"])) not in self._taken]
            if not waiting:
                self._lanes.clear(lane)
                return
            await self.run(waiting[0], lane)

    def _looked(self, task: asyncio.Task[None]) -> None:
        self._looking.discard(task)
        self._rest()

    def _rest(self) -> None:
        if not self._taken and not self._looking:
            self._idle.set()

    async def idle(self) -> None:
        """Wait until no job is being worked on or waiting for its place."""
        await self._idle.wait()

    async def close(self) -> None:
        """Claim nothing more, and wait for the jobs that are being worked on."""
        self._closing = True
        await self._idle.wait()

    async def _claim_and_work(self, job_id: UUID) -> None:
        now = self._clock.now()
        fence = self._ids.uuid()
        lease = now + timedelta(seconds=self._settings.lease_seconds)

        async def claim() -> dict[str, Any] | None:
            return await fetch_one(_CLAIM, job_id, now, lease, fence)

        row = await transaction(claim)
        if row is None:
            return
        set_request_id(row["request_id"])
        await self._work(job_id, fence, row)

    async def _work(self, job_id: UUID, fence: UUID, row: Mapping[str, Any]) -> None:
        name, attempts = row["name"], int(row["attempts"])
        handler = self._handlers.get(name)
        if handler is None:
            await self._bury(job_id, fence, name, "no handler")
            return
        try:
            async with asyncio.timeout(self._settings.lease_seconds * _SHARE_OF_LEASE):
                change = await handler(**as_json(row["payload"]))
            await self._finish(job_id, fence, change)
        except LostLease:
            log.warning("lease lost", job=name, job_id=str(job_id))
        except (Unavailable, TooMany) as problem:
            await self._again(job_id, fence, name, attempts, problem.code)
        except Problem as problem:
            await self._bury(job_id, fence, name, problem.code)
        except TimeoutError:
            # A busy machine, and no fault of the job's as long as it is done in the end; else it is buried.
            log.warning("job out of time", job=name, job_id=str(job_id), attempts=attempts)
            await self._again(job_id, fence, name, attempts, "out of time")
        except Exception as error:
            # The job runner is one of the two places that catch everything: a broken job must not stop the others.
            log.error("job failed", job=name, job_id=str(job_id), exc_info=error)
            await self._again(job_id, fence, name, attempts, type(error).__name__)
        else:
            JOBS.labels(name, "done").inc()

    async def _finish(self, job_id: UUID, fence: UUID, change: Change | None) -> None:
        async def work() -> None:
            if change is not None:
                await change()
            if await execute(_DONE, job_id, fence, self._clock.now()) != 1:
                raise LostLease

        await transaction(work)

    async def _again(self, job_id: UUID, fence: UUID, name: str, attempts: int, error: str) -> None:
        if attempts >= self._settings.max_attempts:
            await self._bury(job_id, fence, name, error)
            return
        seconds = pause(
            attempts, first=self._settings.first_pause_seconds, longest=self._settings.longest_pause_seconds
        )
        later = self._clock.now() + timedelta(seconds=seconds)
        await self._write(_AGAIN, job_id, fence, later, error[:80])
        JOBS.labels(name, "again").inc()

    async def _bury(self, job_id: UUID, fence: UUID, name: str, error: str) -> None:
        await self._write(_BURY, job_id, fence, error[:80])
        JOBS.labels(name, "buried").inc()
        log.error("job buried", job=name, job_id=str(job_id), code=error[:80])

    async def _write(self, sql: str, *values: object) -> None:
        async def work() -> None:
            await execute(sql, *values)

        # The database may be what is away: then the lease runs out and the sweeper takes care.
        with suppress(Unavailable):
            await transaction(work)

    async def due(self, *, at_most: int = 200) -> Mapping[UUID, str]:
        """Free the jobs whose worker died, and return the ids of jobs that are due with the lanes they wait in.

        What waits in a lane that is full here is left out.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        now = self._clock.now()

        async def work() -> None:
            await execute(_EXPIRED_FOR_GOOD, now, self._settings.max_attempts)
            await execute(_EXPIRED, now)

        await transaction(work)
        rows = await fetch(_DUE, now, at_most, _named(self._lanes.full))
        buried = await fetch_one("SELECT count(*) AS n FROM job WHERE state = 'buried'")
        JOBS_BURIED.set(int(buried["n"]) if buried else 0)
        JOBS_DUE.set(len(rows))
        return {as_uuid(row["id"]): str(row["lane"]) for row in rows}

    async def free_all(self) -> int:
        """Free every job that counts as being worked on, and return how many there were.

        Only for the start of a process that works alone (one server on SQLite): whoever held them is dead, and nobody
        need wait for their leases to run out.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        return await transaction(lambda: execute(_FREE_ALL))

    async def resend(self, job_id: UUID) -> bool:
        """Dig a buried job up; return whether there was one.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """

        async def work() -> int:
            return await execute(_RESEND, job_id, self._clock.now())

        return await transaction(work) == 1

    async def forget_done(self, before: datetime) -> int:
        """Delete the rows of jobs done before a time and return how many went.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """

        async def work() -> int:
            return await execute("DELETE FROM job WHERE state = 'done' AND done_at < $1", before)

        return await transaction(work)


def _named(lanes: Collection[str]) -> str:
    """Return lanes as one text in which each stands between commas; empty for none."""
    return f",{','.join(sorted(lanes))}," if lanes else ""
