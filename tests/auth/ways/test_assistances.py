"""Assistance: an officer acts for somebody who has confirmed it; all of it names the officer, nobody is revealed."""

import asyncio
import json
from datetime import timedelta

import pytest

from auth.errors import AccountClosed, RefreshInvalid, RoleForbidden, TokenInvalid
from auth.types import Caller, Grant, Level, Role, RoleGrant, StaffCaller
from auth.ways.errors import (
    AssistanceCodeWrong,
    AssistanceEnded,
    AssistanceUnconfirmed,
    NoSuchAssistance,
    TooManyAssistances,
    WayLocked,
    WayUnavailable,
)
from auth.ways.types import AssistanceState, AssistanceView
from core.audit.ledger import lines_of
from core.db import execute, fetch, transaction
from core.errors import Problem
from tests.auth.ways.people import MOBILE, NAME, NUMBER, OTHER_NAME, UNKNOWN_NUMBER
from tests.conftest import Ground
from tests.fakes.staff import limited
from tests.fakes.ways import Ways, make_ways

PURPOSE = "代办居住证签注"


@pytest.fixture
async def officer(ways: Ways) -> StaffCaller:
    return (await ways.auth.staff.member(Role.OPERATOR)).caller


@pytest.fixture
async def resident(ways: Ways, caller: Caller) -> Caller:
    """A resident with a mobile on record."""
    await ways.auth.citizens.set_mobile(caller, ways.auth.mini_program.mobile_code_for(MOBILE))
    return caller


async def ask(ways: Ways, officer: StaffCaller, name: str = NAME, number: str = NUMBER) -> AssistanceView:
    return await ways.assistances.request(officer, name=name, id_number=number, purpose=PURPOSE)


async def send_codes(ways: Ways) -> int:
    """Do the jobs that wait; return how many messages went out."""
    before = sum(len(codes) for codes in ways.sender.sent.values())
    for row in await fetch("SELECT payload FROM job WHERE name = 'auth.send-assistance-code'"):
        payload = row["payload"]
        told = payload if isinstance(payload, dict) else json.loads(payload)
        change = await ways.assistances.send_code(**told)
        if change is not None:
            await transaction(change)
    return sum(len(codes) for codes in ways.sender.sent.values()) - before


async def by_code(ways: Ways, officer: StaffCaller) -> tuple[AssistanceView, Grant]:
    asked = await ask(ways, officer)
    await send_codes(ways)
    grant = await ways.assistances.collect(officer, asked.id, ways.sender.last_to(MOBILE), device="")
    return asked, grant


async def test_the_code_that_the_resident_tells_opens_a_short_session_of_theirs(
    ways: Ways, officer: StaffCaller, resident: Caller
) -> None:
    _, grant = await by_code(ways, officer)
    acting = await ways.auth.sessions.caller_of(grant.access_token)
    assert (acting.citizen_id, acting.actor_id) == (resident.citizen_id, resident.citizen_id)
    assert (acting.operator_id, acting.level) == (officer.operator_id, Level.REAL_NAME)
    for actor in (acting.actor, acting.self_actor):
        assert (actor.kind, actor.id) == ("operator", str(officer.operator_id))
        assert actor.on_behalf_of == resident.citizen_id
    ways.ground.clock.move(timedelta(minutes=30))
    with pytest.raises(Problem, match=r"auth\.token"):
        await ways.auth.sessions.caller_of(grant.access_token)
    with pytest.raises(Problem, match=r"auth\.refresh-invalid"):
        await ways.auth.sessions.renew(grant.refresh_token, "")


async def test_everything_in_the_session_is_written_down_as_the_officers(
    ways: Ways, officer: StaffCaller, resident: Caller
) -> None:
    _, grant = await by_code(ways, officer)
    acting = await ways.auth.sessions.caller_of(grant.access_token)

    async def raise_level() -> None:
        until = ways.auth.sessions.fresh_until(elder=False)
        await ways.auth.sessions.raise_level(acting.session_id, Level.PRESENT, until=until)

    await transaction(raise_level)
    await ways.auth.logout.of(acting, acting.session_id)
    told = [
        (line.action, line.actor_kind, line.actor_id)
        for line in await lines_of(resident.citizen_id, before=None, limit=50)
    ]
    for action in ("auth.session-opened", "auth.level-raised", "auth.session-ended", "auth.assistance-confirmed"):
        assert (action, "operator", str(officer.operator_id)) in told
    rows = await fetch(
        "SELECT action FROM audit_line WHERE actor_kind = 'operator' AND on_behalf_of = $1", resident.citizen_id
    )
    assert {row["action"] for row in rows} == {
        "auth.session-opened",
        "auth.level-raised",
        "auth.session-ended",
        "auth.assistance-confirmed",
    }


async def test_the_resident_sees_the_session_and_ends_it(ways: Ways, officer: StaffCaller, resident: Caller) -> None:
    asked, grant = await by_code(ways, officer)
    listed = {view.id: view.assisted for view in await ways.auth.sessions.list_sessions(resident)}
    assert listed == {grant.session_id: True, resident.session_id: False}
    [seen] = await ways.assistances.list_of(resident)
    assert (seen.id, seen.state, seen.session_id) == (asked.id, AssistanceState.USED, grant.session_id)
    assert seen.purpose == PURPOSE
    assert await ways.auth.logout.of(resident, grant.session_id)
    with pytest.raises(TokenInvalid):
        await ways.auth.sessions.caller_of(grant.access_token)


async def test_an_officer_who_was_let_go_acts_for_nobody(ways: Ways, officer: StaffCaller, resident: Caller) -> None:
    _, grant = await by_code(ways, officer)
    sql = "UPDATE operator_account SET state = 'disabled' WHERE id = $1"
    await transaction(lambda: execute(sql, officer.operator_id))
    with pytest.raises(TokenInvalid):
        await ways.auth.sessions.caller_of(grant.access_token)


@pytest.mark.parametrize("what", ["disabled", "other roles", "invited again"])
async def test_what_an_officer_has_open_for_others_ends_with_what_they_may_do(
    ways: Ways, officer: StaffCaller, resident: Caller, what: str
) -> None:
    _, grant = await by_code(ways, officer)
    await ways.auth.sessions.caller_of(grant.access_token, lately=True)
    staff, admin = ways.auth.staff, (await ways.auth.staff.member(Role.SECURITY_ADMIN)).caller
    if what == "disabled":
        await staff.appointments.disable(officer.operator_id, caller=admin, reason="has left")
    elif what == "other roles":
        await staff.appointments.set_roles(officer.operator_id, [RoleGrant(Role.ACCEPTOR)], caller=admin)
    else:
        await staff.operators.invite_again(officer.operator_id)
    with pytest.raises(TokenInvalid):
        await ways.auth.sessions.caller_of(grant.access_token, lately=True)
    with pytest.raises(RefreshInvalid):
        await ways.auth.sessions.renew(grant.refresh_token, device="")
    line = (await lines_of(resident.citizen_id, before=None, limit=1))[0]
    assert (line.action, line.object_id) == ("auth.session-ended", str(grant.session_id))
    assert line.actor_id == ("" if what == "invited again" else str(admin.operator_id))
    assert await ways.auth.sessions.list_sessions(resident)  # The resident's own stays.


async def test_the_resident_confirms_in_their_own_app(ways: Ways, officer: StaffCaller, caller: Caller) -> None:
    asked = await ask(ways, officer)
    with pytest.raises(AssistanceUnconfirmed):
        await ways.assistances.collect(officer, asked.id, None, device="")
    assert (await ways.assistances.confirm(caller, asked.id)).state is AssistanceState.CONFIRMED
    grant = await ways.assistances.collect(officer, asked.id, None, device="")
    assert grant.citizen.id == caller.citizen_id
    for _ in range(2):
        with pytest.raises(AssistanceEnded):
            await ways.assistances.collect(officer, asked.id, None, device="")
        with pytest.raises(AssistanceEnded):
            await ways.assistances.confirm(caller, asked.id)
    confirmed = [
        line
        for line in await lines_of(caller.citizen_id, before=None, limit=50)
        if line.action == "auth.assistance-confirmed"
    ]
    assert [(line.actor_kind, line.actor_id) for line in confirmed] == [("citizen", str(caller.citizen_id))]


async def test_nobody_confirms_what_was_asked_of_somebody_else(
    ways: Ways, officer: StaffCaller, caller: Caller
) -> None:
    asked = await ask(ways, officer)
    other = await ways.auth.caller_named("openid-2", OTHER_NAME, "999999199011053335")
    with pytest.raises(NoSuchAssistance):
        await ways.assistances.confirm(other, asked.id)
    assert await ways.assistances.list_of(other) == []
    with pytest.raises(AssistanceUnconfirmed):
        await ways.assistances.collect(officer, asked.id, None, device="")


async def test_a_colleague_cannot_collect_it(ways: Ways, officer: StaffCaller, resident: Caller) -> None:
    asked = await ask(ways, officer)
    await send_codes(ways)
    colleague = (await ways.auth.staff.member(Role.OPERATOR)).caller
    with pytest.raises(NoSuchAssistance):
        await ways.assistances.collect(colleague, asked.id, ways.sender.last_to(MOBILE), device="")


@pytest.mark.parametrize(("name", "number"), [(NAME, UNKNOWN_NUMBER), (OTHER_NAME, NUMBER)])
async def test_people_nobody_knows_are_asked_for_alike(
    ways: Ways, officer: StaffCaller, resident: Caller, name: str, number: str
) -> None:
    asked = await ask(ways, officer, name, number)
    known = await ask(ways, officer)
    assert (asked.state, asked.expires_at, asked.purpose) == (known.state, known.expires_at, known.purpose)
    assert len(await fetch("SELECT id FROM job")) == 2
    assert await send_codes(ways) == 1  # To the one whom we know.
    for view, code in ((asked, "123456"), (known, "not it")):
        with pytest.raises(AssistanceCodeWrong):
            await ways.assistances.collect(officer, view.id, code, device="")
        with pytest.raises(AssistanceUnconfirmed):
            await ways.assistances.collect(officer, view.id, None, device="")


async def test_who_has_no_mobile_on_record_gets_no_message(ways: Ways, officer: StaffCaller, caller: Caller) -> None:
    asked = await ask(ways, officer)
    assert await send_codes(ways) == 0
    with pytest.raises(AssistanceCodeWrong):
        await ways.assistances.collect(officer, asked.id, "", device="")


async def test_five_wrong_codes_end_it_also_for_the_right_one(
    ways: Ways, officer: StaffCaller, resident: Caller
) -> None:
    asked = await ask(ways, officer)
    await send_codes(ways)
    for _ in range(5):
        with pytest.raises(AssistanceCodeWrong):
            await ways.assistances.collect(officer, asked.id, "wrong", device="")
    with pytest.raises(AssistanceEnded):
        await ways.assistances.collect(officer, asked.id, ways.sender.last_to(MOBILE), device="")
    refused = [
        line for line in await lines_of(resident.citizen_id, before=None, limit=50) if line.action.endswith("refused")
    ]
    assert len(refused) == 5


async def test_of_twenty_collections_at_once_one_gets_the_session(
    ways: Ways, officer: StaffCaller, caller: Caller
) -> None:
    asked = await ask(ways, officer)
    await ways.assistances.confirm(caller, asked.id)
    tries = [ways.assistances.collect(officer, asked.id, None, device="") for _ in range(20)]
    results = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(isinstance(each, Grant) for each in results) == 1
    assert sum(isinstance(each, AssistanceEnded) for each in results) == 19
    assert len(await fetch("SELECT id FROM citizen_session WHERE operator_id IS NOT NULL")) == 1


async def test_what_was_asked_does_not_wait_for_ever(ways: Ways, officer: StaffCaller, resident: Caller) -> None:
    asked = await ask(ways, officer)
    confirmed = await ask(ways, officer)
    await ways.assistances.confirm(resident, confirmed.id)
    ways.ground.clock.move(timedelta(minutes=15))
    assert await send_codes(ways) == 0
    for view in (asked, confirmed):
        with pytest.raises(AssistanceEnded):
            await ways.assistances.collect(officer, view.id, None, device="")
        with pytest.raises(AssistanceEnded):
            await ways.assistances.collect(officer, view.id, "123456", device="")
        with pytest.raises(AssistanceEnded):
            await ways.assistances.confirm(resident, view.id)
    assert {view.state for view in await ways.assistances.list_of(resident)} == {AssistanceState.EXPIRED}


async def test_a_provider_that_is_away_is_tried_again(ways: Ways, officer: StaffCaller, resident: Caller) -> None:
    await ask(ways, officer)
    ways.sender.trouble = WayUnavailable()
    with pytest.raises(WayUnavailable):
        await send_codes(ways)
    ways.sender.trouble = None
    assert await send_codes(ways) == 1


async def test_a_mobile_that_has_had_enough_gets_nothing_and_the_app_still_works(
    ways: Ways, officer: StaffCaller, resident: Caller
) -> None:
    for _ in range(5):
        await ask(ways, officer)
    assert await send_codes(ways) == 5
    assert await send_codes(ways) == 0
    [newest, *_] = await ways.assistances.list_of(resident)
    assert (await ways.assistances.confirm(resident, newest.id)).state is AssistanceState.CONFIRMED


async def test_a_person_is_asked_for_five_times_and_an_officer_asks_sixty_times(
    ways: Ways, officer: StaffCaller
) -> None:
    for _ in range(5):
        await ask(ways, officer, number=UNKNOWN_NUMBER)
    with pytest.raises(WayLocked):
        await ask(ways, officer, number=UNKNOWN_NUMBER)


async def test_an_officer_asks_no_more_often_than_anybody_may_in_an_hour_and_a_day(ground: Ground) -> None:
    limits = {"assistances_an_hour": 2, "assistances_a_day": 3, "assistance_attempts": 20}
    ways = make_ways(ground, settings=make_ways(ground).settings.model_copy(update=limits))
    officer, other = [(await ways.auth.staff.member(Role.OPERATOR)).caller for _ in range(2)]
    told = await asyncio.gather(*(ask(ways, officer) for _ in range(5)), return_exceptions=True)
    assert sum(isinstance(each, TooManyAssistances) for each in told) == 3
    assert sum(isinstance(each, AssistanceView) for each in told) == 2
    await ask(ways, other)
    ground.clock.move(timedelta(hours=1))
    await ask(ways, officer)
    with pytest.raises(TooManyAssistances) as caught:
        await ask(ways, officer)
    assert 22 * 3600 < (caught.value.extras.retry_after or 0) <= 23 * 3600 + 1


async def test_an_officer_who_has_lost_the_role_collects_nothing(
    ways: Ways, officer: StaffCaller, resident: Caller
) -> None:
    admin = (await ways.auth.staff.member(Role.SECURITY_ADMIN)).caller
    asked = await ask(ways, officer)
    await ways.assistances.confirm(resident, asked.id)
    limited_to = [limited(Role.OPERATOR, department="taxation")]
    await ways.auth.staff.appointments.set_roles(officer.operator_id, limited_to, caller=admin)
    with pytest.raises(RoleForbidden):
        await ways.assistances.collect(officer, asked.id, None, device="")
    assert [view.assisted for view in await ways.auth.sessions.list_sessions(resident)] == [False]


async def test_a_session_collected_while_the_role_goes_ends_with_it(
    ways: Ways, officer: StaffCaller, resident: Caller
) -> None:
    staff, admin = ways.auth.staff, (await ways.auth.staff.member(Role.SECURITY_ADMIN)).caller
    for turn in range(6):
        member = await staff.member(Role.OPERATOR)
        asked = await ask(ways, member.caller)
        await ways.assistances.confirm(resident, asked.id)
        steps = [
            ways.assistances.collect(member.caller, asked.id, None, device=""),
            staff.appointments.set_roles(member.caller.operator_id, [RoleGrant(Role.AUDITOR)], caller=admin),
        ]
        await asyncio.gather(*(steps if turn % 2 else reversed(steps)), return_exceptions=True)
        assert [view.assisted for view in await ways.auth.sessions.list_sessions(resident)] == [False], turn
        ways.ground.clock.move(timedelta(hours=6))


async def test_a_closed_account_is_acted_for_by_nobody(ways: Ways, officer: StaffCaller, caller: Caller) -> None:
    asked = await ask(ways, officer)
    await ways.assistances.confirm(caller, asked.id)
    await transaction(lambda: execute("UPDATE citizen SET state = 'closed' WHERE id = $1", caller.citizen_id))
    with pytest.raises(AccountClosed):
        await ways.assistances.collect(officer, asked.id, None, device="")


async def test_purposes_and_codes_are_not_kept_in_clear(ways: Ways, officer: StaffCaller, resident: Caller) -> None:
    await ask(ways, officer)
    await send_codes(ways)
    [row] = await fetch("SELECT * FROM assistance")
    assert PURPOSE not in str(row)
    assert ways.sender.last_to(MOBILE) not in str(row)
    lines = await fetch("SELECT * FROM audit_line")
    assert all(PURPOSE not in str(line) for line in lines)


async def test_old_requests_are_forgotten(ways: Ways, officer: StaffCaller, resident: Caller) -> None:
    await ask(ways, officer)
    ways.ground.clock.move(timedelta(days=91))
    await ways.tidying.tidy()
    assert await fetch("SELECT id FROM assistance") == []
