"""Residents looking at themselves: masked, at the level of the moment."""

from datetime import date, timedelta

import pytest

from auth.errors import LevelTooLow, MobileCodeInvalid, MobileUnsupported, TokenInvalid, WechatUnavailable
from auth.types import Caller, Level
from core.db import fetch, transaction
from tests.fakes.auth import Auth

NAME, NUMBER = "霍明哲", "999999198503122179"


async def present(auth: Auth, caller: Caller) -> Caller:
    async def work() -> None:
        await auth.sessions.raise_level(
            caller.session_id, Level.PRESENT, until=auth.sessions.fresh_until(elder=caller.elder)
        )

    await transaction(work)
    return await auth.sessions.caller_of(auth.tokens.issue(caller.citizen_id, caller.session_id))


async def test_somebody_new_sees_an_empty_card(auth: Auth) -> None:
    me = await auth.citizens.me(await auth.caller())
    assert (me.level, me.present_until, me.name, me.id_number, me.mobile) == (Level.LINKED, None, None, None, None)
    assert (me.elder, me.groups) == (False, ())


async def test_personal_values_are_masked(auth: Auth) -> None:
    caller = await auth.caller_named("openid-1", NAME, NUMBER)
    await auth.citizens.set_mobile(caller, auth.mini_program.mobile_code_for("19900000001"))
    me = await auth.citizens.me(caller)
    assert (me.name, me.id_number, me.mobile) == ("霍**", "9999**********2179", "199****0001")
    assert me.level is Level.REAL_NAME


async def test_the_end_of_presence_is_shown_while_it_lasts(auth: Auth) -> None:
    caller = await present(auth, await auth.caller_named("openid-1", NAME, NUMBER))
    me = await auth.citizens.me(caller)
    assert (me.level, me.present_until) == (Level.PRESENT, auth.ground.clock.now() + timedelta(minutes=10))
    auth.ground.clock.move(timedelta(minutes=10))
    me = await auth.citizens.me(caller)
    assert (me.level, me.present_until) == (Level.REAL_NAME, None)


async def test_an_ended_session_sees_nothing(auth: Auth) -> None:
    caller = await auth.caller()
    await auth.logout.of(caller, caller.session_id)
    with pytest.raises(TokenInvalid):
        await auth.citizens.me(caller)


async def test_another_mobile_needs_a_proof_of_presence_the_same_one_does_not(auth: Auth) -> None:
    caller = await auth.caller_named("openid-1", NAME, NUMBER)
    code = auth.mini_program.mobile_code_for
    await auth.citizens.set_mobile(caller, code("19900000001"))
    await auth.citizens.set_mobile(caller, code("19900000001"))
    with pytest.raises(LevelTooLow) as caught:
        await auth.citizens.set_mobile(caller, code("19900000002"))
    assert caught.value.extras.members["required"] == "present"
    await auth.citizens.set_mobile(await present(auth, caller), code("19900000002"))
    assert (await auth.citizens.me(caller)).mobile == "199****0002"


async def test_a_mobile_code_works_once_and_foreign_numbers_are_not_taken(auth: Auth) -> None:
    caller = await auth.caller()
    code = auth.mini_program.mobile_code_for("19900000001")
    await auth.citizens.set_mobile(caller, code)
    with pytest.raises(MobileCodeInvalid):
        await auth.citizens.set_mobile(caller, code)
    with pytest.raises(MobileUnsupported):
        await auth.citizens.set_mobile(caller, auth.mini_program.mobile_code_for("+4915200000000"))
    auth.mini_program.trouble = WechatUnavailable()
    with pytest.raises(WechatUnavailable):
        await auth.citizens.set_mobile(caller, "any")


async def test_a_number_of_the_old_button_is_taken_from_an_account_of_the_callers_alone(auth: Auth) -> None:
    caller = await auth.caller("mine")
    code, encrypted, iv = auth.mini_program.sealed_mobile_for("mine", "19900000001")
    await auth.citizens.set_sealed_mobile(caller, login_code=code, encrypted=encrypted, iv=iv)
    assert (await auth.citizens.me(caller)).mobile == "199****0001"
    await auth.caller("theirs")
    for openid in ("theirs", "nobodys"):
        code, encrypted, iv = auth.mini_program.sealed_mobile_for(openid, "19900000002")
        with pytest.raises(MobileCodeInvalid):
            await auth.citizens.set_sealed_mobile(caller, login_code=code, encrypted=encrypted, iv=iv)
    assert (await auth.citizens.me(caller)).mobile == "199****0001"


async def test_groups_are_those_that_are_proved_and_the_elderly_by_their_birth_date(auth: Auth) -> None:
    elder = await auth.caller_named("openid-elder", "逄秀英", "999999194910017247")
    assert (await auth.citizens.me(elder)).groups == ("elderly",)
    younger = await auth.caller_named("openid-younger", "霍明哲", "999999198503122179")
    await auth.citizens.choose_elder(await present(auth, younger), chosen=True)
    me = await auth.citizens.me(younger)
    assert (me.elder, me.groups) == (True, ())

    async def grant() -> None:
        until = date(2026, 3, 20)
        await auth.groups.grant(younger.citizen_id, "migrant-workers", source="residence-permit", until=until)
        await auth.groups.grant(younger.citizen_id, "migrant-workers", source="another", until=None)

    await transaction(grant)
    assert (await auth.citizens.me(younger)).groups == ("migrant-workers",)


async def test_the_mobile_stands_nowhere_in_clear(auth: Auth) -> None:
    await auth.citizens.set_mobile(await auth.caller(), auth.mini_program.mobile_code_for("19900000001"))
    stored = repr([await fetch("SELECT * FROM citizen"), await fetch("SELECT * FROM audit_line")])
    assert "19900000001" not in stored
    assert b"19900000001".hex() not in stored


async def test_the_elder_profile_is_chosen_and_given_back_on_all_devices(auth: Auth) -> None:
    caller = await auth.caller_named("openid-1", NAME, NUMBER)
    other = await auth.log_in("openid-1")
    await auth.citizens.choose_elder(caller, chosen=True)
    assert (await auth.citizens.me(caller)).elder
    assert (await auth.sessions.caller_of(other.access_token)).elder
    await auth.citizens.choose_elder(caller, chosen=False)
    assert not (await auth.sessions.caller_of(other.access_token)).elder


async def test_who_is_old_enough_is_an_elder_without_choosing(auth: Auth) -> None:
    caller = await auth.caller_named("openid-1", "逄秀英", "999999194910017247")
    await auth.citizens.choose_elder(caller, chosen=False)
    assert (await auth.citizens.me(caller)).elder
    assert (await auth.sessions.caller_of(auth.tokens.issue(caller.citizen_id, caller.session_id))).elder
