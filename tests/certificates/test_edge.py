"""The wallet as callers see it: addresses, fields, statuses and words, over a real connection."""

import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import aiohttp
import pytest

from api import app as edge
from api.citizen import certificates, ledger
from api.citizen.wallet import showing
from api.citizen.wallet.ledger_terms import LedgerTerms
from api.idempotency import Idempotency
from api.operation import Routes, encode_cursor
from api.public import keys
from api.verifiers import verifications
from auth.errors import TokenInvalid
from auth.types import Caller, Level
from tests.certificates.conftest import LICENCE_KIND, Hall
from tests.fakes.certificates import LICENCE, PERMIT, issued


class FakeSessions:
    """Knows one caller by any of a few tokens."""

    def __init__(self, me: Caller) -> None:
        self._callers = {level.value: replace(me, level=level) for level in Level}
        other = uuid4()
        self._callers["other"] = Caller(other, uuid4(), Level.PRESENT, elder=False, actor_id=other)

    async def caller_of(self, token: str, *, lately: bool = False) -> Caller:
        if token not in self._callers:
            raise TokenInvalid
        return self._callers[token]


@dataclass
class Answered:
    """An answer, read to its end."""

    status: int
    headers: Mapping[str, str]
    json: Any


@dataclass
class Client:
    """Calls the portal with one of the tokens of `FakeSessions`."""

    session: aiohttp.ClientSession
    base: str

    async def call(
        self, method: str, path: str, body: object = None, *, token: str | None = "present", **headers: str
    ) -> Answered:
        own = {name.replace("_", "-"): value for name, value in headers.items()}
        if token:
            own["Authorization"] = f"Bearer {token}"
        async with self.session.request(method, self.base + path, json=body, headers=own) as answer:
            return Answered(answer.status, answer.headers, await answer.json(content_type=None))

    async def fetched(self, kind: str = LICENCE_KIND) -> str:
        answer = await self.call("POST", "/v1/citizen/certificates", {"kind": kind})
        identity: str = answer.json["id"]
        return identity


async def serve(hall: Hall, more: Sequence[Routes] = (), **others: Any) -> AsyncIterator[Client]:
    """Serve the wallet's routes, and `more` of them that ask `others`."""
    ground = hall.ground
    services = SimpleNamespace(
        **{
            "idempotency": Idempotency(vault=ground.vault, clock=ground.clock, ids=ground.ids),
            "sessions": FakeSessions(hall.me),
            "wallet": hall.wallet,
            "presentation": hall.presentation,
            "verification": hall.verification,
            "issuer_keys": hall.keys,
            "certificates": SimpleNamespace(status_lists=hall.lists, offline_tokens=hall.tokens),
            "ledger_terms": LedgerTerms(kinds=hall.kinds, verifiers=hall.verifiers, purposes=ledger.purpose_words()),
            "settings": SimpleNamespace(certificates=hall.settings),
            **others,
        }
    )
    routes = [certificates.routes, showing.routes, ledger.routes, verifications.routes, keys.routes, *more]
    app = edge.create_app(services, routes, clock=ground.clock, ids=ground.ids, name=f"test-{uuid4().hex}")
    # Two cores that also run servers and databases: how long a paper takes is no matter here.
    app.config.RESPONSE_TIMEOUT = 120
    listener = socket.create_server(("127.0.0.1", 0))
    server: Any = await app.create_server(sock=listener, return_asyncio_server=True)
    await server.startup()
    await server.start_serving()
    async with aiohttp.ClientSession() as session:
        yield Client(session, f"http://127.0.0.1:{listener.getsockname()[1]}")
    await server.close()


@pytest.fixture
async def client(hall: Hall) -> AsyncIterator[Client]:
    async for client in serve(hall):
        yield client


async def test_the_first_fetch_is_created_and_the_next_is_not(hall: Hall, client: Client) -> None:
    hall.issue(issued())
    first = await client.call("POST", "/v1/citizen/certificates", {"kind": LICENCE_KIND}, token="real_name")
    again = await client.call("POST", "/v1/citizen/certificates", {"kind": LICENCE_KIND}, token="real_name")
    assert (first.status, again.status) == (201, 200)
    assert first.headers["Location"] == f"/v1/citizen/certificates/{first.json['id']}"
    assert first.json == {
        "id": first.json["id"],
        "kind": "driving-licence",
        "title": "驾驶证",
        "number": "9999**********2179",
        "state": "active",
        "valid_until": "2034-05-16",
        "issuer": "示例市公安局",
        "stale_since": None,
    }


async def test_titles_follow_the_language(hall: Hall, client: Client) -> None:
    hall.issue(issued())
    await client.fetched()
    listed = await client.call("GET", "/v1/citizen/certificates", Accept_Language="en")
    assert [item["title"] for item in listed.json["items"]] == ["Driving licence"]


async def test_the_wallet_comes_in_pages(hall: Hall, client: Client) -> None:
    hall.issue(issued())
    hall.issue(issued(PERMIT, serial="RP1"), "residence-permit")
    made = [await client.fetched(), await client.fetched("residence-permit")]
    first = await client.call("GET", "/v1/citizen/certificates?limit=1")
    second = await client.call("GET", f"/v1/citizen/certificates?limit=1&cursor={first.json['next_cursor']}")
    assert [item["id"] for page in (first, second) for item in page.json["items"]] == made
    assert second.json["next_cursor"] is None


@pytest.mark.parametrize("cursor", ["x", "e30", "WyJhIl0", "W10"])
async def test_a_cursor_that_is_none_of_ours_is_refused(client: Client, cursor: str) -> None:
    for path in ("/v1/citizen/certificates", "/v1/citizen/ledger"):
        answer = await client.call("GET", f"{path}?cursor={cursor}")
        assert (answer.status, answer.json["code"]) == (422, "request.invalid")


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00+14:00", "2026-03-10T02:00:00", "9999-12-31T23:59:59-12:00", "now"])
async def test_a_cursor_of_an_impossible_moment_is_refused(client: Client, at: str) -> None:
    answer = await client.call("GET", f"/v1/citizen/ledger?cursor={encode_cursor([at, str(uuid4())])}")
    assert (answer.status, answer.json["code"]) == (422, "request.invalid")


async def test_what_goes_wrong_has_its_code(hall: Hall, client: Client) -> None:
    unknown = await client.call("POST", "/v1/citizen/certificates", {"kind": "library-card"})
    none = await client.call("POST", "/v1/citizen/certificates", {"kind": LICENCE_KIND})
    hall.ground.clock.move(timedelta(minutes=1))
    hall.issuer.is_away = True
    away = await client.call("POST", "/v1/citizen/certificates", {"kind": LICENCE_KIND})
    assert [(each.status, each.json["code"]) for each in (unknown, none, away)] == [
        (404, "certificates.kind-unknown"),
        (404, "certificates.none-held"),
        (503, "certificates.issuer-unavailable"),
    ]
    assert "Retry-After" in away.headers
    assert away.json["retryable"] is True


async def test_fields_and_showing_need_presence(hall: Hall, client: Client) -> None:
    hall.issue(issued())
    path = f"/v1/citizen/certificates/{await client.fetched()}"
    for method, address, body in (("GET", path, None), ("POST", f"{path}/presentations", {})):
        answer = await client.call(method, address, body, token="real_name")
        assert (answer.status, answer.json["code"]) == (403, "auth.level-too-low")
        assert answer.json["required"] == "present"
    assert (await client.call("GET", "/v1/citizen/certificates", token="linked")).status == 403


async def test_an_opened_certificate_has_fields_and_identifier(hall: Hall, client: Client) -> None:
    hall.issue(issued())
    opened = await client.call("GET", f"/v1/citizen/certificates/{await client.fetched()}")
    assert opened.status == 200
    assert opened.json["fields"] == dict(LICENCE)
    assert opened.json["identifier"].startswith("1.2.156.3005.2.11999999MB0000019T902.999999.")
    assert opened.json["titles"]["vehicle_class"] == "准驾车型"
    assert set(opened.json["card_face"]) <= set(opened.json["fields"])


async def test_not_mine_and_not_there_look_the_same(hall: Hall, client: Client) -> None:
    hall.issue(issued())
    mine = await client.fetched()
    for identity, token in ((mine, "other"), (str(uuid4()), "present"), ("x", "present")):
        for method, tail, body in (("GET", "", None), ("POST", "/presentations", {})):
            answer = await client.call(method, f"/v1/citizen/certificates/{identity}{tail}", body, token=token)
            assert (answer.status, answer.json["code"]) == (404, "request.not-found")


async def test_a_code_is_shown_and_checked_once(hall: Hall, client: Client) -> None:
    hall.issue(issued())
    path = f"/v1/citizen/certificates/{await client.fetched()}/presentations"
    shown = await client.call("POST", path, {})
    assert shown.status == 201
    assert UUID(shown.json["id"])
    assert shown.headers["Location"].startswith(path)
    assert set(shown.json) == {"id", "code", "qr_svg", "colour", "expires_at"}
    assert shown.json["colour"] == "black"
    body = {"code": shown.json["code"], "purpose": "查验"}
    answers = [await client.call("POST", "/v1/verifiers/verifications", body, token=None) for _ in range(2)]
    assert [(each.status, each.json["outcome"]) for each in answers] == [(200, "ok"), (200, "used")]
    assert answers[0].json == {
        "outcome": "ok",
        "kind": "driving-licence",
        "fields": {"name": "霍**", "state": "active", "valid_until": "2034-05-16", "colour": "black"},
        "holder_notified": True,
    }
    assert answers[1].json == {"outcome": "used", "kind": None, "fields": {}, "holder_notified": True}


async def test_a_late_code_is_expired(hall: Hall, client: Client) -> None:
    hall.issue(issued())
    shown = await client.call("POST", f"/v1/citizen/certificates/{await client.fetched()}/presentations", {})
    hall.ground.clock.move(timedelta(seconds=61))
    answer = await client.call("POST", "/v1/verifiers/verifications", {"code": shown.json["code"]}, token=None)
    assert (answer.status, answer.json["outcome"]) == (200, "expired")


@pytest.mark.parametrize("code", ["", "?", "A" * 22, "A" * 8000, "霍明哲"])
async def test_whatever_is_scanned_is_answered(client: Client, code: str) -> None:
    answer = await client.call("POST", "/v1/verifiers/verifications", {"code": code}, token=None)
    assert answer.status == 200
    assert answer.json["outcome"] in {"unknown", "unreadable"}


@pytest.mark.parametrize("purpose", ["长" * 201, "a\tb", "a\nb", "a\n", "a\x9fb", "\x7f"])
async def test_the_purpose_of_a_scan_is_one_line_of_text(client: Client, purpose: str) -> None:
    body = {"code": "A" * 22, "purpose": purpose}
    answer = await client.call("POST", "/v1/verifiers/verifications", body, token=None)
    assert (answer.status, [error["pointer"] for error in answer.json["errors"]]) == (422, ["/purpose"])


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"fields": ["salary"]}, "/fields/0"),
        ({"claims": ["age>18"]}, "/claims/0"),
        ({"verifier": str(uuid4())}, "/verifier"),
        ({"verifier": "the police"}, "/verifier"),
        ({"surprise": 1}, "/surprise"),
        ({"purpose": "长" * 201}, "/purpose"),
        ({"purpose": "a\nb"}, "/purpose"),
        ({"purpose": "a\x85b"}, "/purpose"),
    ],
)
async def test_what_cannot_be_shown_is_pointed_at(
    hall: Hall, client: Client, body: dict[str, object], pointer: str
) -> None:
    hall.issue(issued())
    answer = await client.call("POST", f"/v1/citizen/certificates/{await client.fetched()}/presentations", body)
    assert answer.status == 422
    assert [error["pointer"] for error in answer.json["errors"]] == [pointer]


async def test_the_ledger_tells_in_plain_words_who_did_what(hall: Hall, client: Client) -> None:
    hall.issue(issued())
    shown = await client.call(
        "POST", f"/v1/citizen/certificates/{await client.fetched()}/presentations", {"claims": ["age>=18"]}
    )
    await client.call(
        "POST", "/v1/verifiers/verifications", {"code": shown.json["code"], "purpose": "进门"}, token=None
    )
    listed = await client.call("GET", "/v1/citizen/ledger")
    told = [
        (line["actor"], line["what"], line["purpose"], line["certificate"], line["outcome"])
        for line in listed.json["items"]
    ]
    assert told == [
        ("未登记的查验者", "查验证照", "进门", "driving-licence", "ok"),
        ("您本人", "出示证照", "", "driving-licence", "ok"),
        ("您本人", "领取或更新证照", "持证人领取电子证照", "driving-licence", "ok"),
    ]
    assert listed.json["items"][1]["fields"] == ["age>=18"]
    assert str(LICENCE["number"]) not in str(listed.json)
    assert (await client.call("GET", "/v1/citizen/ledger", token="other")).json["items"] == []


async def test_the_ledger_comes_in_pages(hall: Hall, client: Client) -> None:
    hall.issue(issued())
    for _ in range(5):
        await client.fetched()
        hall.ground.clock.move(timedelta(seconds=1))
    seen, cursor = [], ""
    while True:
        page = (await client.call("GET", f"/v1/citizen/ledger?limit=2{cursor}")).json
        seen += [line["id"] for line in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert len(seen) == len(set(seen)) == 5


async def test_the_keys_are_public(client: Client) -> None:
    answer = await client.call("GET", "/v1/public/keys", token=None)
    assert answer.status == 200
    assert [key["alg"] for key in answer.json["keys"]] == ["ES256"]
    assert answer.headers["Cache-Control"].startswith("public")


async def test_a_code_is_looked_back_at_where_its_answer_says(hall: Hall, client: Client) -> None:
    hall.issue(issued())
    path = f"/v1/citizen/certificates/{await client.fetched()}/presentations"
    made = await client.call("POST", path, {"fields": ["name"], "claims": ["age>=18"], "purpose": "进门"})
    where = made.headers["Location"]
    told = await client.call("GET", where, token="real_name")
    assert (told.status, told.json["state"], told.json["fields"], told.json["claims"], told.json["purpose"]) == (
        200, "open", ["name"], ["age>=18"], "进门",
    )  # fmt: skip
    assert made.json["code"] not in str(told.json)
    assert (await client.call("GET", where, token="other")).status == 404
    await client.call("POST", "/v1/verifiers/verifications", {"code": made.json["code"]}, token=None)
    told = await client.call("GET", where, token="real_name")
    assert (told.json["state"], told.json["used_at"] is None) == ("used", False)
    late = await client.call("POST", path, {})
    hall.ground.clock.move(timedelta(seconds=61))
    assert (await client.call("GET", late.headers["Location"])).json["state"] == "ended"


@pytest.mark.parametrize("room", ["presentations", "tokens"])
async def test_nothing_chosen_is_nothing_to_show(hall: Hall, client: Client, room: str) -> None:
    hall.issue(issued())
    path = f"/v1/citizen/certificates/{await client.fetched()}/{room}"
    told = await client.call("POST", path, {"fields": []})
    assert (told.status, told.json["code"]) == (422, "certificates.nothing-chosen")
    assert [each["pointer"] for each in told.json["errors"]] == ["/fields"]
    assert (await client.call("POST", path, {"fields": [], "claims": ["age>=18"]})).status == 201
