"""Departments that call nobody back: asked first, asked again, heard once."""

from datetime import UTC, datetime, timedelta

import pytest

from auth.types import Role
from core.db import fetch, fetch_one, transaction
from matters.errors import DepartmentUnavailable, WithdrawalTooLate
from matters.handling.types import Arrival
from matters.handover.rules import pause_before
from matters.types import Capability, Dedupe, ProgressEvent, State, Step
from tests.fakes.matters import FakeDepartment
from tests.fakes.papers import PDF
from tests.matters.conftest import Desk, count_of, jobs_named
from tests.matters.handling.conftest import operator

PROOF = "proof-of-residence"
PATH = ((1, State.ACCEPTED), (2, State.IN_REVIEW), (3, State.APPROVED))


def office(desk: Desk) -> FakeDepartment:
    """The tax office, which here takes what public security takes otherwise: any matter will do."""
    taxes = desk.departments["taxation"]
    assert taxes.dedupe is Dedupe.QUERY
    desk.departments["public-security"] = taxes
    return taxes


def told(reference: str, *steps: tuple[int, State]) -> list[ProgressEvent]:
    return [
        ProgressEvent(f"t.{number}", reference, number, state, datetime(2026, 3, 10, 3, number, tzinfo=UTC))
        for number, state in steps
    ]


async def ask(desk: Desk, application_id: object) -> None:
    """Run the job as the runner does."""
    change = await desk.polling.ask(str(application_id))
    if change is not None:
        await transaction(change)


async def test_who_calls_nobody_back_is_asked_until_it_has_decided(desk: Desk) -> None:
    taxes, caller = office(desk), desk.citizen()
    submitted = await desk.submitted(caller)
    await desk.deliver(submitted.application_id)
    promise = {"application_id": str(submitted.application_id)}
    assert await jobs_named("matters.ask-progress") == [promise]
    await ask(desk, submitted.application_id)
    assert (await desk.view(caller, submitted.application_id)).state is State.PRE_REVIEW
    assert await jobs_named("matters.ask-progress") == [promise] * 2
    taxes.events[submitted.number] = told(submitted.number, *PATH[:2])
    await ask(desk, submitted.application_id)
    assert (await desk.view(caller, submitted.application_id)).state is State.IN_REVIEW
    taxes.events[submitted.number] = told(submitted.number, *PATH[::-1], *PATH)
    await ask(desk, submitted.application_id)
    view = await desk.view(caller, submitted.application_id)
    assert view.state is State.APPROVED
    assert await count_of("department_event") == 3
    assert len(await jobs_named("matters.ask-progress")) == 3
    await ask(desk, submitted.application_id)
    assert len(taxes.asked) == 3


async def test_one_odd_step_stops_neither_the_others_nor_the_asking(desk: Desk) -> None:
    taxes, caller = office(desk), desk.citizen()
    submitted = await desk.submitted(caller)
    await desk.deliver(submitted.application_id)
    # More is asked for, and nothing is named: no department may tell that.
    odd = ProgressEvent("t.9", submitted.number, 9, State.SUPPLEMENT_REQUESTED, datetime(2026, 3, 10, 3, 2, tzinfo=UTC))
    taxes.events[submitted.number] = [odd, *told(submitted.number, *PATH[:2])]
    await ask(desk, submitted.application_id)
    assert (await desk.view(caller, submitted.application_id)).state is State.IN_REVIEW
    assert len(await jobs_named("matters.ask-progress")) == 2


async def test_who_calls_back_is_not_asked(desk: Desk) -> None:
    submitted = await desk.submitted(desk.citizen())
    await desk.deliver(submitted.application_id)
    assert await jobs_named("matters.ask-progress") == []


async def test_a_dossier_that_a_person_says_has_arrived_is_asked_about(desk: Desk) -> None:
    taxes, caller = office(desk), desk.citizen()
    taxes.dedupe, taxes.loses_answers = Dedupe.NONE, 1
    submitted = await desk.submitted(caller)
    await desk.deliver(submitted.application_id)
    assert await jobs_named("matters.ask-progress") == []
    await desk.handling.deliveries.settle(
        operator(Role.OPERATOR), submitted.application_id, Arrival.ARRIVED, receipt_number="R-8"
    )
    assert await jobs_named("matters.ask-progress") == [{"application_id": str(submitted.application_id)}]
    taxes.events[submitted.number] = told(submitted.number, *PATH)
    await ask(desk, submitted.application_id)
    assert (await desk.view(caller, submitted.application_id)).state is State.APPROVED


async def test_no_case_is_forgotten_while_a_department_is_away(desk: Desk) -> None:
    taxes, caller = office(desk), desk.citizen()
    submitted = await desk.submitted(caller)
    await desk.deliver(submitted.application_id)
    for _ in range(30):
        taxes.failures = [DepartmentUnavailable("taxation", ambiguous=True)]
        desk.ground.clock.move(timedelta(hours=6))
        await ask(desk, submitted.application_id)
    assert len(await jobs_named("matters.ask-progress")) == 31
    taxes.events[submitted.number] = told(submitted.number, *PATH)
    await ask(desk, submitted.application_id)
    assert (await desk.view(caller, submitted.application_id)).state is State.APPROVED


def test_the_longer_a_case_is_open_the_less_often_it_is_asked_about() -> None:
    first = timedelta(minutes=1)
    ages = [timedelta(), timedelta(minutes=9), timedelta(minutes=50), timedelta(hours=5), timedelta(days=90)]
    assert [pause_before(age, first) for age in ages] == [
        first,
        first,
        timedelta(minutes=5),
        timedelta(minutes=30),
        timedelta(hours=1),
    ]
    assert pause_before(timedelta(days=90), timedelta(hours=3)) == timedelta(hours=3)


async def test_what_may_not_be_demanded_changes_nothing_and_stops_nothing_else(desk: Desk) -> None:
    taxes, caller = office(desk), desk.citizen()
    submitted = await desk.submitted(caller)
    await desk.deliver(submitted.application_id)
    at = datetime(2026, 3, 10, 3, 1, tzinfo=UTC)
    unlawful = ProgressEvent("t.1", submitted.number, 1, State.SUPPLEMENT_REQUESTED, at, demands=("hair",))
    taxes.events[submitted.number] = [unlawful, *told(submitted.number, *PATH[1:2])]
    await ask(desk, submitted.application_id)
    assert (await desk.view(caller, submitted.application_id)).state is State.IN_REVIEW
    assert await count_of("department_event") == 1


# --- asking first -------------------------------------------------------------------------------------------------


async def test_a_lost_answer_is_asked_for_before_anything_is_sent_again(desk: Desk) -> None:
    taxes, caller = office(desk), desk.citizen()
    taxes.loses_answers = 1
    submitted = await desk.submitted(caller)
    with pytest.raises(DepartmentUnavailable):
        await desk.deliver(submitted.application_id)
    assert taxes.asked == []
    await desk.deliver(submitted.application_id)
    assert taxes.asked == [submitted.number]
    assert taxes.effects == {submitted.number: 1}
    row = await fetch_one("SELECT state, receipt_number FROM delivery")
    assert row is not None
    assert (row["state"], row["receipt_number"]) == ("acknowledged", f"R-{submitted.number[-4:]}")
    assert (await desk.view(caller, submitted.application_id)).state is State.PRE_REVIEW


async def test_what_has_not_arrived_is_sent_again(desk: Desk) -> None:
    taxes = office(desk)
    taxes.failures = [DepartmentUnavailable("taxation", ambiguous=True)]
    submitted = await desk.submitted(desk.citizen())
    with pytest.raises(DepartmentUnavailable):
        await desk.deliver(submitted.application_id)
    await desk.deliver(submitted.application_id)
    assert taxes.asked == [submitted.number]
    assert taxes.effects == {submitted.number: 1}


async def test_while_nobody_says_whether_it_arrived_nothing_is_sent(desk: Desk) -> None:
    taxes = office(desk)
    taxes.loses_answers = 1
    submitted = await desk.submitted(desk.citizen())
    with pytest.raises(DepartmentUnavailable):
        await desk.deliver(submitted.application_id)
    for ambiguous in (True, False):
        taxes.failures = [DepartmentUnavailable("taxation", ambiguous=ambiguous)]
        with pytest.raises(DepartmentUnavailable):
            await desk.deliver(submitted.application_id)
        row = await fetch_one("SELECT state FROM delivery")
        assert row is not None
        assert row["state"] == "sent"
    assert taxes.effects == {submitted.number: 1}


async def test_a_worker_that_died_while_sending_asks_first(desk: Desk) -> None:
    taxes = office(desk)
    submitted = await desk.submitted(desk.citizen())
    await desk.claim(submitted.application_id)
    await desk.deliver(submitted.application_id)
    assert taxes.asked == [submitted.number]
    assert taxes.effects == {submitted.number: 1}


# --- taking back --------------------------------------------------------------------------------------------------


async def outcomes() -> list[str]:
    rows = await fetch("SELECT outcome FROM audit_line WHERE action = 'matters.withdrawal-told'")
    return [str(row["outcome"]) for row in rows]


async def test_what_a_department_has_is_taken_back_and_it_is_told(desk: Desk) -> None:
    taxes, caller = office(desk), desk.citizen()
    submitted = await desk.submitted(caller)
    await desk.deliver(submitted.application_id)
    view = await desk.withdrawals.withdraw(caller, submitted.application_id)
    assert view.state is State.WITHDRAWN
    assert len(await jobs_named("matters.send-letter")) == 1
    taxes.failures = [DepartmentUnavailable("taxation", ambiguous=True)]
    with pytest.raises(DepartmentUnavailable):
        await desk.send_letters()
    await desk.send_letters()
    assert taxes.withdrawn == [submitted.number]
    assert await outcomes() == ["ok"]
    # Nobody asks about it any more, and what is told of it all the same changes nothing.
    taxes.events[submitted.number] = told(submitted.number, *PATH)
    await ask(desk, submitted.application_id)
    assert taxes.asked == []


async def test_a_department_that_has_decided_meanwhile_is_a_case_for_a_person(desk: Desk) -> None:
    taxes, caller = office(desk), desk.citizen()
    submitted = await desk.submitted(caller)
    await desk.deliver(submitted.application_id)
    await desk.withdrawals.withdraw(caller, submitted.application_id)
    taxes.has_decided = True
    await desk.send_letters()
    assert await outcomes() == ["declined"]
    assert (await desk.view(caller, submitted.application_id)).state is State.WITHDRAWN


async def test_while_nobody_knows_whether_it_arrived_nothing_is_taken_back(desk: Desk) -> None:
    taxes, caller = office(desk), desk.citizen()
    taxes.loses_answers = 1
    submitted = await desk.submitted(caller)
    with pytest.raises(DepartmentUnavailable):
        await desk.deliver(submitted.application_id)
    with pytest.raises(WithdrawalTooLate):
        await desk.withdrawals.withdraw(caller, submitted.application_id)
    assert await jobs_named("matters.send-letter") == []
    assert (await desk.view(caller, submitted.application_id)).state is State.SUBMITTED


async def test_who_cannot_be_told_is_not_told(desk: Desk) -> None:
    taxes, caller = office(desk), desk.citizen()
    taxes.capabilities = frozenset({Capability.SUBMIT, Capability.STATUS})
    submitted = await desk.submitted(caller)
    await desk.deliver(submitted.application_id)
    with pytest.raises(WithdrawalTooLate):
        await desk.withdrawals.withdraw(caller, submitted.application_id)


# --- materials asked for by a department --------------------------------------------------------------------------


async def test_a_department_asks_for_materials_as_a_clerk_does(desk: Desk) -> None:
    caller = desk.citizen()
    submitted = await desk.submitted(caller)
    await desk.hear(submitted.number, 1, State.SUPPLEMENT_REQUESTED, note="请补充租房合同", demands=(PROOF,))
    # The receipt is written after the news: the case waits for the applicant all the same.
    await desk.deliver(submitted.application_id)
    view = await desk.view(caller, submitted.application_id)
    assert view.state is State.SUPPLEMENT_REQUESTED
    assert [job["event"] for job in await jobs_named("notices.tell")] == ["matters.supplement-requested"]
    rows = await fetch("SELECT action FROM audit_line WHERE action = 'matters.material-demanded'")
    assert len(rows) == 1
    await desk.attachments.add(caller, view.id, PROOF, PDF)
    assert (await desk.supplements.hand_in(caller, view.id, "")).state is State.PRE_REVIEW
    await desk.hear(submitted.number, 2, State.ACCEPTED)
    view = await desk.view(caller, submitted.application_id)
    assert view.state is State.ACCEPTED
    assert Step.SUPPLEMENTED in [entry.step for entry in view.timeline]
