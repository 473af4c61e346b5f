"""Handling over the wire: tags, reach, queues by pages, forms opened, reasons and figures, deliveries."""

from collections.abc import AsyncIterator
from datetime import timedelta
from urllib.parse import quote

import pytest

from auth.types import Role
from core.db import execute, fetch, transaction
from matters.cases.reasons import CHOSEN
from matters.types import Dedupe, State
from tests.fakes.papers import PDF
from tests.matters.conftest import Desk
from tests.matters.edge import Portal, opened
from tests.matters.handling.conftest import ENDORSEMENT, Hall, delivery_of, version_of

STAFF = "/v1/staff"
ACCEPTOR, APPROVER, OFFICE = Role.ACCEPTOR.value, Role.APPROVER.value, Role.OPERATOR.value


@pytest.fixture
async def portal(desk: Desk) -> AsyncIterator[Portal]:
    async with opened(desk) as portal:
        yield portal


async def test_an_action_is_for_the_version_that_was_read(portal: Portal, hall: Hall) -> None:
    case = await hall.handed_over()
    where = f"{STAFF}/applications/{case.id}"
    seen = await portal.call("GET", where, token=ACCEPTOR)
    assert (seen.status, seen.json["state"], seen.json["held_by"]) == (200, "pre_review", "staff")
    assert seen.json["region"] == "9999"
    missing = await portal.post(f"{where}/acceptances", {}, token=ACCEPTOR)
    assert (missing.status, missing.json["code"]) == (428, "request.tag-required")
    for tag in ('"999"', 'W/"3"', "nonsense"):
        stale = await portal.post(f"{where}/acceptances", {}, token=ACCEPTOR, If_Match=tag)
        assert (stale.status, stale.json["code"]) == (412, "request.stale")
    done = await portal.post(f"{where}/acceptances", {"note": "已收"}, token=ACCEPTOR, If_Match=seen.headers["ETag"])
    assert done.status == 200
    assert done.json["document"] == {
        "kind": "acceptance-notice",
        "title": "受理通知书",
        "number": f"SL{case.number}-1",
    }
    any_version = await portal.post(f"{where}/reviews", {}, token=APPROVER, If_Match="*")
    assert any_version.json["state"] == "in_review"
    same = await portal.post(f"{where}/reviews", {}, token=APPROVER, If_Match=any_version.headers["ETag"])
    assert (same.status, same.json["code"]) == (409, "matters.state-forbids")
    unknown = await portal.post(f"{STAFF}/applications/{portal.desk.ground.ids.uuid()}/acceptances", {}, token=ACCEPTOR)
    assert (unknown.status, unknown.json["code"]) == (404, "request.not-found")


async def test_one_pair_of_hands_neither_accepts_and_decides_nor_sees_that_it_may(portal: Portal, hall: Hall) -> None:
    case = await hall.handed_over()
    where = f"{STAFF}/applications/{case.id}"
    for action in ("acceptances", "reviews"):
        assert (await portal.post(f"{where}/{action}", {}, token="everything", If_Match="*")).status == 200
    decided = await portal.post(f"{where}/approvals", {}, token="everything", If_Match="*")
    assert (decided.status, decided.json["code"]) == (403, "matters.same-hands")
    mine = await portal.call("GET", where, token="everything")
    assert not {"approve", "reject"} & set(mine.json["may"])
    theirs = await portal.call("GET", where, token=APPROVER)
    assert {"approve", "reject", "suspend"} <= set(theirs.json["may"])
    assert (await portal.post(f"{where}/approvals", {}, token=APPROVER, If_Match="*")).json["state"] == "approved"


async def test_letters_that_need_a_person_are_listed_and_settled_once(portal: Portal, hall: Hall) -> None:
    desk = portal.desk
    cases = [await hall.handed_over(ENDORSEMENT) for _ in range(2)]
    for case in cases:
        await desk.hear(case.number, 1, State.SUPPLEMENT_REQUESTED, demands=("proof-of-residence",))
        await desk.attachments.add(case.owner, case.id, "proof-of-residence", PDF)
        await desk.supplements.hand_in(case.owner, case.id, "")
    await desk.look_at_remarks()
    desk.public_security.has_decided = True
    await desk.send_letters()
    first = await portal.call("GET", f"{STAFF}/letters?limit=1", token=OFFICE)
    second = await portal.call(
        "GET", f"{STAFF}/letters?limit=1&cursor={quote(first.json['next_cursor'])}", token=OFFICE
    )
    letters = [*first.json["items"], *second.json["items"]]
    assert [each["number"] for each in letters] == [case.number for case in cases]
    assert {(each["kind"], each["state"], each["reason"]) for each in letters} == {
        ("supplement", "refused", "declined"),
    }
    assert (await portal.call("GET", f"{STAFF}/letters", token="education")).status == 403
    desk.public_security.has_decided = False
    for letter, outcome in zip(letters, ("told", "send-again"), strict=True):
        where = f"{STAFF}/letters/{letter['id']}/settlements"
        assert (await portal.post(where, {"outcome": outcome}, token=OFFICE)).status == 204
        again = await portal.post(where, {"outcome": outcome}, token=OFFICE)
        assert (again.status, again.json["code"]) == (409, "matters.delivery-settled")
    await desk.send_letters()
    assert [each.filed.reference for each in desk.public_security.supplied] == [cases[1].number]
    assert (await portal.call("GET", f"{STAFF}/letters", token=OFFICE)).json["items"] == []
    nothing = await portal.post(
        f"{STAFF}/letters/{desk.ground.ids.uuid()}/settlements", {"outcome": "told"}, token=OFFICE
    )
    assert (nothing.status, nothing.json["code"]) == (404, "request.not-found")


async def test_a_window_takes_any_matter_of_its_region_and_none_of_another(portal: Portal, hall: Hall) -> None:
    case = await hall.handed_over()
    where = f"{STAFF}/applications/{case.id}/acceptances"
    for foreign in ("elsewhere", "education"):
        refused = await portal.post(where, {}, token=foreign, If_Match="*")
        assert (refused.status, refused.json["code"]) == (403, "auth.forbidden")
        assert (await portal.call("GET", where.rpartition("/")[0], token=foreign)).status == 403
        assert (await portal.call("GET", f"{STAFF}/applications", token=foreign)).json["items"] == []
    assert (await portal.post(where, {}, token="town", If_Match="*")).status == 200
    # Of a department with a system of its own a window takes what is missing, and the department the rest.
    other = await hall.handed_over(ENDORSEMENT)
    asked = {"materials": ["proof-of-residence"], "note": "请补充租房合同"}
    where = f"{STAFF}/applications/{other.id}"
    theirs = await portal.post(f"{where}/acceptances", {}, token="town", If_Match="*")
    assert (theirs.status, theirs.json["code"]) == (409, "matters.department-decides")
    assert (await portal.post(f"{where}/supplement-requests", asked, token="town")).status == 201


async def test_queues_go_by_pages_and_by_what_is_sought(portal: Portal, hall: Hall) -> None:
    cases = [await hall.handed_over() for _ in range(3)] + [await hall.at(State.ACCEPTED, matter=ENDORSEMENT)]
    seen: list[str] = []
    cursor = ""
    while True:
        page = await portal.call("GET", f"{STAFF}/applications?queue=acceptance&limit=2{cursor}", token=ACCEPTOR)
        seen += [item["id"] for item in page.json["items"]]
        if page.json["next_cursor"] is None:
            break
        cursor = f"&cursor={page.json['next_cursor']}"
    assert sorted(seen) == sorted(str(case.id) for case in cases[:3])
    [one] = (await portal.call("GET", f"{STAFF}/applications?matter={ENDORSEMENT}", token=APPROVER)).json["items"]
    assert (one["id"], one["state"], one["department"]) == (str(cases[3].id), "accepted", "public-security")
    assert set(one) == {
        "id", "number", "matter", "title", "department", "region", "state", "submitted_at", "due_at",
    }  # fmt: skip
    due = quote((portal.desk.ground.clock.now() + timedelta(days=20)).isoformat())
    listed = await portal.call("GET", f"{STAFF}/applications?due_before={due}", token=APPROVER)
    assert [item["id"] for item in listed.json["items"]] == [str(cases[3].id)]
    for wrong in ("queue=nothing", "limit=101", "state=gone", "due_before=2026-01-01", "cursor=x"):
        assert (await portal.call("GET", f"{STAFF}/applications?{wrong}", token=APPROVER)).status == 422
    for role in ("auditor", Role.SYSTEM_ADMIN.value, "real_name"):
        assert (await portal.call("GET", f"{STAFF}/applications", token=role)).status in {401, 403}


async def test_a_form_is_opened_for_a_purpose_alone(portal: Portal, hall: Hall) -> None:
    case = await hall.handed_over()
    where = f"{STAFF}/applications/{case.id}"
    told = await portal.call("GET", where, token=ACCEPTOR)
    assert "失火" not in str(told.json)
    assert "form" not in told.json
    assert (await portal.post(f"{where}/form-openings", {}, token=ACCEPTOR)).status == 422
    form = await portal.post(f"{where}/form-openings", {"purpose": "核对申请内容"}, token=ACCEPTOR)
    assert form.json["form"]["situation"] == "家中失火"
    assert (await portal.post(f"{where}/form-openings", {"purpose": "核对申请内容"}, token=OFFICE)).status == 403


async def test_reasons_and_figures_are_told_in_both_languages(portal: Portal, hall: Hall) -> None:
    reasons = (await portal.call("GET", f"{STAFF}/case-reasons", token=ACCEPTOR)).json["steps"]
    assert {step: [each["code"] for each in told] for step, told in reasons.items()} == {
        step.value: list(words) for step, words in CHOSEN.items()
    }
    assert [each["code"] for each in reasons["suspended"]] == ["hearing", "test", "expert-review", "applicant-wait"]
    english = await portal.call("GET", f"{STAFF}/case-reasons", token=ACCEPTOR, Accept_Language="en")
    assert english.json["steps"]["suspended"][0]["title"] == "A hearing is held"
    case = await hall.handed_over()
    body = {"reason": "taken-by-mistake", "note": "误收"}
    ended = await portal.post(f"{STAFF}/applications/{case.id}/terminations", body, token=APPROVER, If_Match="*")
    assert ended.json["document"]["kind"] == "termination-notice"
    portal.desk.ground.clock.move(timedelta(minutes=1))
    figures = (await portal.call("GET", f"{STAFF}/handling-figures", token="auditor")).json
    assert figures["errors"] == 1
    assert figures["annulled"] == [
        {
            "department": "civil-affairs",
            "reason": "taken-by-mistake",
            "title": "工作人员误收",
            "count": 1,
            "error": True,
        }
    ]
    nothing = (await portal.call("GET", f"{STAFF}/handling-figures", token="education")).json
    assert (nothing["errors"], nothing["annulled"]) == (0, [])
    backwards = await portal.call(
        "GET", f"{STAFF}/handling-figures?since=2026-03-02T00:00:00Z&until=2026-03-01T00:00:00Z", token="auditor"
    )
    assert backwards.status == 422


async def test_a_delivery_in_doubt_is_listed_and_settled_once(portal: Portal, hall: Hall) -> None:
    portal.desk.common_desk.dedupe = Dedupe.NONE
    portal.desk.common_desk.loses_answers = 1
    case = await hall.handed_over()
    [stuck] = (await portal.call("GET", f"{STAFF}/deliveries", token=OFFICE)).json["items"]
    assert (stuck["id"], stuck["state"], stuck["case_state"]) == (str(case.id), "unknown", "submitted")
    where = f"{STAFF}/applications/{case.id}/arrivals"
    for wrong in ({"outcome": "arrived"}, {"outcome": "did-not-arrive", "receipt_number": "R-1"}, {"outcome": "maybe"}):
        assert (await portal.post(where, wrong, token=OFFICE)).status == 422
    assert (await portal.post(where, {"outcome": "did-not-arrive"}, token=ACCEPTOR)).status == 403
    first = await portal.post(where, {"outcome": "did-not-arrive"}, token=OFFICE)
    second = await portal.post(where, {"outcome": "arrived", "receipt_number": "R-1"}, token=OFFICE)
    assert (first.status, second.status, second.json["code"]) == (204, 409, "matters.delivery-settled")
    assert (await portal.call("GET", f"{STAFF}/deliveries", token=OFFICE)).json["items"] == []
    await portal.desk.deliver(case.id)
    assert (await delivery_of(case))[1] == "acknowledged"


async def test_a_dead_letter_is_sent_again_by_the_very_job_that_was_given_up(portal: Portal, hall: Hall) -> None:
    case = await hall.submitted()
    where = f"{STAFF}/applications/{case.id}/resends"
    assert (await portal.post(where, token=OFFICE)).json["code"] == "matters.delivery-settled"
    bury = "UPDATE job SET state = 'buried', attempts = 9 WHERE name = 'matters.deliver'"
    await transaction(lambda: execute(bury))
    [dead] = (await portal.call("GET", f"{STAFF}/deliveries?queue=dead", token=OFFICE)).json["items"]
    assert (dead["id"], dead["state"], dead["queue"]) == (str(case.id), "pending", "dead")
    elsewhere = await portal.call("GET", f"{STAFF}/deliveries?queue=dead", token="education")
    assert elsewhere.status == 403
    assert [(await portal.post(where, token=OFFICE)).status for _ in range(2)] == [202, 409]
    rows = await fetch("SELECT state, attempts FROM job WHERE name = 'matters.deliver'")
    assert [(row["state"], int(row["attempts"])) for row in rows] == [("ready", 0)]
    assert (await portal.call("GET", f"{STAFF}/deliveries?queue=dead", token=OFFICE)).json["items"] == []


async def test_a_refusal_that_the_applicant_has_is_sent_again_to_nobody(portal: Portal, hall: Hall) -> None:
    portal.desk.common_desk.declines = "incomplete"
    case = await hall.handed_over()
    assert await hall.state_of(case) is State.NOT_ACCEPTED
    assert (await portal.call("GET", f"{STAFF}/deliveries?queue=refused", token=OFFICE)).json["items"] == []
    again = await portal.post(f"{STAFF}/applications/{case.id}/resends", token=OFFICE)
    assert (again.status, again.json["code"]) == (409, "matters.state-forbids")


async def test_a_demand_heeds_a_tag_and_an_exception_comes_with_its_approval(portal: Portal, hall: Hall) -> None:
    case = await hall.handed_over(ENDORSEMENT)
    where = f"{STAFF}/applications/{case.id}/supplement-requests"
    body = {"materials": ["proof-of-residence"], "note": "请补充租房合同"}
    stale = await portal.post(where, body, token=ACCEPTOR, If_Match='"1"')
    assert (stale.status, stale.json["code"]) == (412, "request.stale")
    half = await portal.post(where, {**body, "exception": "rules-changed"}, token=ACCEPTOR)
    assert half.status == 422
    tag = f'"{await version_of(case.id)}"'
    assert (await portal.post(where, body, token=ACCEPTOR, If_Match=tag)).status == 201
