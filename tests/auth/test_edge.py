"""Sessions, accounts and operators as callers see them: addresses, statuses and words, over a real connection."""

import socket
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import aiohttp
import pytest

from api import app as edge
from api.citizen import ledger, me, sessions
from api.citizen.wallet.ledger_terms import LedgerTerms
from api.idempotency import Idempotency
from api.operation import encode_cursor
from api.staff import sessions as staff_sessions
from auth.types import Level, Role
from certificates.definitions import Kinds
from core.db import execute
from tests.fakes.auth import Auth
from tests.fakes.certificates import FakeVerifiers

NAME, NUMBER = "霍明哲", "999999198503122179"
PHONE = "a-phone-0123456789"


@dataclass
class Answered:
    """An answer, read to its end."""

    status: int
    headers: Mapping[str, str]
    json: Any


@dataclass
class Client:
    """Calls the portal."""

    session: aiohttp.ClientSession
    base: str

    async def call(self, method: str, path: str, body: object = None, *, token: str = "", **headers: str) -> Answered:
        own = {name.replace("_", "-"): value for name, value in headers.items()}
        if token:
            own["Authorization"] = f"Bearer {token}"
        async with self.session.request(method, self.base + path, json=body, headers=own) as answer:
            return Answered(answer.status, answer.headers, await answer.json(content_type=None))


@pytest.fixture
async def client(auth: Auth) -> AsyncIterator[Client]:
    ground = auth.ground
    services = SimpleNamespace(
        idempotency=Idempotency(vault=ground.vault, clock=ground.clock, ids=ground.ids),
        sessions=auth.sessions,
        logout=auth.logout,
        login=auth.login,
        accounts=auth.accounts,
        citizens=auth.citizens,
        realname=auth.realname,
        staff_sessions=auth.staff.sessions,
        operators=auth.staff.operators,
        wallet=SimpleNamespace(kinds=Kinds([])),
        ledger_terms=LedgerTerms(kinds=Kinds([]), verifiers=FakeVerifiers(), purposes=ledger.purpose_words()),
    )
    routes = [sessions.routes, me.routes, ledger.routes, staff_sessions.routes]
    app = edge.create_app(services, routes, clock=ground.clock, ids=ground.ids, name=f"test-{uuid4().hex}")
    listener = socket.create_server(("127.0.0.1", 0))
    server: Any = await app.create_server(sock=listener, return_asyncio_server=True)
    await server.startup()
    await server.start_serving()
    async with aiohttp.ClientSession() as session:
        yield Client(session, f"http://127.0.0.1:{listener.getsockname()[1]}")
    await server.close()


@pytest.mark.parametrize(
    "at",
    [
        "0001-01-01T00:00:00+14:00",
        "1999-12-31T23:59:59+00:00",
        "2101-01-01T00:00:00+00:00",
        "9999-12-31T23:59:59-12:00",
        "2026-03-10T02:00:00",
        "now",
    ],
)
async def test_a_cursor_of_an_impossible_moment_is_refused(auth: Auth, client: Client, at: str) -> None:
    token = (await auth.log_in()).access_token
    cursor = encode_cursor([at, str(uuid4())])
    answer = await client.call("GET", f"/v1/citizen/sessions?cursor={cursor}", token=token)
    assert (answer.status, answer.json["code"]) == (422, "request.invalid")


async def test_sessions_come_in_pages(auth: Auth, client: Client) -> None:
    grants = [await auth.log_in("openid-1") for _ in range(3)]
    seen, cursor = [], ""
    while True:
        page = await client.call("GET", f"/v1/citizen/sessions?limit=2{cursor}", token=grants[0].access_token)
        assert page.status == 200
        seen += [item["id"] for item in page.json["items"]]
        if page.json["next_cursor"] is None:
            break
        cursor = f"&cursor={page.json['next_cursor']}"
    assert sorted(seen) == sorted(str(grant.session_id) for grant in grants)


async def test_logging_out_everywhere_answers_with_nothing_and_lets_nobody_in_again(auth: Auth, client: Client) -> None:
    here, there = await auth.log_in("openid-1"), await auth.log_in("openid-1")
    assert (await client.call("GET", "/v1/citizen/me", token=there.access_token)).status == 200
    ended = await client.call("DELETE", "/v1/citizen/sessions", token=here.access_token)
    assert (ended.status, ended.json) == (204, None)
    for grant in (here, there):
        answer = await client.call("GET", "/v1/citizen/me", token=grant.access_token)
        assert (answer.status, answer.json["code"]) == (401, "auth.token-invalid")
        again = await client.call("POST", "/v1/citizen/sessions/renewals", {"refresh_token": grant.refresh_token})
        assert (again.status, again.json["code"]) == (401, "auth.refresh-invalid")


async def test_nobody_is_refused_for_what_was_remembered(auth: Auth, client: Client) -> None:
    """Another worker raises the level: the next request here is let in, and a change never rests on a memory."""
    grant = await auth.log_in("openid-2")
    for status, level in ((403, "real_name"), (200, "linked"), (200, "linked")):
        assert (await client.call("GET", "/v1/citizen/ledger", token=grant.access_token)).status == status
        await execute("UPDATE citizen_session SET level = $2 WHERE id = $1", grant.session_id, level)
    caller = await auth.caller_named("openid-1", NAME, NUMBER)
    token = auth.tokens.issue(caller.citizen_id, caller.session_id)
    assert (await client.call("GET", "/v1/citizen/me", token=token)).status == 200
    path = "/v1/citizen/me/elder"
    assert (await client.call("PUT", path, {"chosen": True}, token=token)).status == 403
    until = auth.sessions.fresh_until(elder=False)
    await execute("UPDATE citizen_session SET present_until = $2 WHERE id = $1", caller.session_id, until)
    assert (await client.call("PUT", path, {"chosen": True}, token=token)).status == 200


async def test_a_renewal_is_not_repeated_under_a_key(auth: Auth, client: Client) -> None:
    grant = await auth.log_in(device=PHONE)
    body, path = {"refresh_token": grant.refresh_token}, "/v1/citizen/sessions/renewals"
    first = await client.call("POST", path, body, Idempotency_Key="a-key", X_Device_Id=PHONE)
    assert first.status == 201
    auth.ground.clock.move(timedelta(seconds=11))  # Past the grace for lost answers.
    again = await client.call("POST", path, body, Idempotency_Key="a-key", X_Device_Id=PHONE)
    assert (again.status, again.json["code"]) == (401, "auth.refresh-reused")
    assert "Idempotent-Replayed" not in again.headers


async def test_a_one_time_code_gives_one_token_told_again_under_its_key_alone(auth: Auth, client: Client) -> None:
    operator = await auth.staff.member(Role.OPERATOR)
    body = {
        "username": operator.username,
        "password": operator.password,
        "otp": operator.totp.at(auth.ground.clock.now()),
    }
    first, again, other = [
        await client.call("POST", "/v1/staff/sessions", body, Idempotency_Key=key, X_Device_Id=PHONE)
        for key in ("a-key", "a-key", "another-key")
    ]
    assert first.status == 201
    assert (again.status, again.json) == (201, first.json)
    assert (other.status, other.json["code"]) == (401, "auth.staff-login-invalid")


async def test_removing_an_account_needs_presence_and_is_done_once(auth: Auth, client: Client) -> None:
    thief = await auth.caller_named("openid-thief", NAME, NUMBER)
    stolen = auth.tokens.issue(thief.citizen_id, thief.session_id)
    owner = await auth.sessions.open(thief.citizen_id, level=Level.PRESENT, device="")
    listed = await client.call("GET", "/v1/citizen/me/accounts", token=owner.access_token)
    assert listed.status == 200
    [account] = listed.json["items"]
    assert set(account) == {"id", "mark", "bound_at", "current"}
    path = f"/v1/citizen/me/accounts/{account['id']}"
    low = await client.call("DELETE", path, token=stolen)
    assert (low.status, low.json["code"], low.json["required"]) == (403, "auth.level-too-low", "present")
    statuses = [(await client.call("DELETE", path, token=owner.access_token)).status for _ in range(2)]
    assert statuses == [204, 404]
    assert (await client.call("GET", "/v1/citizen/me", token=stolen)).status == 401
    assert (await client.call("GET", "/v1/citizen/me", token=owner.access_token)).json["name"] == "霍**"


async def test_accounts_come_in_pages_with_cursors_of_our_own(auth: Auth, client: Client) -> None:
    token = (await auth.log_in()).access_token
    page = await client.call("GET", "/v1/citizen/me/accounts?limit=1", token=token)
    assert (len(page.json["items"]), page.json["next_cursor"]) == (1, None)
    for cursor in ("x", encode_cursor(["no-id"]), encode_cursor(["a", "b"])):
        answer = await client.call("GET", f"/v1/citizen/me/accounts?cursor={cursor}", token=token)
        assert (answer.status, answer.json["code"]) == (422, "request.invalid")


async def test_the_ledger_says_that_another_account_tried_my_number(auth: Auth, client: Client) -> None:
    mine = await auth.caller_named("openid-1", NAME, NUMBER)
    theirs = await auth.log_in("openid-2")
    body = {"name": NAME, "id_number": NUMBER, "consent": "real-name@1"}
    refused = await client.call("PUT", "/v1/citizen/me/identity", body, token=theirs.access_token)
    assert (refused.status, refused.json["code"]) == (409, "auth.already-bound")
    ways = [way["method"] for way in refused.json["alternatives"]]
    assert ways == ["other-account", "takeover", "face", "counter"]
    token = auth.tokens.issue(mine.citizen_id, mine.session_id)
    listed = await client.call("GET", "/v1/citizen/ledger", token=token, Accept_Language="en")
    [line] = [line for line in listed.json["items"] if line["action"] == "auth.identity-tried"]
    assert (line["actor"], line["outcome"]) == ("Another account", "already-bound")
    assert str(theirs.citizen.id) not in str(listed.json)


async def test_a_mobile_comes_by_a_code_or_by_all_that_the_old_button_gave(client: Client, auth: Auth) -> None:
    token = (await auth.log_in("mine")).access_token
    code, encrypted, iv = auth.mini_program.sealed_mobile_for("mine", "19900000001")
    old = {"login_code": code, "encrypted_data": encrypted, "iv": iv}
    for body, pointers in (
        ({}, ["/code"]),
        ({"login_code": code, "iv": iv}, ["/encrypted_data"]),
        ({"code": "x", "iv": iv}, ["/iv"]),
        ({**old, "iv": "short"}, ["/iv"]),
        ({**old, "encrypted_data": "not base64!"}, ["/encrypted_data"]),
    ):
        told = await client.call("PUT", "/v1/citizen/me/mobile", body, token=token)
        assert (told.status, told.json["code"]) == (422, "request.invalid")
        assert [error["pointer"] for error in told.json["errors"]] == pointers
    told = await client.call("PUT", "/v1/citizen/me/mobile", old, token=token)
    assert (told.status, told.json["mobile"]) == (200, "199****0001")
