"""What departments are told after they have a dossier: once, in time, or by a person."""

from datetime import timedelta
from uuid import UUID

import pytest

from auth.types import Caller
from core.audit.actors import SYSTEM
from core.db import as_json, fetch, transaction
from matters.applications.records import Submitted
from matters.cases.errors import AskedBefore
from matters.cases.history import Entry
from matters.errors import DepartmentUnavailable, QuestionRefused
from matters.handover.rules import prospect
from matters.handover.types import LetterKind, Prospect
from matters.types import Capability, Dedupe, DeliveryState, State, Step
from tests.fakes.papers import PDF
from tests.matters.branches.test_branches import NO, clerk, in_branches
from tests.matters.conftest import Desk, jobs_named
from tests.matters.routing.test_routing import moved_in

PROOF = "proof-of-residence"


async def letters() -> list[tuple[str, str, str, str]]:
    rows = await fetch("SELECT kind, department, state, reason FROM letter ORDER BY id")
    return [(row["kind"], row["department"], row["state"], row["reason"]) for row in rows]


async def ledger(action: str) -> list[tuple[str, list[str]]]:
    rows = await fetch("SELECT outcome, field_names FROM audit_line WHERE action = $1 ORDER BY at, id", action)
    return [(row["outcome"], as_json(row["field_names"])) for row in rows]


async def supplied(desk: Desk, *, delivered: bool = True) -> tuple[Caller, Submitted]:
    """Have a department ask for a material, and the resident hand it in."""
    caller = desk.citizen()
    submitted = await desk.submitted(caller)
    if delivered:
        await desk.deliver(submitted.application_id)
    await desk.hear(submitted.number, 1, State.SUPPLEMENT_REQUESTED, note="请补充", demands=(PROOF,))
    await desk.attachments.add(caller, submitted.application_id, PROOF, PDF)
    await desk.supplements.hand_in(caller, submitted.application_id, "已补充")
    await desk.look_at_remarks()
    return caller, submitted


# --- what was missing ---------------------------------------------------------------------------------------------


async def test_what_was_missing_reaches_the_department_that_asked_for_it_once(desk: Desk) -> None:
    _, submitted = await supplied(desk)
    await desk.send_letters()
    await desk.send_letters()
    [came] = desk.public_security.supplied
    assert (came.filed.reference, came.filed.receipt_number) == (submitted.number, f"R-{submitted.number[-4:]}")
    assert came.key.startswith(f"{submitted.number}-")
    assert [file.material for file in came.files] == [PROOF]
    assert came.form
    assert await letters() == [("supplement", "public-security", "acknowledged", "")]
    (sent, names), (outcome, _) = await ledger("matters.supplement-told")
    assert (sent, outcome) == ("sent", "ok")
    assert PROOF in names


@pytest.mark.parametrize("dedupe", [Dedupe.KEY, Dedupe.QUERY])
async def test_a_lost_answer_is_asked_again_under_the_same_key(desk: Desk, dedupe: Dedupe) -> None:
    await supplied(desk)
    desk.public_security.dedupe = dedupe
    desk.public_security.loses_answers = 1
    with pytest.raises(DepartmentUnavailable):
        await desk.send_letters()
    assert await letters() == [("supplement", "public-security", "sent", "")]
    await desk.send_letters()
    assert len(desk.public_security.supplied) == 1
    assert await letters() == [("supplement", "public-security", "acknowledged", "")]


async def test_where_nothing_is_known_again_a_lost_answer_is_a_persons(desk: Desk) -> None:
    await supplied(desk)
    desk.public_security.dedupe = Dedupe.NONE
    desk.public_security.loses_answers = 1
    await desk.send_letters()
    await desk.send_letters()
    assert len(desk.public_security.supplied) == 1
    assert await letters() == [("supplement", "public-security", "unknown", "")]
    assert [outcome for outcome, _ in await ledger("matters.supplement-told")] == ["sent", "unknown"]


async def test_what_has_certainly_not_left_is_sent_again_even_there(desk: Desk) -> None:
    await supplied(desk)
    desk.public_security.dedupe = Dedupe.NONE
    desk.public_security.failures = [DepartmentUnavailable("public-security", ambiguous=False), QuestionRefused()]
    for problem in (DepartmentUnavailable, QuestionRefused):
        with pytest.raises(problem):
            await desk.send_letters()
        assert await letters() == [("supplement", "public-security", "pending", "")]
    await desk.send_letters()
    assert await letters() == [("supplement", "public-security", "acknowledged", "")]


async def test_a_worker_that_died_while_sending_never_sends_twice_there(desk: Desk) -> None:
    await supplied(desk)
    desk.public_security.dedupe = Dedupe.NONE
    await fetch("UPDATE letter SET state = 'sent' RETURNING id")
    await desk.send_letters()
    assert desk.public_security.supplied == []
    assert await letters() == [("supplement", "public-security", "unknown", "")]


async def test_who_cannot_be_told_and_who_will_not_hear_are_spoken_to_by_a_person(desk: Desk) -> None:
    await supplied(desk)
    desk.public_security.capabilities = frozenset({Capability.SUBMIT})
    await desk.send_letters()
    assert await letters() == [("supplement", "public-security", "refused", "no-interface")]
    assert await ledger("matters.supplement-told") == []
    desk.public_security.capabilities = frozenset({Capability.SUBMIT, Capability.SUPPLEMENT})
    await supplied(desk)
    desk.public_security.has_decided = True
    await desk.send_letters()
    assert (await letters())[1] == ("supplement", "public-security", "refused", "declined")


async def test_it_waits_for_the_dossier_and_goes_nowhere_the_dossier_did_not(desk: Desk) -> None:
    """The news proves that the dossier is there; until a person has settled where it is, what was missing waits."""
    caller, submitted = await supplied(desk)
    await fetch("UPDATE delivery SET state = 'unknown' RETURNING id")
    await desk.send_letters()
    assert desk.public_security.supplied == []
    assert len(await jobs_named("matters.send-letter")) == 2
    await fetch("UPDATE delivery SET state = 'refused' RETURNING id")
    await desk.send_letters()
    assert await letters() == [("supplement", "public-security", "cancelled", "")]
    assert (await desk.view(caller, submitted.application_id)).state is State.PRE_REVIEW


def test_when_a_letter_goes() -> None:
    soon, late = timedelta(seconds=5), timedelta(minutes=5)
    told = {state: prospect(LetterKind.SUPPLEMENT, state, late) for state in DeliveryState}
    assert told[DeliveryState.ACKNOWLEDGED] is Prospect.SEND
    assert {state for state, what in told.items() if what is Prospect.DROP} == {
        DeliveryState.CANCELLED,
        DeliveryState.REFUSED,
    }
    back = {state: prospect(LetterKind.WITHDRAWAL, state, late) for state in DeliveryState}
    assert {state for state, what in back.items() if what is Prospect.SEND} == {
        DeliveryState.ACKNOWLEDGED,
        DeliveryState.SENT,
        DeliveryState.UNKNOWN,
    }
    assert prospect(LetterKind.WITHDRAWAL, DeliveryState.SENT, soon) is Prospect.WAIT


# --- asked once, departments too ----------------------------------------------------------------------------------


async def test_a_department_asks_once_whatever_it_repeats(desk: Desk) -> None:
    caller, submitted = await supplied(desk)
    await desk.hear(submitted.number, 1, State.SUPPLEMENT_REQUESTED, note="请补充", demands=(PROOF,))
    with pytest.raises(AskedBefore):
        await desk.hear(submitted.number, 2, State.SUPPLEMENT_REQUESTED, note="再补充", demands=(PROOF,))
    assert (await desk.view(caller, submitted.application_id)).state is State.PRE_REVIEW
    rows = await fetch("SELECT sequence FROM department_event")
    assert [row["sequence"] for row in rows] == [1]
    # What it tells else goes on.
    await desk.hear(submitted.number, 2, State.ACCEPTED)
    assert (await desk.view(caller, submitted.application_id)).state is State.ACCEPTED


async def test_what_a_clerk_asked_for_counts_for_the_department(desk: Desk) -> None:
    submitted = await desk.submitted(desk.citizen())
    await desk.deliver(submitted.application_id)
    await desk.demands.demand(clerk(desk), submitted.application_id, [PROOF], "请补充")
    with pytest.raises(AskedBefore):
        await desk.hear(submitted.number, 1, State.SUPPLEMENT_REQUESTED, demands=(PROOF,))


# --- branches that are cancelled ----------------------------------------------------------------------------------


async def delivered(desk: Desk) -> None:
    for payload in await jobs_named("matters.deliver-branch"):
        change = await desk.branch_deliveries.deliver(payload["branch_id"])
        if change is not None:
            await transaction(change)


async def test_departments_hear_that_their_branch_is_not_needed_any_more(desk: Desk) -> None:
    _, submitted = await in_branches(desk)
    await delivered(desk)
    desk.common_desk.capabilities = frozenset({Capability.SUBMIT, Capability.WITHDRAW})
    await desk.branches.settle(clerk(desk), submitted.application_id, "register", NO, "房屋已被查封")
    await desk.send_letters()
    assert sorted(desk.common_desk.withdrawn) == [f"{submitted.number}.marriage", f"{submitted.number}.tax"]
    assert {state for _, _, state, _ in await letters()} == {"acknowledged"}


async def test_where_no_interface_takes_a_branch_back_an_operator_is_told(desk: Desk) -> None:
    _, submitted = await in_branches(desk)
    await delivered(desk)
    await desk.branches.settle(clerk(desk), submitted.application_id, "register", NO, "房屋已被查封")
    await desk.send_letters()
    assert sorted(await letters()) == [
        ("withdrawal", "civil-affairs", "refused", "no-interface"),
        ("withdrawal", "taxation", "refused", "no-interface"),
    ]


async def test_what_never_left_is_taken_back_nowhere(desk: Desk) -> None:
    _, submitted = await in_branches(desk)
    await desk.branches.settle(clerk(desk), submitted.application_id, "register", NO, "房屋已被查封")
    assert await letters() == []
    await delivered(desk)
    assert len(desk.common_desk.arrived) == 1


async def test_a_case_that_was_annulled_closes_its_branches(desk: Desk) -> None:
    _, submitted = await in_branches(desk)
    await delivered(desk)
    await transaction(lambda: ended(desk, submitted))
    [job] = await jobs_named("matters.close-branches")
    change = await desk.branches.close(job["application_id"])
    assert change is not None
    await transaction(change)
    await transaction(change)
    branches = await desk.branches.list_of(submitted.application_id)
    assert {branch.state.value for branch in branches} == {"cancelled"}
    assert len(await letters()) == 3


async def ended(desk: Desk, submitted: Submitted) -> None:
    entry = Entry(step=Step.TERMINATED, actor=SYSTEM, reason="wrong-matter")
    moved = await desk.history.append(submitted.application_id, entry)
    rows = await fetch("SELECT citizen_id, matter_code FROM application WHERE id = $1", submitted.application_id)
    citizen_id = UUID(str(rows[0]["citizen_id"]))
    await desk.tracking.announce(moved, submitted.application_id, citizen_id, rows[0]["matter_code"])


async def test_a_branchs_lost_answer_is_asked_for_before_it_is_sent_again(desk: Desk) -> None:
    await in_branches(desk)
    desk.common_desk.dedupe = Dedupe.QUERY
    desk.common_desk.loses_answers = 1
    [first, *_] = await jobs_named("matters.deliver-branch")
    with pytest.raises(DepartmentUnavailable):
        await desk.branch_deliveries.deliver(first["branch_id"])
    change = await desk.branch_deliveries.deliver(first["branch_id"])
    assert change is not None
    await transaction(change)
    [asked] = desk.common_desk.asked
    assert desk.common_desk.effects[asked] == 1
    rows = await fetch("SELECT delivery, receipt_number FROM case_branch WHERE reference = $1", asked)
    assert [(row["delivery"], row["receipt_number"]) for row in rows] == [("acknowledged", f"R-{asked[-4:]}")]


# --- results go home ----------------------------------------------------------------------------------------------


async def decided(desk: Desk, outcome: State) -> tuple[Caller, Submitted]:
    caller, submitted = await moved_in(desk)
    await desk.deliver(submitted.application_id)
    for sequence, state in enumerate((State.ACCEPTED, State.IN_REVIEW, outcome), 1):
        await desk.hear(submitted.number, sequence, state)
    for payload in await jobs_named("matters.return-result"):
        change = await desk.letters.promise_result(payload["application_id"])
        assert change is not None
        await transaction(change)
    return caller, submitted


@pytest.mark.parametrize("outcome", [State.APPROVED, State.REJECTED])
async def test_the_register_of_the_place_moved_from_is_told_of_the_decision(desk: Desk, outcome: State) -> None:
    _, submitted = await decided(desk, outcome)
    desk.registry.is_away = True
    with pytest.raises(DepartmentUnavailable):
        await desk.send_letters()
    desk.registry.is_away = False
    await desk.send_letters()
    await desk.send_letters()
    [(key, noted)] = desk.registry.noted.items()
    assert key.startswith(f"{submitted.number}-")
    assert noted["outcome"] == outcome.value
    assert (noted["from_region"], noted["to_region"]) == ("9998", "999902001")
    assert noted["decided_on"] == "2026-03-10"
    assert await letters() == [("result", "public-security", "acknowledged", "")]
    (sent, names), (told, _) = await ledger("matters.result-told")
    assert (sent, told) == ("sent", "ok")
    assert names == ["name", "id_number", "decided_on", "from_region", "outcome", "to_region"]


async def test_other_decisions_are_told_to_no_register(desk: Desk) -> None:
    submitted = await desk.submitted(desk.citizen())
    await desk.deliver(submitted.application_id)
    await desk.hear(submitted.number, 1, State.APPROVED)
    assert await jobs_named("matters.return-result") == []
    assert await desk.letters.promise_result(str(submitted.application_id)) is None
