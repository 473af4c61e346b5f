"""What takes two people, case by case; random sequences stand in `test_two_people.py`."""

import json
from datetime import timedelta
from typing import Any

import pytest

from auth.errors import RoleForbidden
from auth.staff.approvals import Approvals
from auth.staff.errors import ApprovalExpired, NameUnknown, NotApproved, NotYourself, RolesExclude
from auth.staff.rules import ACTIONS
from auth.staff.types import ApprovalState
from auth.types import Role, RoleGrant
from core.db import execute, fetch, transaction
from tests.fakes.staff import Member, Staff, limited

RETIRE = {"key_set": "tokens"}


def roles(member: Member, *wanted: Role) -> dict[str, Any]:
    return {
        "operator_id": str(member.caller.operator_id),
        "grants": [{"role": role.value, "region": "", "department": "", "matter": ""} for role in wanted],
    }


def unchecked(staff: Staff) -> Approvals:
    """Approvals that take any payload."""
    ground = staff.ground
    return Approvals(
        deeds={},
        checks={},
        papers=staff.papers,
        audit=ground.audit,
        clock=ground.clock,
        ids=ground.ids,
        settings=staff.settings.operators,
    )


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
    await staff.appointments.disable(member.caller.operator_id, caller=security.caller, reason="left")
    with pytest.raises(Exception, match="operator-state"):
        await staff.approvals.decide(security.caller, view.id, approve=True, looked_at=view.payload_hash)
    assert (await staff.approvals.get(view.id)).state is ApprovalState.WAITING


@pytest.mark.parametrize("action", list(ACTIONS))
async def test_only_those_named_may_ask(staff: Staff, action: str) -> None:
    approvals = unchecked(staff)
    for role in Role:
        member = await staff.member(role)
        if role in ACTIONS[action].asked_by:
            await approvals.ask(member.caller, action, {}, reason="because")
        else:
            with pytest.raises(RoleForbidden):
                await approvals.ask(member.caller, action, {}, reason="because")
    within = await staff.member(limited(Role.OPERATOR, department="taxation"))
    with pytest.raises(RoleForbidden):
        await approvals.ask(within.caller, action, {}, reason="because")


async def test_what_could_never_be_done_is_not_even_asked_for(staff: Staff) -> None:
    system, member = await staff.member(Role.SYSTEM_ADMIN), await staff.member(Role.OPERATOR)
    grant = {"role": "acceptor", "region": "", "department": "", "matter": ""}
    nobody = {"operator_id": str(staff.ground.ids.uuid())}
    someone = {"operator_id": str(member.caller.operator_id)}
    for action, payload, pointer in (
        ("operators.disable", nobody, "/request/operator_id"),
        ("operators.set-networks", {**nobody, "networks": []}, "/request/operator_id"),
        ("operators.grant-roles", {**nobody, "grants": [grant]}, "/request/operator_id"),
        (
            "operators.grant-roles",
            {**someone, "grants": [{**grant, "department": "moon"}]},
            "/request/grants/0/department",
        ),
        (
            "operators.grant-roles",
            {**someone, "grants": [grant, {**grant, "matter": "m-9"}]},
            "/request/grants/1/matter",
        ),
    ):
        with pytest.raises(NameUnknown) as caught:
            await staff.approvals.ask(system.caller, action, payload, reason="because")
        assert [each.pointer for each in caught.value.extras.errors] == [pointer]
    both = {**someone, "grants": [grant, {**grant, "role": "auditor"}]}
    with pytest.raises(RolesExclude):
        await staff.approvals.ask(system.caller, "operators.grant-roles", both, reason="because")
    assert await fetch("SELECT id FROM approval") == []


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
    view = await unchecked(staff).ask(system.caller, "verifiers.register", payload, reason="asked for by 霍明哲")
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
