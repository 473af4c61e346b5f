"""Acting for others as callers see it: who may reach what, in whose name, and what nobody can do for another."""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from auth.delegation.types import Guardianship, Kinship, Named, Relation
from auth.rules import parse_person
from core.audit.ledger import lines_of
from core.db import fetch
from tests.auth.delegation.office import ROUTES, Answered, Office, Phone, opened
from tests.fakes.delegation import CONSENT, Household, number_of
from tests.fakes.papers import PDF

LICENCE, PERMIT = "driving-licence", "residence-permit"
ENDORSEMENT, SETTLEMENT = "residence-permit-endorsement", "graduate-settlement"
CERTIFICATES, APPLICATIONS, MATTERS = "/v1/citizen/certificates", "/v1/citizen/applications", "/v1/citizen/matters"


@pytest.fixture
async def office(house: Household) -> AsyncIterator[Office]:
    async with opened(house) as made:
        yield made


async def pair(office: Office) -> tuple[Phone, Phone]:
    return await office.phone("甄一一"), await office.phone("贾二二")


async def draft(who: Phone, matter: str = ENDORSEMENT, under: object = None) -> Any:
    answer = await who.ask("POST", APPLICATIONS, {"matter": matter}, under=under, key=uuid4().hex)
    assert answer.status == 201, answer.text
    return answer.json


async def attach(who: Phone, application_id: str, under: object) -> Answered:
    path = f"{APPLICATIONS}/{application_id}/attachments?material=proof-of-residence"
    return await who.ask("POST", path, file=PDF, under=under)


def ids(answer: Any) -> list[str]:
    assert answer.status == 200, answer.text
    return [item["id"] for item in answer.json["items"]]


# --- certificates -----------------------------------------------------------------------------------------------------


async def test_an_agent_sees_opens_and_shows_what_is_in_the_scope_and_nothing_else(office: Office) -> None:
    me, agent = await pair(office)
    licence, permit = await me.hold(LICENCE), await me.hold(PERMIT)
    own = await agent.hold(LICENCE)
    mandate = await office.mandate(me, agent, {"certificates": [LICENCE]})
    assert ids(await agent.ask("GET", CERTIFICATES, under=mandate)) == [licence]
    assert ids(await agent.ask("GET", CERTIFICATES)) == [own]
    opened_one = await agent.ask("GET", f"{CERTIFICATES}/{licence}", under=mandate)
    assert opened_one.json["fields"]["name"] == "甄一一"
    shown = await agent.ask("POST", f"{CERTIFICATES}/{licence}/presentations", {}, under=mandate)
    assert shown.status == 201
    assert (await office.verification.verify(shown.json["code"])).outcome == "ok"
    # Out of scope, the agent's own, and nobody's: one body.
    bodies = set()
    for certificate in (permit, own, str(uuid4())):
        for method, path, body in (
            ("GET", f"{CERTIFICATES}/{certificate}", None),
            ("POST", f"{CERTIFICATES}/{certificate}/presentations", {}),
        ):
            answer = await agent.ask(method, path, body, under=mandate)
            assert (answer.status, answer.code) == (404, "request.not-found")
            bodies.add(tuple(sorted((key, str(value)) for key, value in answer.json.items() if key != "instance")))
    assert len(bodies) == 1
    refused = await agent.ask("POST", CERTIFICATES, {"kind": PERMIT}, under=mandate)
    assert (refused.status, refused.code) == (403, "auth.mandate-missing")
    # Without the mandate the principal's certificate is nobody's.
    assert (await agent.ask("GET", f"{CERTIFICATES}/{licence}")).status == 404


async def test_pages_of_a_mandate_holder_are_full_of_what_is_in_scope(office: Office) -> None:
    me, agent = await pair(office)
    await me.hold(LICENCE)
    permit = await me.hold(PERMIT)
    mandate = await office.mandate(me, agent, {"certificates": [PERMIT]})
    first = await agent.ask("GET", f"{CERTIFICATES}?limit=1", under=mandate)
    assert (ids(first), first.json["next_cursor"]) == ([permit], None)


async def test_a_code_shown_by_an_agent_ends_with_the_mandate(office: Office) -> None:
    me, agent = await pair(office)
    licence = await me.hold(LICENCE)
    mandate = await office.mandate(me, agent, {"certificates": "all"})
    shown = await agent.ask("POST", f"{CERTIFICATES}/{licence}/presentations", {}, under=mandate)
    assert (await me.ask("DELETE", f"/v1/citizen/mandates/{mandate}")).status == 204
    assert (await office.verification.verify(shown.json["code"])).outcome == "expired"


async def test_what_is_shown_once_is_shown_once_and_may_still_be_scanned(office: Office) -> None:
    me, agent = await pair(office)
    licence = await me.hold(LICENCE)
    mandate = await office.mandate(me, agent, {"certificates": "all"}, one_time=True)
    path = f"{CERTIFICATES}/{licence}/presentations"
    answers = await asyncio.gather(*(agent.ask("POST", path, {}, under=mandate) for _ in range(20)))
    assert sorted(answer.status for answer in answers) == [201] + [403] * 19
    [shown] = [answer for answer in answers if answer.status == 201]
    assert (await office.verification.verify(shown.json["code"])).outcome == "ok"
    assert (await agent.ask("GET", f"{CERTIFICATES}/{licence}", under=mandate)).status == 200
    assert (await agent.ask("POST", CERTIFICATES, {"kind": LICENCE}, under=mandate)).status == 403


# --- matters ----------------------------------------------------------------------------------------------------------


async def test_an_agent_applies_in_the_principals_name_and_every_record_tells_both(office: Office) -> None:
    me, agent = await pair(office)
    await me.hold(PERMIT)
    mandate = await office.mandate(me, agent, {"matters": [ENDORSEMENT]})
    made = await draft(agent, under=mandate)
    attached = await attach(agent, made["id"], mandate)
    assert attached.status == 201, attached.text
    submitted = await agent.ask("POST", f"{APPLICATIONS}/{made['id']}/submissions", under=mandate, key=uuid4().hex)
    assert submitted.status == 202, submitted.text
    # It is the principal's, and not the agent's.
    assert ids(await me.ask("GET", APPLICATIONS)) == [made["id"]]
    assert ids(await agent.ask("GET", APPLICATIONS)) == []
    assert (await agent.ask("GET", f"{APPLICATIONS}/{made['id']}")).status == 404
    seen = await me.ask("GET", f"{APPLICATIONS}/{made['id']}")
    assert {entry["actor"] for entry in seen.json["timeline"]} == {"代办人"}
    rows = await fetch("SELECT DISTINCT citizen_id FROM application")
    assert [str(row["citizen_id"]) for row in rows] == [str(me.id)]
    # Actor and subject differ on every line, also on the one of the certificate that filled the form.
    lines = [
        line
        for line in await lines_of(me.id, before=None, limit=100)
        if line.action.startswith("matters.") or line.purpose.startswith("预填")
    ]
    assert {line.action for line in lines} == {
        "matters.drafted",
        "matters.file-given",
        "matters.submitted",
        "certificates.opened",
    }
    assert {(line.actor_id, line.on_behalf_of) for line in lines} == {(str(agent.id), me.id)}
    # The principal reads who it was; the agent's own ledger has nothing of the principal.
    ledger = await me.ask("GET", "/v1/citizen/ledger?limit=100")
    actors = {item["action"]: item["actor"] for item in ledger.json["items"]}
    assert actors["matters.submitted"] == "代办人（贾**）"
    assert actors["auth.mandate-accepted"] == "亲友（贾**）"
    theirs = await agent.ask("GET", "/v1/citizen/ledger?limit=100")
    assert {item["action"] for item in theirs.json["items"]}.isdisjoint({line.action for line in lines})


async def test_matters_out_of_scope_are_not_there(office: Office) -> None:
    me, agent = await pair(office)
    await me.hold(PERMIT)
    inside, outside = await draft(me), await draft(me, SETTLEMENT)
    mandate = await office.mandate(me, agent, {"matters": [ENDORSEMENT]})
    assert ids(await agent.ask("GET", APPLICATIONS, under=mandate)) == [inside["id"]]
    assert (await agent.ask("GET", f"{APPLICATIONS}/{inside['id']}", under=mandate)).status == 200
    one = f"{APPLICATIONS}/{outside['id']}"
    for method, path, body in (
        ("GET", one, None),
        ("PATCH", one, {"form": {}}),
        ("POST", f"{one}/submissions", None),
        ("POST", f"{one}/supplements", {"note": ""}),
        ("POST", f"{one}/withdrawals", None),
        ("POST", f"{one}/ratings", {"level": "very_satisfied"}),
    ):
        answer = await agent.ask(method, path, body, under=mandate, key=uuid4().hex, If_Match="*")
        assert (answer.status, answer.code) == (404, "request.not-found"), path
    file = await agent.ask("POST", f"{one}/attachments", file=PDF, under=mandate)
    assert (file.status, file.code) == (404, "request.not-found")
    for method, path, body in (
        ("POST", APPLICATIONS, {"matter": SETTLEMENT}),
        ("GET", f"{MATTERS}/{SETTLEMENT}", None),
        ("POST", f"{MATTERS}/{SETTLEMENT}/checks", None),
    ):
        answer = await agent.ask(method, path, body, under=mandate, key=uuid4().hex)
        assert (answer.status, answer.code) == (403, "auth.mandate-missing"), path
    assert (await agent.ask("GET", MATTERS, under=mandate)).status == 200


async def test_a_matter_takes_along_what_it_needs_and_masks_what_was_not_given(office: Office) -> None:
    me, agent = await pair(office)
    await me.hold(PERMIT)
    narrow = await office.mandate(me, agent, {"matters": [ENDORSEMENT]})
    wide = await office.mandate(me, agent, {"matters": [ENDORSEMENT], "certificates": [PERMIT]})
    guide = await agent.ask("GET", f"{MATTERS}/{ENDORSEMENT}", under=narrow)
    assert {each["code"]: each["way"] for each in guide.json["materials"]}["residence-permit"] == "shared"
    made = await draft(agent, under=narrow)
    assert made["form"]["permit_number"]["masked"] is True
    assert made["form"]["applicant_name"]["masked"] is True
    again = await agent.ask("GET", f"{APPLICATIONS}/{made['id']}", under=wide)
    told = again.json["form"]["permit_number"]
    assert (told["masked"], told["value"]) == (False, "JZ999900000628")
    assert again.json["form"]["applicant_name"]["masked"] is True
    mine = await me.ask("GET", f"{APPLICATIONS}/{made['id']}")
    assert mine.json["form"]["applicant_name"]["value"] == "甄一一"


async def test_a_submission_uses_a_mandate_for_once_up_and_its_answer_is_still_repeated(office: Office) -> None:
    me, agent = await pair(office)
    await me.hold(PERMIT)
    mandate = await office.mandate(me, agent, {"matters": "all"}, one_time=True)
    first, second = await draft(agent, under=mandate), await draft(agent, under=mandate)
    path, key = f"{APPLICATIONS}/{first['id']}/submissions", uuid4().hex
    submitted = await agent.ask("POST", path, under=mandate, key=key)
    assert submitted.status == 202, submitted.text
    repeated = await agent.ask("POST", path, under=mandate, key=key)
    assert (repeated.status, repeated.json) == (202, submitted.json)
    assert repeated.headers["Idempotent-Replayed"] == "true"
    for method, where, body in (
        ("POST", f"{APPLICATIONS}/{second['id']}/submissions", None),
        ("PATCH", f"{APPLICATIONS}/{second['id']}", {"form": {"remark": "a"}}),
        ("POST", f"{APPLICATIONS}/{second['id']}/withdrawals", None),
        ("POST", APPLICATIONS, {"matter": ENDORSEMENT}),
        ("POST", f"{MATTERS}/{SETTLEMENT}/checks", None),
    ):
        answer = await agent.ask(method, where, body, under=mandate, key=uuid4().hex, If_Match="*")
        assert (answer.status, answer.code) == (403, "auth.mandate-missing"), where
    file = await attach(agent, second["id"], mandate)
    assert file.status == 403
    assert (await agent.ask("GET", f"{APPLICATIONS}/{second['id']}", under=mandate)).status == 200


# --- between principals -----------------------------------------------------------------------------------------------


async def test_an_agent_of_one_reaches_nothing_of_another(office: Office) -> None:
    one, two, agent = await office.phone("甄一一"), await office.phone("甄二二"), await office.phone("贾三三")
    held = {who.id: await who.hold(LICENCE) for who in (one, two)}
    made = {who.id: (await draft(who, SETTLEMENT))["id"] for who in (one, two)}
    mandates = {
        who.id: await office.mandate(who, agent, {"certificates": "all", "matters": "all"}) for who in (one, two)
    }
    for who, other in ((one, two), (two, one)):
        under = mandates[who.id]
        assert ids(await agent.ask("GET", CERTIFICATES, under=under)) == [held[who.id]]
        assert ids(await agent.ask("GET", APPLICATIONS, under=under)) == [made[who.id]]
        assert (await agent.ask("GET", f"{CERTIFICATES}/{held[other.id]}", under=under)).status == 404
        assert (await agent.ask("GET", f"{APPLICATIONS}/{made[other.id]}", under=under)).status == 404
        # A mandate serves its agent alone, and not the other principal.
        for stranger in (one, two):
            got = await stranger.ask("GET", CERTIFICATES, under=under)
            assert (got.status, got.code) == (403, "auth.mandate-missing")


async def test_an_answer_kept_under_a_key_is_not_given_under_another_mandate(office: Office) -> None:
    one, two, agent = await office.phone("甄一一"), await office.phone("甄二二"), await office.phone("贾三三")
    for who in (one, two, agent):
        office.issue(who, LICENCE)
    wide = {"certificates": "all"}
    unders = [*[await office.mandate(who, agent, wide) for who in (one, one, two)], None]
    answers = [await agent.ask("POST", CERTIFICATES, {"kind": LICENCE}, under=under, key="one key") for under in unders]
    assert [answer.status for answer in answers] == [201, 200, 201, 201]
    assert all("Idempotent-Replayed" not in answer.headers for answer in answers)
    assert len({answer.json["id"] for answer in answers}) == 3
    again = await agent.ask("POST", CERTIFICATES, {"kind": LICENCE}, under=unders[2], key="one key")
    assert (again.json["id"], again.headers["Idempotent-Replayed"]) == (answers[2].json["id"], "true")


async def test_unknown_anothers_revoked_and_ended_mandates_have_one_body(office: Office) -> None:
    me, agent, stranger = await office.phone("甄一一"), await office.phone("贾二二"), await office.phone("贾三三")
    scope = {"certificates": "all"}
    revoked, running = await office.mandate(me, agent, scope), await office.mandate(me, agent, scope)
    await me.ask("DELETE", f"/v1/citizen/mandates/{revoked}")
    bodies = set()
    for who, under in ((agent, revoked), (agent, uuid4()), (agent, "x"), (stranger, running), (me, running)):
        answer = await who.ask("GET", CERTIFICATES, under=under)
        assert (answer.status, answer.code) == (403, "auth.mandate-missing")
        bodies.add(tuple(sorted((key, str(value)) for key, value in answer.json.items() if key != "instance")))
    office.house.auth.ground.clock.move(timedelta(days=31))
    grant = await office.house.auth.log_in("openid-2")
    agent.token = grant.access_token
    late = await agent.ask("GET", CERTIFICATES, under=running)
    bodies.add(tuple(sorted((key, str(value)) for key, value in late.json.items() if key != "instance")))
    assert len(bodies) == 1


async def test_the_level_is_the_actors(office: Office) -> None:
    me, agent = await pair(office)
    licence = await me.hold(LICENCE)
    mandate = await office.mandate(me, agent, {"certificates": "all"})
    office.house.auth.ground.clock.move(timedelta(minutes=11))
    agent.token = (await office.house.auth.log_in("openid-2")).access_token
    low = await agent.ask("GET", f"{CERTIFICATES}/{licence}", under=mandate)
    assert (low.status, low.code) == (403, "auth.level-too-low")
    assert (await agent.ask("GET", CERTIFICATES, under=mandate)).status == 200


# --- what cannot be delegated -----------------------------------------------------------------------------------------


async def test_ones_own_cannot_be_done_for_another_by_anybody(office: Office) -> None:
    parent = await office.phone("甄一一")
    ward = await child_of(office, parent)
    operations = [each for group in ROUTES for each in group.operations if not each.access.is_delegable]
    tried = 0
    for operation in operations:
        if operation.access.level is None:
            continue
        path = re.sub(r"<\w+:uuid>", str(uuid4()), operation.path)
        path = path.replace("<purpose:str>", "face")
        body: object = {} if operation.body is not None else None
        for under in (ward, uuid4()):
            answer = await parent.ask(operation.method, path, body, under=under)
            assert (answer.status, answer.code) == (403, "auth.not-delegable"), path
        tried += 1
    assert tried >= 20


async def test_an_agent_sees_nothing_of_the_person(office: Office) -> None:
    me, agent = await pair(office)
    mandate = await office.mandate(me, agent, {"certificates": "all", "matters": "all"})
    for path in ("/v1/citizen/me", "/v1/citizen/ledger"):
        answer = await agent.ask("GET", path, under=mandate)
        assert (answer.status, answer.code) == (403, "auth.mandate-missing")


async def test_a_mandate_without_matters_leads_to_none_and_without_certificates_neither(office: Office) -> None:
    me, agent = await pair(office)
    papers = await office.mandate(me, agent, {"certificates": "all"})
    affairs = await office.mandate(me, agent, {"matters": "all"})
    for path, under, status in (
        (CERTIFICATES, papers, 200),
        (APPLICATIONS, papers, 403),
        (CERTIFICATES, affairs, 403),
        (APPLICATIONS, affairs, 200),
    ):
        assert (await agent.ask("GET", path, under=under)).status == status


# --- guardians and organisations --------------------------------------------------------------------------------------


async def child_of(office: Office, parent: Phone, number: str = "") -> str:
    """Let the registers know a child of somebody; return the guardian's mandate, asked for over the connection."""
    child = Named(*parse_person("甄小小", number or number_of(501, "20170601")))
    myself = Named(*parse_person(parent.name, parent.number))
    office.house.kinship.know(myself, child, Kinship(Relation.CHILD, Guardianship.MINOR))
    office.house.auth.registry.people[child.id_number.reveal()] = child.name.reveal()
    body = {
        "relation": "child",
        "name": child.name.reveal(),
        "id_number": child.id_number.reveal(),
        "consent": CONSENT,
    }
    told = await parent.ask("POST", "/v1/citizen/relatives", body)
    assert told.status in {200, 201}, told.text
    assert told.json["state"] == "confirmed"
    return str(told.json["guardian_mandate"])


async def test_a_parent_fetches_opens_and_shows_a_childs_certificate(office: Office) -> None:
    parent = await office.phone("甄一一")
    mandate = await child_of(office, parent)
    child = Phone(office, parent.caller, "", "甄小小", number_of(501, "20170601"))
    office.issue(child, LICENCE)
    fetched = await parent.ask("POST", CERTIFICATES, {"kind": LICENCE}, under=mandate)
    assert fetched.status == 201, fetched.text
    certificate = fetched.json["id"]
    opened_one = await parent.ask("GET", f"{CERTIFICATES}/{certificate}", under=mandate)
    assert opened_one.json["fields"]["name"] == "甄小小"
    shown = await parent.ask("POST", f"{CERTIFICATES}/{certificate}/presentations", {}, under=mandate)
    assert (await office.verification.verify(shown.json["code"])).outcome == "ok"
    assert (await parent.ask("GET", shown.headers["Location"], under=mandate)).json["state"] == "used"
    assert (await parent.ask("GET", f"{CERTIFICATES}/{certificate}/changes", under=mandate)).status == 200
    me = await parent.ask("GET", "/v1/citizen/me", under=mandate)
    assert (me.json["name"], me.json["organisation"]) == ("甄**", None)
    assert me.json["id_number"].endswith(child.number[-4:])
    ledger = await parent.ask("GET", "/v1/citizen/ledger?limit=100", under=mandate)
    actors = {item["action"]: item["actor"] for item in ledger.json["items"]}
    assert actors["certificates.shown"] == actors["certificates.history-read"] == "代办人（甄**）"
    assert actors["auth.identity-bound"] == "亲友（甄**）"
    own = await parent.ask("GET", "/v1/citizen/ledger?limit=100")
    assert "certificates.shown" not in {item["action"] for item in own.json["items"]}


async def test_a_guardian_consents_to_a_childs_face_check(office: Office) -> None:
    parent = await office.phone("甄一一")
    mandate = await child_of(office, parent)
    path = f"/v1/citizen/mandates/{mandate}/consents"
    assert (await parent.ask("PUT", path, {"consent": "face@1"})).status == 204
    assert (await parent.ask("PUT", path, {"consent": "face@7"})).code == "auth.no-such-consent"
    stranger = await office.phone("贾二二")
    assert (await stranger.ask("PUT", path, {"consent": "face@1"})).code == "auth.mandate-missing"
    assert (await parent.ask("DELETE", f"{path}/face@1")).status == 204
    assert (await parent.ask("DELETE", f"{path}/face@1")).status == 404


async def test_whoever_represents_an_organisation_acts_for_it_and_names_agents(office: Office) -> None:
    boss, agent = await pair(office)
    code, name = "91999999MA0000170G", "示例云帆软件有限公司"
    office.house.business.representatives[code, name] = (boss.number, boss.name)
    wrong = await boss.ask("POST", "/v1/citizen/organisations", {"uscc": "91999999MA0000170H", "name": name})
    assert (wrong.status, wrong.code) == (422, "auth.uscc-invalid")
    refused = await agent.ask("POST", "/v1/citizen/organisations", {"uscc": code, "name": name})
    assert (refused.status, refused.code) == (403, "auth.not-representative")
    made = await boss.ask("POST", "/v1/citizen/organisations", {"uscc": code, "name": name})
    assert (made.status, made.json["role"]) == (201, "representative")
    assert (await boss.ask("POST", "/v1/citizen/organisations", {"uscc": code, "name": name})).status == 200
    under = made.json["mandate"]
    me = await boss.ask("GET", "/v1/citizen/me", under=under)
    assert me.json["organisation"] == {"uscc": code, "name": name}
    assert (me.json["id"], me.json["name"], me.json["id_number"]) == (made.json["id"], None, None)
    for path in (CERTIFICATES, APPLICATIONS, MATTERS, "/v1/citizen/ledger"):
        assert (await boss.ask("GET", path, under=under)).status == 200
    # What needs a natural person.
    for method, path, body in (
        ("POST", CERTIFICATES, {"kind": LICENCE}),
        ("POST", APPLICATIONS, {"matter": ENDORSEMENT}),
        ("POST", f"{MATTERS}/{SETTLEMENT}/checks", None),
    ):
        answer = await boss.ask(method, path, body, under=under, key=uuid4().hex)
        assert (answer.status, answer.code) == (403, "auth.not-delegable")
    offer = {
        "organisation": made.json["id"],
        "agent": {"name": agent.name, "id_number": agent.number},
        "scope": {"matters": "all"},
        "ends_at": office.house.terms().ends_at.isoformat(),
    }
    offered = await boss.ask("POST", "/v1/citizen/mandates", offer)
    assert (offered.status, offered.json["principal_name"], offered.json["kind"]) == (201, name, "agent")
    theirs = await agent.ask("POST", f"/v1/citizen/mandates/{offered.json['id']}/acceptances")
    assert theirs.json["state"] == "active"
    assert (await agent.ask("GET", APPLICATIONS, under=offered.json["id"])).status == 200
    assert (await agent.ask("GET", "/v1/citizen/ledger", under=offered.json["id"])).status == 403
    listed = await agent.ask("GET", "/v1/citizen/organisations")
    assert [(item["name"], item["role"]) for item in listed.json["items"]] == [(name, "agent")]


# --- the routes themselves --------------------------------------------------------------------------------------------


async def test_two_people_become_relatives_over_their_phones(office: Office) -> None:
    me, other = await pair(office)
    body = {"relation": "spouse", "name": other.name, "id_number": other.number, "consent": CONSENT}
    asked = await me.ask("POST", "/v1/citizen/relatives", body)
    assert (asked.status, asked.json["state"], asked.json["name"]) == (201, "waiting", "贾**")
    assert asked.headers["Location"].endswith(asked.json["id"])
    again = await me.ask("POST", "/v1/citizen/relatives", body)
    assert (again.status, again.json["id"]) == (200, asked.json["id"])
    seen = await other.ask("GET", "/v1/citizen/relatives")
    assert [(item["id"], item["relation"], item["asked_by_me"]) for item in seen.json["items"]] == [
        (asked.json["id"], "spouse", False)
    ]
    path = f"/v1/citizen/relatives/{asked.json['id']}"
    mine = await me.ask("POST", f"{path}/confirmations", {"consent": CONSENT})
    assert (mine.status, mine.code) == (409, "auth.relative-state")
    confirmed = await other.ask("POST", f"{path}/confirmations", {"consent": CONSENT})
    assert (confirmed.status, confirmed.json["state"], confirmed.json["basis"]) == (201, "confirmed", "both")
    assert (await me.ask("GET", path)).json["state"] == "confirmed"
    assert (await other.ask("DELETE", path)).status == 204
    assert (await me.ask("GET", path)).status == 404
    assert (await me.ask("GET", "/v1/citizen/relatives")).json["items"] == []


async def test_known_and_unknown_people_are_answered_alike(office: Office) -> None:
    me, other = await pair(office)
    bodies = []
    for name, number in (("贾二二", other.number), ("贾三三", number_of(800)), ("贾四四", other.number)):
        body = {"relation": "other", "name": name, "id_number": number, "consent": CONSENT}
        told = await me.ask("POST", "/v1/citizen/relatives", body)
        assert told.status == 201
        bodies.append({key: value for key, value in told.json.items() if key not in {"id", "asked_at"}})
    assert bodies[0] == bodies[1] == bodies[2]


@pytest.mark.parametrize(
    ("changed", "code", "pointer"),
    [
        ({"scope": {"certificates": ["library-card"]}}, "auth.mandate-invalid", "/scope/certificates/0"),
        ({"scope": {"matters": [ENDORSEMENT, "nothing"]}}, "auth.mandate-invalid", "/scope/matters/1"),
        ({"scope": {}}, "auth.mandate-invalid", "/scope"),
        ({"scope": {"certificates": "some"}}, "request.invalid", "/scope/certificates"),
        ({"ends_at": "2026-03-09T00:00:00+08:00"}, "auth.mandate-invalid", "/ends_at"),
        ({"ends_at": "2027-03-11T00:00:00+08:00"}, "auth.mandate-invalid", "/ends_at"),
        ({"ends_at": "2026-04-10T00:00:00"}, "request.invalid", "/ends_at"),
        ({"relative": "x"}, "request.invalid", "/relative"),
        ({"relative": None}, "request.invalid", "/relative"),
        ({"organisation": str(uuid4())}, "request.invalid", "/relative"),
    ],
)
async def test_an_offer_that_cannot_be_says_why(
    office: Office, changed: dict[str, object], code: str, pointer: str
) -> None:
    me, agent = await pair(office)
    relative = await office.house.tied(me.caller, agent.caller)
    body = {
        "relative": str(relative),
        "scope": {"certificates": "all"},
        "ends_at": office.house.terms().ends_at.isoformat(),
    }
    answer = await me.ask("POST", "/v1/citizen/mandates", {**body, **changed})
    assert (answer.status, answer.code) == (422, code), answer.text
    assert any(error["pointer"].startswith(pointer) for error in answer.json["errors"])
    assert (await me.ask("POST", "/v1/citizen/mandates", body)).status == 201


async def test_mandates_come_in_pages_by_role(office: Office) -> None:
    me, agent = await pair(office)
    made = [await office.mandate(me, agent, {"certificates": "all"}) for _ in range(3)]
    first = await agent.ask("GET", "/v1/citizen/mandates?role=agent&limit=2")
    rest = await agent.ask("GET", f"/v1/citizen/mandates?role=agent&limit=2&cursor={first.json['next_cursor']}")
    assert [item["id"] for item in first.json["items"] + rest.json["items"]] == sorted(made)
    assert (await agent.ask("GET", "/v1/citizen/mandates?role=principal")).json["items"] == []
    assert (await agent.ask("GET", "/v1/citizen/mandates?cursor=x")).status == 422
    stranger = await office.phone("贾三三")
    for method, path in (
        ("GET", f"/v1/citizen/mandates/{made[0]}"),
        ("DELETE", f"/v1/citizen/mandates/{made[0]}"),
        ("POST", f"/v1/citizen/mandates/{made[0]}/acceptances"),
    ):
        assert (await stranger.ask(method, path)).status == 404


async def test_a_relation_that_is_none_is_told_as_a_choice(office: Office) -> None:
    me, other = await pair(office)
    body = {"relation": "cousin", "name": other.name, "id_number": other.number, "consent": "delegation@1"}
    told = await me.ask("POST", "/v1/citizen/relatives", body)
    assert (told.status, told.json["errors"]) == (
        422, [{"pointer": "/relation", "code": "enum", "message": "不在可选的范围内"}]
    )  # fmt: skip
