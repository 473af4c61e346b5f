"""Results over a real connection: who gets them, statuses and words."""

from collections.abc import AsyncIterator
from urllib.parse import quote

import pytest

from tests.matters.conftest import ENDORSEMENT, PENSION, Desk
from tests.matters.edge import Portal, opened

START = "/v1/citizen/applications"
STAFF = "/v1/staff/applications"


@pytest.fixture
async def portal(desk: Desk) -> AsyncIterator[Portal]:
    async with opened(desk) as portal:
        yield portal


async def test_from_the_decision_to_the_archive(portal: Portal, desk: Desk) -> None:
    draft = await portal.post(START, {"matter": PENSION})
    where = f"{START}/{draft.json['id']}"
    early = await portal.call("GET", f"{where}/decision", token="present")
    assert (early.status, early.json["code"]) == (409, "matters.nothing-decided")
    assert (await portal.post(f"{where}/submissions", token="present")).status == 202
    lacking = await portal.post(f"{where}/delivery-choices", {"way": "courier"})
    assert (lacking.status, lacking.json["code"]) == (422, "matters.place-needed")
    chosen = await portal.post(f"{where}/delivery-choices", {"way": "pick-up", "place": "政务服务大厅"})
    assert (chosen.status, chosen.json["state"]) == (201, "chosen")
    assert (await portal.call("GET", f"{where}/delivery-choices")).json["place"] == "政务服务大厅"
    assert (await portal.call("GET", f"{where}/delivery-choices", token="other")).status == 404
    await desk.deliver(draft.json["id"])
    await desk.put_on_paper(draft.json["id"])
    low = await portal.call("GET", f"{where}/decision")
    assert (low.status, low.json["code"]) == (403, "auth.level-too-low")
    async with portal.session.get(
        f"{portal.base}{where}/decision", headers={"Authorization": "Bearer present"}
    ) as paper:
        assert (paper.status, paper.content_type) == (200, "application/pdf")
        assert (await paper.read()).startswith(b"%PDF")
    unknown = await portal.call("POST", "/v1/public/decision-checks", {"code": "nothing"}, token=None)
    assert (unknown.status, unknown.json["outcome"]) == (200, "unknown")
    staff = f"{STAFF}/{draft.json['id']}"
    assert (await portal.post(f"{staff}/deliveries", {"reason": "本人领取"}, token="education")).status == 403
    assert (await portal.post(f"{staff}/deliveries", {"reason": "本人领取"}, token="clerk")).status == 201
    again = await portal.post(f"{staff}/deliveries", {"reason": "本人领取"}, token="clerk")
    assert (again.status, again.json["code"]) == (409, "matters.state-forbids")
    late = await portal.post(f"{where}/delivery-choices", {"way": "electronic"})
    assert (late.status, late.json["code"]) == (409, "matters.delivery-too-late")
    assert (await portal.call("GET", where)).json["state"] == "delivered"
    archive = f"{staff}/archive?purpose={quote('档案核对')}"
    assert (await portal.call("GET", archive, token="education")).status == 403
    assert (await portal.call("GET", f"{staff}/archive", token="clerk")).status == 422
    async with portal.session.get(f"{portal.base}{archive}", headers={"Authorization": "Bearer clerk"}) as case:
        assert (case.status, case.content_type) == (200, "application/zip")
        assert (await case.read()).startswith(b"PK")


async def test_a_promise_found_untrue_objected_to_and_lifted(portal: Portal, desk: Desk) -> None:
    draft = await portal.post(START, {"matter": ENDORSEMENT})
    where, staff = f"{START}/{draft.json['id']}", f"{STAFF}/{draft.json['id']}"
    assert (await portal.post(f"{where}/submissions")).status == 202
    [made] = (await portal.call("GET", f"{where}/commitments")).json["items"]
    assert (made["id"], made["kind"], made["state"]) == ("proof-of-residence", "promise", "open")
    assert (await portal.call("GET", f"{where}/commitments", token="other")).status == 404
    untrue = {"material": "proof-of-residence", "reason": "核查发现已经搬离"}
    assert (await portal.post(f"{staff}/promise-breaches", untrue, token="taxation")).status == 403
    for status in (201, 409):
        assert (await portal.post(f"{staff}/promise-breaches", untrue, token="inspector")).status == status
    objection = {"material": "proof-of-residence", "text": "没有搬离"}
    for status in (201, 409):
        assert (await portal.post(f"{where}/objections", objection)).status == status
    assert (await portal.call("GET", f"{staff}/commitments", token="taxation")).status == 403
    [read] = (await portal.call("GET", f"{staff}/commitments", token="inspector")).json["items"]
    assert (read["objection"], read["withheld"]) == (None, True)
    await desk.look_at_remarks()
    [read] = (await portal.call("GET", f"{staff}/commitments", token="inspector")).json["items"]
    assert (read["objection"], read["withheld"]) == ("没有搬离", False)
    answer = {"material": "proof-of-residence", "lifted": True, "note": "核查有误，予以撤销"}
    assert (await portal.post(f"{staff}/promise-breach-reviews", answer, token="inspector")).status == 201
    [found] = (await portal.call("GET", f"{where}/commitments")).json["items"]
    assert (found["state"], found["answer"]) == ("lifted", "核查有误，予以撤销")
    none = await portal.post(f"{where}/objections", {**objection, "material": "identity"})
    assert (none.status, none.json["code"]) == (409, "matters.no-such-commitment")
