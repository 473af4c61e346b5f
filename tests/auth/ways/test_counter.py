"""The counter: an officer confirms whoever is on the card before them, and nobody else."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest

from auth.errors import IdNumberInvalid, RoleForbidden
from auth.types import Caller, Level, Role, RoleGrant, StaffCaller
from auth.ways.errors import CounterMismatch, TooManyConfirmations, WayLocked
from auth.ways.rules import told_as
from auth.ways.types import Method, Outcome, StartedCheck
from core.audit.ledger import lines_of
from core.db import execute, fetch, transaction
from tests.auth.ways.people import NAME, NUMBER, OTHER_NAME, OTHER_NUMBER
from tests.conftest import Ground
from tests.fakes.ways import OFFICER, Ways, employ, make_ways

COLLEAGUE = StaffCaller(UUID(int=0xB0B), UUID(int=0x5E56), "a.colleague", (RoleGrant(Role.DEPARTMENT_OPERATOR),))


@pytest.fixture(autouse=True)
async def officers_at_work(ground: Ground) -> None:
    for each in (OFFICER, COLLEAGUE):
        await employ(ground, each)


async def shown(ways: Ways, caller: Caller) -> StartedCheck:
    check = await ways.step_up(caller, Method.COUNTER)
    assert check.prompt.kind == "show"
    return check


async def confirm(ways: Ways, check: StartedCheck, *, officer: StaffCaller = OFFICER, name: str = NAME) -> UUID:
    check_id, at = await ways.counter.confirm(officer, str(check.prompt.code), name=name, id_number=NUMBER)
    assert at == ways.ground.clock.now()
    return check_id


async def test_the_resident_is_present_once_an_officer_has_seen_the_card(ways: Ways, caller: Caller) -> None:
    check = await shown(ways, caller)
    assert (await ways.step_ups.submit_evidence(caller, check.id, None)).outcome is Outcome.PENDING
    # The name for others: with the id itself somebody could collect what a login at the counter gives.
    assert await confirm(ways, check) == told_as(check.id)
    assert (await ways.step_ups.submit_evidence(caller, check.id, None)).outcome is Outcome.PASSED
    token = ways.auth.tokens.issue(caller.citizen_id, caller.session_id)
    assert (await ways.auth.sessions.caller_of(token)).level is Level.PRESENT


async def test_the_ledger_names_the_officer(ways: Ways, caller: Caller) -> None:
    check = await shown(ways, caller)
    with pytest.raises(CounterMismatch):
        await ways.counter.confirm(OFFICER, "0000 0000", name=NAME, id_number=NUMBER)
    await confirm(ways, check)
    lines = await lines_of(caller.citizen_id, before=None, limit=50)
    told = [line for line in lines if line.action == "auth.counter-confirmed"]
    assert sorted((line.actor_kind, line.actor_id, line.outcome) for line in told) == [
        ("operator", str(OFFICER.operator_id), "mismatch"),
        ("operator", str(OFFICER.operator_id), "ok"),
    ]


async def test_nobody_confirms_more_cards_than_an_hour_has_room_for(ground: Ground) -> None:
    ways = make_ways(ground)
    ways = make_ways(ground, settings=ways.settings.model_copy(update={"counter_an_hour": 2, "counter_a_day": 3}))
    caller = await ways.auth.caller_named("openid-1", NAME, NUMBER)
    for _ in range(2):
        await confirm(ways, await shown(ways, caller))
    check = await shown(ways, caller)
    with pytest.raises(TooManyConfirmations) as caught:
        await confirm(ways, check)
    assert 3500 < (caught.value.extras.retry_after or 0) <= 3601
    assert (await ways.step_ups.submit_evidence(caller, check.id, None)).outcome is Outcome.PENDING
    ground.clock.move(timedelta(hours=1))
    await confirm(ways, await shown(ways, caller))
    with pytest.raises(TooManyConfirmations):
        await confirm(ways, await shown(ways, caller))


async def test_a_code_is_shown_in_groups_and_kept_as_a_hash(ways: Ways, caller: Caller) -> None:
    check = await shown(ways, caller)
    code = str(check.prompt.code)
    assert [len(part) for part in code.split(" ")] == [4, 4]
    [slip] = await fetch("SELECT * FROM counter_slip")
    assert code.replace(" ", "") not in str(slip)
    assert NUMBER not in str(slip)


@pytest.mark.parametrize(("name", "number"), [(OTHER_NAME, NUMBER), (NAME, OTHER_NUMBER), (OTHER_NAME, OTHER_NUMBER)])
async def test_another_card_confirms_nobody(ways: Ways, caller: Caller, name: str, number: str) -> None:
    check = await shown(ways, caller)
    with pytest.raises(CounterMismatch):
        await ways.counter.confirm(OFFICER, str(check.prompt.code), name=name, id_number=number)
    assert (await ways.step_ups.submit_evidence(caller, check.id, None)).outcome is Outcome.PENDING


async def test_of_two_officers_at_once_one_confirms(ways: Ways, caller: Caller) -> None:
    check = await shown(ways, caller)
    results = await asyncio.gather(
        *(confirm(ways, check, officer=officer) for officer in (OFFICER, COLLEAGUE) * 3), return_exceptions=True
    )
    assert results.count(told_as(check.id)) == 1
    assert sum(isinstance(each, CounterMismatch) for each in results) == 5


async def test_an_officer_may_mistype_ten_times_and_colleagues_go_on(ways: Ways, caller: Caller) -> None:
    check = await shown(ways, caller)
    for number in range(10):
        with pytest.raises(CounterMismatch):
            await ways.counter.confirm(OFFICER, f"0000000{number}", name=NAME, id_number=NUMBER)
    with pytest.raises(WayLocked) as caught:
        await confirm(ways, check)
    assert caught.value.extras.retry_after == 600
    assert await confirm(ways, check, officer=COLLEAGUE) == told_as(check.id)


async def test_right_entries_are_not_counted(ways: Ways, caller: Caller) -> None:
    assert ways.settings.counter_entries == 10
    for _ in range(11):
        check = await shown(ways, caller)
        await confirm(ways, check)
        await ways.step_ups.submit_evidence(caller, check.id, None)


async def test_a_code_that_has_run_out_confirms_nobody_and_may_be_drawn_again(ways: Ways, caller: Caller) -> None:
    check = await shown(ways, caller)
    ways.ground.clock.move(timedelta(seconds=1801))
    with pytest.raises(CounterMismatch):
        await confirm(ways, check)
    await ways.tidying.tidy()
    assert await fetch("SELECT id FROM counter_slip") == []


@pytest.mark.parametrize("what", ["disabled", "other roles"])
async def test_an_officer_who_was_let_go_confirms_nobody(ways: Ways, caller: Caller, what: str) -> None:
    check = await shown(ways, caller)
    gone = "UPDATE operator_account SET state = 'disabled' WHERE id = $1"
    other = "UPDATE operator_grant SET role = 'auditor' WHERE operator_id = $1"
    await transaction(lambda: execute(gone if what == "disabled" else other, OFFICER.operator_id))
    with pytest.raises(RoleForbidden):
        await confirm(ways, check)
    assert (await ways.step_ups.submit_evidence(caller, check.id, None)).outcome is Outcome.PENDING
    assert await confirm(ways, check, officer=COLLEAGUE) == told_as(check.id)


async def test_a_form_knows_what_is_no_number(ways: Ways) -> None:
    with pytest.raises(IdNumberInvalid):
        await ways.counter.confirm(OFFICER, "12345678", name=NAME, id_number="123")
