"""What a resident reads of the time of a case, at each step of its way."""

from typing import Any
from uuid import UUID

import pytest

from matters.applications.records import Submitted
from matters.types import State, Step
from matters.views.types import ApplicationView
from tests.matters.cases.test_deadlines import accepted, append, at
from tests.matters.conftest import Desk
from tests.matters.edge import opened

START = "/v1/citizen/applications"


async def seen(desk: Desk, case: Submitted) -> ApplicationView:
    """The case as whoever has number and query code sees it."""
    return await desk.progress.query(case.number, case.query_code, address="10.0.0.1")


async def test_each_step_says_who_has_it_since_when_and_why_the_clock_stands(desk: Desk) -> None:
    caller = desk.citizen()
    desk.ground.clock.set(at("2026-03-06 20:00"))
    draft = await desk.drafts.start(caller, "residence-permit-endorsement", {})
    view = await desk.view(caller, draft.id)
    assert (view.time.step, view.time.handler, view.time.stands) == ("created", "申请人", "not-submitted")
    case = await desk.submit(caller, draft.id)
    view = await desk.view(caller, draft.id)
    assert (view.time.handler_en, view.time.stands) == ("The service platform", "pre-review")
    assert view.time.pre_review_due_at == at("2026-03-07 20:00")
    await desk.deliver(draft.id)
    view = await desk.view(caller, draft.id)
    assert (view.time.step, view.time.handler, view.time.promised) == ("handed_over", "示例市公安局", None)
    await append(desk, case, Step.SUPPLEMENT_REQUESTED, "2026-03-07 10:00")
    view = await desk.view(caller, draft.id)
    assert (view.time.stands, view.time.handler_en, view.time.pre_review_due_at) == (
        "supplement",
        "The applicant",
        None,
    )


@pytest.mark.parametrize("reason", ["hearing", "test", "expert-review", "applicant-wait"])
async def test_a_suspension_says_why_and_stays_visible_with_its_days(desk: Desk, reason: str) -> None:
    case = await accepted(desk, "2026-03-09 10:00")
    await append(desk, case, Step.REVIEWED, "2026-03-09 11:00")
    await append(desk, case, Step.SUSPENDED, "2026-03-11 09:00", reason=reason)
    standing = await seen(desk, case)
    assert standing.clock == "stopped"
    assert (standing.time.stands, standing.due_at, standing.due_note) == (reason, None, "clock-stopped")
    assert standing.time.stands_text
    assert standing.time.suspensions[0].until is None
    await append(desk, case, Step.RESUMED, "2026-03-16 09:00")
    await append(desk, case, Step.EXTENDED, "2026-03-17 09:00", data={"added_days": 10}, reason="complex")
    going = await seen(desk, case)
    assert (going.clock, going.time.stands, going.time.extended_days) == ("running", "", 10)
    assert going.time.since == at("2026-03-16 09:00")
    assert going.time.step == "resumed"
    [stop] = going.time.suspensions
    assert (stop.reason, stop.at, stop.until, stop.days) == (
        reason, at("2026-03-11 09:00"), at("2026-03-16 09:00"), 3,
    )  # fmt: skip
    promised = going.time.promised
    assert promised is not None
    assert promised.used is not None
    assert promised.left is not None
    assert promised.used + promised.left + (promised.stopped or 0) == promised.total
    await append(desk, case, Step.APPROVED, "2026-03-18 09:00")
    ended = await seen(desk, case)
    assert (ended.time.stands, ended.time.promised.used if ended.time.promised else None) == ("ended", 4)


TIME: dict[str, Any] = {
    "step": str, "step_title": str, "since": str, "handler": str, "stands": dict, "promised": dict, "legal": dict,
    "pre_review_due_at": type(None), "suspensions": list, "extended_days": int,
}  # fmt: skip
READING = {"unit", "granted", "used", "left", "stopped", "total", "due_at", "note"}
PROGRESS = {
    "state", "number", "matter", "title", "submitted_at", "timeline", "due_at", "due_note", "clock", "next_action",
    "handled_by", "service", "time", "branches", "result",
}  # fmt: skip


async def test_progress_tells_the_same_with_and_without_login_and_in_both_languages(desk: Desk) -> None:
    async with opened(desk) as portal:
        draft = await portal.post(START, {"matter": "residence-permit-endorsement"})
        sent = await portal.post(f"{START}/{draft.json['id']}/submissions")
        assert sent.status == 202
        told = sent.json
        case = Submitted(UUID(draft.json["id"]), told["number"], told["query_code"], State(told["state"]))
        await desk.deliver(case.application_id)
        await append(desk, case, Step.ACCEPTED, "2026-03-11 09:00")
        await append(desk, case, Step.REVIEWED, "2026-03-11 09:30")
        await append(desk, case, Step.SUSPENDED, "2026-03-12 09:00", reason="hearing")
        mine = await portal.call("GET", f"{START}/{draft.json['id']}")
        asked = {"number": case.number, "query_code": case.query_code}
        theirs = await portal.call("POST", "/v1/public/progress-queries", asked, token=None)
        english = await portal.call("GET", f"{START}/{draft.json['id']}", Accept_Language="en")
    assert theirs.json.keys() == PROGRESS
    assert mine.json.keys() >= PROGRESS
    time = theirs.json["time"]
    assert time == mine.json["time"]
    assert {name: type(value) for name, value in time.items()} == TIME
    assert time["promised"].keys() == time["legal"].keys() == READING
    assert time["stands"] == {"code": "hearing", "text": "需要举行听证"}
    assert english.json["time"]["stands"]["text"] == "A hearing is held"
    assert time["suspensions"][0].keys() == {"reason", "text", "at", "until", "days"}
