"""Being told: a tap in WeChat, a message there, a short message when WeChat says no, the inbox in any case."""

import asyncio
import uuid
from collections.abc import Callable
from typing import Any

from tests.journeys.resident import Resident


async def shown(resident: Resident, path: str, count: int) -> list[dict[str, Any]]:
    """Wait until the sandbox shows so many messages."""
    for _ in range(100):
        items: list[dict[str, Any]] = (await resident.tell_sandbox("GET", path))["items"]
        if len(items) >= count:
            return items
        await asyncio.sleep(0.1)
    raise AssertionError(f"{path} shows too little")


async def come_from_a_new_device(resident: Resident) -> None:
    resident.device = uuid.uuid4().hex
    assert (await resident.log_in()).status == 201


async def test_somebody_is_told_of_a_new_device_by_wechat_then_by_short_message(
    resident: Callable[[str], Resident],
) -> None:
    me = resident("lieyunqi")
    assert (await me.log_in()).status == 201
    assert (await me.identify()).status == 200
    person = await me.person()
    code = (await me.tell_sandbox("POST", "/sandbox/wechat/phone-codes", {"person": me.slug}))["code"]
    assert (await me.ask("PUT", "/v1/citizen/me/mobile", {"code": code})).status == 200

    topics = {each["topic"]: each for each in (await me.ask("GET", "/v1/citizen/notice-settings")).body["topics"]}
    [template] = topics["security"]["template_ids"]
    tap = {"person": me.slug, "template": template, "status": "accept", "tell": f"{me.portal}/v1/wechat/push"}
    assert (await me.tell_sandbox("POST", "/sandbox/wechat/subscriptions", tap))["answered"] == 200

    cards, texts = f"/sandbox/wechat/messages?person={me.slug}", f"/sandbox/sms/notices?mobile={person['mobile']}"
    await come_from_a_new_device(me)
    [card] = await shown(me, cards, 1)
    assert card["data"]["thing1"] == "账户在新设备上登录"

    # Turned off in WeChat, and the push of it is lost: WeChat answers 43101, which is no trouble at all.
    off = {"person": me.slug, "template": template, "status": "turn-off"}
    await me.tell_sandbox("POST", "/sandbox/wechat/subscriptions", off)
    await come_from_a_new_device(me)
    [text] = await shown(me, texts, 1)
    assert text["text"].startswith("【指尖办事】您的账户在新设备上登录。")
    assert person["name"] not in text["text"]

    inbox = (await me.ask("GET", "/v1/citizen/notices")).body
    new = [item for item in inbox["items"] if item["event"] == "auth.new-device"]
    assert len(new) == 2
    assert inbox["unread"] >= 2
    assert (await me.ask("PUT", f"/v1/citizen/notices/{new[0]['id']}/read")).status == 204
    assert (await me.ask("GET", "/v1/citizen/notices")).body["unread"] == inbox["unread"] - 1
    told = [line["action"] for line in (await me.ask("GET", "/v1/citizen/ledger?limit=100")).body["items"]]
    assert "notices.sent" in told
