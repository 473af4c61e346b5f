"""The ways as callers see them: addresses, statuses and words, over a real connection."""

import socket
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import aiohttp
import pytest

from api import app as edge
from api.citizen import ledger, me, sessions
from api.citizen.wallet.ledger_terms import LedgerTerms
from api.citizen.ways import assistances, login_checks, step_ups
from api.idempotency import Idempotency
from api.operation import encode_cursor
from api.staff import assistances as staff_assistances
from api.staff import counter
from auth.types import Caller, Role, RoleGrant
from auth.ways.errors import WayUnavailable
from auth.ways.rules import told_as
from certificates.definitions import Kinds
from core.db import fetch, transaction
from tests.auth.ways.people import CARD, MOBILE, NAME, NUMBER, OTHER_NAME, UNKNOWN_NUMBER
from tests.fakes.certificates import FakeVerifiers
from tests.fakes.staff import limited
from tests.fakes.ways import Ways
from tests.privacy import leaks

OFFICERS = frozenset({Role.OPERATOR, Role.ACCEPTOR, Role.DEPARTMENT_OPERATOR})
STEP_UPS, LOGINS = "/v1/citizen/step-ups", "/v1/citizen/login-checks"
NONE = UUID(int=0xABC)
ASKED = {"name": NAME, "id_number": NUMBER, "purpose": "代办居住证签注"}
LOGIN = {"method": "sms", "name": NAME, "id_number": NUMBER, "consent": "real-name@1", "mobile": MOBILE}


@dataclass
class Answered:
    """An answer, read to its end."""

    status: int
    headers: Mapping[str, str]
    json: Any
    text: str


@dataclass
class Client:
    """Calls the portal, as a resident whose token it has, or as an officer."""

    session: aiohttp.ClientSession
    base: str
    ways: Ways

    async def call(self, method: str, path: str, body: object = None, *, token: str = "", **headers: str) -> Answered:
        own = {name.replace("_", "-"): value for name, value in headers.items()}
        if token:
            own["Authorization"] = f"Bearer {token}"
        async with self.session.request(method, self.base + path, json=body, headers=own) as answer:
            text = await answer.text()
            return Answered(answer.status, answer.headers, await answer.json(content_type=None), text)

    def token(self, caller: Caller) -> str:
        return self.ways.auth.tokens.issue(caller.citizen_id, caller.session_id)

    async def officer(self, role: Role | RoleGrant = Role.OPERATOR) -> str:
        staff = self.ways.auth.staff
        return (await staff.log_in(await staff.member(role))).access_token


@pytest.fixture
async def client(ways: Ways) -> AsyncIterator[Client]:
    auth, ground = ways.auth, ways.ground
    services = SimpleNamespace(
        idempotency=Idempotency(vault=ground.vault, clock=ground.clock, ids=ground.ids),
        sessions=auth.sessions,
        logout=auth.logout,
        accounts=auth.accounts,
        citizens=auth.citizens,
        realname=auth.realname,
        staff_sessions=auth.staff.sessions,
        wallet=SimpleNamespace(kinds=Kinds([])),
        ledger_terms=LedgerTerms(kinds=Kinds([]), verifiers=FakeVerifiers(), purposes=ledger.purpose_words()),
        menu=ways.menu,
        step_ups=ways.step_ups,
        login_checks=ways.login_checks,
        counter=ways.counter,
        assistances=ways.assistances,
    )
    modules = (sessions, me, ledger, step_ups, login_checks, assistances, counter, staff_assistances)
    routes = [module.routes for module in modules]
    name = f"test-{uuid4().hex}"
    app = edge.create_app(services, routes, clock=ground.clock, ids=ground.ids, menu=ways.menu, name=name)
    listener = socket.create_server(("127.0.0.1", 0))
    server: Any = await app.create_server(sock=listener, return_asyncio_server=True)
    await server.startup()
    await server.start_serving()
    async with aiohttp.ClientSession() as session:
        yield Client(session, f"http://127.0.0.1:{listener.getsockname()[1]}", ways)
    await server.close()


async def test_too_low_then_a_step_up_then_the_same_request_succeeds(
    client: Client, ways: Ways, caller: Caller
) -> None:
    token = client.token(caller)
    low = await client.call("PUT", "/v1/citizen/me/elder", {"chosen": True}, token=token)
    assert (low.status, low.json["code"], low.json["required"]) == (403, "auth.level-too-low", "present")
    assert [way["method"] for way in low.json["ways"]] == [
        "face",
        "payment-password",
        "bank-card",
        "network-id",
        "counter",
    ]
    way = low.json["ways"][1]
    assert set(way) == {"method", "start", "text", "attempts", "expires_in", "lockout_seconds"}
    started = await client.call("POST", way["start"], {"method": way["method"]}, token=token)
    assert started.status == 201
    assert started.headers["Location"] == f"{STEP_UPS}/{started.json['id']}"
    assert set(started.json) == {
        "id",
        "method",
        "expires_at",
        "attempts_left",
        "codes_left",
        "prompt",
        "alternatives",
    }
    path = f"{STEP_UPS}/{started.json['id']}/evidence"
    waiting = await client.call("POST", path, {}, token=token)
    assert (waiting.status, waiting.json["outcome"], waiting.json["reason"]) == (200, "pending", None)
    ways.payment.opened_by[started.json["prompt"]["ticket"]] = (NAME, NUMBER)
    passed = await client.call("POST", path, {}, token=token)
    assert (passed.status, passed.json["outcome"], passed.json["alternatives"]) == (200, "passed", [])
    assert (await client.call("PUT", "/v1/citizen/me/elder", {"chosen": True}, token=token)).status == 200
    # From now on the elder's order and bounds.
    ways.ground.clock.move(ways.auth.sessions.fresh_until(elder=True) - ways.ground.clock.now())
    fresh = client.token(caller)
    low = await client.call("PUT", "/v1/citizen/me/elder", {"chosen": True}, token=fresh, Accept_Language="en")
    assert [way["method"] for way in low.json["ways"]][:2] == ["face", "counter"]
    assert low.json["ways"][1]["text"] == "At the nearest service hall, with your identity card"
    assert low.json["ways"][1]["attempts"] == 8


async def test_what_raises_an_account_without_a_name_is_told_too(client: Client, ways: Ways) -> None:
    token = (await ways.auth.log_in("openid-new")).access_token
    low = await client.call("POST", STEP_UPS, {"method": "counter"}, token=token)
    assert (low.status, low.json["required"]) == (403, "real_name")
    assert low.json["ways"][0] | {"method": "identity", "start": "/v1/citizen/me/identity"} == low.json["ways"][0]
    assert "sms" in [way["method"] for way in low.json["ways"]]


async def test_somebody_logs_in_without_wechat(client: Client, ways: Ways) -> None:
    started = await client.call("POST", LOGINS, LOGIN)
    assert started.status == 201
    assert started.json["prompt"] == {"kind": "code", "sent_to": "199****0001", "ticket": None, "code": None}
    assert started.headers["Location"] == f"{LOGINS}/{started.json['id']}"
    path = f"{LOGINS}/{started.json['id']}/evidence"
    wrong = await client.call("POST", path, {"code": "000000"})
    assert (wrong.status, wrong.json["outcome"], wrong.json["reason"]) == (200, "failed", "code_wrong")
    assert (wrong.json["codes_left"], wrong.json["attempts_left"]) == (4, 4)
    assert "face" in [way["method"] for way in wrong.json["alternatives"]]
    came = await client.call("POST", path, {"code": ways.sender.last_to(MOBILE)})
    assert (came.status, came.json["citizen"]["level"], came.json["citizen"]["name"]) == (201, "real_name", "霍**")
    assert came.headers["Location"].startswith("/v1/citizen/sessions/")
    again = await client.call("POST", path, {"code": ways.sender.last_to(MOBILE)})
    assert (again.status, again.json["code"]) == (409, "auth.check-decided")
    me = await client.call("GET", "/v1/citizen/me", token=came.json["access_token"])
    assert me.json["id_number"] == "9999**********2179"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"method": "palm"}, "request.invalid"),
        ({"method": None}, "request.invalid"),
        ({"name": ""}, "request.invalid"),
        ({"name": "霍" * 61}, "request.invalid"),
        ({"name": "a\u0000b"}, "request.invalid"),
        ({"id_number": "999999198503122178"}, "auth.id-number-invalid"),
        ({"id_number": 1}, "request.invalid"),
        ({"mobile": "110"}, "auth.mobile-invalid"),
        ({"mobile": None}, "auth.mobile-invalid"),
        ({"method": "bank-card", "card_number": "1"}, "auth.card-number-invalid"),
        ({"method": "bank-card"}, "auth.card-number-invalid"),
        ({"card_number": "6" * 33}, "request.invalid"),
        ({"password": "x"}, "request.invalid"),
    ],
)
async def test_bad_input_is_told_without_being_repeated(client: Client, change: dict[str, object], code: str) -> None:
    answer = await client.call("POST", LOGINS, {**LOGIN, **change})
    assert (answer.status, answer.json["code"]) == (422, code)
    assert leaks([answer.text]) == []
    assert await fetch("SELECT id FROM way_check") == []


async def test_a_missing_consent_is_named(client: Client) -> None:
    answer = await client.call("POST", LOGINS, {**LOGIN, "consent": "yes"})
    assert (answer.status, answer.json["code"]) == (403, "auth.consent-required")
    assert answer.json["consent"] == "real-name@1"


@pytest.mark.parametrize("body", [{"code": ""}, {"code": "1" * 17}, {"code": 123456}, {"ticket": "x"}, []])
async def test_bad_evidence_counts_for_nothing(client: Client, body: object) -> None:
    started = await client.call("POST", LOGINS, LOGIN)
    path = f"{LOGINS}/{started.json['id']}/evidence"
    assert (await client.call("POST", path, body)).status == 422
    wrong = await client.call("POST", path, {"code": "000000"})
    assert wrong.json["codes_left"] == 4


async def test_a_code_that_is_needed_is_asked_for(client: Client) -> None:
    started = await client.call("POST", LOGINS, LOGIN)
    answer = await client.call("POST", f"{LOGINS}/{started.json['id']}/evidence", {})
    assert (answer.status, answer.json["code"]) == (422, "auth.code-required")
    assert [error["pointer"] for error in answer.json["errors"]] == ["/code"]


async def test_no_such_check_and_somebody_elses_look_the_same(client: Client, ways: Ways, caller: Caller) -> None:
    own = await client.call("POST", STEP_UPS, {"method": "counter"}, token=client.token(caller))
    other = client.token(await ways.auth.caller_named("openid-2", OTHER_NAME, "999999199011053335"))
    seen = []
    for check_id in (own.json["id"], uuid4()):
        for method, path in (("POST", f"{STEP_UPS}/{check_id}/evidence"), ("DELETE", f"{STEP_UPS}/{check_id}")):
            answer = await client.call(method, path, {} if method == "POST" else None, token=other)
            seen.append((answer.status, answer.json["code"], answer.json["title"]))
        answer = await client.call("POST", f"{LOGINS}/{check_id}/evidence", {})
        seen.append((answer.status, answer.json["code"], answer.json["title"]))
    assert set(seen) == {(404, "request.not-found", "没有找到")}


async def test_locked_and_away_say_when_and_what_else(client: Client, ways: Ways, caller: Caller) -> None:
    token = client.token(caller)
    ways.network.trouble = WayUnavailable(retry_after=9)
    away = await client.call("POST", STEP_UPS, {"method": "network-id"}, token=token)
    assert (away.status, away.json["code"], away.headers["Retry-After"]) == (503, "auth.way-unavailable", "9")
    for _ in range(5):
        assert (await client.call("POST", STEP_UPS, {"method": "counter"}, token=token)).status == 201
    locked = await client.call("POST", STEP_UPS, {"method": "counter"}, token=token, X_Client_Mode="elder")
    assert (locked.status, locked.json["code"], locked.headers["Retry-After"]) == (429, "auth.way-locked", "21600")
    assert locked.json["plain"]
    assert [way["method"] for way in locked.json["alternatives"]] == [
        "face",
        "payment-password",
        "bank-card",
        "network-id",
        "phone",
    ]
    assert (await client.call("POST", STEP_UPS, {"method": "payment-password"}, token=token)).status == 201


async def test_a_check_is_started_once_under_a_key(client: Client, caller: Caller) -> None:
    token = client.token(caller)
    first, again = [
        await client.call("POST", STEP_UPS, {"method": "counter"}, token=token, Idempotency_Key="a-key")
        for _ in range(2)
    ]
    assert first.json == again.json
    assert again.headers["Idempotent-Replayed"] == "true"


async def test_the_history_comes_in_pages_and_an_open_check_is_given_up(client: Client, caller: Caller) -> None:
    token = client.token(caller)
    made = [(await client.call("POST", STEP_UPS, {"method": "counter"}, token=token)).json["id"] for _ in range(3)]
    assert (await client.call("DELETE", f"{STEP_UPS}/{made[0]}", token=token)).status == 204
    assert (await client.call("DELETE", f"{STEP_UPS}/{made[0]}", token=token)).status == 404
    seen: dict[str, str] = {}
    cursor = ""
    while True:
        page = await client.call("GET", f"{STEP_UPS}?limit=2{cursor}", token=token)
        assert page.status == 200
        seen |= {item["id"]: item["state"] for item in page.json["items"]}
        if page.json["next_cursor"] is None:
            break
        cursor = f"&cursor={page.json['next_cursor']}"
    assert seen == {made[0]: "revoked", made[1]: "open", made[2]: "open"}


@pytest.mark.parametrize("cursor", ["x", encode_cursor(["now", str(UUID(int=1))]), encode_cursor(["a"])])
@pytest.mark.parametrize("path", [STEP_UPS, "/v1/citizen/assistances"])
async def test_a_cursor_of_nobody_is_refused(client: Client, caller: Caller, path: str, cursor: str) -> None:
    answer = await client.call("GET", f"{path}?cursor={cursor}", token=client.token(caller))
    assert (answer.status, answer.json["code"]) == (422, "request.invalid")


async def test_an_officer_confirms_a_resident_at_the_counter(client: Client, caller: Caller) -> None:
    token, officer = client.token(caller), await client.officer()
    check = await client.call("POST", STEP_UPS, {"method": "counter"}, token=token)
    body = {"code": check.json["prompt"]["code"], "name": NAME, "id_number": NUMBER}
    path = "/v1/staff/counter-confirmations"
    for refused in ({**body, "name": OTHER_NAME}, {**body, "code": "00000000"}):
        answer = await client.call("POST", path, refused, token=officer)
        assert (answer.status, answer.json["code"]) == (422, "auth.counter-mismatch")
    confirmed = await client.call("POST", path, body, token=officer)
    assert (confirmed.status, confirmed.json["id"]) == (201, str(told_as(UUID(check.json["id"]))))
    assert (await client.call("POST", path, body, token=officer)).status == 422
    passed = await client.call("POST", f"{STEP_UPS}/{check.json['id']}/evidence", {}, token=token)
    assert passed.json["outcome"] == "passed"
    listed = await client.call("GET", "/v1/citizen/ledger", token=token, Accept_Language="en")
    told = [(line["actor"], line["outcome"]) for line in listed.json["items"] if "counter" in line["action"]]
    officer_said = "A member of staff"
    assert sorted(told) == [*[(officer_said, "mismatch")] * 3, (officer_said, "ok")]


@pytest.mark.parametrize("role", [role for role in Role if role not in OFFICERS])
async def test_other_roles_confirm_nobody_and_act_for_nobody(client: Client, caller: Caller, role: Role) -> None:
    officer = await client.officer(role)
    for path, body in (
        ("/v1/staff/counter-confirmations", {"code": "1", "name": NAME, "id_number": NUMBER}),
        ("/v1/staff/assistances", ASKED),
        (f"/v1/staff/assistances/{uuid4()}/confirmations", {}),
    ):
        answer = await client.call("POST", path, body, token=officer)
        assert (answer.status, answer.json["code"]) == (403, "auth.forbidden")
        residents = await client.call("POST", path, body, token=client.token(caller))
        assert residents.status == 401


@pytest.mark.parametrize("role", sorted(OFFICERS))
async def test_officers_of_a_department_confirm_at_their_counter_and_act_for_nobody(client: Client, role: Role) -> None:
    limited_officer = await client.officer(limited(role, department="taxation"))
    body = {"code": "00000000", "name": NAME, "id_number": NUMBER}
    at_counter = await client.call("POST", "/v1/staff/counter-confirmations", body, token=limited_officer)
    assert at_counter.json["code"] == "auth.counter-mismatch"
    for path, asked in (("/v1/staff/assistances", ASKED), (f"/v1/staff/assistances/{uuid4()}/confirmations", {})):
        refused = await client.call("POST", path, asked, token=limited_officer)
        assert (refused.status, refused.json["code"]) == (403, "auth.forbidden")
    whole = await client.officer(role)
    assert (await client.call("POST", "/v1/staff/assistances", ASKED, token=whole)).status == 201


async def acting(client: Client, caller: Caller) -> tuple[str, str]:
    """Let an officer act for the caller; return the officer's session as the resident's, and its id."""
    officer = await client.officer()
    asked = await client.call("POST", "/v1/staff/assistances", ASKED, token=officer)
    assert (asked.status, set(asked.json), asked.json["state"]) == (201, {"id", "state", "expires_at"}, "waiting")
    collect = f"/v1/staff/assistances/{asked.json['id']}/confirmations"
    early = await client.call("POST", collect, {}, token=officer)
    assert (early.status, early.json["code"]) == (409, "auth.assistance-unconfirmed")
    token = client.token(caller)
    [seen] = (await client.call("GET", "/v1/citizen/assistances", token=token)).json["items"]
    assert (seen["id"], seen["purpose"], seen["state"]) == (asked.json["id"], ASKED["purpose"], "waiting")
    path = f"/v1/citizen/assistances/{seen['id']}/confirmations"
    confirmed = await client.call("POST", path, token=token)
    assert (confirmed.status, confirmed.json["state"]) == (201, "confirmed")
    got = await client.call("POST", collect, {}, token=officer)
    assert (got.status, got.json["citizen"]["level"]) == (201, "real_name")
    return got.json["access_token"], got.headers["Location"].rpartition("/")[2]


async def test_an_officer_acts_for_a_resident_who_has_confirmed(client: Client, caller: Caller) -> None:
    token, session_id = await acting(client, caller)
    me = await client.call("GET", "/v1/citizen/me", token=token)
    assert (me.status, me.json["name"]) == (200, "霍**")
    own = client.token(caller)
    listed = await client.call("GET", "/v1/citizen/sessions", token=own)
    assert {item["id"]: item["assisted"] for item in listed.json["items"]} == {
        session_id: True,
        str(caller.session_id): False,
    }
    told = (await client.call("GET", "/v1/citizen/ledger", token=own)).json["items"]
    opened = {line["actor"] for line in told if line["action"] == "auth.session-opened"}
    assert opened == {"您本人", "工作人员"}
    assert (await client.call("DELETE", f"/v1/citizen/sessions/{session_id}", token=own)).status == 204
    assert (await client.call("GET", "/v1/citizen/me", token=token)).status == 401


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "/v1/citizen/me/identity", {"name": NAME, "id_number": NUMBER, "consent": "real-name@1"}),
        ("PUT", "/v1/citizen/me/mobile", {"code": "x"}),
        ("PUT", "/v1/citizen/me/elder", {"chosen": True}),
        ("DELETE", f"/v1/citizen/me/accounts/{NONE}", None),
        ("DELETE", f"/v1/citizen/sessions/{NONE}", None),
        ("POST", STEP_UPS, {"method": "counter"}),
        ("DELETE", f"{STEP_UPS}/{NONE}", None),
        ("GET", "/v1/citizen/assistances", None),
        ("POST", f"/v1/citizen/assistances/{NONE}/confirmations", None),
    ],
)
async def test_what_is_the_residents_alone_no_officer_does_for_them(
    client: Client, caller: Caller, method: str, path: str, body: object
) -> None:
    token, _ = await acting(client, caller)
    answer = await client.call(method, path, body, token=token)
    assert (answer.status, answer.json["code"]) == (403, "auth.in-person-only")


async def test_an_officer_may_log_out_of_the_residents_session(client: Client, caller: Caller) -> None:
    token, _ = await acting(client, caller)
    assert (await client.call("DELETE", "/v1/citizen/sessions/current", token=token)).status == 204
    assert (await client.call("GET", "/v1/citizen/me", token=token)).status == 401


async def test_people_nobody_knows_are_asked_for_alike(client: Client, ways: Ways, caller: Caller) -> None:
    officer, seen = await client.officer(), []
    for change in ({}, {"id_number": UNKNOWN_NUMBER}, {"name": OTHER_NAME}):
        asked = await client.call("POST", "/v1/staff/assistances", {**ASKED, **change}, token=officer)
        seen.append((asked.status, {name: value for name, value in asked.json.items() if name != "id"}))
        path = f"/v1/staff/assistances/{asked.json['id']}/confirmations"
        for body in ({}, {"code": "123456"}):
            answer = await client.call("POST", path, body, token=officer)
            seen.append((answer.status, {"code": answer.json["code"]}))
    assert seen[:3] == seen[3:6] == seen[6:]
    colleague = await client.officer()
    other = await client.call("POST", path, {}, token=colleague)
    assert (other.status, other.json["code"]) == (404, "request.not-found")


async def test_the_code_by_message_works_too(client: Client, ways: Ways, caller: Caller) -> None:
    await ways.auth.citizens.set_mobile(caller, ways.auth.mini_program.mobile_code_for(MOBILE))
    officer = await client.officer(Role.DEPARTMENT_OPERATOR)
    asked = await client.call("POST", "/v1/staff/assistances", ASKED, token=officer)
    change = await ways.assistances.send_code(asked.json["id"])
    assert change is not None
    await transaction(change)
    path = f"/v1/staff/assistances/{asked.json['id']}/confirmations"
    wrong = await client.call("POST", path, {"code": "000"}, token=officer)
    assert (wrong.status, wrong.json["code"]) == (403, "auth.assistance-code-wrong")
    got = await client.call("POST", path, {"code": ways.sender.last_to(MOBILE)}, token=officer)
    assert got.status == 201
    gone = await client.call("POST", path, {"code": ways.sender.last_to(MOBILE)}, token=officer)
    assert (gone.status, gone.json["code"]) == (410, "auth.assistance-ended")


async def test_nothing_personal_turns_up_in_answers(client: Client, ways: Ways, caller: Caller) -> None:
    token = client.token(caller)
    bodies = []
    for method in ("bank-card", "payment-password", "network-id", "counter"):
        told = {"method": method, "mobile": MOBILE, "card_number": CARD}
        answer = await client.call("POST", STEP_UPS, told, token=token)
        assert answer.status == 201
        bodies.append(answer.text)
        bodies.append(
            (await client.call("POST", f"{STEP_UPS}/{answer.json['id']}/evidence", {"code": "1"}, token=token)).text
        )
    bodies.append((await client.call("GET", STEP_UPS, token=token)).text)
    assert leaks(bodies) == []
    assert not any(CARD in body for body in bodies)
