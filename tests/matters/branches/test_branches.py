"""Several departments at the same time: opened with the acceptance, settled in any order, one decision."""

import asyncio
import itertools
from collections import Counter
from datetime import UTC, datetime
from uuid import UUID

import pytest

from auth.types import EVERYWHERE, Caller, Role, RoleGrant, StaffCaller, StaffScope
from core.db import as_json, fetch, transaction
from matters.applications.records import Submitted
from matters.branches.errors import BranchSettled, NoSuchBranch
from matters.branches.types import BranchOutcome, BranchState
from matters.cases.errors import BranchesOpen, SameHands
from matters.cases.history import Entry
from matters.cases.tracking import Heard
from matters.errors import CaseNotYours, DepartmentUnavailable, DossierDeclined, StateForbids
from matters.handling.errors import DeliverySettled
from matters.handling.types import Arrival
from matters.types import Dedupe, ProgressEvent, State, Step
from tests.fakes.papers import PDF
from tests.matters.conftest import ENDORSEMENT, Desk, jobs_named

HOUSE = "real-estate-pre-acceptance"
NAMES = ("marriage", "register", "tax")
YES, NO = BranchOutcome.APPROVED, BranchOutcome.REJECTED
OWNERS = {"marriage": "civil-affairs", "register": "real-estate", "tax": "taxation"}


def clerk(desk: Desk) -> StaffCaller:
    return StaffCaller(desk.ground.ids.uuid(), desk.ground.ids.uuid(), "clerk", (RoleGrant(Role.DEPARTMENT_OPERATOR),))


def news(submitted: Submitted, sequence: int, state: State, branch: str = "") -> ProgressEvent:
    reference = f"{submitted.number}.{branch}" if branch else submitted.number
    at = datetime(2026, 3, 10, 3, sequence, tzinfo=UTC)
    return ProgressEvent(f"e-{submitted.number[-4:]}-{branch}-{sequence}", reference, sequence, state, at)


async def in_branches(desk: Desk) -> tuple[Caller, Submitted]:
    """Have a house's registration accepted, and its branches opened."""
    caller = desk.citizen()
    draft = await desk.drafts.start(caller, HOUSE, {"kind": "transfer", "house_address": "示例市示例路1号"})
    await desk.attachments.add(caller, draft.id, "contract", PDF)
    submitted = await desk.submit(caller, draft.id)
    await desk.deliver(draft.id)
    await desk.tracking.hear("real-estate", news(submitted, 1, State.ACCEPTED))
    await opened(desk, draft.id)
    return caller, submitted


async def opened(desk: Desk, application_id: UUID) -> None:
    change = await desk.branches.open(str(application_id))
    if change is not None:
        await transaction(change)


async def states_of(desk: Desk, application_id: UUID) -> dict[str, BranchState]:
    return {branch.name: branch.state for branch in await desk.branches.list_of(application_id)}


async def test_acceptance_opens_each_branch_with_its_own_due_date(desk: Desk) -> None:
    caller, submitted = await in_branches(desk)
    assert await jobs_named("matters.open-branches") == [{"application_id": str(submitted.application_id)}]
    await opened(desk, submitted.application_id)
    view = await desk.view(caller, submitted.application_id)
    # Accepted on Tuesday the 10th: two working days end with the 12th, four with Monday the 16th.
    assert [(branch.check, branch.department, branch.outcome, branch.due_at) for branch in view.branches] == [
        ("tax", "taxation", "pending", datetime(2026, 3, 12, 15, 59, 59, tzinfo=UTC)),
        ("marriage", "civil-affairs", "pending", datetime(2026, 3, 12, 15, 59, 59, tzinfo=UTC)),
        ("register", "real-estate", "pending", datetime(2026, 3, 16, 15, 59, 59, tzinfo=UTC)),
    ]
    assert len(await jobs_named("matters.deliver-branch")) == 3


async def test_each_department_gets_its_dossier_under_a_reference_of_its_own(desk: Desk) -> None:
    _, submitted = await in_branches(desk)
    for payload in await jobs_named("matters.deliver-branch"):
        for _ in range(2):
            change = await desk.branch_deliveries.deliver(payload["branch_id"])
            if change is not None:
                await transaction(change)
    came = {dossier.reference: dossier for dossier in desk.common_desk.arrived}
    assert came.keys() == {submitted.number, *(f"{submitted.number}.{name}" for name in NAMES)}
    for name, department in OWNERS.items():
        dossier = came[f"{submitted.number}.{name}"]
        assert dossier.department == department
        assert dossier.callback_url.endswith(f"/v1/departments/{department}/progress")
    assert len(desk.common_desk.arrived) == 4


async def test_a_dossier_that_may_have_arrived_is_not_sent_twice_where_it_would_count_twice(desk: Desk) -> None:
    await in_branches(desk)
    desk.common_desk.dedupe = Dedupe.NONE
    desk.common_desk.failures = [DepartmentUnavailable("department-desk", ambiguous=True)]
    [first, *_] = await jobs_named("matters.deliver-branch")
    change = await desk.branch_deliveries.deliver(first["branch_id"])
    assert change is not None
    await transaction(change)
    assert await desk.branch_deliveries.deliver(first["branch_id"]) is None
    rows = await fetch("SELECT delivery FROM case_branch WHERE id = $1", UUID(first["branch_id"]))
    assert [row["delivery"] for row in rows] == ["unknown"]


async def test_who_has_taken_a_case_in_decides_no_part_of_it(desk: Desk) -> None:
    caller = desk.citizen()
    draft = await desk.drafts.start(caller, HOUSE, {"kind": "transfer", "house_address": "示例市示例路1号"})
    await desk.attachments.add(caller, draft.id, "contract", PDF)
    await desk.submit(caller, draft.id)
    await desk.deliver(draft.id)
    window, colleague = clerk(desk), clerk(desk)
    await transaction(lambda: desk.history.append(draft.id, Entry(step=Step.ACCEPTED, actor=window.actor)))
    await opened(desk, draft.id)
    with pytest.raises(SameHands):
        await desk.branches.settle(window, draft.id, "register", NO, "不行")
    assert (await desk.view(caller, draft.id)).state is State.ACCEPTED
    await desk.branches.settle(colleague, draft.id, "register", NO, "不行")
    assert (await desk.view(caller, draft.id)).state is State.REJECTED


async def stuck(desk: Desk, *scopes: StaffScope) -> list[tuple[str, str, str]]:
    found = await desk.handling.branches.list_stuck(scopes or (EVERYWHERE,), after=None, limit=9)
    return [(each.branch, each.state.value, each.reason) for each in found]


async def sent(desk: Desk) -> None:
    for payload in await jobs_named("matters.deliver-branch"):
        change = await desk.branch_deliveries.deliver(payload["branch_id"])
        if change is not None:
            await transaction(change)


async def test_a_declined_dossier_waits_for_a_person_and_goes_out_again(desk: Desk) -> None:
    _, submitted = await in_branches(desk)
    desk.common_desk.failures = [DossierDeclined("department-desk", "not-ours")]
    await sent(desk)
    [(name, state, reason)] = await stuck(desk)
    assert (state, reason) == ("refused", "not-ours")
    assert await stuck(desk, StaffScope(department=OWNERS[name])) == [(name, "refused", "not-ours")]
    assert await stuck(desk, StaffScope(department="health")) == []
    assert await stuck(desk, StaffScope(matter="999999999")) == []
    # It was declined: it cannot have arrived.
    with pytest.raises(DeliverySettled):
        await desk.handling.branches.settle(
            clerk(desk), submitted.application_id, name, Arrival.ARRIVED, receipt_number="R1"
        )
    await desk.handling.branches.settle(clerk(desk), submitted.application_id, name, Arrival.DID_NOT_ARRIVE)
    with pytest.raises(DeliverySettled):
        await desk.handling.branches.settle(clerk(desk), submitted.application_id, name, Arrival.DID_NOT_ARRIVE)
    await sent(desk)
    assert await stuck(desk) == []
    arrived = Counter(dossier.reference for dossier in desk.common_desk.arrived)
    assert arrived == {submitted.number: 1, **{f"{submitted.number}.{each}": 1 for each in NAMES}}
    lanes = await fetch(
        "SELECT lane FROM job WHERE name = 'matters.deliver-branch' AND lane LIKE $1", f"%/{OWNERS[name]}"
    )
    assert len({row["lane"] for row in lanes}) == 1
    with pytest.raises(NoSuchBranch):
        await desk.handling.branches.settle(clerk(desk), submitted.application_id, "pond", Arrival.DID_NOT_ARRIVE)


async def test_what_arrived_without_a_word_is_written_down_once(desk: Desk) -> None:
    _, submitted = await in_branches(desk)
    desk.common_desk.dedupe = Dedupe.NONE
    desk.common_desk.failures = [DepartmentUnavailable("department-desk", ambiguous=True)]
    await sent(desk)
    [(name, state, _)] = await stuck(desk)
    assert state == "unknown"
    for again in (False, True):
        settling = desk.handling.branches.settle(
            clerk(desk), submitted.application_id, name, Arrival.ARRIVED, receipt_number="R-7"
        )
        if again:
            with pytest.raises(DeliverySettled):
                await settling
        else:
            await settling
    assert await stuck(desk) == []
    [row] = await fetch(
        "SELECT delivery, receipt_number FROM case_branch WHERE application_id = $1 AND name = $2",
        submitted.application_id,
        name,
    )
    assert (row["delivery"], row["receipt_number"]) == ("acknowledged", "R-7")
    lines = await fetch("SELECT outcome, field_names FROM audit_line WHERE action = 'matters.delivery-settled'")
    assert [(line["outcome"], as_json(line["field_names"])) for line in lines] == [("arrived", [name])]
    # What a department says settles it, whatever is thought of its dossier.
    await desk.branches.settle(clerk(desk), submitted.application_id, name, YES, "符合规定")
    with pytest.raises(DeliverySettled):
        await desk.handling.branches.settle(clerk(desk), submitted.application_id, name, Arrival.DID_NOT_ARRIVE)


@pytest.mark.parametrize("order", list(itertools.permutations(NAMES)))
async def test_the_last_word_approves_whoever_says_it(desk: Desk, order: tuple[str, ...]) -> None:
    caller, submitted = await in_branches(desk)
    for name in order[:-1]:
        await desk.branches.settle(clerk(desk), submitted.application_id, name, YES, "符合规定")
        assert (await desk.view(caller, submitted.application_id)).state is State.ACCEPTED
    event = news(submitted, 1, State.APPROVED, order[-1])
    assert await desk.branch_tracking.hear(OWNERS[order[-1]], event) is Heard.NEW
    view = await desk.view(caller, submitted.application_id)
    assert view.state is State.APPROVED
    assert {branch.outcome for branch in view.branches} == {"approved"}
    assert [entry.step for entry in view.timeline[-4:]] == [*[Step.BRANCH_SETTLED] * 3, Step.APPROVED]
    assert len(await jobs_named("matters.promise-decision")) == 1


async def test_a_refusal_comes_early_and_what_is_open_is_cancelled(desk: Desk) -> None:
    caller, submitted = await in_branches(desk)
    await desk.branches.settle(clerk(desk), submitted.application_id, "register", NO, "房屋已被查封")
    view = await desk.view(caller, submitted.application_id)
    assert view.state is State.REJECTED
    assert view.result is not None
    assert view.result.reason == "a-department-refused"
    assert await states_of(desk, submitted.application_id) == {
        "marriage": BranchState.CANCELLED,
        "register": BranchState.REJECTED,
        "tax": BranchState.CANCELLED,
    }
    with pytest.raises(BranchSettled):
        await desk.branches.settle(clerk(desk), submitted.application_id, "register", YES, "已经解封")
    with pytest.raises(BranchSettled):
        await desk.branches.settle(clerk(desk), submitted.application_id, "tax", YES, "已经完税")
    # What comes too late is heard and changes nothing.
    assert await desk.branch_tracking.hear("taxation", news(submitted, 1, State.APPROVED, "tax")) is Heard.NEW
    assert (await states_of(desk, submitted.application_id))["tax"] is BranchState.CANCELLED
    lines = await fetch("SELECT field_names FROM audit_line WHERE action = 'matters.branch-cancelled'")
    assert len(lines) == 2
    for payload in await jobs_named("matters.deliver-branch"):
        assert await desk.branch_deliveries.deliver(payload["branch_id"]) is None


async def test_nobody_decides_alone_while_branches_are_open(desk: Desk) -> None:
    caller, submitted = await in_branches(desk)
    for state in (State.APPROVED, State.REJECTED):
        with pytest.raises(BranchesOpen):
            await desk.tracking.hear("real-estate", news(submitted, 2, state))
        entry = Entry(step=Step(state.value), actor=clerk(desk).actor)
        with pytest.raises(BranchesOpen):
            await transaction(lambda entry=entry: desk.history.append(submitted.application_id, entry))  # type: ignore[misc]
    assert (await desk.view(caller, submitted.application_id)).state is State.ACCEPTED
    for name in NAMES:
        await desk.branches.settle(clerk(desk), submitted.application_id, name, YES, "符合规定")
    # The department repeats its news; by now it has nothing to change.
    assert await desk.tracking.hear("real-estate", news(submitted, 2, State.APPROVED)) is Heard.NEW
    view = await desk.view(caller, submitted.application_id)
    assert [entry.step for entry in view.timeline].count(Step.APPROVED) == 1


async def test_it_is_not_decided_before_its_branches_were_opened(desk: Desk) -> None:
    caller = desk.citizen()
    draft = await desk.drafts.start(caller, HOUSE, {"kind": "transfer", "house_address": "示例市示例路1号"})
    await desk.attachments.add(caller, draft.id, "contract", PDF)
    submitted = await desk.submit(caller, draft.id)
    await desk.deliver(draft.id)
    with pytest.raises(BranchesOpen):
        await desk.tracking.hear("real-estate", news(submitted, 3, State.APPROVED))


async def test_a_case_of_one_department_has_no_branches(desk: Desk) -> None:
    submitted = await desk.submitted(desk.citizen(), ENDORSEMENT)
    await desk.deliver(submitted.application_id)
    await desk.hear(submitted.number, 1, State.ACCEPTED)
    assert await jobs_named("matters.open-branches") == []
    assert await desk.branches.open(str(submitted.application_id)) is None
    with pytest.raises(NoSuchBranch):
        await desk.branches.settle(clerk(desk), submitted.application_id, "tax", YES, "已经完税")


async def test_all_departments_at_once_come_to_one_decision(desk: Desk) -> None:
    for outcomes in ((YES, YES, YES), (YES, NO, YES)):
        caller, submitted = await in_branches(desk)
        came = await asyncio.gather(
            *(
                desk.branches.settle(clerk(desk), submitted.application_id, name, outcome, "已经审核")
                for name, outcome in zip(NAMES, outcomes, strict=True)
                for _ in range(2)
            ),
            return_exceptions=True,
        )
        assert all(each is None or isinstance(each, (BranchSettled, StateForbids)) for each in came), came
        view = await desk.view(caller, submitted.application_id)
        assert view.state is (State.REJECTED if NO in outcomes else State.APPROVED)
        steps = [entry.step for entry in view.timeline]
        assert steps.count(Step.APPROVED) + steps.count(Step.REJECTED) == 1
        assert steps.count(Step.BRANCH_SETTLED) == came.count(None)


async def test_a_department_speaks_for_its_own_branch_once_and_in_any_order(desk: Desk) -> None:
    caller, submitted = await in_branches(desk)
    with pytest.raises(CaseNotYours):
        await desk.branch_tracking.hear("civil-affairs", news(submitted, 1, State.APPROVED, "tax"))
    with pytest.raises(CaseNotYours):
        await desk.branch_tracking.hear("taxation", news(submitted, 1, State.APPROVED, "none"))
    for sequence, state in ((3, State.APPROVED), (1, State.ACCEPTED), (2, State.IN_REVIEW)):
        assert await desk.branch_tracking.hear("taxation", news(submitted, sequence, state, "tax")) is Heard.NEW
        assert await desk.branch_tracking.hear("taxation", news(submitted, sequence, state, "tax")) is Heard.KNOWN
    # The same counts are those of another branch too: each has its own.
    assert await desk.branch_tracking.hear("civil-affairs", news(submitted, 1, State.ACCEPTED, "marriage")) is Heard.NEW
    view = await desk.view(caller, submitted.application_id)
    assert [entry.step for entry in view.timeline].count(Step.BRANCH_SETTLED) == 1
    assert (await states_of(desk, submitted.application_id))["tax"] is BranchState.APPROVED
