"""The staff as they see it: addresses, statuses and words, over a real connection."""

import secrets
import socket
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import aiohttp
import pyotp
import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from http_message_signatures import ContentDigest, HTTPMessageSigner, MappingKeyResolver, algorithms
from multidict import CIMultiDict

from api import app as edge
from api.citizen import ledger
from api.citizen.wallet.ledger_terms import LedgerTerms
from api.idempotency import Idempotency
from api.operation import encode_cursor
from api.staff import approvals, audit, emergencies, openings, operators, parties, privacy, sessions
from api.verifiers import verifications
from auth.types import Role
from certificates.definitions import Kinds
from certificates.types import Outcome, Verified
from core.audit.ledger import lines_of
from core.db import fetch
from core.signers.http_signature import SignatureChecker
from tests.auth.registers.test_parties import pem, verifier
from tests.fakes.auth import make_auth
from tests.fakes.certificates import FakeVerifiers
from tests.fakes.staff import PASSWORD, Member, Staff, limited

URL = "https://zhijian.city.test"
NAME, NUMBER = "霍明哲", "999999198503122179"


@dataclass
class Answered:
    status: int
    headers: Mapping[str, str]
    json: Any
    text: str


class NotingVerification:
    """Remembers who asked."""

    def __init__(self) -> None:
        self.asked: list[UUID | None] = []

    async def verify(self, code: str, *, purpose: str, verifier: UUID | None, address: str) -> Verified:
        self.asked.append(verifier)
        return Verified(Outcome.UNKNOWN)


@dataclass
class Hall:
    """The running service, and people who work in it."""

    staff: Staff
    session: aiohttp.ClientSession
    base: str
    verification: NotingVerification

    async def ask(self, method: str, path: str, body: object = None, *, token: str = "", **headers: str) -> Answered:
        own = {name.replace("_", "-"): value for name, value in headers.items()}
        if token:
            own["Authorization"] = f"Bearer {token}"
        async with self.session.request(method, self.base + path, json=body, headers=own) as answer:
            kind = answer.headers.get("Content-Type", "")
            told = await answer.json(content_type=None) if "json" in kind else None
            return Answered(answer.status, answer.headers, told, await answer.text())

    async def token(self, *grants: Any) -> tuple[str, Member]:
        member = await self.staff.member(*grants)
        return (await self.staff.log_in(member)).access_token, member


@pytest.fixture
async def hall(staff: Staff) -> AsyncIterator[Hall]:
    ground, verification = staff.ground, NotingVerification()
    auth = make_auth(ground)
    staff.address = "127.0.0.1"
    services = SimpleNamespace(
        idempotency=Idempotency(vault=ground.vault, clock=ground.clock, ids=ground.ids),
        sessions=auth.sessions,
        clock=ground.clock,
        wallet=SimpleNamespace(kinds=Kinds([])),
        ledger_terms=LedgerTerms(kinds=Kinds([]), verifiers=FakeVerifiers(), purposes=ledger.purpose_words()),
        staff_sessions=staff.sessions,
        operators=staff.operators,
        appointments=staff.appointments,
        approvals=staff.approvals,
        emergencies=staff.emergencies,
        emergency_reviews=staff.reviews,
        openings=staff.openings,
        trail=staff.trail,
        parties=staff.parties,
        privacy_records=staff.privacy_records,
        verification=verification,
        signatures=SignatureChecker({}, clock=ground.clock, register=staff.registered_keys),
        public_url=URL,
    )
    routes = [
        each.routes
        for each in (
            sessions,
            operators,
            approvals,
            audit,
            emergencies,
            openings,
            parties,
            privacy,
            ledger,
            verifications,
        )
    ]
    app = edge.create_app(services, routes, clock=ground.clock, ids=ground.ids, name=f"test-{uuid4().hex}")
    listener = socket.create_server(("127.0.0.1", 0))
    server: Any = await app.create_server(sock=listener, return_asyncio_server=True)
    await server.startup()
    await server.start_serving()
    async with aiohttp.ClientSession() as session:
        yield Hall(staff, session, f"http://127.0.0.1:{listener.getsockname()[1]}", verification)
    await server.close()


async def test_from_an_invitation_to_a_session_and_out(hall: Hall) -> None:
    system, _ = await hall.token(Role.SYSTEM_ADMIN)
    security, _ = await hall.token(Role.SECURITY_ADMIN)
    named = {"username": "a.clerk"}
    told = await hall.ask("POST", "/v1/staff/operators", {**named, "grants": [{"role": "operator"}]}, token=system)
    assert (told.status, told.json["code"]) == (422, "request.invalid")
    invited = await hall.ask("POST", "/v1/staff/operators", named, token=system)
    assert invited.status == 201
    grants = [{"role": "acceptor", "region": "3201", "department": "taxation", "matter": ""}]
    roles = f"{invited.headers['Location']}/roles"
    early = await hall.ask("PUT", roles, {"grants": grants}, token=security)
    assert (early.status, early.json["code"]) == (409, "auth.operator-state")
    assert invited.headers["Location"] == f"/v1/staff/operators/{invited.json['id']}"
    weak = await hall.ask(
        "POST", "/v1/staff/activations", {"secret": invited.json["secret"], "password": "password1234"}
    )
    assert (weak.status, weak.json["code"]) == (422, "auth.password-weak")
    activation = {"secret": invited.json["secret"], "password": PASSWORD}
    activated = await hall.ask("POST", "/v1/staff/activations", activation)
    assert activated.status == 201
    assert len(activated.json["recovery_codes"]) == 10
    again = await hall.ask("POST", "/v1/staff/activations", activation)
    assert (again.status, again.json["code"]) == (401, "auth.activation-invalid")
    assert (await hall.ask("PUT", roles, {"grants": grants}, token=system)).status == 403
    assert (await hall.ask("PUT", roles, {"grants": grants}, token=security)).status == 200
    totp = pyotp.parse_uri(activated.json["otpauth_uri"])
    assert isinstance(totp, pyotp.TOTP)
    login = {"username": "a.clerk", "password": PASSWORD, "otp": totp.at(hall.staff.ground.clock.now())}
    granted = await hall.ask("POST", "/v1/staff/sessions", login)
    assert granted.status == 201
    assert granted.json["operator"]["grants"] == grants
    replayed = await hall.ask("POST", "/v1/staff/sessions", login)
    assert (replayed.status, replayed.json["code"]) == (401, "auth.staff-login-invalid")
    token = granted.json["access_token"]
    listed = await hall.ask("GET", "/v1/staff/sessions", token=token)
    assert [item["current"] for item in listed.json["items"]] == [True]
    assert (await hall.ask("GET", "/v1/staff/operators", token=token)).json["code"] == "auth.forbidden"
    assert (await hall.ask("DELETE", "/v1/staff/sessions/current", token=token)).status == 204
    assert (await hall.ask("GET", "/v1/staff/sessions/current", token=token)).status == 401


async def test_a_role_taken_away_over_the_wire_is_gone_with_the_next_request(hall: Hall) -> None:
    security, _ = await hall.token(Role.SECURITY_ADMIN)
    await hall.staff.member(Role.AUDITOR)
    token, member = await hall.token(Role.AUDITOR)
    path = f"/v1/staff/operators/{member.caller.operator_id}"
    assert (await hall.ask("GET", "/v1/staff/operators", token=token)).status == 200
    changed = await hall.ask("PUT", f"{path}/roles", {"grants": [{"role": "operator"}]}, token=security)
    assert changed.status == 200
    assert (await hall.ask("GET", "/v1/staff/operators", token=token)).status == 401
    twice = await hall.ask("PUT", f"{path}/roles", {"grants": [{"role": "operator"}] * 2}, token=security)
    assert (twice.status, twice.json["errors"]) == (
        422, [{"pointer": "/grants", "code": "doubled", "message": "同一项写了两遍"}]
    )  # fmt: skip
    needed = await hall.ask("PUT", f"{path}/roles", {"grants": [{"role": "approver"}]}, token=security)
    assert (needed.status, needed.json["code"]) == (403, "auth.approval-needed")
    assert needed.json["start"] == "/v1/staff/approvals"
    both = await hall.ask(
        "PUT", f"{path}/roles", {"grants": [{"role": "operator"}, {"role": "auditor"}]}, token=security
    )
    assert (both.status, both.json["code"]) == (422, "auth.roles-exclude")
    unreadable = await hall.ask("POST", f"{path}/disablements", {"reason": "\u200b" * 4}, token=security)
    assert unreadable.status == 422
    gone = await hall.ask("POST", f"{path}/disablements", {"reason": "left the service"}, token=security)
    assert gone.status == 204
    nobody = await hall.ask("PUT", f"/v1/staff/operators/{uuid4()}/networks", {"networks": []}, token=security)
    assert (nobody.status, nobody.json["code"]) == (404, "request.not-found")


async def test_a_verifier_comes_in_by_two_people_and_is_known_by_its_key(hall: Hall) -> None:
    system, asker = await hall.token(Role.SYSTEM_ADMIN)
    security, _ = await hall.token(Role.SECURITY_ADMIN)
    key = ed25519.Ed25519PrivateKey.generate()
    wanted = verifier(networks=["127.0.0.0/8"], key={"key_id": "hotel-1-a", "public_key": pem(key)})
    asked = await hall.ask(
        "POST",
        "/v1/staff/approvals",
        {"request": {"action": "verifiers.register", **wanted}, "reason": "a contract"},
        token=system,
    )
    assert asked.status == 201, asked.text
    wrong = await hall.ask(
        "POST",
        "/v1/staff/approvals",
        {"request": {"action": "verifiers.register", **wanted, "slug": "X"}, "reason": "a contract"},
        token=system,
    )
    assert (wrong.status, [each["pointer"] for each in wrong.json["errors"]]) == (422, ["/request/slug"])
    path = asked.headers["Location"]
    shown = (await hall.ask("GET", path, token=security)).json
    assert shown["payload"]["purposes"] == {"check-in": ["name", "age>=18"]}
    decision = {"decision": "approve", "payload_hash": shown["payload_hash"]}
    own = await hall.ask("POST", f"{path}/decisions", decision, token=system)
    assert (own.status, own.json["code"]) == (403, "auth.self-approval")
    edited = {"request": {"action": "verifiers.register", **wanted, "quota_per_day": 9}}
    assert (await hall.ask("PUT", path, edited, token=system)).status == 200
    stale = await hall.ask("POST", f"{path}/decisions", decision, token=security)
    assert (stale.status, stale.json["code"]) == (409, "auth.approval-changed")
    decision["payload_hash"] = (await hall.ask("GET", path, token=security)).json["payload_hash"]
    done = await hall.ask("POST", f"{path}/decisions", decision, token=security)
    assert (done.status, done.json["state"]) == (200, "executed")
    twice = await hall.ask("POST", f"{path}/decisions", decision, token=security)
    assert (twice.status, twice.json["code"]) == (409, "auth.approval-decided")
    listed = (await hall.ask("GET", "/v1/staff/verifiers", token=system)).json["items"]
    assert [(item["slug"], item["quota_per_day"]) for item in listed] == [("hotel-1", 9)]

    assert (await verify(hall, key, "check-in")).status == 200
    assert (await verify(hall, key, "curiosity")).status == 200
    assert [str(each) for each in hall.verification.asked if each] == [listed[0]["id"]] * 2
    told = await hall.ask(
        "POST", f"/v1/staff/verifiers/{listed[0]['id']}/suspensions", {"reason": "asks too much"}, token=security
    )
    assert told.status == 204
    hall.staff.ground.clock.move(timedelta(seconds=1))
    refused = await verify(hall, key, "check-in")
    assert (refused.status, refused.json["code"]) == (401, "departments.signature-invalid")
    assert asker.username not in shown["reason"]


async def verify(hall: Hall, key: ed25519.Ed25519PrivateKey, purpose: str) -> Answered:
    path, body = "/v1/verifiers/verifications", f'{{"code": "x", "purpose": "{purpose}"}}'.encode()
    sent = SimpleNamespace(
        method="POST", url=URL + path, headers=CIMultiDict({"Content-Type": "application/json"}), body=body
    )
    ContentDigest.add(sent.headers, body)
    HTTPMessageSigner(
        signature_algorithm=algorithms.ED25519,
        key_resolver=MappingKeyResolver(private_keys={"hotel-1-a": key}, public_keys={}),
    ).sign(
        sent,
        key_id="hotel-1-a",
        created=hall.staff.ground.clock.now(),
        nonce=secrets.token_urlsafe(16),
        covered_component_ids=("@method", "@target-uri", "content-digest", "content-type"),
        use_existing_digest=True,
    )
    async with hall.session.post(hall.base + path, data=body, headers=sent.headers) as answer:
        return Answered(answer.status, answer.headers, await answer.json(content_type=None), await answer.text())


async def test_an_invitation_asked_for_again_is_the_same_for_the_same_session_alone(hall: Hall) -> None:
    system, member = await hall.token(Role.SYSTEM_ADMIN)
    wanted = {"username": "a.clerk"}
    first = await hall.ask("POST", "/v1/staff/operators", wanted, token=system, Idempotency_Key="k-1")
    again = await hall.ask("POST", "/v1/staff/operators", wanted, token=system, Idempotency_Key="k-1")
    assert (first.status, again.status) == (201, 201)
    assert again.json == first.json
    assert again.headers["Idempotent-Replayed"] == "true"
    assert len(await fetch("SELECT id FROM operator_account WHERE username = 'a.clerk'")) == 1
    other = await hall.ask("POST", "/v1/staff/operators", {"username": "b.clerk"}, token=system, Idempotency_Key="k-1")
    assert (other.status, other.json["code"]) == (422, "request.idempotency-key-reused")
    hall.staff.ground.clock.move(timedelta(seconds=30))
    elsewhere = (await hall.staff.log_in(member)).access_token
    told = await hall.ask("POST", "/v1/staff/operators", wanted, token=elsewhere, Idempotency_Key="k-1")
    assert (told.status, told.json["code"]) == (409, "auth.username-taken")
    assert first.json["secret"] not in repr(await fetch("SELECT * FROM kept_answer"))


async def test_a_lost_answer_is_no_second_opening(hall: Hall) -> None:
    resident = await make_auth(hall.staff.ground).caller_named("openid-1", NAME, NUMBER)
    clerk, _ = await hall.token(Role.OPERATOR)
    wanted = {"subject": str(resident.citizen_id), "fields": ["name"], "purpose": "calls back", "case": "C-2026-17"}
    told = [await hall.ask("POST", "/v1/staff/openings", wanted, token=clerk, Idempotency_Key="k-1") for _ in range(2)]
    assert [each.json["values"] for each in told] == [{"name": NAME}] * 2
    assert told[1].headers["Cache-Control"] == "no-store"
    assert len(await fetch("SELECT id FROM opening")) == 1
    assert len(await fetch("SELECT id FROM audit_line WHERE action = 'auth.data-opened'")) == 1
    assert NAME not in repr(await fetch("SELECT * FROM kept_answer"))


async def test_the_audit_is_looked_through_by_who_audits_and_by_nobody_else(hall: Hall) -> None:
    resident = await make_auth(hall.staff.ground).caller_named("openid-1", NAME, NUMBER)
    auditor, _ = await hall.token(Role.AUDITOR)
    clerk, member = await hall.token(Role.OPERATOR)
    await hall.ask("GET", f"/v1/staff/residents/{resident.citizen_id}", token=clerk)
    path, own = "/v1/staff/audit-lines", str(member.caller.operator_id)
    by_clerk = f"{path}?actor={own}&actor_kind=operator"
    told = await hall.ask("GET", f"{by_clerk}&action=auth.resident-looked-up", token=auditor)
    assert told.status == 200, told.text
    (line,) = told.json["items"]
    assert (line["actor"], line["seal"], line["seq"]) == (own, "unsealed", None)
    assert line["subject"] not in {None, str(resident.citizen_id)}
    assert str(resident.citizen_id) not in told.text
    without = await hall.ask("GET", f"{path}?subject={resident.citizen_id}", token=auditor)
    assert (without.status, without.json["code"]) == (422, "auth.subject-needs-case")
    about = f"{path}?subject={resident.citizen_id}&purpose=a%20complaint&case=C-2026-9"
    told = await hall.ask("GET", about, token=auditor)
    assert {item["subject"] for item in told.json["items"]} == {line["subject"]}
    for wrong in ("since=0001-01-01T00:00:00%2B14:00", "since=2026-01-01", "actor_kind=robot", f"case={NUMBER}", "x=1"):
        assert (await hall.ask("GET", f"{path}?{wrong}", token=auditor)).status == 422, wrong
    for address in (path, "/v1/staff/audit-chain"):
        assert (await hall.ask("GET", address, token=clerk)).json["code"] == "auth.forbidden"
    chain = await hall.ask("GET", "/v1/staff/audit-chain", token=auditor)
    assert (chain.json["sealed_up_to"], chain.json["signature"]) == (0, "holds")
    pages: list[str] = []
    cursor = ""
    while True:
        page = (await hall.ask("GET", f"{by_clerk}&limit=1{cursor}", token=auditor)).json
        pages += [item["id"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert len(pages) == len(set(pages)) == 3


async def test_an_emergency_over_the_wire(hall: Hall) -> None:
    system, _ = await hall.token(Role.SYSTEM_ADMIN)
    security, _ = await hall.token(Role.SECURITY_ADMIN)
    wanted = {"action": "keys.retire", "key_set": "tokens"}
    body = {"request": wanted, "reason": "it is in a public place"}
    told = await hall.ask("POST", "/v1/staff/emergencies", body, token=system)
    assert (told.status, told.json["emergency"], told.json["state"]) == (201, True, "approved")
    listed = await hall.ask("GET", "/v1/staff/emergencies", token=security)
    assert [item["id"] for item in listed.json["items"]] == [told.json["id"]]
    path = told.headers["Location"]
    assert (await hall.ask("GET", path, token=system)).status == 403
    early = await hall.ask("POST", f"{path}/reviews", {"finding": "justified"}, token=security)
    assert (early.status, early.json["code"]) == (409, "auth.emergency-unused")
    reviewed = await hall.ask("POST", f"{path}/reviews", {"finding": "unjustified"}, token=security)
    assert (reviewed.status, reviewed.json["state"], reviewed.json["undone"]) == (200, "withdrawn", ["stopped"])
    listed = await hall.ask("GET", "/v1/staff/emergencies", token=security)
    assert [item["finding"] for item in listed.json["items"]] == ["unjustified"]
    barred = await hall.ask("POST", "/v1/staff/emergencies", body, token=system)
    assert (barred.status, barred.json["code"]) == (403, "auth.emergency-barred")
    noted = await hall.ask("POST", f"{path}/follow-ups", {"note": "talked to them"}, token=security)
    assert (noted.status, noted.json["follow_up"]) == (200, "talked to them")
    # What the security administrator does alone, the audit administrator looks at and sees to.
    audit_admin, _ = await hall.token(Role.AUDIT_ADMIN)
    own = (await hall.ask("POST", "/v1/staff/emergencies", body, token=security)).headers["Location"]
    refused = await hall.ask("POST", f"{own}/reviews", {"finding": "unjustified"}, token=security)
    assert (refused.status, refused.json["code"]) == (403, "auth.self-approval")
    for step, said in (("reviews", {"finding": "unjustified"}), ("follow-ups", {"note": "talked to them"})):
        assert (await hall.ask("POST", f"{own}/{step}", said, token=audit_admin)).status == 200
    again = await hall.ask("POST", f"{path}/follow-ups", {"note": "talked to them"}, token=security)
    assert (again.status, again.json["code"]) == (409, "auth.nothing-to-follow-up")
    assert (await hall.ask("GET", "/v1/staff/emergencies", token=security)).json["items"] == []


async def test_what_staff_opens_the_resident_sees(hall: Hall) -> None:
    auth = make_auth(hall.staff.ground)
    resident = await auth.caller_named("openid-1", NAME, NUMBER)
    clerk, _ = await hall.token(Role.OPERATOR)
    within, _ = await hall.token(limited(Role.ACCEPTOR, department="taxation"))
    masked = await hall.ask("GET", f"/v1/staff/residents/{resident.citizen_id}", token=clerk)
    assert masked.json == {
        "id": str(resident.citizen_id),
        "name": "霍**",
        "id_number": "9999**********2179",
        "mobile": None,
    }
    wanted = {
        "subject": str(resident.citizen_id),
        "fields": ["name", "id_number"],
        "purpose": "calls back about a form",
        "case": "C-2026-17",
    }
    opened = await hall.ask("POST", "/v1/staff/openings", wanted, token=clerk)
    assert opened.status == 200
    assert opened.json["values"] == {"name": NAME, "id_number": NUMBER}
    assert opened.headers["Cache-Control"] == "no-store"
    refused = await hall.ask("POST", "/v1/staff/openings", wanted, token=within)
    assert (refused.status, refused.json["code"]) == (403, "auth.forbidden")
    for without in ("purpose", "case", "subject"):
        told = await hall.ask(
            "POST", "/v1/staff/openings", {key: wanted[key] for key in wanted if key != without}, token=clerk
        )
        assert (told.status, told.json["code"]) == (422, "request.invalid")
    for case in (NUMBER, "19900000001", "a case", "x"):
        told = await hall.ask("POST", "/v1/staff/openings", {**wanted, "case": case}, token=clerk)
        assert (told.status, told.json["code"]) == (422, "request.invalid")
    for changed, pointer, code in (
        ({"case": NUMBER}, "/case", "personal_number"),
        ({"purpose": "...."}, "/purpose", "unreadable"),
        ({"application": str(resident.citizen_id)}, "", "one_of"),
    ):
        told = await hall.ask("POST", "/v1/staff/openings", {**wanted, **changed}, token=clerk)
        assert [(error["pointer"], error["code"]) for error in told.json["errors"]] == [(pointer, code)]
        assert told.json["errors"][0]["message"] != "格式不对"
    twice = await hall.ask("POST", "/v1/staff/openings", {**wanted, "fields": ["name", "name"]}, token=clerk)
    assert (twice.status, twice.json["errors"][0]["code"]) == (422, "doubled")
    token = auth.tokens.issue(resident.citizen_id, resident.session_id)
    lines = (await hall.ask("GET", "/v1/citizen/ledger", token=token)).json["items"]
    staff = [line for line in lines if line["actor_kind"] == "operator"]
    assert {line["actor"] for line in staff} == {"工作人员"}
    seen = {(line["action"], line["outcome"], line["purpose"], line["case"], *line["fields"]) for line in staff}
    why = ("calls back about a form", "C-2026-17", "name", "id_number")
    assert seen == {
        ("auth.opening-refused", "forbidden", *why),
        ("auth.data-opened", "ok", *why),
        ("auth.resident-looked-up", "ok", "", None),
    }
    assert len(staff) == 3


async def test_an_application_is_opened_under_its_own_number_within_ones_reach(hall: Hall) -> None:
    auth = make_auth(hall.staff.ground)
    resident = await auth.caller_named("openid-1", NAME, NUMBER)
    application, now = hall.staff.ground.ids.uuid(), hall.staff.ground.clock.now()
    await fetch(
        "INSERT INTO application (id, citizen_id, matter_code, matter_version, department, state, version, actions, "
        "form_sealed, sources, number, query_code_hash, limit_days, due_note, channel, unit, region, home_region, "
        "taken_region, "
        "created_at, updated_at) "
        "VALUES ($1, $2, 'm-1', 1, 'taxation', 'submitted', 1, 0, $3, $4, 'N-2026-1', '', 0, '', '', '', '', '', '', "
        "$5, $5) "
        "RETURNING id",
        application,
        resident.citizen_id,
        b"-",
        {},
        now,
    )
    wanted = {"application": str(application), "fields": ["mobile"], "purpose": "asks for a paper", "case": "N-2026-1"}
    within, _ = await hall.token(limited(Role.ACCEPTOR, department="taxation"))
    without, _ = await hall.token(limited(Role.ACCEPTOR, department="health"))
    told = await hall.ask("POST", "/v1/staff/openings", wanted, token=within)
    assert (told.status, told.json) == (200, {"subject": str(resident.citizen_id), "values": {"mobile": None}})
    refused = await hall.ask("POST", "/v1/staff/openings", wanted, token=without)
    assert (refused.status, refused.json["code"]) == (403, "auth.forbidden")
    other = await hall.ask("POST", "/v1/staff/openings", {**wanted, "case": "N-2026-2"}, token=within)
    assert (other.status, other.json["code"]) == (404, "request.not-found")
    lines = await lines_of(resident.citizen_id, before=None, limit=10)
    assert {(line.action, line.outcome, line.object_id) for line in lines if line.actor_kind == "operator"} == {
        ("auth.data-opened", "ok", "N-2026-1"),
        ("auth.opening-refused", "forbidden", "N-2026-1"),
        ("auth.opening-refused", "other-case", "N-2026-2"),
    }


async def test_the_staff_is_listed_in_pages_and_foreign_cursors_are_refused(hall: Hall) -> None:
    system, _ = await hall.token(Role.SYSTEM_ADMIN)
    for _ in range(2):
        await hall.staff.member(Role.OPERATOR)
    seen, cursor = [], ""
    while True:
        page = (await hall.ask("GET", f"/v1/staff/operators?limit=1{cursor}", token=system)).json
        seen += [item["username"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert len(seen) == len(set(seen)) == 3
    for name in ("\x00", "名字", "", "x" * 65):
        told = await hall.ask("GET", f"/v1/staff/operators?cursor={encode_cursor([name])}", token=system)
        assert (told.status, told.json["code"]) == (422, "request.invalid")


async def test_records_of_data_protection_are_written_listed_and_exported(hall: Hall) -> None:
    security, _ = await hall.token(Role.SECURITY_ADMIN)
    entry = {"kind": "assessment", "title": "人脸核验影响评估", "content": {"risk": "low"}}
    assert (await hall.ask("POST", "/v1/staff/privacy-records", entry, token=security)).status == 201
    listed = await hall.ask("GET", "/v1/staff/privacy-records?kind=assessment", token=security)
    assert [item["title"] for item in listed.json["items"]] == ["人脸核验影响评估"]
    exported = await hall.ask("GET", "/v1/staff/privacy-records/exports?kind=assessment", token=security)
    assert exported.headers["Content-Type"].startswith("text/csv")
    assert "人脸核验影响评估" in exported.text
    counted = await hall.ask("GET", "/v1/staff/filing-counters", token=security)
    assert counted.json == {"people": 0, "assessment": 1, "processing": 0, "breach": 0, "filing": 0}
