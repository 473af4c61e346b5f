"""Outages: seen by one process, known to all, told to residents with what happens to their applications."""

from dataclasses import replace
from datetime import timedelta

import pytest

from api.wiring.outside.departments import partners_of
from core.audit.actors import SYSTEM
from core.db import fetch
from core.outbound import Outbound, Partner, Unreachable
from core.settings import OutboundSettings
from matters.errors import DepartmentUnavailable
from matters.exchange.errors import NoSuchPartner
from matters.exchange.health import ServiceHealth
from matters.exchange.settings import ExchangeSettings
from matters.types import ServiceState, State
from tests.conftest import Ground
from tests.core.bureau import closed_port, open_bureau, says
from tests.matters.conftest import ENDORSEMENT, SETTLEMENT, Desk


def health_of(ground: Ground) -> ServiceHealth:
    """Return what another process knows."""
    return ServiceHealth(
        partners=lambda: {"public-security", "education"},
        partners_of=partners_of,
        audit=ground.audit,
        clock=ground.clock,
        settings=ExchangeSettings(),
        within=timedelta(minutes=15),
    )


async def state_at(desk: Desk, health: ServiceHealth, matter: str = ENDORSEMENT) -> ServiceState:
    await health.look()
    return health.of(desk.catalogue.find(matter)).state


async def test_what_a_worker_sees_the_portal_tells(desk: Desk) -> None:
    worker, portal = health_of(desk.ground), health_of(desk.ground)
    assert await state_at(desk, portal) is ServiceState.OK
    began = desk.ground.clock.now()
    worker.turned("public-security", held_back=True)
    assert await state_at(desk, portal) is ServiceState.OK
    await worker.look()
    desk.ground.clock.move(timedelta(minutes=5))
    await portal.look()
    service = portal.of(desk.catalogue.find(ENDORSEMENT))
    assert (service.state, service.since) == (ServiceState.DOWN, began)
    # Other departments' matters are not touched, nor is what asks nobody.
    assert await state_at(desk, portal, "graduate-policy") is ServiceState.OK
    assert await state_at(desk, portal, "pension-eligibility") is ServiceState.OK
    # One that asks this department too is.
    assert await state_at(desk, portal, SETTLEMENT) is ServiceState.DOWN
    worker.turned("public-security", held_back=False)
    await worker.look()
    assert await state_at(desk, portal) is ServiceState.OK


async def test_three_failures_in_a_row_are_trouble_and_an_answer_ends_it(desk: Desk) -> None:
    worker, portal = health_of(desk.ground), health_of(desk.ground)
    for told, state in [
        ("timeout", ServiceState.OK),
        ("status-500", ServiceState.OK),
        ("held-back", ServiceState.OK),
        ("timeout", ServiceState.DEGRADED),
        ("404", ServiceState.OK),
        ("timeout", ServiceState.OK),
    ]:
        worker.passed("public-security", "POST", "/v1/cases", told, 0.1)
        await worker.look()
        assert await state_at(desk, portal) is state


async def test_an_answer_that_one_process_gets_ends_the_outage_that_another_saw(desk: Desk) -> None:
    one, other = health_of(desk.ground), health_of(desk.ground)
    one.turned("public-security", held_back=True)
    await one.look()
    await other.look()
    # One that fails now and then does not make little of what another saw.
    for _ in range(3):
        other.passed("public-security", "POST", "/v1/cases", "timeout", 0.1)
    assert await state_at(desk, other) is ServiceState.DOWN
    desk.ground.clock.move(timedelta(seconds=1))
    other.passed("public-security", "POST", "/v1/cases", "200", 0.1)
    await other.look()
    # The one that is still held back has seen nothing new, and says nothing new.
    assert await state_at(desk, one) is ServiceState.OK


async def test_the_door_itself_tells_of_an_outage_and_of_its_end(desk: Desk) -> None:
    watch, health = desk.exchange.watch, desk.exchange.health
    settings = OutboundSettings(breaker_minimum=4, breaker_open_seconds=1)
    door = Outbound(settings, clock=desk.ground.clock, production=False)
    door.attach(watch)
    await door.open()
    away = Partner("public-security", f"http://127.0.0.1:{closed_port()}", attempts=1)
    for _ in range(5):
        with pytest.raises(Unreachable):
            await door.call(away, "POST", "/v1/cases")
    assert await state_at(desk, health) is ServiceState.DOWN
    desk.ground.clock.move(timedelta(seconds=2))
    async with open_bureau(says()) as bureau:
        await door.call(replace(away, address=bureau.address), "POST", "/v1/cases")
    await door.close()
    assert await state_at(desk, health) is ServiceState.OK
    await desk.exchange.counts.flush()
    rows = await fetch("SELECT outcome, count FROM exchange_count ORDER BY outcome")
    assert {row["outcome"]: int(row["count"]) for row in rows} == {"held-back": 1, "ok": 1, "unreachable": 4}


async def test_an_application_is_accepted_in_an_outage_and_says_what_happens_next(desk: Desk) -> None:
    desk.exchange.health.turned("public-security", held_back=True)
    await desk.exchange.health.look()
    caller = desk.citizen()
    submitted = await desk.submitted(caller)
    assert submitted.state is State.SUBMITTED
    view = await desk.view(caller, submitted.application_id)
    assert view.service is not None
    assert view.service.state is ServiceState.DOWN
    assert view.next_action is not None
    assert (view.next_action.code, view.next_action.text) == ("forwarded-later", view.service.text.zh)
    asked = await desk.progress.query(submitted.number, submitted.query_code, address="198.51.100.7")
    assert asked.next_action == view.next_action
    # The department is away still, then back: the very application goes on by itself.
    desk.public_security.failures.append(DepartmentUnavailable("public-security", ambiguous=False))
    with pytest.raises(DepartmentUnavailable):
        await desk.deliver(submitted.application_id)
    desk.exchange.health.turned("public-security", held_back=False)
    await desk.exchange.health.look()
    await desk.deliver(submitted.application_id)
    after = await desk.view(caller, submitted.application_id)
    assert after.state is State.PRE_REVIEW
    assert after.service is not None
    assert after.service.state is ServiceState.OK
    assert len(desk.public_security.arrived) == 1


async def test_what_is_over_tells_nothing_of_the_department(desk: Desk) -> None:
    caller = desk.citizen()
    submitted = await desk.submitted(caller)
    await desk.deliver(submitted.application_id)
    for sequence, state in enumerate((State.ACCEPTED, State.IN_REVIEW, State.APPROVED), 1):
        await desk.hear(submitted.number, sequence, state)
    assert (await desk.view(caller, submitted.application_id)).service is None


async def test_an_operator_says_when_a_system_is_expected_back(desk: Desk) -> None:
    health, clock = desk.exchange.health, desk.ground.clock
    expected = clock.now() + timedelta(hours=2)
    await health.announce(SYSTEM, "public-security", expected)
    # Nothing is wrong yet: work that was announced begins later.
    assert await state_at(desk, health) is ServiceState.OK
    health.turned("public-security", held_back=True)
    await health.look()
    service = health.of(desk.catalogue.find(ENDORSEMENT))
    assert (service.state, service.expected_at) == (ServiceState.DOWN, expected)
    assert health.troubled().keys() == {"public-security"}
    health.turned("public-security", held_back=False)
    await health.look()
    # The next outage has nothing to do with it.
    health.turned("public-security", held_back=True)
    await health.look()
    assert health.of(desk.catalogue.find(ENDORSEMENT)).expected_at is None
    with pytest.raises(NoSuchPartner):
        await health.announce(SYSTEM, "nobody", expected)
    (line,) = await fetch("SELECT object_id FROM audit_line WHERE action = 'matters.outage-announced'")
    assert line["object_id"] == "public-security"


async def test_an_outage_nobody_hears_of_is_forgotten(desk: Desk) -> None:
    """A breaker stays open where nobody calls: its process must not hold back hope for ever."""
    health = desk.exchange.health
    health.turned("public-security", held_back=True)
    assert await state_at(desk, health) is ServiceState.DOWN
    desk.ground.clock.move(timedelta(minutes=16))
    assert await state_at(desk, health) is ServiceState.DEGRADED
    desk.ground.clock.move(timedelta(hours=3))
    assert await state_at(desk, health) is ServiceState.OK
