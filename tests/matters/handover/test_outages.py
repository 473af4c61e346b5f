"""An outage that outlasts every try: what was given up is forwarded by itself, and nothing arrives twice."""

from datetime import timedelta

import pytest

from api.wiring.running.regular import DELIVERIES
from core.audit.actors import SYSTEM
from core.db import as_uuid, fetch, transaction
from core.jobs.reviving import Reviving
from core.jobs.runner import JobRunner
from core.settings import JobSettings
from matters.cases.history import Entry
from matters.errors import DepartmentUnavailable
from matters.types import Dedupe, State, Step
from tests.core.jobs.test_reviving import Offered
from tests.matters.conftest import Desk


async def ran(desk: Desk, tries: int = 1) -> None:
    """Run what is due, as a worker does that gives up after the second try."""
    ground = desk.ground
    settings = JobSettings(max_attempts=2)
    handlers = {"matters.deliver": desk.submission.deliver}
    runner = JobRunner(handlers=handlers, settings=settings, clock=ground.clock, ids=ground.ids)
    for _ in range(tries):
        for row in await fetch("SELECT id FROM job WHERE name = 'matters.deliver' AND state = 'ready'"):
            await runner.run(as_uuid(row["id"]))
        ground.clock.move(timedelta(hours=1))


async def states() -> tuple[list[str], list[str]]:
    jobs = await fetch("SELECT state FROM job WHERE name = 'matters.deliver' ORDER BY id")
    deliveries = await fetch("SELECT state FROM delivery ORDER BY created_at, id")
    return [row["state"] for row in jobs], [row["state"] for row in deliveries]


@pytest.mark.parametrize("dedupe", list(Dedupe))
async def test_what_has_not_left_goes_by_itself_once_the_department_is_back(desk: Desk, dedupe: Dedupe) -> None:
    department = desk.public_security
    department.dedupe = dedupe
    department.failures = [DepartmentUnavailable("public-security", ambiguous=False) for _ in range(4)]
    caller = desk.citizen()
    sent = [await desk.submitted(caller) for _ in range(2)]
    await ran(desk, tries=2)
    assert await states() == (["buried", "buried"], ["pending", "pending"])
    ground = desk.ground
    reviving = Reviving(
        names=DELIVERIES, reason=DepartmentUnavailable.code, carrier=Offered(), clock=ground.clock, lot=1
    )
    for nth in range(2):
        assert await reviving.look() == 1
        await ran(desk)
        assert len(department.effects) == nth + 1
    assert await reviving.look() == 0
    assert department.effects == {each.number: 1 for each in sent}
    assert await states() == (["done", "done"], ["acknowledged", "acknowledged"])
    assert (await desk.view(caller, sent[0].application_id)).state is State.PRE_REVIEW


async def test_what_may_have_arrived_where_nothing_is_known_again_stays_a_persons(desk: Desk) -> None:
    department = desk.public_security
    department.dedupe = Dedupe.NONE
    department.loses_answers = 1
    sent = await desk.submitted(desk.citizen())
    await ran(desk, tries=2)
    assert await states() == (["done"], ["unknown"])
    ground = desk.ground
    reviving = Reviving(names=DELIVERIES, reason=DepartmentUnavailable.code, carrier=Offered(), clock=ground.clock)
    assert await reviving.look() == 0
    assert department.effects == {sent.number: 1}


async def test_a_case_that_ended_while_it_waited_goes_to_nobody(desk: Desk) -> None:
    caller = desk.citizen()
    submitted = await desk.submitted(caller)
    entry = Entry(step=Step.TERMINATED, actor=SYSTEM, reason="wrong-matter")
    await transaction(lambda: desk.history.append(submitted.application_id, entry))
    await desk.deliver(submitted.application_id)
    assert desk.public_security.arrived == []
    assert await states() == (["ready"], ["cancelled"])
