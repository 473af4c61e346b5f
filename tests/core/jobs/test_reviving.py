"""What was given up during an outage is taken up again in small lots, once its lane is out of trouble."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from core.db import execute, fetch, transaction
from core.jobs.reviving import Reviving
from tests.conftest import Ground

AWAY = "matters.department-unavailable"
OTHER = "education/education"
LANE = "taxation/taxation"


class Offered:
    """A carrier that remembers what it was offered."""

    def __init__(self) -> None:
        self.jobs: list[tuple[UUID, str]] = []

    def offer(self, job_id: UUID, lane: str = "") -> None:
        self.jobs.append((job_id, lane))


def reviving(ground: Ground, carrier: Offered, lot: int = 2) -> Reviving:
    return Reviving(names={"test.deliver"}, reason=AWAY, carrier=carrier, clock=ground.clock, lot=lot)


async def buried(ground: Ground, *, lane: str = LANE, name: str = "test.deliver", error: str = AWAY) -> UUID:
    job_id = await transaction(lambda: ground.jobs.enqueue(name, lane=lane))
    sql = "UPDATE job SET state = 'buried', attempts = 24, last_error = $2 WHERE id = $1"
    await transaction(lambda: execute(sql, job_id, error))
    return job_id


async def set_states(jobs: Sequence[UUID], state: str, attempts: int) -> None:
    sql = "UPDATE job SET state = $2, attempts = $3 WHERE id = $1"
    for job_id in jobs:
        await transaction(lambda job_id=job_id: execute(sql, job_id, state, attempts))  # type: ignore[misc]


async def waiting() -> list[UUID]:
    return [UUID(str(row["id"])) for row in await fetch("SELECT id FROM job WHERE state = 'ready' ORDER BY id")]


async def test_the_oldest_go_first_a_lot_at_a_time_and_only_while_nothing_fails(ground: Ground) -> None:
    carrier, jobs = Offered(), [await buried(ground) for _ in range(5)]
    reviver = reviving(ground, carrier)
    assert await reviver.look() == 2
    assert await waiting() == jobs[:2]
    assert sorted(carrier.jobs) == [(job_id, LANE) for job_id in jobs[:2]]
    # They were tried and failed: the lane is in trouble, and no more are put into it.
    await set_states(jobs[:1], "ready", 3)
    await set_states(jobs[1:2], "running", 2)
    assert await reviver.look() == 0
    await set_states(jobs[:2], "done", 4)
    assert await reviver.look() == 2
    await set_states(jobs[2:4], "done", 1)
    assert await reviver.look() == 1
    await set_states(jobs[4:], "done", 1)
    assert await reviver.look() == 0


async def test_one_lane_in_trouble_holds_back_no_other(ground: Ground) -> None:
    carrier, stuck, other = Offered(), await buried(ground), await buried(ground, lane=OTHER)
    failing = await transaction(lambda: ground.jobs.enqueue("test.deliver", lane=LANE))
    await set_states([failing], "ready", 1)
    assert await reviving(ground, carrier).look() == 1
    assert carrier.jobs == [(other, OTHER)]
    rows = await fetch("SELECT state FROM job WHERE id = $1", stuck)
    assert [row["state"] for row in rows] == ["buried"]


async def test_what_was_given_up_for_another_reason_stays_an_operators(ground: Ground) -> None:
    carrier = Offered()
    await buried(ground, error="matters.question-refused")
    await buried(ground, error="lease expired")
    await buried(ground, name="test.other")
    await buried(ground, lane="")
    assert await reviving(ground, carrier).look() == 0
    assert carrier.jobs == []


async def test_one_that_can_never_go_gets_one_try_and_waits_behind_the_others(ground: Ground) -> None:
    hopeless, *others = [await buried(ground) for _ in range(3)]
    reviver = reviving(ground, Offered(), lot=1)
    seen = []
    for _ in range(4):
        ground.clock.move(timedelta(seconds=30))
        assert await reviver.look() == 1
        [job_id] = await waiting()
        seen.append(job_id)
        [row] = await fetch("SELECT attempts FROM job WHERE id = $1", job_id)
        # The next try that fails is its last again.
        assert row["attempts"] == 23
        await set_states([job_id], "buried" if job_id == hopeless else "done", 24)
    assert seen == [hopeless, *others, hopeless]
