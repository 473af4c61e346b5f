"""Materials are asked for once: a second time takes a published exception and the approval of a second person."""

from typing import Any
from uuid import UUID

import pytest

from auth.errors import RoleForbidden
from auth.staff.errors import NotApproved
from auth.types import Role, StaffCaller
from core.db import fetch, transaction
from matters.cases.errors import AskedBefore
from matters.errors import DemandUnlawful, StateForbids
from matters.materials.demands import ASK_AGAIN, Demands, Exceptional, payload_of
from matters.types import State, Step
from tests.fakes.papers import PDF
from tests.fakes.staff import Staff, limited, make_staff
from tests.matters.handling.conftest import ENDORSEMENT, Case, Hall, operator

PROOF = ["proof-of-residence"]
WHY = "rules-changed"


@pytest.fixture
def staff(hall: Hall) -> Staff:
    return make_staff(hall.desk.ground)


@pytest.fixture
def demands(hall: Hall, staff: Staff) -> Demands:
    desk = hall.desk
    return Demands(
        catalogue=desk.catalogue,
        materials=desk.materials,
        history=desk.history,
        audit=desk.ground.audit,
        jobs=desk.ground.jobs,
        spend=staff.approvals.spend,
    )


async def approved(
    staff: Staff, clerk: StaffCaller, case: Case, wanted: list[str], reason: str = WHY, *, approve: bool = True
) -> UUID:
    """Let the clerk ask, and a supervisor decide."""
    payload = payload_of(case.id, wanted, reason)
    asked = await staff.approvals.ask(clerk, ASK_AGAIN, payload, reason="情况有变化")
    supervisor = await staff.member(Role.APPROVER)
    await staff.approvals.decide(supervisor.caller, asked.id, approve=approve, looked_at=asked.payload_hash)
    return asked.id


async def asked_and_supplied(hall: Hall, demands: Demands, clerk: StaffCaller) -> Case:
    case = await hall.handed_over(ENDORSEMENT)
    await demands.demand(clerk, case.id, PROOF, "请补充租房合同")
    await hall.desk.attachments.add(case.owner, case.id, PROOF[0], PDF)
    await hall.desk.supplements.hand_in(case.owner, case.id, "已补充")
    return case


async def test_a_second_time_takes_an_exception_and_a_second_person(hall: Hall, staff: Staff, demands: Demands) -> None:
    clerk = (await staff.member(Role.ACCEPTOR)).caller
    case = await asked_and_supplied(hall, demands, clerk)
    ask = demands.demand
    with pytest.raises(AskedBefore):
        await ask(clerk, case.id, PROOF, "再补一次")
    with pytest.raises(AskedBefore):
        await ask(clerk, case.id, PROOF, "再补一次", exceptional=Exceptional("because", case.id))
    with pytest.raises(NotApproved):
        await ask(clerk, case.id, PROOF, "再补一次", exceptional=Exceptional(WHY, case.id))
    refused = await approved(staff, clerk, case, PROOF, approve=False)
    with pytest.raises(NotApproved):
        await ask(clerk, case.id, PROOF, "再补一次", exceptional=Exceptional(WHY, refused))
    approval = await approved(staff, clerk, case, PROOF)
    # It is for exactly this exception, and for whoever has asked for it.
    with pytest.raises(NotApproved):
        await ask(clerk, case.id, PROOF, "再补一次", exceptional=Exceptional("facts-changed", approval))
    colleague = (await staff.member(Role.ACCEPTOR)).caller
    with pytest.raises(AskedBefore):
        await ask(colleague, case.id, PROOF, "再补一次", exceptional=Exceptional(WHY, approval))
    await ask(clerk, case.id, PROOF, "再补一次", exceptional=Exceptional(WHY, approval))
    assert await hall.state_of(case) is State.SUPPLEMENT_REQUESTED
    view = await hall.desk.view(case.owner, case.id)
    assert f"一次性补正告知书（BZ{case.number}-2）" in view.timeline[-1].note
    assert "办理依据在此期间发生变化" in view.timeline[-1].note
    # Used up: a third time takes another one.
    await hall.step(case, Step.SUPPLEMENTED)
    with pytest.raises(NotApproved):
        await ask(clerk, case.id, PROOF, "第三次", exceptional=Exceptional(WHY, approval))
    now = hall.desk.ground.clock.now()
    figures = await hall.desk.handling.figures.count(
        since=now.replace(year=2025), until=now.replace(year=2027), scopes=operator(Role.OPERATOR).scopes([])
    )
    assert [(each.reason, each.count) for each in figures.asked_again] == [(WHY, 1)]


async def test_nothing_is_asked_for_after_acceptance(hall: Hall, staff: Staff, demands: Demands) -> None:
    clerk = (await staff.member(Role.DEPARTMENT_OPERATOR)).caller
    case = await hall.at(State.ACCEPTED, matter=ENDORSEMENT)
    with pytest.raises(StateForbids):
        await demands.demand(clerk, case.id, PROOF, "请补充")
    again = await asked_and_supplied(hall, demands, clerk)
    await hall.step(again, Step.ACCEPTED)
    approval = await approved(staff, clerk, again, PROOF)
    with pytest.raises(StateForbids):
        await demands.demand(clerk, again.id, PROOF, "请补充", exceptional=Exceptional(WHY, approval))
    # Refused before it was spent: it is there still.
    payload = payload_of(again.id, PROOF, WHY)
    assert (await transaction(lambda: staff.approvals.spend(approval, ASK_AGAIN, payload)))[0] == clerk.operator_id


async def test_a_refused_demand_spends_no_approval(hall: Hall, staff: Staff, demands: Demands) -> None:
    clerk = (await staff.member(Role.ACCEPTOR)).caller
    case = await asked_and_supplied(hall, demands, clerk)
    approval = await approved(staff, clerk, case, ["diploma"])
    with pytest.raises(DemandUnlawful):
        await demands.demand(clerk, case.id, ["diploma"], "请补充", exceptional=Exceptional(WHY, approval))
    assert (await staff.approvals.get(approval)).state.value == "approved"


async def test_every_supplement_stays_in_the_history(hall: Hall, staff: Staff, demands: Demands) -> None:
    clerk = (await staff.member(Role.ACCEPTOR)).caller
    case = await asked_and_supplied(hall, demands, clerk)
    approval = await approved(staff, clerk, case, PROOF)
    await demands.demand(clerk, case.id, PROOF, "再补一次", exceptional=Exceptional(WHY, approval))
    await hall.desk.attachments.add(case.owner, case.id, PROOF[0], PDF)
    await hall.desk.supplements.hand_in(case.owner, case.id, "又补充了")
    await hall.desk.look_at_remarks()
    view = await hall.desk.handling.looking.look(clerk, case.id)
    told: list[Any] = [(entry.step, entry.note, entry.effective) for entry in view.timeline]
    assert told[3:] == [
        (Step.SUPPLEMENT_REQUESTED, "请补充租房合同", True),
        (Step.SUPPLEMENTED, "已补充", True),
        (Step.SUPPLEMENT_REQUESTED, "再补一次", True),
        (Step.SUPPLEMENTED, "又补充了", True),
    ]
    assert len(view.files) == 2
    # Whoever asked may accept; the approval of asking is no hand in the case of whoever gave it.
    rows = await fetch(
        "SELECT actor_id FROM case_action WHERE application_id = $1 AND actor_kind = 'operator'", case.id
    )
    assert {row["actor_id"] for row in rows} == {str(clerk.operator_id)}


async def test_only_who_takes_cases_in_everywhere_asks_for_an_exception(staff: Staff, hall: Hall) -> None:
    case = await hall.handed_over(ENDORSEMENT)
    payload = payload_of(case.id, PROOF, WHY)
    for grants in ((Role.APPROVER,), (Role.OPERATOR,), (limited(Role.ACCEPTOR, department="health"),)):
        member = await staff.member(*grants)
        with pytest.raises(RoleForbidden):
            await staff.approvals.ask(member.caller, ASK_AGAIN, payload, reason="情况有变化")
