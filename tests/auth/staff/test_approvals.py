"""What takes two people, case by case; random sequences stand in `test_two_people.py`."""

import json
from datetime import timedelta
from typing import Any

import pytest

from auth.errors import RoleForbidden
from auth.staff.errors import ApprovalDecided, ApprovalExpired, NoSuchApproval, NotApproved, NotYourself, SelfApproval
from auth.staff.rules import ACTIONS
from auth.staff.types import ApprovalState, Finding
from auth.types import Role, RoleGrant
from core.db import execute, fetch, transaction
from core.metrics import EMERGENCIES_OPEN
from tests.fakes.staff import Member, Staff, limited

RETIRE = {"key_set": "tokens"}


def roles(member: Member, *wanted: Role) -> dict[str, Any]:
    return {
        "operator_id": str(member.caller.operator_id),
        "grants": [{"role": role.value, "region": "", "department": "", "matter": ""} for role in wanted],
    }


async def test_two_administrators_make_a_third(staff: Staff) -> None:
    system, security = await staff.member(Role.SYSTEM_ADMIN), await staff.member(Role.SECURITY_ADMIN)
    member = await staff.member(Role.OPERATOR)
    view = await staff.approvals.ask(
        system.caller, "operators.grant-roles", roles(member, Role.AUDIT_ADMIN), reason="the third one"
    )
    assert (view.state, view.reason) == (ApprovalState.WAITING, "the third one")
    done = await staff.approvals.decide(security.caller, view.id, approve=True, looked_at=view.payload_hash)
    assert (done.state, done.decided_by) == (ApprovalState.EXECUTED, security.caller.operator_id)
    assert (await staff.operators.get(member.caller.operator_id)).grants == (RoleGrant(Role.AUDIT_ADMIN),)


async def test_nobody_approves_their_own_roles(staff: Staff) -> None:
    system, security = await staff.member(Role.SYSTEM_ADMIN), await staff.member(Role.SECURITY_ADMIN)
    view = await staff.approvals.ask(
        system.caller, "operators.grant-roles", roles(security, Role.APPROVER), reason="because"
    )
    with pytest.raises(NotYourself):
        await staff.approvals.decide(security.caller, view.id, approve=True, looked_at=view.payload_hash)
    assert (await staff.approvals.get(view.id)).state is ApprovalState.WAITING


async def test_what_cannot_be_done_is_not_approved(staff: Staff) -> None:
    system, security = await staff.member(Role.SYSTEM_ADMIN), await staff.member(Role.SECURITY_ADMIN)
    member = await staff.member(Role.OPERATOR)
    view = await staff.approvals.ask(
        system.caller, "operators.grant-roles", roles(member, Role.APPROVER), reason="because"
    )
    await staff.operators.disable(member.caller.operator_id, caller=security.caller, reason="left")
    with pytest.raises(Exception, match="operator-state"):
        await staff.approvals.decide(security.caller, view.id, approve=True, looked_at=view.payload_hash)
    assert (await staff.approvals.get(view.id)).state is ApprovalState.WAITING


@pytest.mark.parametrize("action", list(ACTIONS))
async def test_only_those_named_may_ask(staff: Staff, action: str) -> None:
    for role in Role:
        member = await staff.member(role)
        if role in ACTIONS[action].asked_by:
            await staff.approvals.ask(member.caller, action, {}, reason="because")
        else:
            with pytest.raises(RoleForbidden):
                await staff.approvals.ask(member.caller, action, {}, reason="because")
    within = await staff.member(limited(Role.OPERATOR, department="taxation"))
    with pytest.raises(RoleForbidden):
        await staff.approvals.ask(within.caller, action, {}, reason="because")


async def test_a_command_does_once_and_exactly_what_was_approved(staff: Staff) -> None:
    system, security = await staff.member(Role.SYSTEM_ADMIN), await staff.member(Role.SECURITY_ADMIN)
    view = await staff.approvals.ask(system.caller, "keys.retire", RETIRE, reason="because")

    async def spend(action: str, payload: dict[str, str]) -> object:
        return await transaction(lambda: staff.approvals.spend(view.id, action, payload))

    with pytest.raises(NotApproved):
        await spend("keys.retire", RETIRE)
    approved = await staff.approvals.decide(security.caller, view.id, approve=True, looked_at=view.payload_hash)
    assert approved.state is ApprovalState.APPROVED
    for action, payload in (("data.export", RETIRE), ("keys.retire", {"key_set": "issuers"})):
        with pytest.raises(NotApproved):
            await spend(action, payload)
    assert await spend("keys.retire", RETIRE) == (system.caller.operator_id, security.caller.operator_id)
    with pytest.raises(NotApproved):
        await spend("keys.retire", RETIRE)


async def test_an_approval_that_is_not_used_within_a_day_is_worth_nothing(staff: Staff) -> None:
    system, security = await staff.member(Role.SYSTEM_ADMIN), await staff.member(Role.SECURITY_ADMIN)
    early = await staff.approvals.ask(system.caller, "keys.retire", RETIRE, reason="because")
    late = await staff.approvals.ask(system.caller, "keys.retire", RETIRE, reason="because")
    await staff.approvals.decide(security.caller, early.id, approve=True, looked_at=early.payload_hash)
    staff.ground.clock.move(timedelta(hours=24))
    with pytest.raises(NotApproved):
        await transaction(lambda: staff.approvals.spend(early.id, "keys.retire", RETIRE))
    with pytest.raises(ApprovalExpired):
        await staff.approvals.decide(security.caller, late.id, approve=True, looked_at=late.payload_hash)
    listed = await staff.approvals.list_approvals(before=(staff.ground.clock.now(), late.id), limit=10)
    assert [each.state for each in listed] == [ApprovalState.EXPIRED] * 2
    assert [each.payload for each in listed] == [None] * 2


async def test_what_stands_in_a_request_is_sealed_and_not_in_the_audit(staff: Staff) -> None:
    system = await staff.member(Role.SYSTEM_ADMIN)
    payload = {"contact": "霍明哲 19900000001"}
    view = await staff.approvals.ask(system.caller, "verifiers.register", payload, reason="asked for by 霍明哲")
    assert view.payload == payload
    stored = json.dumps(
        [await fetch("SELECT * FROM approval"), await fetch("SELECT * FROM audit_line")],
        default=str,
        ensure_ascii=False,
    )
    assert "霍明哲" not in stored
    assert "19900000001" not in stored
    assert "霍明哲" not in repr(view)


async def test_the_database_itself_refuses_what_one_person_did(staff: Staff) -> None:
    system, security = await staff.member(Role.SYSTEM_ADMIN), await staff.member(Role.SECURITY_ADMIN)
    view = await staff.approvals.ask(system.caller, "keys.retire", RETIRE, reason="because")
    own = system.caller.operator_id
    for sql in (
        "UPDATE approval SET state = 'executed' WHERE id = $1",
        "UPDATE approval SET state = 'approved', approved_by = requested_by WHERE id = $1",
    ):
        with pytest.raises(Exception, match="two people"):
            await transaction(lambda sql=sql: execute(sql, view.id))  # type: ignore[misc]
    assert own != security.caller.operator_id
    await transaction(
        lambda: execute(
            "UPDATE approval SET state = 'approved', approved_by = $2 WHERE id = $1",
            view.id,
            security.caller.operator_id,
        )
    )


async def test_an_emergency_is_done_at_once_told_and_reviewed_by_somebody_else(staff: Staff) -> None:
    system, security = await staff.member(Role.SYSTEM_ADMIN), await staff.member(Role.SECURITY_ADMIN)
    view = await staff.emergencies.act(system.caller, "keys.retire", RETIRE, reason="the key is in a public place")
    assert await transaction(lambda: staff.approvals.spend(view.id, "keys.retire", RETIRE)) == (
        system.caller.operator_id,
        None,
    )
    jobs = {row["name"] for row in await fetch("SELECT name FROM job")}
    assert jobs == {"auth.announce-emergency", "auth.remind-of-emergency"}
    lines = await fetch("SELECT actor_id, outcome FROM audit_line WHERE action = 'auth.glass-broken'")
    assert [(line["actor_id"], line["outcome"]) for line in lines] == [(str(system.caller.operator_id), "keys.retire")]
    await staff.emergencies.announce(str(view.id))
    assert EMERGENCIES_OPEN._value.get() == 1
    start = (staff.ground.clock.now() - timedelta(days=1), view.id)
    assert [each.id for each in await staff.emergencies.list_open(after=start, limit=5)] == [view.id]
    with pytest.raises(SelfApproval):
        await staff.emergencies.review(system.caller, view.id, Finding.JUSTIFIED)
    reviewed = await staff.emergencies.review(security.caller, view.id, Finding.JUSTIFIED)
    assert (reviewed.finding, reviewed.reviewed_by) == (Finding.JUSTIFIED, security.caller.operator_id)
    with pytest.raises(ApprovalDecided):
        await staff.emergencies.review(security.caller, view.id, Finding.UNJUSTIFIED)
    assert EMERGENCIES_OPEN._value.get() == 0
    assert await staff.emergencies.list_open(after=start, limit=5) == []


async def test_what_was_found_unjustified_is_done_no_more(staff: Staff) -> None:
    system, security = await staff.member(Role.SYSTEM_ADMIN), await staff.member(Role.SECURITY_ADMIN)
    view = await staff.emergencies.act(system.caller, "keys.retire", RETIRE, reason="because")
    await staff.emergencies.review(security.caller, view.id, Finding.UNJUSTIFIED)
    with pytest.raises(NotApproved):
        await transaction(lambda: staff.approvals.spend(view.id, "keys.retire", RETIRE))


async def test_an_emergency_that_nobody_reviews_is_told_of_again(staff: Staff) -> None:
    system, security = await staff.member(Role.SYSTEM_ADMIN), await staff.member(Role.SECURITY_ADMIN)
    seen, unseen = [
        await staff.emergencies.act(system.caller, "keys.retire", RETIRE, reason="because") for _ in range(2)
    ]
    await staff.emergencies.review(security.caller, seen.id, Finding.UNJUSTIFIED)
    for view in (seen, unseen):
        await transaction(await staff.emergencies.remind(str(view.id)))
    lines = await fetch("SELECT object_id FROM audit_line WHERE action = 'auth.emergency-unreviewed'")
    assert [line["object_id"] for line in lines] == [str(unseen.id)]


async def test_not_everything_is_an_emergency_and_not_everybody_may(staff: Staff) -> None:
    system, auditor = await staff.member(Role.SYSTEM_ADMIN), await staff.member(Role.AUDITOR)
    for action in ("operators.grant-roles", "data.export"):
        with pytest.raises(RoleForbidden):
            await staff.emergencies.act(system.caller, action, {}, reason="because")
    with pytest.raises(RoleForbidden):
        await staff.emergencies.act(auditor.caller, "keys.retire", RETIRE, reason="because")
    # Roles count as they are now, not as they were when the request came in.
    await transaction(
        lambda: execute("UPDATE operator_account SET state = 'disabled' WHERE id = $1", system.caller.operator_id)
    )
    with pytest.raises(RoleForbidden):
        await staff.emergencies.act(system.caller, "keys.retire", RETIRE, reason="because")
    assert await fetch("SELECT id FROM approval") == []


async def test_an_emergency_is_no_approval_that_somebody_decides(staff: Staff) -> None:
    system, security = await staff.member(Role.SYSTEM_ADMIN), await staff.member(Role.SECURITY_ADMIN)
    view = await staff.emergencies.act(system.caller, "keys.retire", RETIRE, reason="because")
    with pytest.raises(NoSuchApproval):
        await staff.approvals.decide(security.caller, view.id, approve=True, looked_at=view.payload_hash)
    with pytest.raises(NoSuchApproval):
        await staff.approvals.change(system.caller, view.id, {"key": "other"})
