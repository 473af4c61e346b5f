"""Submitting and delivering: once, whatever happens on the way."""

import asyncio

import pytest

from auth.errors import LevelTooLow
from auth.types import Level
from core.cache import TooManyRequests
from core.db import as_json, fetch, fetch_one, transaction
from core.errors import Problem, Unavailable
from matters.applications.records import Submitted
from matters.errors import DepartmentUnavailable, NoSuchApplication, QuestionRefused, StateForbids
from matters.types import Dedupe, State, Step
from tests.fakes.matters import NUMBER
from tests.matters.conftest import ENDORSEMENT, PENSION, SETTLEMENT, Desk, count_of, jobs_named


async def delivery_state(desk: Desk, application_id: object) -> str:
    row = await fetch_one("SELECT state FROM delivery WHERE application_id = $1", application_id)
    assert row is not None
    return str(row["state"])


async def test_a_submission_gives_a_number_a_code_and_a_promise_to_deliver(desk: Desk) -> None:
    caller = desk.citizen()
    submitted = await desk.submitted(caller)
    matter = desk.catalogue.find(ENDORSEMENT).matter
    assert submitted.number == f"{matter.code}202603100001"
    assert len(submitted.number) == 43
    assert len(submitted.query_code) == 6
    assert submitted.query_code.isdigit()
    assert submitted.state is State.SUBMITTED
    assert await jobs_named("matters.deliver") == [{"application_id": str(submitted.application_id)}]
    view = await desk.view(caller, submitted.application_id)
    assert view.next_action is not None
    assert view.next_action.code == "being-forwarded"


async def test_a_hundred_double_clicks_submit_one_application(desk: Desk) -> None:
    caller = desk.citizen()
    draft = await desk.drafts.start(caller, ENDORSEMENT, {})

    async def click() -> bool:
        try:
            await desk.submit(caller, draft.id)
        except StateForbids:
            return False
        return True

    outcomes = await asyncio.gather(*(click() for _ in range(100)))
    assert outcomes.count(True) == 1
    assert len(await jobs_named("matters.deliver")) == 1
    assert await count_of("delivery") == 1


async def test_nobody_submits_the_application_of_another(desk: Desk) -> None:
    draft = await desk.drafts.start(desk.citizen(), ENDORSEMENT, {})
    with pytest.raises(NoSuchApplication):
        await desk.submit(desk.citizen(), draft.id)


async def test_a_matter_that_needs_presence_is_not_submitted_below_it(desk: Desk) -> None:
    caller = desk.citizen(Level.REAL_NAME)
    draft = await desk.drafts.start(caller, PENSION, {})
    with pytest.raises(LevelTooLow) as low:
        await desk.submit(caller, draft.id)
    assert low.value.extras.members["required"] == "present"
    assert await jobs_named("matters.deliver") == []


async def test_submissions_of_one_matter_are_limited_by_the_hour(desk: Desk) -> None:
    caller = desk.citizen()
    desk.submission._settings = desk.submission._settings.model_copy(update={"submissions_per_hour": 2})
    await desk.submitted(caller)
    await desk.submitted(caller)
    with pytest.raises(TooManyRequests):
        await desk.submitted(caller)


async def test_a_delivered_dossier_waits_for_the_department(desk: Desk) -> None:
    caller = desk.citizen()
    submitted = await desk.submitted(caller)
    await desk.deliver(submitted.application_id)
    view = await desk.view(caller, submitted.application_id)
    assert view.state is State.PRE_REVIEW
    assert [entry.step for entry in view.timeline] == [Step.CREATED, Step.SUBMITTED, Step.HANDED_OVER]
    [dossier] = desk.public_security.arrived
    assert dossier.reference == submitted.number
    assert dossier.callback_url == "http://127.0.0.1:8000/v1/departments/public-security/progress"
    assert dossier.applicant.id_number.reveal() == NUMBER
    assert dossier.form["residence_address"] == "示例市东湖区梧桐路9号2栋1501室"


async def test_a_job_that_runs_twice_sends_once(desk: Desk) -> None:
    submitted = await desk.submitted(desk.citizen())
    await desk.deliver(submitted.application_id)
    await desk.deliver(submitted.application_id)
    assert len(desk.public_security.arrived) == 1


async def test_a_refusal_says_why(desk: Desk) -> None:
    caller = desk.citizen()
    desk.public_security.declines = "not-eligible"
    submitted = await desk.submitted(caller)
    await desk.deliver(submitted.application_id)
    view = await desk.view(caller, submitted.application_id)
    assert view.state is State.NOT_ACCEPTED
    assert view.result is not None
    assert view.result.reason == "not-eligible"
    assert view.result.text == "不符合办理条件"
    assert await delivery_state(desk, submitted.application_id) == "refused"


async def test_a_department_that_is_away_leaves_the_application_submitted(desk: Desk) -> None:
    caller = desk.citizen()
    desk.public_security.failures = [DepartmentUnavailable("public-security", ambiguous=False)]
    submitted = await desk.submitted(caller)
    with pytest.raises(DepartmentUnavailable):
        await desk.deliver(submitted.application_id)
    view = await desk.view(caller, submitted.application_id)
    assert view.state is State.SUBMITTED
    assert view.next_action is not None
    assert view.next_action.code == "forwarded-later"
    assert await delivery_state(desk, submitted.application_id) == "pending"
    await desk.deliver(submitted.application_id)
    assert (await desk.view(caller, submitted.application_id)).state is State.PRE_REVIEW


async def test_a_lost_answer_is_asked_for_again_under_the_same_reference(desk: Desk) -> None:
    caller = desk.citizen()
    desk.public_security.loses_answers = 1
    submitted = await desk.submitted(caller)
    with pytest.raises(DepartmentUnavailable):
        await desk.deliver(submitted.application_id)
    assert await delivery_state(desk, submitted.application_id) == "sent"
    await desk.deliver(submitted.application_id)
    assert [dossier.reference for dossier in desk.public_security.arrived] == [submitted.number] * 2
    assert desk.public_security.effects == {submitted.number: 1}
    assert (await desk.view(caller, submitted.application_id)).state is State.PRE_REVIEW


async def test_a_later_clear_failure_does_not_forget_that_the_dossier_may_have_arrived(desk: Desk) -> None:
    desk.public_security.loses_answers = 1
    submitted = await desk.submitted(desk.citizen())
    with pytest.raises(DepartmentUnavailable):
        await desk.deliver(submitted.application_id)
    desk.public_security.failures = [DepartmentUnavailable("public-security", ambiguous=False)]
    with pytest.raises(DepartmentUnavailable):
        await desk.deliver(submitted.application_id)
    assert await delivery_state(desk, submitted.application_id) == "sent"


async def ledger(submitted: Submitted) -> list[tuple[str, list[str]]]:
    rows = await fetch(
        "SELECT outcome, field_names FROM audit_line WHERE action = 'matters.delivered' AND object_id = $1 ORDER BY id",
        str(submitted.application_id),
    )
    return [(str(row["outcome"]), as_json(row["field_names"])) for row in rows]


async def test_the_ledger_tells_of_a_dossier_before_it_leaves_and_of_its_receipt(desk: Desk) -> None:
    submitted = await desk.submitted(desk.citizen())
    desk.public_security.loses_answers = 1
    with pytest.raises(DepartmentUnavailable):
        await desk.deliver(submitted.application_id)
    [(outcome, names)] = await ledger(submitted)
    assert outcome == "sent"
    assert {"name", "id_number", "mobile", "residence_address"} <= set(names)
    assert len(names) == len(set(names))
    await desk.deliver(submitted.application_id)
    assert await ledger(submitted) == [("sent", names), ("ok", [])]


async def test_a_dossier_whose_receipt_never_comes_stands_in_the_ledger_all_the_same(desk: Desk) -> None:
    submitted = await desk.submitted(desk.citizen())
    desk.public_security.loses_answers = 1
    with pytest.raises(DepartmentUnavailable):
        await desk.deliver(submitted.application_id)
    await desk.hear(submitted.number, 1, State.ACCEPTED)
    await desk.deliver(submitted.application_id)
    assert len(desk.public_security.arrived) == 1
    assert [outcome for outcome, _ in await ledger(submitted)] == ["sent"]


async def test_a_department_that_was_away_often_is_told_of_once(desk: Desk) -> None:
    submitted = await desk.submitted(desk.citizen())
    desk.public_security.failures = [DepartmentUnavailable("public-security", ambiguous=False) for _ in range(3)]
    for _ in range(3):
        with pytest.raises(DepartmentUnavailable):
            await desk.deliver(submitted.application_id)
    await desk.deliver(submitted.application_id)
    assert [outcome for outcome, _ in await ledger(submitted)] == ["sent", "ok"]


async def test_a_refused_question_is_no_refusal_of_the_resident_and_goes_on_when_mended(desk: Desk) -> None:
    caller = desk.citizen()
    submitted = await desk.submitted(caller)
    desk.public_security.failures = [QuestionRefused()]
    with pytest.raises(QuestionRefused) as refused:
        await desk.deliver(submitted.application_id)
    assert not isinstance(refused.value, Unavailable)
    assert (await desk.view(caller, submitted.application_id)).state is State.SUBMITTED
    assert await delivery_state(desk, submitted.application_id) == "pending"
    await desk.deliver(submitted.application_id)
    assert (await desk.view(caller, submitted.application_id)).state is State.PRE_REVIEW


async def test_without_deduplication_a_lost_answer_waits_for_a_person(desk: Desk) -> None:
    caller = desk.citizen()
    desk.public_security.dedupe = Dedupe.NONE
    desk.public_security.loses_answers = 1
    submitted = await desk.submitted(caller)
    await desk.deliver(submitted.application_id)
    await desk.deliver(submitted.application_id)
    assert desk.public_security.effects == {submitted.number: 1}
    assert await delivery_state(desk, submitted.application_id) == "unknown"
    assert [outcome for outcome, _ in await ledger(submitted)] == ["sent", "unknown"]
    view = await desk.view(caller, submitted.application_id)
    assert view.state is State.SUBMITTED
    assert view.next_action is not None
    assert view.next_action.code == "being-clarified"


async def test_a_worker_that_died_while_sending_sends_again_only_where_that_is_harmless(desk: Desk) -> None:
    submitted = await desk.submitted(desk.citizen())
    await desk.claim(submitted.application_id)
    await desk.deliver(submitted.application_id)
    assert len(desk.public_security.arrived) == 1
    desk.public_security.dedupe = Dedupe.NONE
    other = await desk.submitted(desk.citizen())
    await desk.claim(other.application_id)
    await desk.deliver(other.application_id)
    assert len(desk.public_security.arrived) == 1
    assert await delivery_state(desk, other.application_id) == "unknown"


async def test_a_pension_is_confirmed_at_once(desk: Desk) -> None:
    caller = desk.citizen(Level.PRESENT)
    submitted = await desk.submitted(caller, PENSION)
    await desk.deliver(submitted.application_id)
    view = await desk.view(caller, submitted.application_id)
    assert view.state is State.APPROVED
    assert [entry.step for entry in view.timeline][-3:] == [Step.HANDED_OVER, Step.ACCEPTED, Step.APPROVED]
    assert view.result is not None
    assert view.result.details == {"next_due_on": "2027-03-10"}
    assert view.due_at is None
    assert view.due_note is None


async def test_a_settlement_is_approved_by_rules_of_a_version(desk: Desk) -> None:
    caller = desk.citizen()
    submitted = await desk.submitted(caller, SETTLEMENT)
    before = await desk.view(caller, submitted.application_id)
    assert {branch.outcome for branch in before.branches} == {"pending"}
    await desk.deliver(submitted.application_id)
    view = await desk.view(caller, submitted.application_id)
    assert view.state is State.APPROVED
    assert view.result is not None
    assert view.result.rule_version == "graduate-settlement@1"
    assert {branch.outcome for branch in view.branches} == {"passed"}
    assert [branch.department for branch in view.branches] == [
        "education",
        "human-resources",
        "public-security",
        "real-estate",
    ]


async def test_a_settlement_that_fails_a_check_is_rejected_with_it(desk: Desk) -> None:
    caller = desk.citizen()
    desk.records["education"].facts = {"result": "none"}
    submitted = await desk.submitted(caller, SETTLEMENT)
    await desk.deliver(submitted.application_id)
    view = await desk.view(caller, submitted.application_id)
    assert view.state is State.REJECTED
    assert [branch.code for branch in view.branches if branch.outcome == "failed"] == ["no-degree"]


async def test_a_settlement_that_no_rule_decides_goes_to_a_person(desk: Desk) -> None:
    caller = desk.citizen()
    desk.records["real-estate"].facts = {"result": "none"}
    submitted = await desk.submitted(caller, SETTLEMENT)
    await desk.deliver(submitted.application_id)
    view = await desk.view(caller, submitted.application_id)
    assert view.state is State.IN_REVIEW
    assert view.result is None


async def test_a_settlement_waits_while_a_department_is_away(desk: Desk) -> None:
    caller = desk.citizen()
    desk.records["education"].facts, facts = None, desk.records["education"].facts
    submitted = await desk.submitted(caller, SETTLEMENT)
    with pytest.raises(DepartmentUnavailable):
        await desk.deliver(submitted.application_id)
    view = await desk.view(caller, submitted.application_id)
    assert view.state is State.SUBMITTED
    assert view.next_action is not None
    assert view.next_action.code == "forwarded-later"
    desk.records["education"].facts = facts
    await desk.deliver(submitted.application_id)
    assert (await desk.view(caller, submitted.application_id)).state is State.APPROVED


async def test_a_submission_that_fails_leaves_nothing_behind(desk: Desk) -> None:
    caller = desk.citizen()
    draft = await desk.drafts.start(caller, ENDORSEMENT, {})
    number = await desk.submission.reserve(caller, draft.id)

    class Interrupted(Problem):
        pass

    async def work() -> None:
        await desk.submission.submit(caller, draft.id, number)
        raise Interrupted

    with pytest.raises(Interrupted):
        await transaction(work)
    assert (await desk.view(caller, draft.id)).state is State.DRAFT
    assert await count_of("delivery") == 0
    assert await jobs_named("matters.deliver") == []
    # The number is gone, the next submission gets the next one.
    assert (await desk.submit(caller, draft.id)).number.endswith("0002")


async def test_no_personal_value_stands_in_a_job_or_the_ledger(desk: Desk) -> None:
    caller = desk.citizen(Level.PRESENT)
    submitted = await desk.submitted(caller)
    await desk.deliver(submitted.application_id)
    for sql in (
        "SELECT payload AS text FROM job",
        "SELECT field_names AS text FROM audit_line",
        "SELECT purpose AS text FROM audit_line",
        "SELECT sources AS text FROM application",
        "SELECT data AS text FROM case_action",
    ):
        text = str(await fetch(sql))
        for value in ("瞿漫林", NUMBER, "19900000005", "梧桐路"):
            assert value not in text
