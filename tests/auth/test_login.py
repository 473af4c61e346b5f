"""Logging in with one tap: one account for a WeChat account, whatever happens at once."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest

from auth.errors import CodeInvalid, WechatUnavailable
from auth.settings import AuthLimits, AuthSettings
from auth.types import Level
from core.cache import TooManyRequests
from core.db import IntegrityError, as_uuid, fetch, in_one_statement, transaction
from tests.conftest import Ground
from tests.fakes.auth import Auth, make_auth

NUMBER = "999999198503122179"


async def test_somebody_new_gets_an_account_without_a_name(auth: Auth) -> None:
    grant = await auth.log_in("openid-1")
    assert (grant.citizen.level, grant.citizen.name, grant.citizen.elder) == (Level.LINKED, None, False)
    caller = await auth.sessions.caller_of(grant.access_token)
    assert (caller.citizen_id, caller.actor_id, caller.level) == (grant.citizen.id, grant.citizen.id, Level.LINKED)


async def test_the_same_account_is_the_same_citizen_and_another_is_another(auth: Auth) -> None:
    first, again, other = await auth.log_in("openid-1"), await auth.log_in("openid-1"), await auth.log_in("openid-2")
    assert first.citizen.id == again.citizen.id
    assert first.session_id != again.session_id
    assert other.citizen.id != first.citizen.id


async def test_a_known_citizen_is_back_under_their_real_name_with_one_call(auth: Auth) -> None:
    await auth.caller_named("openid-1", "霍明哲", NUMBER)
    grant = await auth.log_in("openid-1")
    assert (grant.citizen.level, grant.citizen.name) == (Level.REAL_NAME, "霍**")
    assert (await auth.sessions.caller_of(grant.access_token)).level is Level.REAL_NAME


async def test_twenty_first_logins_at_once_make_one_account(ground: Ground) -> None:
    auth = make_auth(ground, AuthSettings(limits=AuthLimits(login_account="100/minute")))
    grants = await asyncio.gather(*(auth.log_in("openid-1") for _ in range(20)))
    assert len({grant.citizen.id for grant in grants}) == 1
    assert len({grant.session_id for grant in grants}) == 20
    citizens = await fetch("SELECT id FROM citizen")
    assert [UUID(str(row["id"])) for row in citizens] == [grants[0].citizen.id]


async def test_a_code_works_once(auth: Auth) -> None:
    code = auth.mini_program.code_for("openid-1")
    await auth.login.log_in(code, device="", address=auth.address)
    with pytest.raises(CodeInvalid):
        await auth.login.log_in(code, device="", address=auth.address)


async def test_when_wechat_is_away_nothing_is_written(auth: Auth) -> None:
    auth.mini_program.trouble = WechatUnavailable(retry_after=5)
    with pytest.raises(WechatUnavailable):
        await auth.log_in("openid-1")
    assert await fetch("SELECT id FROM citizen") == []
    assert await fetch("SELECT id FROM citizen_session") == []


async def test_an_account_logs_in_ten_times_a_minute_and_others_are_not_held_up(auth: Auth) -> None:
    for _ in range(10):
        await auth.log_in("openid-1")
    with pytest.raises(TooManyRequests) as caught:
        await auth.log_in("openid-1")
    assert caught.value.extras.retry_after is not None
    assert 1 <= caught.value.extras.retry_after <= 60
    await auth.log_in("openid-2")


async def test_an_address_is_held_back_before_wechat_is_asked(ground: Ground) -> None:
    auth = make_auth(ground, AuthSettings(limits=AuthLimits(login_address="2/minute")))
    await auth.log_in("openid-1")
    await auth.log_in("openid-2")
    code = auth.mini_program.code_for("openid-3")
    with pytest.raises(TooManyRequests):
        await auth.login.log_in(code, device="", address=auth.address)
    await auth.login.log_in(code, device="", address=f"{auth.address}-2")


async def test_the_openid_stands_nowhere_in_clear(auth: Auth) -> None:
    openid = "oOPENID-of-a-person-1234567"
    await auth.log_in(openid)
    stored = repr([await fetch("SELECT * FROM wechat_account"), await fetch("SELECT * FROM audit_line")])
    assert openid not in stored
    assert openid.encode().hex() not in stored


async def test_a_login_is_in_the_citizens_ledger(auth: Auth) -> None:
    grant = await auth.log_in("openid-1")
    [line] = await fetch("SELECT * FROM audit_line WHERE action = 'auth.session-opened'")
    assert UUID(str(line["subject_id"])) == grant.citizen.id
    assert line["object_id"] == str(grant.session_id)


async def test_a_birthday_brings_the_elder_profile_with_the_next_renewal(auth: Auth) -> None:
    auth.registry.people["999999196604011233"] = "某某"
    grant = await auth.log_in("openid-1", device="a-phone-0123456789")
    caller = await auth.sessions.caller_of(grant.access_token)
    await auth.realname.bind(caller, name="某某", id_number="999999196604011233", consent="real-name@1")
    assert not (await auth.sessions.caller_of(grant.access_token)).elder
    auth.ground.clock.move(timedelta(days=22))
    renewed = await auth.sessions.renew(grant.refresh_token, "a-phone-0123456789")
    assert renewed.citizen.elder
    assert (await auth.sessions.caller_of(renewed.access_token)).elder


async def test_no_session_comes_of_an_account_that_has_become_somebody_elses(auth: Auth) -> None:
    """Between reading an account and writing its session it may be parted: then the session is not written."""
    mine, theirs = await auth.log_in("openid-1"), await auth.log_in("openid-2")
    record = await auth.records.find(mine.citizen.id)
    assert record is not None
    [account] = await fetch("SELECT id FROM wechat_account WHERE citizen_id = $1", theirs.citizen.id)
    before = await fetch("SELECT id FROM citizen_session")
    for way in (in_one_statement, transaction):
        with pytest.raises(IntegrityError):
            await way(
                lambda: auth.sessions.open_for(record, level=record.level, device="", account_id=as_uuid(account["id"]))
            )
    assert await fetch("SELECT id FROM citizen_session") == before
    lines = await fetch("SELECT id FROM audit_line WHERE action = 'auth.session-opened'")
    assert len(lines) == 2
