"""Who has died comes in no more, and what they had open ends."""

import asyncio

import pytest

from auth.errors import AccountClosed, IdentityMismatch, RefreshInvalid, TokenInvalid
from core.audit.actors import Actor
from core.audit.ledger import lines_of
from core.db import as_json, fetch_one
from core.pii import IdNumber
from tests.fakes.auth import Auth

NAME, NUMBER = "霍明哲", "999999198503122179"
KEEPER = Actor.department("public-security")


async def test_a_death_ends_every_session_and_no_login_opens_another(auth: Auth) -> None:
    caller = await auth.caller_named("openid-1", NAME, NUMBER)
    grant = await auth.log_in("openid-1")
    assert await auth.deaths.record(IdNumber(NUMBER), actor=KEEPER)
    with pytest.raises(TokenInvalid):
        await auth.sessions.caller_of(grant.access_token)
    with pytest.raises(RefreshInvalid):
        await auth.sessions.renew(grant.refresh_token, "")
    with pytest.raises(AccountClosed):
        await auth.log_in("openid-1")
    [line] = [line for line in await lines_of(caller.citizen_id, before=None, limit=9) if "death" in line.action]
    assert (line.actor_kind, line.actor_id) == ("department", "public-security")


async def test_a_death_of_somebody_without_an_account_is_nothing(auth: Auth) -> None:
    assert not await auth.deaths.record(IdNumber(NUMBER), actor=KEEPER)
    assert not await auth.deaths.take_back(IdNumber(NUMBER), actor=KEEPER)


async def test_told_many_times_at_once_it_is_recorded_once(auth: Auth) -> None:
    await auth.caller_named("openid-1", NAME, NUMBER)
    told = await asyncio.gather(*(auth.deaths.record(IdNumber(NUMBER), actor=KEEPER) for _ in range(10)))
    assert sorted(told) == [False] * 9 + [True]
    lines = await fetch_one("SELECT count(*) AS n FROM audit_line WHERE action = 'auth.death-recorded'")
    assert lines == {"n": 1}


async def test_the_registry_tells_of_a_death_when_it_is_asked(auth: Auth) -> None:
    await auth.caller_named("openid-1", NAME, NUMBER)
    grant = await auth.log_in("openid-1")
    auth.registry.dead.add(NUMBER)
    stranger = await auth.caller("openid-2")
    with pytest.raises(IdentityMismatch):
        await auth.realname.bind(stranger, name=NAME, id_number=NUMBER, consent="real-name@1")
    with pytest.raises(TokenInvalid):
        await auth.sessions.caller_of(grant.access_token)


async def test_a_wrong_name_with_a_dead_persons_number_changes_nothing(auth: Auth) -> None:
    await auth.caller_named("openid-1", NAME, NUMBER)
    grant = await auth.log_in("openid-1")
    auth.registry.dead.add(NUMBER)
    with pytest.raises(IdentityMismatch):
        await auth.realname.bind(await auth.caller("openid-2"), name="王小明", id_number=NUMBER, consent="real-name@1")
    await auth.sessions.caller_of(grant.access_token)


async def test_a_mistake_taken_back_opens_the_account_and_no_session(auth: Auth) -> None:
    await auth.caller_named("openid-1", NAME, NUMBER)
    grant = await auth.log_in("openid-1")
    await auth.deaths.record(IdNumber(NUMBER), actor=KEEPER)
    assert await auth.deaths.take_back(IdNumber(NUMBER), actor=KEEPER)
    assert not await auth.deaths.take_back(IdNumber(NUMBER), actor=KEEPER)
    with pytest.raises(TokenInvalid):
        await auth.sessions.caller_of(grant.access_token)
    assert (await auth.log_in("openid-1")).citizen.name == "霍**"


async def test_a_death_promises_the_end_of_mandates(auth: Auth) -> None:
    caller = await auth.caller_named("openid-1", NAME, NUMBER)
    await auth.deaths.record(IdNumber(NUMBER), actor=KEEPER)
    job = await fetch_one("SELECT payload FROM job WHERE name = 'auth.end-delegations'")
    assert job
    assert as_json(job["payload"]) == {"citizen_id": str(caller.citizen_id), "reason": "death"}
