"""Applications as staff deals with them, over a real connection: who reaches what, statuses and words."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest

from matters.types import Suggestion, TextVerdict
from tests.fakes.papers import PDF
from tests.matters.conftest import ENDORSEMENT, SETTLEMENT, Desk
from tests.matters.edge import Portal, opened

START = "/v1/citizen/applications"
STAFF = "/v1/staff"


@pytest.fixture
async def portal(desk: Desk) -> AsyncIterator[Portal]:
    async with opened(desk) as portal:
        yield portal


async def submitted(portal: Portal, desk: Desk, matter: str = ENDORSEMENT, **form: Any) -> Any:
    draft = await portal.post(START, {"matter": matter, "form": form})
    assert draft.status == 201, draft.json
    sent = await portal.post(f"{START}/{draft.json['id']}/submissions")
    assert sent.status == 202, sent.json
    await desk.deliver(sent.json["id"])
    return sent.json


async def test_a_clerk_asks_for_what_the_list_has_and_for_nothing_else(portal: Portal, desk: Desk) -> None:
    case = await submitted(portal, desk)
    where = f"{STAFF}/applications/{case['id']}/supplement-requests"
    body = {"materials": ["proof-of-residence"], "note": "请补充租房合同"}
    unlawful = await portal.post(where, {**body, "materials": ["identity", "diploma"]}, token="clerk")
    assert (unlawful.status, unlawful.json["code"]) == (422, "matters.demand-unlawful")
    assert [error["code"] for error in unlawful.json["errors"]] == ["exempt-verified", "unpublished"]
    foreign = await portal.post(where, body, token="education")
    assert (foreign.status, foreign.json["code"]) == (403, "auth.forbidden")
    asked = await portal.post(where, body, token="clerk")
    assert asked.status == 201
    seen = await portal.call("GET", f"{START}/{case['id']}")
    assert seen.json["state"] == "supplement_requested"
    incomplete = await portal.post(f"{START}/{case['id']}/supplements", {"note": ""})
    assert (incomplete.status, incomplete.json["code"]) == (422, "matters.materials-missing")
    given = await portal.upload(f"{START}/{case['id']}/attachments", PDF)
    assert given.status == 201
    assert (await portal.post(f"{START}/{case['id']}/supplements", {"note": ""})).status == 201
    gone = await portal.post(f"{STAFF}/applications/{desk.ground.ids.uuid()}/supplement-requests", body, token="clerk")
    assert (gone.status, gone.json["code"]) == (404, "request.not-found")


async def test_what_was_spared_is_told_to_those_who_may_see_it(portal: Portal, desk: Desk) -> None:
    await submitted(portal, desk)
    desk.ground.clock.move(timedelta(minutes=1))
    whole = await portal.call("GET", f"{STAFF}/materials/spared?by=matter", token="clerk")
    assert whole.status == 200
    assert whole.json["whole"] == {"key": "", "materials": 3, "spared": 3, "rate": 1.0}
    assert len(whole.json["parts"]) == 1
    nothing = await portal.call("GET", f"{STAFF}/materials/spared", token="education")
    assert nothing.json["whole"]["rate"] is None
    since = quote((desk.ground.clock.now() + timedelta(days=1)).isoformat())
    later = await portal.call("GET", f"{STAFF}/materials/spared?since={since}&until={since}", token="clerk")
    assert (later.status, later.json["errors"][0]["code"]) == (422, "time_order")
    assert (await portal.call("GET", f"{STAFF}/materials/spared", token="real_name")).status == 401


async def test_a_held_text_is_read_and_decided_once(portal: Portal, desk: Desk) -> None:
    desk.platform.thinks = TextVerdict(Suggestion.RISK, 20001)
    case = await submitted(portal, desk, remark="有风险的话")
    [held] = (await portal.call("GET", f"{STAFF}/held-texts", token="clerk")).json["items"]
    assert (held["id"], held["number"], held["label"]) == (case["id"], case["number"], 20001)
    assert held["about"] == "application"
    assert (await portal.call("GET", f"{STAFF}/held-texts", token="education")).json["items"] == []
    where = f"{STAFF}/held-texts/{case['id']}"
    assert (await portal.call("GET", where, token="education")).status == 403
    opened_text = await portal.call("GET", where, token="clerk")
    assert opened_text.json["texts"] == [{"title": "说明", "text": "有风险的话"}]
    for status in (204, 409):
        decided = await portal.post(f"{where}/decisions", {"outcome": "released"}, token="clerk")
        assert decided.status == status
    unknown = await portal.call("GET", f"{STAFF}/held-texts/{desk.ground.ids.uuid()}", token="clerk")
    assert (unknown.status, unknown.json["code"]) == (404, "request.not-found")


async def test_a_bad_rating_is_followed_up_and_all_are_counted_both_ways(portal: Portal, desk: Desk) -> None:
    case = await submitted(portal, desk, SETTLEMENT)
    said = {
        "level": "dissatisfied",
        "reasons": ["等待时间长"],
        "text": "等了很久",
        "dimensions": {"efficiency": "very_dissatisfied", "platform": "satisfied"},
    }
    wrong = await portal.post(f"{START}/{case['id']}/ratings", {**said, "dimensions": {"skill": "satisfied"}})
    assert (wrong.status, wrong.json["code"]) == (422, "matters.rating-invalid")
    assert (await portal.post(f"{START}/{case['id']}/ratings", said)).status == 201
    assert (await portal.post(f"{START}/{case['id']}/ratings", said)).status == 409
    [ticket] = (await portal.call("GET", f"{STAFF}/rating-tickets", token="clerk")).json["items"]
    assert "等了很久" not in str(ticket)
    where = f"{STAFF}/rating-tickets/{ticket['id']}"
    assert (await portal.call("GET", where, token="education")).status == 403
    waiting = (await portal.call("GET", where, token="clerk")).json
    assert (waiting["text"], waiting["withheld"]) == ("", True)
    await desk.look_at_remarks()
    assert (await portal.call("GET", where, token="clerk")).json["text"] == "等了很久"
    assert (await portal.post(f"{where}/contacts", token="clerk")).status == 204
    assert (await portal.post(f"{where}/settlements", {"note": "已整改"}, token="clerk")).status == 204
    assert (await portal.post(f"{where}/settlements", {"note": "已整改"}, token="clerk")).status == 409
    since, until = (quote((desk.ground.clock.now() + timedelta(days=by)).isoformat()) for by in (-1, 1))
    numbers = {}
    for direction in ("gbt-39046", "national"):
        path = f"{STAFF}/ratings?direction={direction}&since={since}&until={until}"
        [line] = (await portal.call("GET", path, token="auditor")).json["items"]
        numbers[direction] = (line["satisfaction"], line["dimensions"])
        assert (line["project_no"], line["assess_number"], line["source"]) == (case["number"], 1, "citizen")
        assert "等了很久" not in str(line)
    assert numbers == {
        "gbt-39046": (4, {"efficiency": 5, "platform": 2}),
        "national": (2, {"efficiency": 1, "platform": 4}),
    }
    rates = await portal.call("GET", f"{STAFF}/ratings/rates?since={since}&until={until}", token="clerk")
    assert (rates.json["whole"]["rate"], rates.json["whole"]["given_rate"]) == (0.0, 0.0)
    assert (await portal.call("GET", f"{STAFF}/rating-tickets", token="auditor")).status == 403


async def test_a_copy_comes_as_pdf_to_whoever_is_present(portal: Portal, desk: Desk) -> None:
    case = await submitted(portal, desk)
    low = await portal.call("GET", f"{START}/{case['id']}/copy")
    assert (low.status, low.json["code"]) == (403, "auth.level-too-low")
    headers = {"Authorization": "Bearer present"}
    async with portal.session.get(f"{portal.base}{START}/{case['id']}/copy", headers=headers) as copy:
        assert (copy.status, copy.content_type) == (200, "application/pdf")
        assert "attachment" in copy.headers["Content-Disposition"]
        assert (await copy.read()).startswith(b"%PDF")


async def test_what_is_kept_is_listed_opened_and_forgotten(portal: Portal) -> None:
    draft = await portal.post(START, {"matter": ENDORSEMENT})
    given = await portal.upload(f"{START}/{draft.json['id']}/attachments", PDF)
    kept = await portal.post("/v1/citizen/materials", {"attachment": given.json["id"], "reuse": "any-matter"})
    assert (kept.status, kept.json["bytes"], kept.json["uses"]) == (201, len(PDF), 0)
    where = kept.headers["Location"]
    [listed] = (await portal.call("GET", "/v1/citizen/materials")).json["items"]
    assert listed == kept.json
    assert (await portal.call("POST", f"{where}/addresses")).status == 403
    told = await portal.call("POST", f"{where}/addresses", token="present")
    async with portal.session.get(told.json["url"]) as file:
        assert await file.read() == PDF
    for method, path in (("DELETE", where), ("POST", f"{where}/addresses")):
        stranger = await portal.call(method, path, token="other")
        assert stranger.status in {403, 404}
    assert (await portal.call("DELETE", where)).status == 204
    assert (await portal.call("DELETE", where)).status == 404


async def test_a_wrong_value_and_an_empty_form_over_the_wire(portal: Portal) -> None:
    empty = await portal.post(START, {"matter": ENDORSEMENT, "prefill": False})
    assert empty.json["form"] == {}
    filled = await portal.post(START, {"matter": ENDORSEMENT, "without": ["contact_phone"]})
    assert "contact_phone" not in filled.json["form"]
    where = f"{START}/{filled.json['id']}/value-reports"
    told = await portal.post(where, {"field": "residence_address", "text": "门牌号写错了"})
    assert (told.status, told.json["ticket"]) == (201, "T0001")
    own = await portal.post(where, {"field": "remark", "text": "写错了"})
    assert (own.status, own.json["code"]) == (422, "matters.not-prefilled")
