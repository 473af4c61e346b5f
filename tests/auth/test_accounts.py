"""Who is somebody by their face can remove the WeChat accounts that others have bound to them."""

import asyncio
from uuid import UUID, uuid4

import pytest

from auth.errors import AlreadyBound, LastWayIn, RefreshInvalid, TokenInvalid
from auth.types import Caller, Grant, Level, ReadPurpose
from core.audit.ledger import lines_of
from core.db import as_uuid, execute, fetch, fetch_one
from tests.fakes.auth import Auth

NAME, NUMBER = "霍明哲", "999999198503122179"
PHONE = "a-phone-0123456789"


async def stolen(auth: Auth) -> Grant:
    """A stranger's phone, logged in under somebody else's name and number."""
    auth.registry.people[NUMBER] = NAME
    grant = await auth.log_in("openid-thief", device=PHONE)
    caller = await auth.sessions.caller_of(grant.access_token)
    await auth.realname.bind(caller, name=NAME, id_number=NUMBER, consent="real-name@1")
    return grant


async def by_face(auth: Auth, citizen_id: UUID) -> Caller:
    """The person, come in by face alone."""
    grant = await auth.sessions.open(citizen_id, level=Level.PRESENT, device="")
    return await auth.sessions.caller_of(grant.access_token)


async def with_account(auth: Auth, citizen_id: UUID, openid: str) -> Caller:
    """The person, come in by a further account of theirs."""
    account = await auth.log_in(openid)
    await execute("UPDATE wechat_account SET citizen_id = $1 WHERE citizen_id = $2", citizen_id, account.citizen.id)
    return await auth.sessions.caller_of((await auth.log_in(openid)).access_token)


async def test_the_owner_gets_a_stranger_out_who_knew_name_and_number(auth: Auth) -> None:
    thief = await stolen(auth)
    owner = await by_face(auth, thief.citizen.id)
    [account] = await auth.accounts.list_accounts(owner)
    assert (account.current, account.bound_at) == (False, auth.ground.clock.now())
    assert await auth.accounts.remove(owner, account.id)
    with pytest.raises(TokenInvalid):
        await auth.sessions.caller_of(thief.access_token)
    with pytest.raises(RefreshInvalid):
        await auth.sessions.renew(thief.refresh_token, PHONE)
    assert await auth.accounts.list_accounts(owner) == []
    assert (await auth.realname.person_of(owner.citizen_id, ReadPurpose.OWN_RIGHTS)).name.reveal() == NAME


async def test_a_removed_account_is_somebody_without_a_name_and_cannot_come_back(auth: Auth) -> None:
    thief = await stolen(auth)
    owner = await by_face(auth, thief.citizen.id)
    [account] = await auth.accounts.list_accounts(owner)
    await auth.accounts.remove(owner, account.id)
    again = await auth.log_in("openid-thief", device=PHONE)
    assert (again.citizen.level, again.citizen.name) == (Level.LINKED, None)
    assert again.citizen.id != owner.citizen_id
    caller = await auth.sessions.caller_of(again.access_token)
    with pytest.raises(AlreadyBound) as caught:
        await auth.realname.bind(caller, name=NAME, id_number=NUMBER, consent="real-name@1")
    ways = {way.method: way.start for way in caught.value.extras.alternatives}
    assert ways["face"] == "/v1/citizen/elder-sessions"


async def test_the_sessions_of_other_accounts_and_of_the_face_go_on(auth: Auth) -> None:
    thief = await stolen(auth)
    owner = await by_face(auth, thief.citizen.id)
    other = await with_account(auth, owner.citizen_id, "openid-own")
    [thiefs] = [one for one in await auth.accounts.list_accounts(other) if not one.current]
    assert await auth.accounts.remove(other, thiefs.id)
    for caller in (owner, other):
        assert await auth.sessions.is_open(caller.session_id)
    assert not await auth.sessions.is_open(thief.session_id)
    [left] = await auth.accounts.list_accounts(other)
    assert left.current


async def account_of(caller: Caller) -> UUID:
    row = await fetch_one("SELECT account_id FROM citizen_session WHERE id = $1", caller.session_id)
    assert row is not None
    return as_uuid(row["account_id"])


async def test_nobody_removes_the_last_account_from_under_themselves(auth: Auth) -> None:
    thief = await auth.sessions.caller_of((await stolen(auth)).access_token)
    [account] = await auth.accounts.list_accounts(thief)
    with pytest.raises(LastWayIn):
        await auth.accounts.remove(thief, account.id)
    assert await auth.sessions.is_open(thief.session_id)


async def test_of_two_accounts_one_may_remove_itself(auth: Auth) -> None:
    first = await stolen(auth)
    second = await with_account(auth, first.citizen.id, "openid-own")
    assert await auth.accounts.remove(second, await account_of(second))
    assert not await auth.sessions.is_open(second.session_id)
    with pytest.raises(TokenInvalid):
        await auth.accounts.list_accounts(second)


async def test_two_accounts_that_remove_themselves_at_once_leave_one(auth: Auth) -> None:
    grant = await stolen(auth)
    first = await auth.sessions.caller_of(grant.access_token)
    second = await with_account(auth, first.citizen_id, "openid-own")
    results = await asyncio.gather(
        *[auth.accounts.remove(caller, await account_of(caller)) for caller in (first, second)],
        return_exceptions=True,
    )
    assert sorted(type(result).__name__ for result in results) == ["LastWayIn", "bool"]
    assert len(await fetch("SELECT id FROM wechat_account WHERE citizen_id = $1", first.citizen_id)) == 1


async def test_a_login_during_the_removal_leaves_no_session_behind(auth: Auth) -> None:
    thief = await stolen(auth)
    owner = await by_face(auth, thief.citizen.id)
    [account] = await auth.accounts.list_accounts(owner)
    grants = await asyncio.gather(
        *(auth.log_in("openid-thief") for _ in range(4)),
        auth.accounts.remove(owner, account.id),
        *(auth.log_in("openid-thief") for _ in range(4)),
    )
    assert grants[4] is True
    open_ones = "SELECT id FROM citizen_session WHERE citizen_id = $1 AND ended_at IS NULL"
    assert [as_uuid(row["id"]) for row in await fetch(open_ones, owner.citizen_id)] == [owner.session_id]


async def test_nobody_removes_an_account_of_somebody_else(auth: Auth) -> None:
    thief = await stolen(auth)
    stranger = await auth.caller("openid-stranger")
    [account] = await auth.accounts.list_accounts(await by_face(auth, thief.citizen.id))
    assert not await auth.accounts.remove(stranger, account.id)
    assert not await auth.accounts.remove(stranger, uuid4())
    assert await auth.sessions.is_open(thief.session_id)


async def test_accounts_come_in_pages_and_show_no_openid(auth: Auth) -> None:
    owner = await by_face(auth, (await stolen(auth)).citizen.id)
    await with_account(auth, owner.citizen_id, "openid-own")
    first = await auth.accounts.list_accounts(owner, limit=1)
    rest = await auth.accounts.list_accounts(owner, after=first[0].id, limit=5)
    assert len(first) == len(rest) == 1
    assert first[0].mark != rest[0].mark
    assert "openid" not in repr([first, rest])


async def test_the_ledger_tells_of_the_removal(auth: Auth) -> None:
    owner = await by_face(auth, (await stolen(auth)).citizen.id)
    [account] = await auth.accounts.list_accounts(owner)
    await auth.accounts.remove(owner, account.id)
    lines = await lines_of(owner.citizen_id, before=None, limit=50)
    [line] = [line for line in lines if line.action == "auth.account-unbound"]
    assert (line.object_kind, line.object_id, line.actor_id) == (
        "wechat-account",
        str(account.id),
        str(owner.citizen_id),
    )
