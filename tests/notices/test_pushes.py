"""What WeChat pushes: proved, read in every form, taken in once."""

import asyncio
import base64
import hashlib
import json
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr
from wechatpy.crypto import WeChatCrypto

from core.db import fetch_one
from notices.adapters.wechat_push import WechatPush
from notices.errors import PushRefused
from notices.types import Push, PushItem, Reason, Subscribed
from tests.conftest import Ground
from tests.fakes.auth import make_auth
from tests.fakes.ground import FixedClock
from tests.fakes.notices import FakePushReader, House, make_house
from tests.notices.people import MATTER, somebody

APP, TOKEN = "wx4f4bc4dec97d474b", "AAAAA"
AES_KEY = base64.b64encode(bytes(range(32))).decode().rstrip("=")
# WeChat's own vector (facts 5.5).
VECTOR = {
    "timestamp": "1714036504",
    "nonce": "1514711492",
    "signature": "f464b24fc39322e44b38aa78f5edd27bd1441696",
    "echostr": "4375120948345356249",
}
THEN = datetime.fromtimestamp(1714036504, UTC)
POPUP_XML = """<xml>
<ToUserName><![CDATA[gh_123456789abc]]></ToUserName>
<FromUserName><![CDATA[otFpruAK8D-E6EfStSYonYSBZ8_4]]></FromUserName>
<CreateTime>1610969440</CreateTime><MsgType><![CDATA[event]]></MsgType>
<Event><![CDATA[subscribe_msg_popup_event]]></Event>
<SubscribeMsgPopupEvent>
<List><TemplateId><![CDATA[T1]]></TemplateId><SubscribeStatusString><![CDATA[accept]]></SubscribeStatusString>
<PopupScene>2</PopupScene></List>
<List><TemplateId><![CDATA[T2]]></TemplateId><SubscribeStatusString><![CDATA[reject]]></SubscribeStatusString>
<PopupScene>2</PopupScene></List>
</SubscribeMsgPopupEvent></xml>"""
POPUP = (PushItem("T1", "accept"), PushItem("T2", "reject"))


def reader(*, token: str = TOKEN, aes_key: str = "", at: datetime = THEN) -> WechatPush:
    return WechatPush(token=SecretStr(token), aes_key=SecretStr(aes_key), app_id=APP, clock=FixedClock(at))


def signed(*more: str, at: datetime = THEN, name: str = "signature", token: str = TOKEN) -> dict[str, str]:
    """The query of a push, signed as WeChat's page has it."""
    timestamp, nonce = str(int(at.timestamp())), secrets.token_hex(5)
    digest = hashlib.sha1("".join(sorted([token, timestamp, nonce, *more])).encode()).hexdigest()  # noqa: S324
    return {"timestamp": timestamp, "nonce": nonce, name: digest}


def sealed(message: str, *, app_id: str = APP, as_json: bool = False) -> tuple[dict[str, str], bytes]:
    """A push in safe mode, encrypted by wechatpy."""
    text = WeChatCrypto(TOKEN, AES_KEY, app_id).encrypt_message(message, "n", str(int(THEN.timestamp())))
    encrypted = text.partition("<Encrypt><![CDATA[")[2].partition("]]")[0]
    query = {"encrypt_type": "aes", **signed(encrypted, name="msg_signature")}
    return query, (json.dumps({"Encrypt": encrypted}) if as_json else text).encode()


def test_wechats_own_vector_is_answered_with_its_echo() -> None:
    assert reader().echo(VECTOR) == "4375120948345356249"


@pytest.mark.parametrize(
    "change",
    [
        {"signature": "f464b24fc39322e44b38aa78f5edd27bd1441697"},
        {"signature": ""},
        {"nonce": "1514711493"},
        {"timestamp": "1714036505"},
        {"timestamp": ""},
        {"timestamp": "x" * 128},
        {"signature": "签名"},
    ],
)
def test_a_vector_that_was_touched_is_refused(change: dict[str, str]) -> None:
    with pytest.raises(PushRefused):
        reader().echo({**VECTOR, **change})


def test_without_a_token_nothing_is_taken() -> None:
    timestamp, nonce = VECTOR["timestamp"], "n"
    digest = hashlib.sha1("".join(sorted(["", timestamp, nonce])).encode()).hexdigest()  # noqa: S324
    with pytest.raises(PushRefused):
        reader(token="").echo({"timestamp": timestamp, "nonce": nonce, "signature": digest})


@pytest.mark.parametrize(("seconds", "taken"), [(0, True), (600, True), (601, False), (-600, True), (-601, False)])
def test_an_old_push_is_somebodys_copy(seconds: int, taken: bool) -> None:
    late = reader(at=THEN + timedelta(seconds=seconds))
    if taken:
        assert late.read(signed(), POPUP_XML.encode()).items == POPUP
    else:
        with pytest.raises(PushRefused):
            late.read(signed(), POPUP_XML.encode())


def test_xml_and_json_in_plain_and_in_safe_mode_are_read_alike() -> None:
    told = {"FromUserName": "otFpruAK8D-E6EfStSYonYSBZ8_4", "CreateTime": 1610969440, "MsgType": "event"}
    items = [
        {"TemplateId": "T1", "SubscribeStatusString": "accept", "PopupScene": "2"},
        {"TemplateId": "T2", "SubscribeStatusString": "reject", "PopupScene": "2"},
    ]
    as_json = json.dumps({**told, "Event": "subscribe_msg_popup_event", "List": items})
    safe = reader(aes_key=AES_KEY)
    read = [
        reader().read(signed(), POPUP_XML.encode()),
        reader().read(signed(), as_json.encode()),
        safe.read(*sealed(POPUP_XML)),
        safe.read(*sealed(as_json, as_json=True)),
    ]
    assert {push.items for push in read} == {POPUP}
    assert {(push.openid, push.event) for push in read} == {
        ("otFpruAK8D-E6EfStSYonYSBZ8_4", "subscribe_msg_popup_event")
    }
    # One event is one event, in whatever form it comes.
    assert len({push.key for push in read}) == 1


def test_one_item_alone_comes_as_an_object_and_a_message_number_as_a_number() -> None:
    body = {
        "FromUserName": "o",
        "CreateTime": "1",
        "Event": "subscribe_msg_sent_event",
        "List": {"TemplateId": "T1", "MsgID": 1864323726461255680, "ErrorCode": "0", "ErrorStatus": "success"},
    }
    push = reader().read(signed(), json.dumps(body).encode())
    assert push.items == (PushItem("T1", "", "1864323726461255680", 0),)


def test_with_a_key_a_plain_push_is_refused() -> None:
    with pytest.raises(PushRefused):
        reader(aes_key=AES_KEY).read(signed(), POPUP_XML.encode())


def test_a_push_for_another_mini_program_is_refused() -> None:
    with pytest.raises(PushRefused):
        reader(aes_key=AES_KEY).read(*sealed(POPUP_XML, app_id="wx-of-somebody-else"))


def test_every_flipped_byte_of_a_sealed_push_is_refused() -> None:
    query, body = sealed(POPUP_XML, as_json=True)
    safe = reader(aes_key=AES_KEY)
    assert safe.read(query, body).items == POPUP
    for place in range(len(b'{"Encrypt": "'), len(body) - 2):
        flipped = bytearray(body)
        flipped[place] ^= 1
        with pytest.raises(PushRefused):
            safe.read(query, bytes(flipped))


def sign_any(body: bytes) -> tuple[dict[str, str], bytes]:
    return signed(), body


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<",
        b"<xml>",
        b"null",
        b"[]",
        b"[" * 100_000,
        b"{}" * 2,
        "<xml><Event>编码</Event></xml>".encode("gbk"),
        b"\xff\xfe",
        b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><xml><Event>&b;</Event></xml>',
        b'<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]><xml><Event>&f;</Event></xml>',
        json.dumps({"FromUserName": "o", "Event": "e", "List": ["x"]}).encode(),
        json.dumps({"FromUserName": ["o"], "Event": "e"}).encode(),
        json.dumps({"FromUserName": "o" * 200, "Event": "e"}).encode(),
        json.dumps({"FromUserName": "o", "Event": "e", "List": [{}] * 21}).encode(),
        json.dumps({"FromUserName": "o", "Event": "e", "List": [{"ErrorCode": "x"}]}).encode(),
    ],
)
def test_what_cannot_be_read_is_refused_and_opens_nothing(body: bytes) -> None:
    with pytest.raises(PushRefused):
        reader().read(*sign_any(body))


@pytest.mark.parametrize("encrypted", ["", "AAAA", "不是密文", base64.b64encode(bytes(64)).decode(), "A" * 43])
def test_what_does_not_open_is_refused(encrypted: str) -> None:
    query = {"encrypt_type": "aes", **signed(encrypted, name="msg_signature")}
    with pytest.raises(PushRefused):
        reader(aes_key=AES_KEY).read(query, json.dumps({"Encrypt": encrypted}).encode())


def test_a_push_prints_nothing_of_its_sender() -> None:
    assert "otFpru" not in repr(reader().read(signed(), POPUP_XML.encode()))


# --- what follows ---------------------------------------------------------------------------------------------------


@dataclass
class Pushed:
    house: House
    reader: FakePushReader

    async def push(self, event: str, *items: PushItem, openid: str = "openid-1", key: str = "") -> bool:
        self.reader.next.append(Push(key or secrets.token_hex(8), openid, event, items))
        return await self.house.pushes.take({}, b"")


@pytest.fixture
def pushed(ground: Ground) -> Pushed:
    reader = FakePushReader()
    return Pushed(make_house(ground, make_auth(ground), reader=reader), reader)


async def test_taps_fill_the_ledger_and_settings_empty_it(pushed: Pushed) -> None:
    house = pushed.house
    me = await somebody(house)
    contact = await house.auth.contacts.find(me.citizen_id)
    assert contact is not None
    account_id = contact.accounts[0].account_id
    house.wechat.quota["openid-1"] = 9
    await pushed.push("subscribe_msg_popup_event", PushItem("tmpl-progress", "accept"), PushItem("tmpl-x", "accept"))
    await pushed.push("subscribe_msg_popup_event", PushItem("tmpl-progress", "reject"))
    await house.tell("matters.approved", me.citizen_id, **MATTER)
    assert await house.deliveries(me.citizen_id) == [("wechat", "sent", "")]
    await pushed.push("subscribe_msg_popup_event", PushItem("tmpl-security", "accept"))
    assert await house.subscriptions.find_ready(contact.accounts, "security") is not None
    await pushed.push("subscribe_msg_change_event", PushItem("tmpl-security", "reject"))
    assert await house.subscriptions.find_ready(contact.accounts, "security") is None
    assert [what for _, what in await house.subscriptions.ledger_of(account_id)] == [
        Subscribed.ACCEPTED,
        Subscribed.REJECTED,
        Subscribed.USED,
        Subscribed.ACCEPTED,
        Subscribed.REJECTED,
    ]


async def test_the_same_push_twenty_times_at_once_has_its_effect_once(pushed: Pushed) -> None:
    house = pushed.house
    await somebody(house)
    item = PushItem("tmpl-progress", "accept")
    new = await asyncio.gather(*(pushed.push("subscribe_msg_popup_event", item, key="the same") for _ in range(20)))
    assert sorted(new) == [False] * 19 + [True]
    assert await fetch_one("SELECT remaining FROM subscription") == {"remaining": 1}
    house.ground.clock.move(timedelta(days=3))
    assert await house.pushes.forget() == 1


async def test_a_stranger_may_tap_without_effect(pushed: Pushed) -> None:
    assert await pushed.push("subscribe_msg_popup_event", PushItem("tmpl-progress", "accept"), openid="nobody")
    assert await fetch_one("SELECT count(*) AS n FROM subscription") == {"n": 0}


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (0, [("wechat", "delivered", "")]),
        (43108, [("wechat", "permanent-failure", "not-received"), ("sms", "sent", "")]),
    ],
)
async def test_what_wechat_tells_of_a_message_settles_it(
    pushed: Pushed, code: int, expected: list[tuple[str, str, str]]
) -> None:
    house = pushed.house
    me = await somebody(house)
    await house.consent(me, "progress")
    await house.tell("matters.approved", me.citizen_id, **MATTER)
    await pushed.push("subscribe_msg_sent_event", PushItem("tmpl-progress", "", "1001", code))
    await house.work(until=timedelta(seconds=10))
    assert await house.deliveries(me.citizen_id) == expected


async def test_nobody_piles_up_consents_without_end(pushed: Pushed) -> None:
    await somebody(pushed.house)
    for _ in range(60):
        await pushed.push("subscribe_msg_popup_event", PushItem("tmpl-progress", "accept"))
    assert await fetch_one("SELECT remaining FROM subscription") == {"remaining": 50}


def test_reasons_are_a_closed_set() -> None:
    assert all(len(reason.value) <= 16 for reason in Reason)
