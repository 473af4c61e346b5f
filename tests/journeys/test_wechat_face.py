"""A face check by WeChat, through real processes and sockets: begun, gone through in its window, asked for."""

import uuid
from collections.abc import Callable

from tests.journeys.resident import Reply, Resident

CHECKS = "/v1/citizen/wechat-face-checks"
ASKED = {"purpose": "step-up", "consent": "wechat-face@1"}


async def go_through(who: Resident, verify_id: str, **more: object) -> None:
    """Do what `wx.requestFacialVerify` would."""
    body = {"verify_id": verify_id, "person": who.slug, **more}
    await who.tell_sandbox("POST", "/sandbox/wechat/facial-verifications", body)


async def begun(who: Resident) -> Reply:
    check = await who.ask("POST", CHECKS, ASKED)
    assert check.status == 201, check.text
    assert check.headers["Location"] == f"{CHECKS}/{check.body['id']}"
    return check


async def test_the_ways_name_it_and_passing_it_raises_the_session(resident: Callable[[str], Resident]) -> None:
    who = resident("huomingzhe")
    assert (await who.log_in()).status == 201
    assert (await who.identify()).status == 200
    fetched = await who.ask("POST", "/v1/citizen/certificates", {"kind": "driving-licence"})
    refused = await who.ask("GET", f"/v1/citizen/certificates/{fetched.body['id']}")
    assert (refused.status, refused.body["code"]) == (403, "auth.level-too-low")
    ways = {way["method"]: way["start"] for way in refused.body["ways"]}
    assert ways["wechat-face"] == CHECKS
    check = await begun(who)
    assert "wechat-face" not in {way["method"] for way in check.body["alternatives"]}
    results = f"{CHECKS}/{check.body['id']}/results"
    assert (await who.ask("POST", results)).body["outcome"] == "pending"
    await go_through(who, check.body["verify_id"])
    key = uuid.uuid4().hex
    told = [await who.ask("POST", results, key=key) for _ in range(2)]
    assert [(each.status, each.body["outcome"]) for each in told] == [(200, "passed")] * 2
    assert (await who.ask("GET", f"/v1/citizen/certificates/{fetched.body['id']}")).status == 200
    again = await who.ask("POST", results)
    assert (again.status, again.body["code"]) == (409, "face.check-decided")
    lines = (await who.ask("GET", "/v1/citizen/ledger")).body["items"]
    [gone_out] = [line for line in lines if line["action"] == "face.platform-told"]
    assert set(gone_out["fields"]) == {"name", "id_number", "openid"}


async def test_a_failure_says_what_it_means_and_what_else_there_is(resident: Callable[[str], Resident]) -> None:
    who = resident("lieyunqi")
    assert (await who.log_in()).status == 201
    assert (await who.identify()).status == 200
    for more, reason, may_help in (({}, "not_passed", True), ({"verify_ret": 90001}, "device_unfit", False)):
        check = await begun(who)
        await go_through(who, check.body["verify_id"], **more)
        told = await who.ask("POST", f"{CHECKS}/{check.body['id']}/results", headers={"X-Client-Mode": "elder"})
        assert (told.body["outcome"], told.body["reason"], told.body["may_help"]) == ("failed", reason, may_help)
        assert told.body["message"]
        assert told.body["plain"]
        assert {way["method"] for way in told.body["alternatives"]} >= {"face", "counter", "phone"}
    assert (await who.ask("GET", "/v1/citizen/me")).body["level"] == "real_name"


async def test_another_consent_and_a_session_without_wechat_are_refused(resident: Callable[[str], Resident]) -> None:
    who = resident("huomingzhe")
    assert (await who.log_in()).status == 201
    assert (await who.identify()).status == 200
    refused = await who.ask("POST", CHECKS, {"purpose": "step-up", "consent": "face@1"})
    assert (refused.status, refused.body["code"]) == (403, "auth.consent-required")
    assert refused.body["consent"] == "wechat-face@1"
    assert (await who.ask("POST", CHECKS, {**ASKED, "purpose": "elder-session"})).status == 422
    elder = resident("pangxiuying")
    await elder.come_as_elder()
    refused = await elder.ask("POST", CHECKS, ASKED)
    assert (refused.status, refused.body["code"]) == (403, "face.account-needed")
    assert refused.body["alternatives"]


async def test_when_wechat_is_away_the_resident_hears_it_and_begins_again(resident: Callable[[str], Resident]) -> None:
    who = resident("wanqiushi")  # nobody else fails under this name, so attempts are left
    assert (await who.log_in()).status == 201
    assert (await who.identify()).status == 200
    check = await begun(who)
    await go_through(who, check.body["verify_id"])
    await who.tell_sandbox("PUT", "/sandbox/faults/wechat", {"mode": "accept_then_drop"})
    try:
        away = await who.ask("POST", CHECKS, ASKED)
        assert (away.status, away.body["code"], away.body["retryable"]) == (503, "face.platform-unavailable", True)
        asked = await who.ask("POST", f"{CHECKS}/{check.body['id']}/results")
        assert (asked.status, asked.body["code"]) == (503, "face.platform-unavailable")
        assert asked.body["alternatives"]
    finally:
        await who.tell_sandbox("PUT", "/sandbox/faults/wechat", {"mode": "ok"})
    told = await who.ask("POST", f"{CHECKS}/{check.body['id']}/results")
    assert (told.status, told.body["outcome"]) == (200, "passed")
    assert told.body["attempts_left"] == check.body["attempts_left"] + 1, (
        "what was taken at the beginning is given back"
    )
