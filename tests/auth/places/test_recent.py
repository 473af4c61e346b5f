"""Remembered sessions: they spare reads a way to the database, and never outlive a second or a change."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID

import pytest

from auth.errors import RefreshReused, TokenInvalid
from auth.places.recent import RecentSessions
from auth.settings import SessionSettings
from auth.types import Caller, Grant, Level
from core.db import OutsideTransaction, execute, transaction
from tests.conftest import Ground
from tests.fakes.auth import Auth, make_auth

NUMBER = "999999198503122179"
PHONE, TABLET = "a-phone-0123456789", "a-tablet-0123456789"
_END = "UPDATE citizen_session SET ended_at = $2, end_reason = 'logout' WHERE id = $1"
Change = Callable[[Auth, Caller], Awaitable[object]]


async def end_elsewhere(auth: Auth, session_id: UUID) -> None:
    """End a session as another worker does: nothing of this process learns of it."""
    await execute(_END, session_id, auth.ground.clock.now())


async def test_a_read_rests_on_what_was_read_a_moment_ago_and_a_change_does_not(auth: Auth) -> None:
    grant = await auth.log_in()
    await auth.sessions.caller_of(grant.access_token, lately=True)
    await end_elsewhere(auth, grant.session_id)
    assert (await auth.sessions.caller_of(grant.access_token, lately=True)).session_id == grant.session_id
    with pytest.raises(TokenInvalid):
        await auth.sessions.caller_of(grant.access_token)


async def test_a_session_ended_by_another_worker_is_over_here_within_a_second(auth: Auth) -> None:
    grant = await auth.log_in()
    await auth.sessions.caller_of(grant.access_token, lately=True)
    await end_elsewhere(auth, grant.session_id)
    auth.ground.clock.move(timedelta(seconds=0.9))
    await auth.sessions.caller_of(grant.access_token, lately=True)  # Looking does not make it younger.
    auth.ground.clock.move(timedelta(seconds=0.1))
    with pytest.raises(TokenInvalid):
        await auth.sessions.caller_of(grant.access_token, lately=True)


async def test_whoever_finds_a_session_over_forgets_it(auth: Auth) -> None:
    grant = await auth.log_in()
    await auth.sessions.caller_of(grant.access_token, lately=True)
    await end_elsewhere(auth, grant.session_id)
    with pytest.raises(TokenInvalid):
        await auth.sessions.caller_of(grant.access_token)
    with pytest.raises(TokenInvalid):
        await auth.sessions.caller_of(grant.access_token, lately=True)


async def log_out(auth: Auth, caller: Caller) -> None:
    await auth.logout.of(caller, caller.session_id)


async def log_out_everywhere(auth: Auth, caller: Caller) -> None:
    await auth.logout.everywhere(caller)


async def lose_to_a_thief(auth: Auth, caller: Caller) -> None:
    first = await auth.log_in("openid-1", device=PHONE)
    token = auth.tokens.issue(caller.citizen_id, first.session_id)
    await auth.sessions.caller_of(token, lately=True)
    await auth.sessions.renew(first.refresh_token, PHONE)
    with pytest.raises(RefreshReused):
        await auth.sessions.renew(first.refresh_token, TABLET)
    with pytest.raises(TokenInvalid):
        await auth.sessions.caller_of(token, lately=True)
    await log_out(auth, caller)


async def be_parted(auth: Auth, caller: Caller) -> None:
    owner = await auth.sessions.open(caller.citizen_id, level=Level.PRESENT, device="")
    [account] = await auth.accounts.list_accounts(caller)
    assert await auth.accounts.remove(await auth.sessions.caller_of(owner.access_token), account.id)


@pytest.mark.parametrize("change", [log_out, log_out_everywhere, lose_to_a_thief, be_parted])
async def test_what_this_process_ends_is_over_here_at_once(auth: Auth, change: Change) -> None:
    caller = await auth.caller_named("openid-1", "霍明哲", NUMBER)
    token = auth.tokens.issue(caller.citizen_id, caller.session_id)
    await auth.sessions.caller_of(token, lately=True)
    await change(auth, caller)
    with pytest.raises(TokenInvalid):
        await auth.sessions.caller_of(token, lately=True)


async def test_a_level_raised_here_holds_at_once(auth: Auth) -> None:
    grant = await auth.log_in("openid-1")
    caller = await auth.sessions.caller_of(grant.access_token, lately=True)
    assert caller.level is Level.LINKED
    auth.registry.people[NUMBER] = "霍明哲"
    await auth.realname.bind(caller, name="霍明哲", id_number=NUMBER, consent="real-name@1")
    assert (await auth.sessions.caller_of(grant.access_token, lately=True)).level is Level.REAL_NAME
    until = auth.sessions.fresh_until(elder=False)
    await transaction(lambda: auth.sessions.raise_level(grant.session_id, Level.PRESENT, until=until))
    assert (await auth.sessions.caller_of(grant.access_token, lately=True)).level is Level.PRESENT
    auth.ground.clock.set(until)
    token = auth.tokens.issue(caller.citizen_id, caller.session_id)
    assert (await auth.sessions.caller_of(token, lately=True)).level is Level.REAL_NAME


async def test_the_elder_profile_chosen_here_holds_at_once(auth: Auth) -> None:
    caller = await auth.caller_named("openid-1", "霍明哲", NUMBER)
    token = auth.tokens.issue(caller.citizen_id, caller.session_id)
    assert not (await auth.sessions.caller_of(token, lately=True)).elder
    await auth.citizens.choose_elder(caller, chosen=True)
    assert (await auth.sessions.caller_of(token, lately=True)).elder


async def test_a_row_read_before_a_change_is_not_remembered_after_it(auth: Auth) -> None:
    grant = await auth.log_in()
    caller = await auth.sessions.caller_of(grant.access_token)
    readings = [asyncio.create_task(auth.sessions.caller_of(grant.access_token, lately=True)) for _ in range(20)]
    await asyncio.sleep(0)
    await auth.logout.of(caller, caller.session_id)
    await asyncio.gather(*readings, return_exceptions=True)
    with pytest.raises(TokenInvalid):
        await auth.sessions.caller_of(grant.access_token, lately=True)


async def test_a_session_is_remembered_under_its_own_resident_only(auth: Auth) -> None:
    grant = await auth.log_in()
    token = auth.tokens.issue(UUID(int=99), grant.session_id)
    for _ in range(2):
        with pytest.raises(TokenInvalid):
            await auth.sessions.caller_of(token, lately=True)


async def test_only_so_many_residents_and_places_are_remembered(ground: Ground) -> None:
    auth = make_auth(ground)
    recent = RecentSessions(clock=ground.clock, settings=SessionSettings(recent_residents=2))
    now = ground.clock.now()

    async def seen(grant: Grant) -> bool:
        return recent.remembered(grant.citizen.id, grant.session_id) is not None

    grants = [await auth.log_in(f"openid-{number}") for number in range(3)]
    for grant in grants:
        await recent.read(grant.citizen.id, grant.session_id, now)
    assert [await seen(grant) for grant in grants] == [False, True, True]
    places = [await auth.sessions.open(grants[2].citizen.id, level=Level.LINKED, device="") for _ in range(17)]
    for place in places:
        await recent.read(place.citizen.id, place.session_id, now)
    assert sum([await seen(place) for place in places]) <= 16
    assert await seen(places[-1])


async def test_with_no_second_to_live_nothing_is_remembered(ground: Ground) -> None:
    auth = make_auth(ground)
    recent = RecentSessions(clock=ground.clock, settings=SessionSettings(recent_seconds=0))
    grant = await auth.log_in()
    assert await recent.read(grant.citizen.id, grant.session_id, ground.clock.now()) is not None
    assert recent.remembered(grant.citizen.id, grant.session_id) is None


async def test_a_change_is_told_within_its_transaction(ground: Ground) -> None:
    recent = RecentSessions(clock=ground.clock, settings=SessionSettings())
    with pytest.raises(OutsideTransaction):
        recent.changed(UUID(int=1))
