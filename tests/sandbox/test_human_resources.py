import json
from datetime import timedelta
from typing import Any

import pytest
from gmssl_pyx import sm3_hash, sm3_hmac

from tests.sandbox.town import Caller, MovableClock

CERTIFICATE = "/human-resources/sharing/queryCertInfoByHolderCode"
INSURANCE = "/human-resources/sharing/queryInsurance"
DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


async def data_of(caller: Caller, slug: str, **more: object) -> dict[str, object]:
    person = await caller.person(slug)
    asked = {"certTypeCode": "social-security-card", "holderCode": person["id_number"], "holderTypeCode": "111"}
    return {**asked, "holderName": person["name"], "useCause": "本人领取证照", **more}


async def share(
    caller: Caller, path: str, data: dict[str, object], *, at: int | None = None, signed: object = None
) -> dict[str, Any]:
    told = caller.keys.told["human_resources"]
    seconds = str(at or int(caller.clock.seconds()))
    compact = json.dumps(signed or data, ensure_ascii=False, separators=(",", ":")).encode()
    text = f"{told['access_id']}.{seconds}.{sm3_hash(compact).hex()}".encode()
    head = {"accessId": told["access_id"], "accessToken": f"{seconds}.{sm3_hmac(told['secret'].encode(), text).hex()}"}
    heard = await caller.call("POST", path, {"head": head, "data": data})
    assert heard.status == 200
    return heard.json


async def test_a_card_comes_sealed_to_the_caller(caller: Caller) -> None:
    told = await share(caller, CERTIFICATE, await data_of(caller, "huomingzhe"))
    assert told["head"]["status"] == 0
    card = caller.keys.open(told["data"]["certData"])
    assert set(card) == {
        *("cert_identifier", "certno", "name", "state", "issue_date", "valid_until"),
        *("issuer", "issuer_code", "serial", "version", "items"),
    }
    assert set(card["items"]) == {
        *("name", "social_security_number", "card_number", "issued_on", "bank", "bank_account", "region")
    }
    assert (card["name"], card["issue_date"], card["valid_until"]) == ("霍明哲", "20181105", None)


async def test_each_answer_has_an_iv_of_its_own_and_a_key_serves_ten_minutes(
    caller: Caller, clock: MovableClock
) -> None:
    data = await data_of(caller, "huomingzhe")

    async def sealed() -> dict[str, str]:
        told: dict[str, str] = (await share(caller, CERTIFICATE, data))["data"]["certData"]
        return told

    first, second = await sealed(), await sealed()
    assert first["key"] == second["key"]
    assert first["iv"] != second["iv"]
    assert first["cipher"] != second["cipher"]
    clock.ahead = timedelta(seconds=601)
    later = await sealed()
    assert not set(later.values()) & set(second.values())
    assert caller.keys.open(later) == caller.keys.open(first)


async def test_the_identifier_carries_its_check_digit(caller: Caller) -> None:
    told = await share(caller, CERTIFICATE, await data_of(caller, "chenxinran"))
    identifier = caller.keys.open(told["data"]["certData"])["cert_identifier"]
    assert identifier.startswith("1.2.156.3005.2.")
    # ISO 7064 MOD 37,36, checked the other way round: with its digit the whole comes to 1.
    check = 36
    for character in identifier.removeprefix("1.2.156.3005.2.").replace(".", "")[:-1]:
        check = (check + DIGITS.index(character)) % 36 or 36
        check = check * 2 % 37
    assert (check + DIGITS.index(identifier[-1])) % 36 == 1


async def test_insurance_is_told_for_those_who_have_it(caller: Caller) -> None:
    told = await share(caller, INSURANCE, await data_of(caller, "chenxinran"))
    insured = caller.keys.open(told["data"]["certData"])
    assert insured["insured"] is True
    assert insured["employer"]
    assert len(insured["since"]) == 8
    told = await share(caller, INSURANCE, await data_of(caller, "pangxiuying"))
    assert caller.keys.open(told["data"]["certData"]) == {"name": "逄秀英", "insured": False}


async def test_what_is_not_held_is_404_in_the_head(caller: Caller) -> None:
    for data in (
        await data_of(caller, "huomingzhe", holderCode="999999199011053335"),
        await data_of(caller, "hefangzhou"),
        await data_of(caller, "huomingzhe", holderName="霍明"),
    ):
        assert (await share(caller, CERTIFICATE, data))["head"]["status"] == 404


@pytest.mark.parametrize(
    "wrong", [{"useCause": ""}, {"useCause": "因" * 201}, {"holderTypeCode": "001"}, {"certTypeCode": "passport"}]
)
async def test_a_question_that_is_none_is_422_in_the_head(caller: Caller, wrong: dict[str, object]) -> None:
    data = await data_of(caller, "huomingzhe", **wrong)
    assert (await share(caller, CERTIFICATE, data))["head"]["status"] == 422


async def test_a_use_cause_may_be_two_hundred_characters_long(caller: Caller) -> None:
    data = await data_of(caller, "huomingzhe", useCause="因" * 200)
    assert (await share(caller, CERTIFICATE, data))["head"]["status"] == 0


async def test_a_token_is_for_its_data_and_its_time(caller: Caller) -> None:
    data = await data_of(caller, "huomingzhe")
    other, now = await data_of(caller, "qumanlin"), int(caller.clock.seconds())
    assert (await share(caller, CERTIFICATE, data, signed=other))["head"]["status"] == 401
    assert (await share(caller, CERTIFICATE, data, at=now - 302))["head"]["status"] == 401
    assert (await share(caller, CERTIFICATE, data, at=now - 290))["head"]["status"] == 0


async def test_a_body_that_is_none_is_422_in_the_head(caller: Caller) -> None:
    for body in (b"", b"{}", b'{"head": {}, "data": {}}'):
        assert (await caller.call("POST", INSURANCE, body)).json["head"]["status"] == 422
