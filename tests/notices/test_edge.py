"""Inbox, settings, family, pushes, reports and the operators' view as callers see them, over a real connection."""

import hashlib
import json
import secrets
import socket
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import aiohttp
import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from http_message_signatures import HTTPMessageSigner, MappingKeyResolver
from http_message_signatures.algorithms import ED25519
from pydantic import SecretStr

from api import app as edge
from api.citizen import notices
from api.departments import message_reports
from api.idempotency import Idempotency
from api.public import wechat_push
from api.staff import notices as staff_notices
from auth.types import Caller, Role
from core.db import as_uuid, fetch, fetch_one
from core.signers.http_signature import SignatureChecker, TrustedKey
from notices.adapters.wechat_push import WechatPush
from tests.conftest import Ground
from tests.fakes.auth import make_auth
from tests.fakes.notices import House, make_house
from tests.notices.people import MATTER, an_elder, somebody
from tests.privacy import leaks

TOKEN = "a-token-of-the-push"
KEY, STRANGERS_KEY = ed25519.Ed25519PrivateKey.generate(), ed25519.Ed25519PrivateKey.generate()


@dataclass
class Answered:
    """An answer, read to its end."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)


@dataclass
class Client:
    """Calls the portal."""

    house: House
    session: aiohttp.ClientSession
    base: str

    async def call(
        self, method: str, path: str, body: object = None, *, by: Caller | None = None, token: str = "", **headers: str
    ) -> Answered:
        own = {name.replace("_", "-"): value for name, value in headers.items()}
        if by is not None:
            token = self.house.auth.tokens.issue(by.citizen_id, by.session_id)
        if token:
            own["Authorization"] = f"Bearer {token}"
        data = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
        if data is not None:
            own.setdefault("Content-Type", "application/json")
        async with self.session.request(method, self.base + path, data=data, headers=own) as answer:
            return Answered(answer.status, answer.headers, await answer.text())

    def pushed(self, **more: str) -> str:
        """The query of a push."""
        timestamp, nonce = str(int(self.house.ground.clock.now().timestamp())), secrets.token_hex(5)
        digest = hashlib.sha1("".join(sorted([TOKEN, timestamp, nonce])).encode()).hexdigest()  # noqa: S324
        told = {"signature": digest, "timestamp": timestamp, "nonce": nonce, **more}
        return "&".join(f"{name}={value}" for name, value in told.items())

    async def report(
        self, body: Mapping[str, str], *, key: ed25519.Ed25519PrivateKey = KEY, department: str = "sms"
    ) -> Answered:
        """A report, signed by the provider."""
        path, data = f"/v1/departments/{department}/message-reports", json.dumps(body).encode()
        outgoing = SimpleNamespace(method="POST", url=self.base + path, headers={"Content-Type": "application/json"})
        signer = HTTPMessageSigner(
            signature_algorithm=ED25519, key_resolver=MappingKeyResolver(public_keys={}, private_keys={"sms-1": key})
        )
        signer.sign(
            outgoing,
            key_id="sms-1",
            created=self.house.ground.clock.now(),
            nonce=secrets.token_hex(16),
            label="sig1",
            include_alg=False,
            covered_component_ids=("@method", "@target-uri", "content-digest", "content-type"),
            body=data,
        )
        async with self.session.post(self.base + path, data=data, headers=outgoing.headers) as answer:
            return Answered(answer.status, answer.headers, await answer.text())


@pytest.fixture
async def client(ground: Ground) -> AsyncIterator[Client]:
    auth = make_auth(ground)
    reader = WechatPush(token=SecretStr(TOKEN), aes_key=SecretStr(""), app_id="wx-ours", clock=ground.clock)
    house = make_house(ground, auth, reader=reader)
    listener = socket.create_server(("127.0.0.1", 0))
    base = f"http://127.0.0.1:{listener.getsockname()[1]}"
    services = SimpleNamespace(
        idempotency=Idempotency(vault=ground.vault, clock=ground.clock, ids=ground.ids),
        signatures=SignatureChecker({"sms-1": TrustedKey("sms", KEY.public_key())}, clock=ground.clock),
        public_url=base,
        sessions=auth.sessions,
        staff_sessions=auth.staff.sessions,
        inbox=house.inbox,
        notice_choices=house.choices,
        notice_copies=house.copies,
        pushes=house.pushes,
        message_reports=house.reports,
        undelivered_notices=house.undelivered,
    )
    routes = [notices.routes, wechat_push.routes, message_reports.routes, staff_notices.routes]
    app = edge.create_app(services, routes, clock=ground.clock, ids=ground.ids, name=f"test-{uuid4().hex}")
    server: Any = await app.create_server(sock=listener, return_asyncio_server=True)
    await server.startup()
    await server.start_serving()
    async with aiohttp.ClientSession() as session:
        yield Client(house, session, base)
    await server.close()


async def test_the_inbox_comes_in_pages_newest_first_with_what_is_unread(client: Client) -> None:
    me = await somebody(client.house)
    for _ in range(5):
        await client.house.tell("matters.approved", me.citizen_id, client.house.ground.ids.uuid(), **MATTER)
        client.house.ground.clock.move(timedelta(seconds=1))
    seen, cursor = [], ""
    while True:
        page = await client.call("GET", f"/v1/citizen/notices?limit=2{cursor}", by=me)
        assert (page.status, page.json["unread"]) == (200, 5)
        seen += [item["id"] for item in page.json["items"]]
        if page.json["next_cursor"] is None:
            break
        cursor = f"&cursor={page.json['next_cursor']}"
    assert len(set(seen)) == 5
    first = (await client.call("GET", "/v1/citizen/notices", by=me)).json["items"][0]
    assert (first["title"], first["text"], first["plain"]) == ("申请已通过", "“居住证签注”已通过。", None)
    elder = await client.call("GET", "/v1/citizen/notices", by=me, X_Client_Mode="elder", Accept_Language="en")
    assert elder.json["items"][0]["plain"] == "好消息，您的申请通过了。"
    assert elder.json["items"][0]["title"] == "Application approved"


async def test_a_notice_is_read_by_whose_it_is(client: Client) -> None:
    me, other = await somebody(client.house), await an_elder(client.house)
    await client.house.tell("matters.approved", me.citizen_id, **MATTER)
    [item] = (await client.call("GET", "/v1/citizen/notices", by=me)).json["items"]
    path = f"/v1/citizen/notices/{item['id']}/read"
    assert (await client.call("PUT", path, by=other)).status == 404
    assert (await client.call("PUT", path)).status == 401
    assert (await client.call("PUT", f"/v1/citizen/notices/{uuid4()}/read", by=me)).status == 404
    assert [(await client.call("PUT", path, by=me)).status for _ in range(2)] == [204, 204]
    again = await client.call("GET", "/v1/citizen/notices", by=me)
    assert again.json["unread"] == 0
    assert again.json["items"][0]["read_at"] is not None


async def test_topics_are_chosen_but_for_what_keeps_an_account_safe(client: Client) -> None:
    me = await somebody(client.house)
    path = "/v1/citizen/notice-settings"
    topics = (await client.call("GET", path, by=me)).json["topics"]
    assert {topic["topic"]: topic["wanted"] for topic in topics} == dict.fromkeys(
        ("progress", "certificates", "security"), True
    )
    assert [topic["template_ids"] for topic in topics] == [["tmpl-progress"], ["tmpl-certificate"], ["tmpl-security"]]
    unknown = await client.call("PUT", path, {"topics": {"weather": False}}, by=me)
    assert (unknown.status, [error["pointer"] for error in unknown.json["errors"]]) == (422, ["/topics/weather"])
    fixed = await client.call("PUT", path, {"topics": {"security": False, "progress": False}}, by=me)
    assert (fixed.status, fixed.json["code"]) == (409, "notices.topic-fixed")
    assert all(topic["wanted"] for topic in (await client.call("GET", path, by=me)).json["topics"])
    chosen = await client.call("PUT", path, {"topics": {"progress": False}}, by=me)
    assert [topic["wanted"] for topic in chosen.json["topics"]] == [False, True, True]
    wrongs: list[object] = [{}, {"topics": {}}, {"topics": {"weather": True}}, {"topics": {"progress": "no"}}]
    for wrong in wrongs:
        assert (await client.call("PUT", path, wrong, by=me)).status == 422


async def test_family_is_invited_by_a_code_and_leaves_by_either_side(client: Client) -> None:
    elder, child = await an_elder(client.house), await somebody(client.house)
    offer = await client.call("POST", "/v1/citizen/notice-copies", by=elder)
    assert offer.status == 201
    assert offer.headers["Location"].endswith(offer.json["id"])
    accepted = await client.call(
        "POST", "/v1/citizen/notice-copies/acceptances", {"code": offer.json["code"]}, by=child
    )
    assert (accepted.status, accepted.json["name"], accepted.json["mine"]) == (201, "逄**", False)
    used = await client.call("POST", "/v1/citizen/notice-copies/acceptances", {"code": offer.json["code"]}, by=child)
    assert (used.status, used.json["code"]) == (410, "notices.copy-code-invalid")
    [listed] = (await client.call("GET", "/v1/citizen/notice-copies", by=elder)).json["items"]
    assert (listed["mine"], listed["name"], listed["state"]) == (True, "霍**", "active")
    path = f"/v1/citizen/notice-copies/{listed['id']}"
    assert [(await client.call("DELETE", path, by=child)).status for _ in range(2)] == [204, 404]


async def test_wechat_tries_the_address_and_hears_its_echo(client: Client) -> None:
    good = await client.call("GET", f"/v1/wechat/push?{client.pushed(echostr='4375120948345356249')}")
    assert (good.status, good.text) == (200, "4375120948345356249")
    assert good.headers["Content-Type"].startswith("text/plain")
    bad = await client.call("GET", "/v1/wechat/push?signature=x&timestamp=1&nonce=2&echostr=3")
    assert (bad.status, bad.json["code"]) == (403, "notices.push-refused")
    assert (await client.call("GET", "/v1/wechat/push")).status == 403


@pytest.mark.parametrize("form", ["text/xml", "application/json"])
async def test_a_push_is_answered_each_time_and_has_its_effect_once(client: Client, form: str) -> None:
    await somebody(client.house)
    told = {"FromUserName": "openid-1", "CreateTime": "1", "MsgType": "event", "Event": "subscribe_msg_popup_event"}
    item = {"TemplateId": "tmpl-progress", "SubscribeStatusString": "accept", "PopupScene": "0"}
    inner = "".join(f"<{name}>{value}</{name}>" for name, value in item.items())
    outer = "".join(f"<{name}>{value}</{name}>" for name, value in told.items())
    xml = f"<xml>{outer}<SubscribeMsgPopupEvent><List>{inner}</List></SubscribeMsgPopupEvent></xml>"
    body = xml if form == "text/xml" else json.dumps({**told, "List": item})
    for _ in range(3):
        answer = await client.call(
            "POST", f"/v1/wechat/push?{client.pushed(openid='openid-1')}", body.encode(), Content_Type=form
        )
        assert (answer.status, answer.text) == (200, "success")
    assert await fetch_one("SELECT remaining FROM subscription") == {"remaining": 1}


@pytest.mark.parametrize(
    ("query", "body", "form", "status"),
    [
        ("", b"<xml></xml>", "text/xml", 403),
        ("signature=x&timestamp=1&nonce=1", b"<xml></xml>", "text/xml", 403),
        (None, b"<xml>", "text/xml", 403),
        (None, b"", "text/xml", 403),
        (None, b"<xml></xml>", "text/html", 415),
        (None, b"<xml></xml>", "multipart/form-data; boundary=x", 415),
        (None, b"<xml></xml>", "text/xml; charset=gbk", 415),
        (None, b"<xml>" + b"x" * 70_000 + b"</xml>", "text/xml", 413),
        ("surprise=1", b"<xml></xml>", "text/xml", 422),
    ],
)
async def test_what_does_not_prove_to_be_wechats_is_refused(
    client: Client, query: str | None, body: bytes, form: str, status: int
) -> None:
    asked = client.pushed() if query is None else query
    answer = await client.call("POST", f"/v1/wechat/push?{asked}", body, Content_Type=form)
    assert answer.status == status
    assert "xml" not in answer.json.get("title", "")
    assert leaks([answer.text]) == []
    assert await fetch_one("SELECT count(*) AS n FROM seen_push") == {"n": 0}


async def test_reports_are_taken_from_the_provider_alone(client: Client) -> None:
    me = await somebody(client.house)
    await client.house.tell("matters.approved", me.citizen_id, **MATTER)
    [row] = await fetch("SELECT id FROM notice_delivery WHERE channel = 'sms'")
    report = {
        "message_id": "1",
        "reference": as_uuid(row["id"]).hex,
        "status": "delivered",
        "reason": "",
        "at": client.house.ground.clock.now().isoformat(),
    }
    forged = await client.report(report, key=STRANGERS_KEY)
    assert (forged.status, forged.json["code"]) == (401, "departments.signature-invalid")
    elsewhere = await client.report(report, department="public-security")
    assert (elsewhere.status, elsewhere.json["code"]) == (403, "departments.not-your-case")
    assert (await client.house.deliveries(me.citizen_id))[1][:2] == ("sms", "sent")
    assert [(await client.report(report)).status for _ in range(2)] == [204, 204]
    assert (await client.house.deliveries(me.citizen_id))[1][:2] == ("sms", "delivered")
    assert (await client.report({**report, "reference": uuid4().hex})).status == 204
    for wrong in ({"reference": "x"}, {"status": "lost"}, {"at": "yesterday"}):
        assert (await client.report({**report, **wrong})).status == 422


async def test_operators_see_counts_and_reasons_and_nobodys_name(client: Client) -> None:
    house = client.house
    me = await somebody(house)
    house.sms.away = True
    for _ in range(3):
        await house.tell("matters.approved", me.citizen_id, **MATTER)
        await house.work(until=timedelta(hours=2))
    staff = house.auth.staff
    grant = await staff.log_in(await staff.member(Role.OPERATOR))
    path = "/v1/staff/undelivered-notices"
    page = await client.call("GET", f"{path}?limit=2", token=grant.access_token)
    assert page.status == 200
    assert page.json["counts"] == [{"channel": "sms", "reason": "unreachable", "count": 3}]
    assert [set(item) for item in page.json["items"]] == [{"id", "event", "urgency", "channel", "reason", "at"}] * 2
    rest = await client.call("GET", f"{path}?limit=2&cursor={page.json['next_cursor']}", token=grant.access_token)
    assert len(rest.json["items"]) == 1
    assert str(me.citizen_id) not in page.text + rest.text
    assert leaks([page.text, rest.text]) == []
    house.ground.clock.move(timedelta(minutes=5))
    recent = await client.call("GET", f"{path}?hours=3", token=grant.access_token)
    assert recent.json["counts"] == [{"channel": "sms", "reason": "unreachable", "count": 1}]
    assert (await client.call("GET", path)).status == 401
    assert (await client.call("GET", path, by=me)).status == 401
