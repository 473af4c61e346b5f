"""Longer limits: one asks, another approves, once and in time; both dates move and the resident is told."""

import asyncio

import pytest

from auth.types import Role
from core.db import as_moment, fetch_one
from matters.errors import StateForbids
from matters.extensions.errors import (
    ExtensionForbidden,
    ExtensionSettled,
    ExtensionTooLong,
    NoSuchExtension,
    OwnExtension,
)
from matters.extensions.types import ExtensionReason, ExtensionState
from matters.types import Step
from tests.matters.cases.test_deadlines import at, dates
from tests.matters.conftest import Desk, count_of, jobs_named
from tests.matters.overseeing import go_to, in_review, member, overseen

CLERK = member(Role.ACCEPTOR, department="public-security")
HEAD = member(Role.APPROVER, department="public-security")
WHY = {"reason": ExtensionReason.COMPLEX, "note": "需要进一步核实"}


async def test_an_approved_extension_moves_both_dates_and_the_resident_is_told(desk: Desk) -> None:
    extensions, case = overseen(desk).extensions, await in_review(desk)
    asked = await extensions.ask(CLERK, case.application_id, days=10, **WHY)  # type: ignore[arg-type]
    assert asked.state is ExtensionState.WAITING
    assert await dates(case) == (at("2026-03-16 23:59:59"), at("2026-03-23 23:59:59"), "")
    with pytest.raises(OwnExtension):
        await extensions.decide(CLERK, asked.id, approve=True)
    line, note = await extensions.read(HEAD, asked.id)
    assert (line.days, note) == (10, "需要进一步核实")
    done = await extensions.decide(HEAD, asked.id, approve=True)
    assert (done.state, done.decided_by) == (ExtensionState.APPROVED, HEAD.operator_id)
    assert await dates(case) == (at("2026-03-30 23:59:59"), at("2026-04-07 23:59:59"), "")
    told = [job for job in await jobs_named("notices.tell") if job["event"] == "matters.extended"]
    assert [job["days"] for job in told] == ["10"]
    assert "核实" not in str(told)
    view = await desk.progress.query(case.number, case.query_code, address="10.0.0.1")
    assert (view.timeline[-1].step, view.time.extended_days) == (Step.EXTENDED, 10)
    assert "情况复杂" in view.timeline[-1].note
    # Once, and no more.
    with pytest.raises(ExtensionForbidden):
        await extensions.ask(CLERK, case.application_id, days=1, **WHY)  # type: ignore[arg-type]
    with pytest.raises(ExtensionSettled):
        await extensions.decide(HEAD, asked.id, approve=False)


async def test_a_rejected_one_changes_nothing_and_another_may_be_asked_for(desk: Desk) -> None:
    extensions, case = overseen(desk).extensions, await in_review(desk)
    asked = await extensions.ask(CLERK, case.application_id, days=3, **WHY)  # type: ignore[arg-type]
    with pytest.raises(ExtensionForbidden):  # One waits at a time.
        await extensions.ask(HEAD, case.application_id, days=3, **WHY)  # type: ignore[arg-type]
    assert (await extensions.decide(HEAD, asked.id, approve=False)).state is ExtensionState.REJECTED
    assert (await dates(case))[0] == at("2026-03-16 23:59:59")
    assert not [job for job in await jobs_named("notices.tell") if job["event"] == "matters.extended"]
    assert (await extensions.ask(CLERK, case.application_id, days=3, **WHY)).days == 3  # type: ignore[arg-type]


async def test_it_has_a_maximum_and_an_end_and_needs_a_case_that_is_handled(desk: Desk) -> None:
    extensions, case = overseen(desk).extensions, await in_review(desk)
    with pytest.raises(ExtensionTooLong):
        await extensions.ask(CLERK, case.application_id, days=11, **WHY)  # type: ignore[arg-type]
    waiting = await extensions.ask(CLERK, case.application_id, days=10, **WHY)  # type: ignore[arg-type]
    desk.ground.clock.set(at("2026-03-17 09:00"))
    with pytest.raises(ExtensionForbidden):  # Its time is up; nothing of the decision stays.
        await extensions.decide(HEAD, waiting.id, approve=True)
    assert (await extensions.find(waiting.id)).state is ExtensionState.WAITING
    await go_to(desk, case, Step.APPROVED, "2026-03-17 10:00")
    with pytest.raises(StateForbids):
        await extensions.decide(HEAD, waiting.id, approve=True)
    assert (await extensions.decide(HEAD, waiting.id, approve=False)).state is ExtensionState.REJECTED
    fresh = await desk.submitted(desk.citizen())
    with pytest.raises(StateForbids):
        await extensions.ask(CLERK, fresh.application_id, days=1, **WHY)  # type: ignore[arg-type]
    with pytest.raises(NoSuchExtension):
        await extensions.find(desk.ground.ids.uuid())


async def test_of_many_who_ask_and_decide_at_once_one_does(desk: Desk) -> None:
    extensions, case = overseen(desk).extensions, await in_review(desk)

    async def ask() -> str:
        try:
            await extensions.ask(CLERK, case.application_id, days=5, **WHY)  # type: ignore[arg-type]
        except ExtensionForbidden:
            return "refused"
        return "asked"

    assert sorted(await asyncio.gather(*(ask() for _ in range(6)))) == ["asked", *["refused"] * 5]
    found = await fetch_one("SELECT id FROM extension_request")
    assert found is not None
    [request] = await extensions.list_requests(
        ExtensionState.WAITING, [HEAD.grants[0].scope], after=(at("2026-01-01 00:00"), case.application_id), limit=10
    )

    async def decide() -> str:
        try:
            await extensions.decide(HEAD, request.id, approve=True)
        except (ExtensionSettled, ExtensionForbidden):
            return "refused"
        return "approved"

    assert sorted(await asyncio.gather(*(decide() for _ in range(6)))) == ["approved", *["refused"] * 5]
    assert await count_of("case_action WHERE step = 'extended'") == 1
    row = await fetch_one("SELECT due_at FROM application WHERE id = $1", case.application_id)
    assert row is not None
    assert as_moment(row["due_at"]) == at("2026-03-23 23:59:59")
