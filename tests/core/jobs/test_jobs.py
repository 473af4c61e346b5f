"""Jobs: promised with the change, run until done, their effect written once."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from core.db import OutsideTransaction, as_json, as_moment, execute, fetch, fetch_one, transaction
from core.errors import NotFound, Refused, TooMany, Unavailable
from core.jobs.backoff import pause
from core.jobs.runner import Change, Handler, JobRunner
from core.log import current_request_id, set_request_id
from core.settings import JobSettings
from tests.conftest import Ground

SETTINGS = JobSettings(max_attempts=3, first_pause_seconds=2, longest_pause_seconds=60, lease_seconds=60)


def runner(ground: Ground, handlers: Mapping[str, Handler], settings: JobSettings = SETTINGS) -> JobRunner:
    return JobRunner(handlers=handlers, settings=settings, clock=ground.clock, ids=ground.ids)


async def promise(ground: Ground, name: str = "test.count", **payload: Any) -> UUID:
    async def work() -> UUID:
        return await ground.jobs.enqueue(name, **payload)

    return await transaction(work)


async def row_of(job_id: UUID) -> dict[str, object]:
    row = await fetch_one("SELECT * FROM job WHERE id = $1", job_id)
    assert row is not None
    return row


async def state_of(job_id: UUID) -> object:
    return (await row_of(job_id))["state"]


async def effects() -> int:
    row = await fetch_one("SELECT value FROM counter WHERE name = 'effect'")
    return int(row["value"]) if row else 0


async def add_effect() -> None:
    await fetch(
        "INSERT INTO counter (name, value) VALUES ('effect', 1) "
        "ON CONFLICT (name) DO UPDATE SET value = counter.value + 1 RETURNING name"
    )


class Counting:
    """A handler with an effect; it fails first as often as it is told to."""

    def __init__(self, *failures: Exception) -> None:
        self.calls = 0
        self.failures = list(failures)

    async def __call__(self, **payload: str) -> Change | None:
        self.calls += 1
        if self.failures:
            raise self.failures.pop(0)
        return add_effect


async def test_a_job_is_promised_with_its_change_or_not_at_all(ground: Ground) -> None:
    async def work() -> None:
        await ground.jobs.enqueue("test.count", thing=UUID(int=7))
        assert ground.carrier.offered == []
        raise LookupError

    with pytest.raises(LookupError):
        await transaction(work)
    assert await fetch("SELECT id FROM job") == []
    assert ground.carrier.offered == []
    with pytest.raises(OutsideTransaction):
        await ground.jobs.enqueue("test.count")


async def test_after_the_commit_the_job_is_offered(ground: Ground) -> None:
    set_request_id("request-9")
    job_id = await promise(ground, thing="t")
    assert ground.carrier.offered == [job_id]
    row = await row_of(job_id)
    assert (row["state"], as_json(row["payload"]), row["request_id"]) == ("ready", {"thing": "t"}, "request-9")


async def test_a_job_for_later_waits_for_the_sweeper(ground: Ground) -> None:
    async def work() -> UUID:
        return await ground.jobs.enqueue("test.count", after=timedelta(minutes=5))

    job_id = await transaction(work)
    counting = Counting()
    jobs = runner(ground, {"test.count": counting})
    assert ground.carrier.offered == []
    assert list(await jobs.due()) == []
    await jobs.run(job_id)
    assert counting.calls == 0
    ground.clock.move(timedelta(minutes=5))
    assert list(await jobs.due()) == [job_id]


async def test_a_job_runs_once_however_often_it_is_delivered(ground: Ground) -> None:
    counting = Counting()
    one, two = runner(ground, {"test.count": counting}), runner(ground, {"test.count": counting})
    job_id = await promise(ground)
    await asyncio.gather(*(each.run(job_id) for each in (one, two) * 10))
    assert (counting.calls, await effects(), await state_of(job_id)) == (1, 1, "done")
    assert as_moment((await row_of(job_id))["done_at"]) == ground.clock.now()
    assert one.names == {"test.count"}


async def test_a_handler_gets_its_ids_and_the_request_id(ground: Ground) -> None:
    got: list[tuple[dict[str, str], str]] = []

    async def handler(**payload: str) -> Change | None:
        got.append((payload, current_request_id()))
        return None

    set_request_id("request-10")
    job_id = await promise(ground, application_id="a-1")
    set_request_id("")
    await runner(ground, {"test.count": handler}).run(job_id)
    assert got == [({"application_id": "a-1"}, "request-10")]
    assert await state_of(job_id) == "done"


async def test_effect_and_completion_are_one_transaction(ground: Ground) -> None:
    async def handler(**_payload: str) -> Change | None:
        async def change() -> None:
            await add_effect()
            raise LookupError

        return change

    job_id = await promise(ground)
    await runner(ground, {"test.count": handler}).run(job_id)
    row = await row_of(job_id)
    assert (await effects(), row["state"], row["last_error"]) == (0, "ready", "LookupError")


@pytest.mark.parametrize("failure", [Unavailable(), TooMany(), ValueError("霍明哲"), TimeoutError()])
async def test_what_may_pass_is_tried_again_after_a_pause(ground: Ground, failure: Exception) -> None:
    counting = Counting(failure)
    jobs = runner(ground, {"test.count": counting})
    job_id = await promise(ground)
    await jobs.run(job_id)
    row = await row_of(job_id)
    assert (row["state"], row["attempts"]) == ("ready", 1)
    assert "霍" not in str(row)
    wait = as_moment(row["run_at"]) - ground.clock.now()
    assert timedelta(seconds=0.1) < wait <= timedelta(seconds=2)
    await jobs.run(job_id)
    assert counting.calls == 1
    ground.clock.move(timedelta(seconds=2))
    await jobs.run(job_id)
    assert (await effects(), await state_of(job_id)) == (1, "done")


async def test_after_the_last_try_a_job_is_buried_and_can_be_resent(ground: Ground) -> None:
    counting = Counting(*[Unavailable()] * 3)
    jobs = runner(ground, {"test.count": counting})
    job_id = await promise(ground)
    for _ in range(5):
        await jobs.run(job_id)
        ground.clock.move(timedelta(minutes=2))
    assert (counting.calls, await state_of(job_id)) == (3, "buried")
    assert list(await jobs.due()) == []
    assert await jobs.resend(job_id)
    assert not await jobs.resend(job_id)
    assert list(await jobs.due()) == [job_id]
    await jobs.run(job_id)
    assert (await effects(), await state_of(job_id)) == (1, "done")


@pytest.mark.parametrize("failure", [Refused(), NotFound()])
async def test_what_is_final_is_buried_at_once(ground: Ground, failure: Exception) -> None:
    job_id = await promise(ground)
    await runner(ground, {"test.count": Counting(failure)}).run(job_id)
    assert await state_of(job_id) == "buried"


async def test_a_job_nobody_handles_is_buried_and_says_so(ground: Ground) -> None:
    job_id = await promise(ground, "test.unknown")
    await runner(ground, {}).run(job_id)
    row = await row_of(job_id)
    assert (row["state"], row["last_error"]) == ("buried", "no handler")


async def test_a_dead_workers_job_is_handed_on_after_its_lease(ground: Ground) -> None:
    begun = asyncio.Event()

    async def hang(**_payload: str) -> Change | None:
        begun.set()
        await asyncio.Event().wait()
        return None

    job_id = await promise(ground)
    dying = asyncio.create_task(runner(ground, {"test.count": hang}).run(job_id))
    await begun.wait()
    dying.cancel()
    await asyncio.gather(dying, return_exceptions=True)
    healthy = runner(ground, {"test.count": Counting()})
    assert list(await healthy.due()) == []
    ground.clock.move(timedelta(seconds=61))
    assert list(await healthy.due()) == [job_id]
    await healthy.run(job_id)
    assert (await effects(), await state_of(job_id)) == (1, "done")


async def test_a_worker_that_lost_its_lease_writes_nothing(ground: Ground) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slow(**_payload: str) -> Change | None:
        begun.set()
        await go_on.wait()
        return add_effect

    job_id = await promise(ground)
    late = asyncio.create_task(runner(ground, {"test.count": slow}).run(job_id))
    await begun.wait()
    ground.clock.move(timedelta(seconds=61))
    healthy = runner(ground, {"test.count": Counting()})
    assert list(await healthy.due()) == [job_id]
    await healthy.run(job_id)
    go_on.set()
    await late
    assert (await effects(), await state_of(job_id)) == (1, "done")


async def test_a_worker_that_lost_its_lease_does_not_bury_the_job_either(ground: Ground) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slow(**_payload: str) -> Change | None:
        begun.set()
        await go_on.wait()
        raise Refused

    job_id = await promise(ground)
    late = asyncio.create_task(runner(ground, {"test.count": slow}).run(job_id))
    await begun.wait()
    ground.clock.move(timedelta(seconds=61))
    assert list(await runner(ground, {}).due()) == [job_id]
    go_on.set()
    await late
    assert await state_of(job_id) == "ready"


async def test_a_job_that_takes_every_worker_down_is_buried_in_the_end(ground: Ground) -> None:
    job_id = await promise(ground)
    jobs = runner(ground, {})
    for _ in range(SETTINGS.max_attempts):
        assert list(await jobs.due()) == [job_id]
        # A worker claims it and dies at once.
        taken = await transaction(
            lambda: execute(
                "UPDATE job SET state = 'running', attempts = attempts + 1, lease_until = $2 WHERE id = $1",
                job_id,
                ground.clock.now() + timedelta(seconds=60),
            )
        )
        assert taken == 1
        ground.clock.move(timedelta(seconds=61))
    assert list(await jobs.due()) == []
    row = await row_of(job_id)
    assert (row["state"], row["last_error"]) == ("buried", "lease expired")


async def test_a_server_that_works_alone_takes_its_dead_predecessors_jobs_over_at_once(ground: Ground) -> None:
    job_id = await promise(ground)
    jobs = runner(ground, {"test.count": Counting()})
    taken = await transaction(
        lambda: execute(
            "UPDATE job SET state = 'running', attempts = 1, lease_until = $2 WHERE id = $1",
            job_id,
            ground.clock.now() + timedelta(seconds=60),
        )
    )
    assert taken == 1
    assert list(await jobs.due()) == []
    assert await jobs.free_all() == 1
    assert list(await jobs.due()) == [job_id]
    await jobs.run(job_id)
    assert (await state_of(job_id), await effects()) == ("done", 1)


async def test_a_handler_that_never_ends_is_ended_within_its_lease(ground: Ground) -> None:
    async def hang(**_payload: str) -> Change | None:
        await asyncio.sleep(30)
        return None

    job_id = await promise(ground)
    await runner(ground, {"test.count": hang}, JobSettings(lease_seconds=1.1)).run(job_id)
    row = await row_of(job_id)
    assert (row["state"], row["last_error"]) == ("ready", "out of time")


async def test_one_poisoned_job_among_thirty_stops_no_other(ground: Ground) -> None:
    async def handler(**payload: str) -> Change | None:
        if payload["number"] == "13":
            raise ZeroDivisionError
        return add_effect

    jobs = runner(ground, {"test.count": handler}, JobSettings(max_attempts=2, first_pause_seconds=1, concurrency=4))
    ids = [await promise(ground, number=str(number)) for number in range(30)]
    for _ in range(3):
        await asyncio.gather(*(jobs.run(job_id) for job_id in await jobs.due()))
        ground.clock.move(timedelta(minutes=1))
    assert await effects() == 29
    assert await state_of(ids[13]) == "buried"
    assert {await state_of(job_id) for job_id in ids if job_id != ids[13]} == {"done"}


async def test_no_more_jobs_are_worked_on_at_once_than_allowed(ground: Ground) -> None:
    now, most = 0, 0

    async def handler(**_payload: str) -> Change | None:
        nonlocal now, most
        now += 1
        most = max(most, now)
        await asyncio.sleep(0.005)
        now -= 1
        return None

    jobs = runner(ground, {"test.count": handler}, JobSettings(concurrency=3))
    ids = [await promise(ground) for _ in range(12)]
    await asyncio.gather(*(jobs.run(job_id) for job_id in ids))
    assert most == 3


async def test_closing_finishes_what_is_worked_on_and_claims_nothing_more(ground: Ground) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slow(**_payload: str) -> Change | None:
        begun.set()
        await go_on.wait()
        return add_effect

    jobs = runner(ground, {"test.count": slow}, JobSettings(concurrency=1))
    first, second = await promise(ground), await promise(ground)
    running = [asyncio.create_task(jobs.run(job_id)) for job_id in (first, second)]
    await begun.wait()
    closing = asyncio.create_task(jobs.close())
    await asyncio.sleep(0.01)
    assert not closing.done()
    go_on.set()
    await asyncio.gather(closing, *running)
    await jobs.idle()
    assert (await state_of(first), await state_of(second)) == ("done", "ready")
    await jobs.run(second)
    assert await state_of(second) == "ready"


async def test_done_jobs_are_forgotten_after_their_time(ground: Ground) -> None:
    jobs = runner(ground, {"test.count": Counting()})
    done, ready = await promise(ground), await promise(ground)
    await jobs.run(done)
    assert await jobs.forget_done(ground.clock.now()) == 0
    ground.clock.move(timedelta(days=31))
    assert await jobs.forget_done(ground.clock.now() - timedelta(days=30)) == 1
    assert [UUID(str(row["id"])) for row in await fetch("SELECT id FROM job")] == [ready]


def test_pauses_grow_with_jitter_and_are_bounded() -> None:
    for attempt in range(1, 40):
        bound = min(900.0, 2.0 ** (attempt - 1))
        pauses = [pause(attempt, first=1, longest=900) for _ in range(50)]
        assert all(bound / 10 <= each <= bound for each in pauses)
        assert len(set(pauses)) > 1
