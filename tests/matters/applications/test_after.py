"""What may be done after submitting: withdraw, supplement, rate, ask by number."""

import asyncio

import pytest

from core.audit.actors import Actor, ActorKind
from core.db import fetch, transaction
from matters.applications.progress import Progress
from matters.cases.history import Entry
from matters.errors import (
    DepartmentUnavailable,
    NoSuchApplication,
    ProgressLocked,
    ProgressNotFound,
    StateForbids,
    WithdrawalTooLate,
)
from matters.types import State, Step
from tests.matters.conftest import ENDORSEMENT, Desk, count_of

CLERK = Actor(ActorKind.OPERATOR, "clerk")


async def test_a_draft_and_an_application_nobody_has_are_withdrawn(desk: Desk) -> None:
    caller = desk.citizen()
    draft = await desk.drafts.start(caller, ENDORSEMENT, {})
    assert (await desk.withdrawals.withdraw(caller, draft.id)).state is State.WITHDRAWN
    submitted = await desk.submitted(caller)
    assert (await desk.withdrawals.withdraw(caller, submitted.application_id)).state is State.WITHDRAWN
    await desk.deliver(submitted.application_id)
    assert desk.public_security.arrived == []


async def test_what_a_department_has_is_withdrawn_by_its_phone(desk: Desk) -> None:
    caller = desk.citizen()
    submitted = await desk.submitted(caller)
    await desk.deliver(submitted.application_id)
    with pytest.raises(WithdrawalTooLate) as late:
        await desk.withdrawals.withdraw(caller, submitted.application_id)
    assert late.value.extras.alternatives[0].method == "phone"
    assert (await desk.view(caller, submitted.application_id)).state is State.PRE_REVIEW


async def test_what_a_department_may_have_is_not_withdrawn(desk: Desk) -> None:
    caller = desk.citizen()
    desk.public_security.loses_answers = 1
    submitted = await desk.submitted(caller)
    with pytest.raises(DepartmentUnavailable):
        await desk.deliver(submitted.application_id)
    with pytest.raises(WithdrawalTooLate):
        await desk.withdrawals.withdraw(caller, submitted.application_id)
    assert (await desk.view(caller, submitted.application_id)).state is State.SUBMITTED


async def test_a_withdrawal_and_the_delivery_never_both_win(desk: Desk) -> None:
    for _ in range(10):
        caller = desk.citizen()
        submitted = await desk.submitted(caller)
        arrived = len(desk.public_security.arrived)
        outcome, _ = await asyncio.gather(
            desk.withdrawals.withdraw(caller, submitted.application_id),
            desk.deliver(submitted.application_id),
            return_exceptions=True,
        )
        withdrawn = not isinstance(outcome, Exception)
        assert withdrawn == (len(desk.public_security.arrived) == arrived)


async def test_an_ended_or_strange_application_is_not_withdrawn(desk: Desk) -> None:
    caller = desk.citizen()
    draft = await desk.drafts.start(caller, ENDORSEMENT, {})
    with pytest.raises(NoSuchApplication):
        await desk.withdrawals.withdraw(desk.citizen(), draft.id)
    await desk.withdrawals.withdraw(caller, draft.id)
    with pytest.raises(StateForbids):
        await desk.withdrawals.withdraw(caller, draft.id)


async def test_a_supplement_brings_the_case_back_to_pre_review(desk: Desk) -> None:
    caller = desk.citizen()
    submitted = await desk.submitted(caller)
    await desk.deliver(submitted.application_id)
    with pytest.raises(StateForbids):
        await desk.supplements.hand_in(caller, submitted.application_id, "")
    await transaction(
        lambda: desk.history.append(
            submitted.application_id, Entry(step=Step.SUPPLEMENT_REQUESTED, actor=CLERK, note="请补充租房合同")
        )
    )
    view = await desk.view(caller, submitted.application_id)
    assert view.state is State.SUPPLEMENT_REQUESTED
    assert view.timeline[-1].note == "部门请您补充材料。请补充租房合同"
    assert view.next_action is not None
    assert view.next_action.code == "supplement"
    view = await desk.drafts.amend(caller, view.id, {"remark": "已补"}, version=view.version)
    view = await desk.supplements.hand_in(caller, view.id, "合同已上传")
    assert view.state is State.PRE_REVIEW
    await desk.hear(submitted.number, 1, State.ACCEPTED)
    assert (await desk.view(caller, view.id)).state is State.ACCEPTED


@pytest.mark.parametrize("step", [Step.SUPPLEMENTED, Step.RESUMED, Step.DELIVERED, Step.CLOSED, Step.SUSPENDED])
async def test_a_move_that_the_state_machine_does_not_have_is_refused(desk: Desk, step: Step) -> None:
    submitted = await desk.submitted(desk.citizen())
    actions = await count_of("case_action")
    with pytest.raises(StateForbids):
        await transaction(lambda: desk.history.append(submitted.application_id, Entry(step=step, actor=CLERK)))
    assert await count_of("case_action") == actions


async def test_number_and_code_tell_how_it_stands_and_nothing_personal(desk: Desk) -> None:
    submitted = await desk.submitted(desk.citizen())
    await desk.deliver(submitted.application_id)
    view = await desk.progress.query(submitted.number, submitted.query_code, address="192.0.2.1")
    assert view.state is State.PRE_REVIEW
    assert dict(view.form) == {}
    assert list(view.attachments) == []


async def test_a_wrong_code_and_an_unknown_number_get_the_same_answer_and_the_same_lock(desk: Desk) -> None:
    submitted = await desk.submitted(desk.citizen())
    wrong = "000000" if submitted.query_code != "000000" else "111111"
    unknown = "9" * 43

    async def outcomes(number: str) -> list[str]:
        return [await outcome(desk.progress, number, wrong) for _ in range(12)]

    assert await outcomes(submitted.number) == await outcomes(unknown)
    with pytest.raises(ProgressLocked):
        await desk.progress.query(submitted.number, submitted.query_code, address="192.0.2.1")


async def outcome(progress: Progress, number: str, code: str) -> str:
    try:
        await progress.query(number, code, address="192.0.2.1")
    except (ProgressNotFound, ProgressLocked) as problem:
        return problem.code
    return "found"


async def test_the_query_code_is_kept_hashed(desk: Desk) -> None:
    submitted = await desk.submitted(desk.citizen())
    [row] = await fetch("SELECT query_code_hash FROM application")
    assert submitted.query_code not in str(row["query_code_hash"])
    assert len(row["query_code_hash"]) == 32


async def test_applications_are_listed_newest_first_and_only_ones_own(desk: Desk) -> None:
    caller = desk.citizen()
    for _ in range(3):
        await desk.drafts.start(caller, ENDORSEMENT, {})
    await desk.drafts.start(desk.citizen(), ENDORSEMENT, {})
    first = await desk.progress.list_applications(caller, before=None, limit=2)
    rest = await desk.progress.list_applications(caller, before=(first[-1].created_at, first[-1].id), limit=2)
    ids = [line.id for line in (*first, *rest)]
    assert len(ids) == 3
    assert ids == sorted(ids, reverse=True)
