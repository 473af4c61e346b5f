"""Keeping time over a real connection: who may ask, decide, answer and look; statuses, lists and their pages."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from matters.applications.records import Submitted
from matters.supervision.telling import time_kept
from matters.types import Step
from tests.matters.cases.test_deadlines import at
from tests.matters.conftest import Desk
from tests.matters.edge import Portal, opened
from tests.matters.overseeing import go_to, in_review, overseen

STAFF = "/v1/staff"
SUPERVISION = f"{STAFF}/supervision"
ASKED = {"days": 5, "reason": "complex", "note": "需要进一步核实"}
ANSWER = {"reason": "other-department", "note": "等待协查结果"}


@pytest.fixture
async def portal(desk: Desk) -> AsyncIterator[Portal]:
    async with opened(desk) as portal:
        yield portal


@pytest.fixture
async def case(desk: Desk) -> Submitted:
    return await in_review(desk)


async def test_a_longer_limit_takes_two_people_of_the_department(portal: Portal, case: Submitted) -> None:
    where = f"{STAFF}/applications/{case.application_id}/extensions"
    assert (await portal.post(where, ASKED, token="education")).status == 403
    assert (await portal.post(where, ASKED, token="head")).status == 403
    for body, code in (
        ({**ASKED, "days": 11}, "matters.extension-too-long"),
        ({**ASKED, "days": 0}, "request.invalid"),
    ):
        wrong = await portal.post(where, body, token="clerk")
        assert (wrong.status, wrong.json["code"]) == (422, code)
    asked = await portal.post(where, ASKED, token="clerk")
    assert (asked.status, asked.json["state"], asked.json["days"]) == (201, "waiting", 5)
    assert (await portal.post(where, ASKED, token="clerk")).json["code"] == "matters.extension-forbidden"
    request = asked.headers["Location"]
    listed = await portal.call("GET", f"{STAFF}/extensions", token="head")
    assert [line["id"] for line in listed.json["items"]] == [asked.json["id"]]
    assert "需要进一步核实" not in str(listed.json)
    assert (await portal.call("GET", f"{STAFF}/extensions", token="education")).json["items"] == []
    assert (await portal.call("GET", request, token="education")).status == 403
    assert (await portal.call("GET", request, token="head")).json["note"] == ASKED["note"]
    assert (await portal.post(f"{request}/decisions", {"decision": "approve"}, token="clerk")).status == 403
    approved = await portal.post(f"{request}/decisions", {"decision": "approve"}, token="head")
    assert (approved.status, approved.json["state"]) == (200, "approved")
    again = await portal.post(f"{request}/decisions", {"decision": "reject"}, token="head")
    assert (again.status, again.json["code"]) == (409, "matters.extension-settled")
    gone = await portal.post(f"{STAFF}/applications/{request[-36:]}/extensions", ASKED, token="clerk")
    assert (gone.status, gone.json["code"]) == (404, "request.not-found")


async def test_cards_orders_and_records_are_listed_and_dealt_with(portal: Portal, desk: Desk, case: Submitted) -> None:
    rooms, second = overseen(desk), await in_review(desk)
    desk.ground.clock.set(at("2026-03-17 09:00"))
    await rooms.cards.look()
    first_page = await portal.call("GET", f"{SUPERVISION}/cards?colour=red&limit=1", token="head")
    cursor = first_page.json["next_cursor"]
    second_page = await portal.call("GET", f"{SUPERVISION}/cards?colour=red&limit=1&cursor={cursor}", token="head")
    assert second_page.json["next_cursor"] is None
    numbers = {page.json["items"][0]["number"] for page in (first_page, second_page)}
    assert numbers == {case.number, second.number}
    assert (await portal.call("GET", f"{SUPERVISION}/cards?colour=yellow", token="head")).json["items"] == []
    assert (await portal.call("GET", f"{SUPERVISION}/cards", token="education")).json["items"] == []
    card = first_page.json["items"][0]["id"]
    doubled = await portal.post(f"{SUPERVISION}/cards/{card}/orders", {"instruction": "请说明进展"}, token="clerk")
    assert (doubled.status, doubled.json["code"]) == (409, "matters.supervision-settled")
    found = await portal.call("GET", f"{SUPERVISION}/orders?level=department", token="auditor")
    orders: dict[str, Any] = {order["number"]: order for order in found.json["items"]}
    where = f"{SUPERVISION}/orders/{orders[case.number]['id']}"
    assert (await portal.post(f"{where}/answers", ANSWER, token="education")).status == 403
    assert (await portal.post(f"{where}/answers", ANSWER, token="auditor")).status == 403
    assert (await portal.post(f"{where}/answers", {**ANSWER, "reason": "tired"}, token="head")).status == 422
    answered = await portal.post(f"{where}/answers", ANSWER, token="head")
    assert (answered.status, answered.json["state"]) == (201, "answered")
    assert (await portal.post(f"{where}/answers", ANSWER, token="head")).status == 409
    assert (await portal.call("GET", where, token="clerk")).json["answer"] == ANSWER["note"]
    await go_to(desk, second, Step.APPROVED, "2026-03-17 10:00")
    await rooms.cards.look()
    listed = await portal.call("GET", f"{SUPERVISION}/accountability-records", token="head")
    [record] = listed.json["items"]
    assert (record["number"], record["ground"], record["state"]) == (second.number, "no-reason", "open")
    review = f"{SUPERVISION}/accountability-records/{record['id']}/reviews"
    body = {"outcome": "excused", "note": "当日系统故障"}
    assert (await portal.post(review, body, token="head")).status == 403
    assert (await portal.post(review, body, token="clerk")).json["state"] == "excused"
    assert (await portal.post(review, body, token="clerk")).status == 409
    unknown = await portal.post(f"{SUPERVISION}/orders/{card}/answers", ANSWER, token="clerk")
    assert (unknown.status, unknown.json["code"]) == (404, "request.not-found")


async def test_what_was_written_is_told_to_whom_it_is_about(portal: Portal, desk: Desk, case: Submitted) -> None:
    where = f"{STAFF}/applications/{case.application_id}/extensions"
    assert (await portal.post(where, ASKED, token="clerk")).status == 201
    rooms = overseen(desk)
    desk.ground.clock.set(at("2026-03-17 09:00"))
    await rooms.cards.look()
    order = (await portal.call("GET", f"{SUPERVISION}/orders", token="head")).json["items"][0]["id"]
    assert (await portal.post(f"{SUPERVISION}/orders/{order}/answers", ANSWER, token="head")).status == 201
    told = await time_kept(desk.ground.vault, case.application_id)
    assert told["extensions"][0]["note"] == ASKED["note"]
    assert told["supervision"][0]["answer"] == ANSWER["note"]
    assert [card["colour"] for card in told["deadline_cards"]] == ["red"]
    assert not any("id" in line or "_sealed" in str(line) for lines in told.values() for line in lines)
