"""Rights as callers see them: addresses, statuses and words, over a real connection."""

import socket
from collections.abc import AsyncIterator
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import aiohttp
import pytest

from api import app as edge
from api.citizen import consents, ledger
from api.citizen import rights as rights_routes
from api.citizen.wallet.ledger_terms import LedgerTerms
from api.idempotency import Idempotency
from api.public import consents as consent_texts
from api.staff import corrections
from api.staff import sessions as staff_sessions
from auth.types import Caller, Level, Role
from certificates.definitions import Kinds
from core.db import transaction
from tests.auth.rights.conftest import NAME, Rights
from tests.auth.test_edge import Answered, Client
from tests.fakes.certificates import FakeVerifiers
from tests.fakes.staff import make_staff


@pytest.fixture
async def client(rights: Rights) -> AsyncIterator[Client]:
    ground, auth = rights.ground, rights.auth
    services = SimpleNamespace(
        idempotency=Idempotency(vault=ground.vault, clock=ground.clock, ids=ground.ids),
        sessions=auth.sessions,
        staff_sessions=make_staff(ground).sessions,
        consents=auth.consents,
        exports=rights.exports,
        corrections=rights.corrections,
        closures=rights.closures,
        wallet=SimpleNamespace(kinds=Kinds([])),
        ledger_terms=LedgerTerms(kinds=Kinds([]), verifiers=FakeVerifiers(), purposes=ledger.purpose_words()),
    )
    groups = [
        consents.routes,
        consent_texts.routes,
        rights_routes.routes,
        corrections.routes,
        staff_sessions.routes,
        ledger.routes,
    ]
    app = edge.create_app(services, groups, clock=ground.clock, ids=ground.ids, name=f"test-{uuid4().hex}")
    listener = socket.create_server(("127.0.0.1", 0))
    server: Any = await app.create_server(sock=listener, return_asyncio_server=True)
    await server.startup()
    await server.start_serving()
    async with aiohttp.ClientSession() as session:
        yield Client(session, f"http://127.0.0.1:{listener.getsockname()[1]}")
    await server.close()


async def tokens_of(rights: Rights, caller: Caller) -> tuple[str, str]:
    """Two tokens of a person: at `real_name`, and at `present`."""
    present = await rights.auth.sessions.open(caller.citizen_id, level=Level.PRESENT, device="")
    return rights.auth.tokens.issue(caller.citizen_id, caller.session_id), present.access_token


async def operator_token(rights: Rights, client: Client, role: Role) -> str:
    member = await make_staff(rights.ground).member(role)
    body = {
        "username": member.username,
        "password": member.password,
        "otp": member.totp.at(rights.ground.clock.now()),
    }
    token: str = (await client.call("POST", "/v1/staff/sessions", body)).json["access_token"]
    return token


async def test_consents_are_published_given_and_taken_back(rights: Rights, client: Client) -> None:
    texts = await client.call("GET", "/v1/public/consents")
    assert {text["id"] for text in texts.json["items"]} >= {"real-name@1", "face@1", "delegation@1"}
    low, _ = await tokens_of(rights, await rights.resident())
    given = await client.call("POST", "/v1/citizen/consents", {"consent": "face@1"}, token=low)
    assert (given.status, given.headers["Location"]) == (201, "/v1/citizen/consents/face@1")
    again = await client.call("POST", "/v1/citizen/consents", {"consent": "face@1"}, token=low)
    assert (again.status, again.json["id"]) == (200, given.json["id"])
    [text] = [text for text in texts.json["items"] if text["id"] == "face@1"]
    assert given.json["text_sha256"] == text["sha256"]
    for code in ("face@9", "weather@1"):
        unknown = await client.call("POST", "/v1/citizen/consents", {"consent": code}, token=low)
        assert (unknown.status, unknown.json["code"]) == (404, "auth.no-such-consent")
        assert unknown.json.get("consent") == ("face@1" if code == "face@9" else None)
    ends = ("face", "face@2", given.json["id"], "weather@1", "face@1", "face@1")
    statuses = [(await client.call("DELETE", f"/v1/citizen/consents/{end}", token=low)).status for end in ends]
    assert statuses == [404, 404, 404, 404, 204, 404]
    listed = await client.call("GET", "/v1/citizen/consents?limit=1", token=low)
    assert [item["state"] for item in listed.json["items"]] == ["withdrawn"]
    rest = await client.call("GET", f"/v1/citizen/consents?cursor={listed.json['next_cursor']}", token=low)
    assert [item["purpose"] for item in rest.json["items"]] == ["real-name"]
    refused = await client.call("DELETE", "/v1/citizen/consents/real-name%401", token=low)
    assert (refused.status, refused.json["code"]) == (409, "auth.consent-needed")
    assert refused.json["alternatives"][0]["start"] == "/v1/citizen/closures"


async def test_an_export_needs_presence_and_comes_as_a_file(rights: Rights, client: Client) -> None:
    low, high = await tokens_of(rights, await rights.resident())
    assert (await client.call("POST", "/v1/citizen/exports", token=low)).status == 403
    asked = await client.call("POST", "/v1/citizen/exports", token=high)
    assert (asked.status, asked.json["state"]) == (202, "requested")
    again = await client.call("POST", "/v1/citizen/exports", token=high)
    assert (again.status, again.json["code"], int(again.headers["Retry-After"])) == (429, "auth.export-too-soon", 86400)
    path = asked.headers["Location"]
    assert (await client.call("GET", f"{path}/file", token=high)).json["code"] == "auth.export-not-ready"
    change = await rights.exports.build(asked.json["id"])
    assert change is not None
    await transaction(change)
    assert (await client.call("GET", path, token=low)).json["state"] == "ready"
    assert (await client.call("GET", f"{path}/file", token=low)).status == 403
    file = await client.call("GET", f"{path}/file?format=json", token=high)
    assert (file.status, file.headers["Cache-Control"]) == (200, "no-store")
    assert file.headers["Content-Disposition"].startswith("attachment; filename=")
    assert NAME in str(file.json)
    assert (await client.call("GET", f"{path}/file?format=doc", token=high)).status == 422


async def test_an_operator_answers_and_nobody_else_does(rights: Rights, client: Client) -> None:
    low, _ = await tokens_of(rights, await rights.resident())
    asked = await client.call("POST", "/v1/citizen/corrections", {"about": "identity", "text": "名字写错了"}, token=low)
    assert asked.status == 201
    assert (await client.call("GET", asked.headers["Location"], token=low)).json["text"] == "名字写错了"
    operator = await operator_token(rights, client, Role.OPERATOR)
    auditor = await operator_token(rights, client, Role.AUDITOR)
    path = f"/v1/staff/corrections/{asked.json['id']}"
    for who, status in ((auditor, 403), (low, 401), ("", 401)):
        assert (await client.call("GET", path, token=who)).status == status
    queue = await client.call("GET", "/v1/staff/corrections", token=operator)
    assert [item["id"] for item in queue.json["items"]] == [asked.json["id"]]
    assert "名字写错了" not in str(queue.json)
    opened = await client.call("GET", path, token=operator)
    assert (opened.json["text"], opened.json["name"]) == ("名字写错了", "霍**")
    answers: list[Answered] = [
        await client.call("POST", f"{path}/answers", {"outcome": "refused", "text": "请到派出所"}, token=operator)
        for _ in range(2)
    ]
    assert [answer.status for answer in answers] == [204, 409]
    lines = await client.call("GET", "/v1/citizen/ledger", token=low, Accept_Language="en")
    [line] = [line for line in lines.json["items"] if line["action"] == "auth.correction-read"]
    assert (line["actor"], line["what"]) == ("A member of staff", "The correction was read")


async def test_closing_needs_presence_and_understanding_and_is_taken_back_by_anybody_who_is_the_person(
    rights: Rights, client: Client
) -> None:
    low, high = await tokens_of(rights, await rights.resident())
    path = "/v1/citizen/closures"
    assert (await client.call("POST", path, {"understood": True}, token=low)).status == 403
    for body in ({"understood": False}, {}, {"understood": "true"}, {"understood": 1}):
        assert (await client.call("POST", path, body, token=high)).status == 422
    first = await client.call("POST", path, {"understood": True}, token=high, Accept_Language="en")
    assert (first.status, first.headers["Location"], first.json["state"]) == (201, f"{path}/current", "closing")
    assert all(kept["law"] and kept["basis"] in {"law", "configured"} for kept in first.json["kept"])
    again = await client.call("POST", path, {"understood": True}, token=high)
    assert (again.status, again.json["id"]) == (200, first.json["id"])
    assert (await client.call("GET", f"{path}/current", token=low)).json["closes_at"] == first.json["closes_at"]
    statuses = [(await client.call("DELETE", f"{path}/current", token=low)).status for _ in range(2)]
    assert statuses == [204, 404]


async def test_what_is_somebody_elses_is_not_there(rights: Rights, client: Client) -> None:
    mine = await rights.resident()
    low, high = await tokens_of(rights, mine)
    other = await rights.resident("openid-other", "宛秋实", "999999197806214551")
    _, others = await tokens_of(rights, other)
    export = await client.call("POST", "/v1/citizen/exports", token=high)
    asked = await client.call("POST", "/v1/citizen/corrections", {"about": "mobile", "text": "号码不对"}, token=low)
    for path in (export.headers["Location"], f"{export.headers['Location']}/file", asked.headers["Location"]):
        assert (await client.call("GET", path, token=others)).status == 404
        assert (await client.call("GET", path)).status == 401


async def test_bad_input_is_told_by_what_is_wrong_with_it(rights: Rights, client: Client) -> None:
    low, high = await tokens_of(rights, await rights.resident())
    wanted = {"about": "certificate", "text": "证照错了", "object_id": "nope"}
    told = await client.call("POST", "/v1/citizen/corrections", wanted, token=low)
    assert (told.status, [error["message"] for error in told.json["errors"]]) == (422, ["编号不对"])
    for value in (False, 1, "true", None):
        told = await client.call("POST", "/v1/citizen/closures", {"understood": value}, token=high)
        assert (told.status, told.json["errors"]) == (
            422, [{"pointer": "/understood", "code": "not_confirmed", "message": "请先阅读并确认"}]
        )  # fmt: skip


async def test_the_ledger_names_the_consent_that_was_given_and_taken_back(rights: Rights, client: Client) -> None:
    low, _ = await tokens_of(rights, await rights.resident())
    await client.call("POST", "/v1/citizen/consents", {"consent": "face@1"}, token=low)
    rights.ground.clock.move(timedelta(seconds=1))
    await client.call("DELETE", "/v1/citizen/consents/face@1", token=low)
    lines = (await client.call("GET", "/v1/citizen/ledger?limit=2", token=low)).json["items"]
    assert [line["what"] for line in lines] == ["撤回授权：人脸核验", "同意授权：人脸核验"]
