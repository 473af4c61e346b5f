from datetime import timedelta
from pathlib import Path
from typing import Any

from tests.sandbox.town import Caller, Keys, MovableClock, opened


async def code_for(caller: Caller, person: str, kind: str = "codes", **more: str) -> str:
    heard = await caller.call("POST", f"/sandbox/wechat/{kind}", {"person": person, **more})
    assert heard.status == 201
    return str(heard.json["code"])


async def session(caller: Caller, code: str, **wrong: str) -> dict[str, Any]:
    told = caller.keys.told["wechat"]
    query = {"appid": told["app_id"], "secret": told["app_secret"], "grant_type": "authorization_code", **wrong}
    path = "/wechat/sns/jscode2session?" + "&".join(f"{name}={value}" for name, value in query.items())
    heard = await caller.call("GET", f"{path}&js_code={code}")
    assert heard.status == 200
    return heard.json


async def token(caller: Caller, **more: object) -> dict[str, Any]:
    told = caller.keys.told["wechat"]
    asked = {"grant_type": "client_credential", "appid": told["app_id"], "secret": told["app_secret"], **more}
    return (await caller.call("POST", "/wechat/cgi-bin/stable_token", asked)).json


async def phone(caller: Caller, access_token: str, code: str) -> dict[str, Any]:
    path = f"/wechat/wxa/business/getuserphonenumber?access_token={access_token}"
    return (await caller.call("POST", path, {"code": code})).json


async def test_a_code_works_once(caller: Caller) -> None:
    code = await code_for(caller, "huomingzhe")
    told = await session(caller, code)
    assert len(told["openid"]) == 28
    assert told["session_key"]
    assert told["unionid"] != told["openid"]
    assert (await session(caller, code))["errcode"] == 40163


async def test_a_code_lives_five_minutes(caller: Caller, clock: MovableClock) -> None:
    young, old = await code_for(caller, "huomingzhe"), await code_for(caller, "huomingzhe")
    clock.ahead = timedelta(seconds=295)
    assert "openid" in await session(caller, young)
    clock.ahead = timedelta(seconds=305)
    assert (await session(caller, old))["errcode"] == 40029


async def test_an_account_keeps_its_name_and_another_has_another(data: Path, keys: Keys, clock: MovableClock) -> None:
    async with opened(data, keys, clock) as caller:
        first = (await session(caller, await code_for(caller, "huomingzhe")))["openid"]
        other = (await session(caller, await code_for(caller, "qumanlin")))["openid"]
        assert other != first
        waiting = await code_for(caller, "huomingzhe")
    async with opened(data, keys, clock) as caller:
        assert (await session(caller, waiting))["openid"] == first


async def test_a_stranger_may_be_the_same_stranger_again(caller: Caller) -> None:
    openids = [
        (await session(caller, await code_for(caller, "stranger", **more)))["openid"]
        for more in ({}, {}, {"account": "neighbour"}, {"account": "neighbour"}, {"account": "huomingzhe"})
    ]
    assert openids[2] == openids[3]
    assert len(set(openids)) == 4
    assert (await session(caller, await code_for(caller, "huomingzhe")))["openid"] not in openids


async def test_the_errors_are_those_of_the_page(caller: Caller) -> None:
    code = await code_for(caller, "huomingzhe")
    assert (await session(caller, "nonsense"))["errcode"] == 40029
    assert (await session(caller, code, appid="wx0"))["errcode"] == 40013
    assert (await session(caller, code, secret="x"))["errcode"] == 40125
    assert (await session(caller, code, grant_type="x"))["errcode"] == 40002
    assert "openid" in await session(caller, code)
    assert (await token(caller, appid="wx0"))["errcode"] == 40013
    assert (await token(caller, secret="x"))["errcode"] == 40125


async def test_the_stable_token_is_stable_until_it_is_renewed(caller: Caller, clock: MovableClock) -> None:
    first = await token(caller)
    assert first["expires_in"] <= 7200
    assert (await token(caller))["access_token"] == first["access_token"]
    forced = await token(caller, force_refresh=True)
    assert forced["access_token"] != first["access_token"]
    # The old one stays good for five minutes.
    code = await code_for(caller, "huomingzhe", "phone-codes")
    assert (await phone(caller, first["access_token"], code))["errcode"] == 0
    clock.ahead = timedelta(seconds=310)
    code = await code_for(caller, "huomingzhe", "phone-codes")
    assert (await phone(caller, first["access_token"], code))["errcode"] == 42001
    assert (await phone(caller, forced["access_token"], code))["errcode"] == 0


async def test_the_token_outlives_a_restart(data: Path, keys: Keys, clock: MovableClock) -> None:
    async with opened(data, keys, clock) as caller:
        first = (await token(caller))["access_token"]
    async with opened(data, keys, clock) as caller:
        assert (await token(caller))["access_token"] == first


async def test_a_phone_code_gives_the_number_once(caller: Caller) -> None:
    access_token = (await token(caller))["access_token"]
    code = await code_for(caller, "huomingzhe", "phone-codes")
    told = await phone(caller, access_token, code)
    assert told["phone_info"]["purePhoneNumber"] == "19900000001"
    assert told["phone_info"]["watermark"]["appid"] == caller.keys.told["wechat"]["app_id"]
    assert (await phone(caller, access_token, code))["errcode"] == 40029
    assert (await phone(caller, "nonsense", code))["errcode"] == 40001


async def test_a_login_code_is_no_phone_code(caller: Caller) -> None:
    access_token = (await token(caller))["access_token"]
    assert (await phone(caller, access_token, await code_for(caller, "huomingzhe")))["errcode"] == 40029
    assert (await session(caller, await code_for(caller, "huomingzhe", "phone-codes")))["errcode"] == 40029
