"""What staff does to cases: documents, reasons, separate hands, whose case it is, and what residents see of it."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from auth.types import Role
from core.db import fetch, fetch_one
from matters.applications.records import read_record
from matters.cases.errors import SameHands
from matters.errors import ChangedMeanwhile, StateForbids
from matters.handling.errors import (
    DeliveryOpen,
    DepartmentDecides,
    NotDuplicates,
    NotMovable,
    ReasonUnpublished,
)
from matters.handling.types import Arrival, Done, Order
from matters.types import Dedupe, ProgressEvent, State, Step
from tests.matters.conftest import SETTLEMENT, Desk, count_of, jobs_named
from tests.matters.handling.conftest import ENDORSEMENT, Case, Hall, delivery_of, operator

WINDOW, OFFICE = operator(Role.ACCEPTOR), operator(Role.APPROVER)


async def accepted(hall: Hall, case: Case) -> Done:
    return await hall.desk.handling.acceptance.accept(WINDOW, await hall.order(case))


async def in_review(hall: Hall, case: Case) -> None:
    await accepted(hall, case)
    await hall.desk.handling.review.take_up(OFFICE, await hall.order(case))


async def test_a_case_goes_from_the_window_to_its_decision_and_the_applicant_reads_the_documents(hall: Hall) -> None:
    case = await hall.handed_over()
    review = hall.desk.handling.review
    await in_review(hall, case)
    stands = await review.suspend(OFFICE, await hall.order(case, reason="expert-review", note="请耐心等待"), 15)
    assert stands.document is not None
    assert stands.document.number == f"TC{case.number}-1"
    await review.resume(OFFICE, await hall.order(case))
    again = await review.suspend(OFFICE, await hall.order(case, reason="test"), 5)
    assert again.document is not None
    assert again.document.number == f"TC{case.number}-2"
    await review.resume(OFFICE, await hall.order(case))
    done = await review.decide(OFFICE, await hall.order(case, note="同意"), approve=True)
    assert (done.state, done.document and done.document.kind) == (State.APPROVED, "approval-decision")
    view = await hall.desk.view(case.owner, case.id)
    notes = [entry.note for entry in view.timeline]
    assert any(f"受理通知书（SL{case.number}-1）" in note for note in notes)
    assert any("需要专家评审：特别程序告知书" in note and "15个工作日。请耐心等待" in note for note in notes)
    assert notes[-1] == f"已批准：准予决定书（ZY{case.number}-1）。同意"
    assert view.timeline[-1].actor == "工作人员"
    assert view.result is not None
    assert view.result.outcome is State.APPROVED
    events = [job["event"] for job in await jobs_named("notices.tell")]
    assert events == [
        "matters.accepted",
        "matters.in-review",
        "matters.suspended",
        "matters.in-review",
        "matters.suspended",
        "matters.in-review",
        "matters.approved",
    ]


async def test_whoever_took_a_case_in_decides_it_in_no_case_whatever_they_hold(hall: Hall) -> None:
    everything = operator(Role.ACCEPTOR, Role.APPROVER, Role.DEPARTMENT_OPERATOR)
    case = await hall.handed_over()
    await hall.desk.handling.acceptance.accept(everything, await hall.order(case))
    await hall.desk.handling.review.take_up(everything, await hall.order(case))
    for approve in (True, False):
        order = await hall.order(case, reason="not-eligible")
        with pytest.raises(SameHands):
            await hall.desk.handling.review.decide(everything, order, approve=approve)
    assert "approve" not in (await hall.desk.handling.looking.look(everything, case.id)).may
    await hall.desk.handling.review.decide(OFFICE, await hall.order(case), approve=True)
    assert await hall.state_of(case) is State.APPROVED


async def test_whoever_asked_for_a_supplement_does_not_decide_either(hall: Hall) -> None:
    asked = operator(Role.ACCEPTOR, Role.APPROVER)
    case = await hall.at(State.PRE_REVIEW, matter="residence-permit-endorsement")
    await hall.desk.demands.demand(asked, case.id, ["proof-of-residence"], "请补充")
    view = await hall.desk.handling.looking.look(asked, case.id)
    assert view.timeline[-1].document is not None
    assert view.timeline[-1].document.number == f"BZ{case.number}-1"
    await hall.step(case, Step.SUPPLEMENTED)
    await hall.desk.hear(case.number, 1, State.IN_REVIEW)
    # At another department's desk people decide here, and these hands do not.
    await hall.desk.handling.moving.move(WINDOW, await hall.order(case, reason="not-in-charge"), "health")
    with pytest.raises(SameHands):
        await hall.desk.handling.review.decide(asked, await hall.order(case), approve=True)


async def test_only_published_reasons_count_each_for_its_own_step(hall: Hall) -> None:
    case = await hall.handed_over()
    handling = hall.desk.handling
    for reason in ("", "because", "hearing", "merged", "deemed-accepted"):
        with pytest.raises(ReasonUnpublished):
            await handling.acceptance.refuse(WINDOW, await hall.order(case, reason=reason))
    done = await handling.acceptance.refuse(WINDOW, await hall.order(case, reason="false-materials"))
    assert (done.state, done.document and done.document.kind) == (State.NOT_ACCEPTED, "non-acceptance-decision")
    view = await hall.desk.view(case.owner, case.id)
    assert view.result is not None
    assert (view.result.reason, view.result.text) == ("false-materials", "提供的材料不真实")
    for reason in ("hearing", "test", "expert-review", "applicant-wait"):
        stands = await hall.at(State.IN_REVIEW)
        await handling.review.suspend(OFFICE, await hall.order(stands, reason=reason), 1)
        assert await hall.state_of(stands) is State.SUSPENDED


async def test_a_department_with_a_system_of_its_own_decides_there(hall: Hall) -> None:
    case = await hall.handed_over(ENDORSEMENT)
    handling = hall.desk.handling
    both = operator(Role.DEPARTMENT_OPERATOR, department="public-security")
    for move in (handling.acceptance.accept, handling.acceptance.refuse):
        with pytest.raises(DepartmentDecides):
            await move(both, await hall.order(case, reason="not-eligible"))
    await hall.desk.hear(case.number, 1, State.IN_REVIEW)
    moves: list[Callable[[Order], Awaitable[Done]]] = [
        lambda order: handling.review.decide(both, order, approve=True),
        lambda order: handling.review.suspend(both, order, 3),
    ]
    for each in moves:
        with pytest.raises(DepartmentDecides):
            await each(await hall.order(case, reason="hearing"))
    view = await handling.looking.look(both, case.id)
    assert (view.holder.value, [move.value for move in view.may]) == ("system", ["terminate", "move", "merge"])
    await hall.desk.hear(case.number, 2, State.APPROVED)
    assert await hall.state_of(case) is State.APPROVED


async def test_what_rules_left_for_a_person_is_decided_here(hall: Hall) -> None:
    hall.desk.records["education"].facts = {"result": "unknown"}
    case = await hall.handed_over(SETTLEMENT)
    assert await hall.state_of(case) is State.IN_REVIEW
    done = await hall.desk.handling.review.decide(OFFICE, await hall.order(case, reason="not-eligible"), approve=False)
    assert done.state is State.REJECTED
    view = await hall.desk.view(case.owner, case.id)
    assert view.result is not None
    assert view.result.reason == "not-eligible"
    assert len(view.branches) == 4


async def test_an_annulled_case_leaves_nothing_on_its_way(hall: Hall) -> None:
    case = await hall.submitted()
    done = await hall.desk.handling.endings.terminate(OFFICE, await hall.order(case, reason="wrong-matter"))
    assert (done.state, (await delivery_of(case))[1]) == (State.TERMINATED, "cancelled")
    await hall.desk.deliver(case.id)
    assert hall.desk.common_desk.arrived == []
    sent = await hall.submitted()
    await hall.desk.claim(sent.id)
    with pytest.raises(DeliveryOpen):
        await hall.desk.handling.endings.terminate(OFFICE, await hall.order(sent, reason="wrong-matter"))
    since, until = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
    late = await hall.handed_over()
    await hall.desk.handling.endings.terminate(OFFICE, await hall.order(late, reason="applicant-deceased"))
    figures = await hall.desk.handling.figures.count(
        since=since, until=until, scopes=operator(Role.OPERATOR).scopes([Role.OPERATOR])
    )
    assert [(each.reason, each.count, each.error) for each in figures.annulled] == [
        ("applicant-deceased", 1, False),
        ("wrong-matter", 1, True),
    ]
    assert figures.errors == 1
    elsewhere = operator(Role.OPERATOR, department="education").scopes([Role.OPERATOR])
    assert (await hall.desk.handling.figures.count(since=since, until=until, scopes=elsewhere)).errors == 0


async def test_a_moved_case_reaches_the_other_department_and_its_news_counts(hall: Hall) -> None:
    desk = hall.desk
    case = await hall.handed_over(ENDORSEMENT)
    await desk.hear(case.number, 1, State.ACCEPTED)
    await desk.hear(case.number, 2, State.IN_REVIEW)
    with pytest.raises(NotMovable):
        await desk.handling.moving.move(WINDOW, await hall.order(case, reason="not-in-charge"), "public-security")
    with pytest.raises(NotMovable):
        await desk.handling.moving.move(WINDOW, await hall.order(case, reason="not-in-charge"), "moon")
    done = await desk.handling.moving.move(WINDOW, await hall.order(case, reason="not-in-charge"), "health")
    assert done.state is State.IN_REVIEW
    assert await delivery_of(case) == ("health", "pending", "")
    await desk.deliver(case.id)
    assert [dossier.department for dossier in desk.common_desk.arrived] == ["health"]
    assert (await delivery_of(case))[1] == "acknowledged"
    assert await hall.state_of(case) is State.IN_REVIEW
    # The other department has a count of its own, which begins at one.
    news = ProgressEvent("h-1", case.number, 1, State.APPROVED, datetime(2026, 3, 10, 4, 0, tzinfo=UTC))
    await desk.tracking.hear("health", news)
    assert await hall.state_of(case) is State.APPROVED
    assert await count_of("department_event_clash") == 0
    view = await desk.view(case.owner, case.id)
    assert "已转交其他部门办理：不属于本部门职权范围" in [entry.note for entry in view.timeline]


async def test_a_moved_case_is_never_sent_to_whom_it_was_moved_from(hall: Hall) -> None:
    desk = hall.desk
    case = await hall.submitted(ENDORSEMENT)
    # A worker has read the case before it was moved, and comes to send its dossier after that.
    read = await read_record(desk.ground.vault, case.id)
    await desk.handling.moving.move(WINDOW, await hall.order(case, reason="not-in-charge"), "health")
    published = desk.catalogue.of_case(read.matter_code, read.matter_version)
    assert await desk.claims.take(read, published) is None
    await desk.deliver(case.id)
    assert desk.public_security.arrived == []
    assert len(desk.common_desk.arrived) == 1
    # It is routed anew: no window of public security, but the one of the district for all departments.
    row = await fetch_one("SELECT unit FROM application WHERE id = $1", case.id)
    assert row is not None
    assert row["unit"] == "donghu-hall"
    held = await hall.submitted(ENDORSEMENT)
    await desk.claim(held.id)
    with pytest.raises(DeliveryOpen):
        await desk.handling.moving.move(WINDOW, await hall.order(held, reason="not-in-charge"), "health")


async def test_a_case_that_rules_left_is_not_decided_by_them_again_when_it_was_moved(hall: Hall) -> None:
    hall.desk.records["education"].facts = {"result": "unknown"}
    case = await hall.handed_over(SETTLEMENT)
    await hall.desk.handling.moving.move(WINDOW, await hall.order(case, reason="handled-elsewhere"), "education")
    hall.desk.records["education"].facts = {"result": "confirmed"}
    await hall.desk.deliver(case.id)
    assert len(hall.desk.common_desk.arrived) == 1
    assert await hall.state_of(case) is State.IN_REVIEW


async def test_what_was_asked_for_is_asked_for_still_when_a_case_was_moved(hall: Hall) -> None:
    case = await hall.at(State.SUPPLEMENT_REQUESTED)
    await hall.desk.handling.moving.move(WINDOW, await hall.order(case, reason="household-moved"), "health")
    await hall.desk.deliver(case.id)
    assert (await delivery_of(case))[1] == "acknowledged"
    assert await hall.state_of(case) is State.SUPPLEMENT_REQUESTED


async def test_duplicates_become_one_and_the_one_that_ends_says_which(hall: Hall) -> None:
    case = await hall.handed_over()
    twin = await hall.handed_over(owner=case.owner)
    stranger, other_matter = await hall.handed_over(), await hall.handed_over(ENDORSEMENT, case.owner)
    endings = hall.desk.handling.endings
    for wrong in (stranger.id, other_matter.id, twin.id, hall.desk.ground.ids.uuid()):
        with pytest.raises(NotDuplicates):
            await endings.merge(WINDOW, await hall.order(twin), wrong)
    done = await endings.merge(WINDOW, await hall.order(twin), case.id)
    assert done.state is State.TERMINATED
    assert await hall.state_of(case) is State.PRE_REVIEW
    row = await fetch_one(
        "SELECT reason, data FROM case_action WHERE application_id = $1 AND step = 'terminated'", twin.id
    )
    assert row is not None
    assert row["reason"] == "merged"
    assert case.number in str(row["data"])
    view = await hall.desk.view(twin.owner, twin.id)
    assert "与您的另一个相同申请合并办理" in view.timeline[-1].note
    with pytest.raises(NotDuplicates):
        await endings.merge(WINDOW, await hall.order(case), twin.id)


async def test_two_that_are_merged_into_each_other_at_once_do_not_both_end(hall: Hall) -> None:
    for _ in range(5):
        one = await hall.handed_over()
        two = await hall.handed_over(owner=one.owner)
        orders = [(await hall.order(one), two.id), (await hall.order(two), one.id)]
        results = await asyncio.gather(
            *(hall.desk.handling.endings.merge(WINDOW, order, into) for order, into in orders), return_exceptions=True
        )
        assert sum(isinstance(result, Done) for result in results) <= 1
        assert [await hall.state_of(each) for each in (one, two)].count(State.TERMINATED) <= 1


async def test_two_who_accept_at_once_accept_it_once(hall: Hall) -> None:
    for _ in range(5):
        case = await hall.handed_over()
        order = await hall.order(case)
        results: list[Any] = await asyncio.gather(
            *(hall.desk.handling.acceptance.accept(operator(Role.ACCEPTOR), order) for _ in range(2)),
            return_exceptions=True,
        )
        assert sorted(type(result).__name__ for result in results) == ["ChangedMeanwhile", "Done"]
        careless = await asyncio.gather(
            *(hall.desk.handling.review.take_up(operator(Role.APPROVER), Order(case.id, None)) for _ in range(2)),
            return_exceptions=True,
        )
        assert sorted(type(result).__name__ for result in careless) == ["Done", "StateForbids"]
        rows = await fetch("SELECT step FROM case_action WHERE application_id = $1 ORDER BY seq", case.id)
        assert [row["step"] for row in rows][-2:] == ["accepted", "in_review"]


async def test_a_callback_and_a_decision_at_once_come_to_one_end(hall: Hall) -> None:
    ends = set()
    for _ in range(8):
        case = await hall.at(State.IN_REVIEW)
        order = await hall.order(case, reason="not-eligible")
        news = ProgressEvent(f"e-{case.number[-6:]}", case.number, 1, State.APPROVED, hall.desk.ground.clock.now())
        results = await asyncio.gather(
            hall.desk.handling.review.decide(OFFICE, order, approve=False),
            hall.desk.tracking.hear("civil-affairs", news),
            return_exceptions=True,
        )
        end = await hall.state_of(case)
        ends.add(end)
        ours = results[0]
        assert isinstance(ours, Done | ChangedMeanwhile | StateForbids), ours
        assert not isinstance(results[1], Exception)
        view = await hall.desk.view(case.owner, case.id)
        decided = [entry.step for entry in view.timeline if entry.step in {Step.APPROVED, Step.REJECTED}]
        assert decided == [Step(end.value)]
        row = await fetch_one("SELECT state FROM application WHERE id = $1", case.id)
        assert row is not None
        assert row["state"] == end.value
    assert ends <= {State.APPROVED, State.REJECTED}


async def test_a_dossier_of_which_nobody_knows_is_settled_once_by_a_person(hall: Hall) -> None:
    desk = hall.desk
    desk.common_desk.dedupe = Dedupe.NONE
    desk.common_desk.loses_answers = 2
    office = operator(Role.OPERATOR)
    arrived, lost = await hall.handed_over(), await hall.handed_over()
    assert (await delivery_of(arrived))[1] == (await delivery_of(lost))[1] == "unknown"
    deliveries = desk.handling.deliveries
    await deliveries.settle(office, arrived.id, Arrival.ARRIVED, receipt_number="R-77")
    assert (await delivery_of(arrived))[1:] == ("acknowledged", "R-77")
    assert await hall.state_of(arrived) is State.PRE_REVIEW
    results = await asyncio.gather(
        *(deliveries.settle(operator(Role.OPERATOR), lost.id, Arrival.DID_NOT_ARRIVE) for _ in range(3)),
        return_exceptions=True,
    )
    assert sorted(type(result).__name__ for result in results) == ["DeliverySettled", "DeliverySettled", "NoneType"]
    before = len(desk.common_desk.arrived)
    await desk.deliver(lost.id)
    await desk.deliver(lost.id)
    assert len(desk.common_desk.arrived) == before + 1
    assert (await delivery_of(lost))[1] == "acknowledged"


async def test_looking_and_opening_stand_in_the_applicants_ledger(desk: Desk, hall: Hall) -> None:
    case = await hall.handed_over()
    form = await desk.handling.looking.open_form(WINDOW, case.id, "核对申请内容")
    assert form["situation"] == "家中失火"
    view = await desk.handling.looking.look(WINDOW, case.id)
    assert (view.delivery and view.delivery.state.value, view.accepted_by) == ("acknowledged", "")
    rows = await fetch(
        "SELECT action, purpose, field_names FROM audit_line WHERE subject_id = $1 AND actor_kind = 'operator'",
        case.owner.citizen_id,
    )
    assert {row["action"] for row in rows} == {"matters.form-opened", "matters.case-read"}
    assert "核对申请内容" in {row["purpose"] for row in rows}
    assert any("situation" in str(row["field_names"]) for row in rows)
    assert "失火" not in str(rows)
