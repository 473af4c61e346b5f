"""Drafts over time: saved, gone on with at a counter, told about before they run out, and forgotten."""

from dataclasses import replace
from datetime import timedelta

from auth.types import Level
from core.db import fetch
from matters.types import State
from tests.fakes.papers import PDF
from tests.matters.conftest import ENDORSEMENT, Desk, count_of, jobs_named

PROOF = "proof-of-residence"
DAY = timedelta(days=1)


async def test_a_draft_from_the_phone_is_gone_on_with_at_the_counter_by_an_officer_the_person_confirmed(
    desk: Desk,
) -> None:
    phone = desk.citizen(Level.PRESENT)
    draft = await desk.drafts.start(phone, ENDORSEMENT, {"residence_kind": "rented"})
    counter = replace(phone, session_id=desk.ground.ids.uuid(), operator_id=desk.ground.ids.uuid())
    seen = await desk.view(counter, draft.id)
    assert seen.form["residence_kind"].value == "rented"
    amended = await desk.drafts.amend(counter, draft.id, {"remark": "在窗口补填"}, version=seen.version)
    assert amended.form["remark"].value == "在窗口补填"
    submitted = await desk.submit(counter, draft.id)
    view = await desk.view(phone, submitted.application_id)
    assert view.state is State.SUBMITTED
    assert [entry.actor for entry in view.timeline] == ["本人", "工作人员"]
    [row] = await fetch("SELECT channel FROM application")
    assert row["channel"] == "counter"


async def test_its_owner_is_told_once_before_it_runs_out_and_then_it_is_forgotten_with_its_files(desk: Desk) -> None:
    caller, clock = desk.citizen(), desk.ground.clock
    draft = await desk.drafts.start(caller, ENDORSEMENT, {})
    await desk.attachments.add(caller, draft.id, PROOF, PDF)
    assert (await desk.view(caller, draft.id)).expires_at == clock.now() + 30 * DAY
    clock.move(26 * DAY)
    assert (await desk.draft_life.remind(), await desk.draft_life.forget()) == (0, 0)
    clock.move(2 * DAY)
    assert [await desk.draft_life.remind() for _ in range(2)] == [1, 0]
    clock.move(3 * DAY)
    await desk.draft_life.look()
    told = await jobs_named("notices.tell")
    assert [job["event"] for job in told] == ["matters.draft-expiring", "matters.draft-expired"]
    assert {job["citizen_id"] for job in told} == {str(caller.citizen_id)}
    for table in ("application", "case_action", "attachment"):
        assert await count_of(table) == 0
    assert len(await jobs_named("matters.remove-file")) == 1


async def test_whoever_goes_on_with_a_draft_has_time_again(desk: Desk) -> None:
    caller, clock = desk.citizen(), desk.ground.clock
    draft = await desk.drafts.start(caller, ENDORSEMENT, {})
    clock.move(28 * DAY)
    assert await desk.draft_life.remind() == 1
    await desk.drafts.amend(caller, draft.id, {"remark": "还要办"}, version=None)
    clock.move(28 * DAY)
    assert (await desk.draft_life.forget(), await desk.draft_life.remind()) == (0, 1)
    await desk.attachments.add(caller, draft.id, PROOF, PDF)
    clock.move(28 * DAY)
    assert await desk.draft_life.forget() == 0
    assert (await desk.view(caller, draft.id)).state is State.DRAFT


async def test_what_was_submitted_does_not_run_out(desk: Desk) -> None:
    caller = desk.citizen()
    submitted = await desk.submitted(caller)
    desk.ground.clock.move(365 * DAY)
    await desk.draft_life.look()
    view = await desk.view(caller, submitted.application_id)
    assert (view.state, view.expires_at) == (State.SUBMITTED, None)
    assert await jobs_named("notices.tell") == []
