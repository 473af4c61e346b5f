"""Appointments: roles given and taken within the same moment, and no place that the law separates left empty."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from auth.errors import TokenInvalid
from auth.staff.errors import (
    AccountForbids,
    ApprovalNeeded,
    LastHolder,
    NoSuchOperator,
    NotYourself,
    RolesExclude,
    StaffLoginInvalid,
)
from auth.staff.types import ApprovalState, OperatorState
from auth.types import Role, RoleGrant
from core.db import IntegrityError, fetch, transaction
from tests.fakes.staff import Member, Staff, limited

THREE = (Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN, Role.AUDIT_ADMIN)


def named(member: Member, *roles: Role) -> dict[str, Any]:
    """What an approval about somebody says."""
    grants = [{"role": role.value, "region": "", "department": "", "matter": ""} for role in roles]
    return {"operator_id": str(member.caller.operator_id), **({"grants": grants} if grants else {})}


async def state_of(staff: Staff, member: Member) -> OperatorState:
    return (await staff.operators.get(member.caller.operator_id)).state


async def agree(staff: Staff, action: str, payload: dict[str, Any], first: Member, second: Member) -> ApprovalState:
    """Let one ask and another approve."""
    view = await staff.approvals.ask(first.caller, action, payload, reason="as we have agreed")
    done = await staff.approvals.decide(second.caller, view.id, approve=True, looked_at=view.payload_hash)
    return done.state


@pytest.fixture
async def house(staff: Staff) -> dict[Role, Member]:
    """One of each administrator, and two who act against them."""
    return {role: await staff.member(role) for role in THREE}


async def test_a_role_taken_away_ends_the_sessions_at_once(staff: Staff) -> None:
    security, member = await staff.member(Role.SECURITY_ADMIN), await staff.member(Role.OPERATOR, Role.ACCEPTOR)
    grant = await staff.log_in(member)
    assert (await staff.caller(grant)).roles == {Role.OPERATOR, Role.ACCEPTOR}
    wanted = (limited(Role.ACCEPTOR, department="taxation", region="3201"),)
    await staff.appointments.set_roles(member.caller.operator_id, wanted, caller=security.caller)
    with pytest.raises(TokenInvalid):  # The clock has not moved.
        await staff.caller(grant)
    staff.ground.clock.move(timedelta(seconds=30))
    assert (await staff.caller(await staff.log_in(member))).grants == wanted


async def test_somebody_disabled_is_out_at_once_and_asks_for_nothing_more(staff: Staff) -> None:
    security, member = await staff.member(Role.SECURITY_ADMIN), await staff.member(Role.SYSTEM_ADMIN)
    await staff.member(Role.SYSTEM_ADMIN)
    grant = await staff.log_in(member)
    asked = await staff.approvals.ask(member.caller, "keys.retire", {"key": "k"}, reason="because")
    await staff.appointments.disable(member.caller.operator_id, caller=security.caller, reason="left the service")
    with pytest.raises(TokenInvalid):
        await staff.caller(grant)
    staff.ground.clock.move(timedelta(seconds=30))
    with pytest.raises(StaffLoginInvalid):
        await staff.log_in(member)
    assert (await staff.approvals.get(asked.id)).state == "withdrawn"
    assert (await staff.operators.get(member.caller.operator_id)).state is OperatorState.DISABLED
    with pytest.raises(AccountForbids):
        await staff.appointments.disable(member.caller.operator_id, caller=security.caller, reason="once more")
    with pytest.raises(NotYourself):
        await staff.appointments.disable(security.caller.operator_id, caller=security.caller, reason="why not")


async def test_one_person_gives_no_role_that_has_a_say_in_what_others_do(staff: Staff) -> None:
    security, member = await staff.member(Role.SECURITY_ADMIN), await staff.member(Role.OPERATOR)
    for role in (*THREE, Role.APPROVER):
        with pytest.raises(ApprovalNeeded):
            await staff.appointments.set_roles(member.caller.operator_id, [RoleGrant(role)], caller=security.caller)
    assert (await staff.operators.get(member.caller.operator_id)).grants == (RoleGrant(Role.OPERATOR),)


async def test_roles_that_exclude_each_other_are_refused_by_the_database_too(staff: Staff) -> None:
    member = await staff.member(Role.SYSTEM_ADMIN)
    with pytest.raises(RolesExclude):
        await staff.operators.invite("both", [RoleGrant(Role.SYSTEM_ADMIN), RoleGrant(Role.AUDIT_ADMIN)])
    with pytest.raises(IntegrityError):
        await transaction(
            lambda: fetch(
                "INSERT INTO operator_grant (id, operator_id, role, region, department, matter) "
                "VALUES ($1, $2, 'audit-admin', '', '', '') RETURNING id",
                staff.ground.ids.uuid(),
                member.caller.operator_id,
            )
        )


# --- the last of a kind -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", THREE)
async def test_the_last_administrator_of_a_kind_goes_by_nobodys_word(
    staff: Staff, house: dict[Role, Member], role: Role
) -> None:
    last = house[role]
    first, second = (house[other] for other in THREE if other is not role)
    if role is not Role.SECURITY_ADMIN:
        with pytest.raises(LastHolder):
            await staff.appointments.set_roles(
                last.caller.operator_id, [RoleGrant(Role.OPERATOR)], caller=house[Role.SECURITY_ADMIN].caller
            )
    with pytest.raises(LastHolder):
        await staff.appointments.disable(last.caller.operator_id, caller=first.caller, reason="in the way")
    for action, payload in (
        ("operators.disable", named(last)),
        ("operators.grant-roles", named(last, Role.OPERATOR)),
    ):
        with pytest.raises(LastHolder):
            await agree(staff, action, payload, first, second)
    view = await staff.operators.get(last.caller.operator_id)
    assert (view.state, view.grants) == (OperatorState.ACTIVE, (RoleGrant(role),))


@pytest.mark.parametrize("role", THREE)
async def test_with_a_successor_at_work_one_person_shuts_an_administrator_out(
    staff: Staff, house: dict[Role, Member], role: Role
) -> None:
    invited = await staff.operators.invite("a.successor", [RoleGrant(role)])
    by = next(house[other] for other in (Role.SECURITY_ADMIN, Role.SYSTEM_ADMIN) if other is not role)
    leaving = house[role].caller.operator_id
    with pytest.raises(LastHolder):  # Invited is not at work.
        await staff.appointments.disable(leaving, caller=by.caller, reason="has left")
    await staff.operators.activate(invited.secret, "another-long-winter-1987", address=staff.address)
    await staff.appointments.disable(leaving, caller=by.caller, reason="has left")
    assert await state_of(staff, house[role]) is OperatorState.DISABLED


async def test_the_last_who_audits_goes_by_two_people(staff: Staff, house: dict[Role, Member]) -> None:
    auditor, system, security = await staff.member(Role.AUDITOR), house[Role.SYSTEM_ADMIN], house[Role.SECURITY_ADMIN]
    with pytest.raises(ApprovalNeeded) as caught:
        await staff.appointments.disable(auditor.caller.operator_id, caller=system.caller, reason="looks too closely")
    assert caught.value.extras.members["action"] == "operators.disable"
    for grants in ([RoleGrant(Role.ACCEPTOR)], [limited(Role.AUDITOR, department="taxation")]):
        with pytest.raises(ApprovalNeeded):
            await staff.appointments.set_roles(auditor.caller.operator_id, grants, caller=security.caller)
    assert await state_of(staff, auditor) is OperatorState.ACTIVE
    assert await agree(staff, "operators.disable", named(auditor), system, security) is ApprovalState.EXECUTED
    assert await state_of(staff, auditor) is OperatorState.DISABLED


async def test_an_auditor_goes_by_one_person_while_another_audits_everywhere(
    staff: Staff, house: dict[Role, Member]
) -> None:
    auditor, by = await staff.member(Role.AUDITOR), house[Role.SYSTEM_ADMIN].caller
    await staff.member(limited(Role.AUDITOR, department="taxation"))
    with pytest.raises(ApprovalNeeded):
        await staff.appointments.disable(auditor.caller.operator_id, caller=by, reason="has left")
    await staff.member(Role.AUDITOR)
    await staff.appointments.disable(auditor.caller.operator_id, caller=by, reason="has left")


async def test_two_at_once_leave_one(staff: Staff, house: dict[Role, Member]) -> None:
    for turn in range(6):
        staff.address = f"10.9.{turn}.7"
        pair = [house[Role.SECURITY_ADMIN], await staff.member(Role.SECURITY_ADMIN)]
        by = [house[Role.SYSTEM_ADMIN], await staff.member(Role.SYSTEM_ADMIN)]
        told = await asyncio.gather(
            *(
                staff.appointments.disable(whom.caller.operator_id, caller=who.caller, reason="both at once")
                for whom, who in zip(pair, by, strict=True)
            ),
            return_exceptions=True,
        )
        assert sorted(type(each).__name__ for each in told) == ["LastHolder", "NoneType"], turn
        states = [await state_of(staff, each) for each in pair]
        house[Role.SECURITY_ADMIN] = pair[states.index(OperatorState.ACTIVE)]


async def test_two_who_strip_each_other_at_once_leave_one(staff: Staff, house: dict[Role, Member]) -> None:
    pair = [house[Role.SECURITY_ADMIN], await staff.member(Role.SECURITY_ADMIN)]
    told = await asyncio.gather(
        *(
            staff.appointments.set_roles(whom.caller.operator_id, [RoleGrant(Role.ACCEPTOR)], caller=who.caller)
            for whom, who in zip(pair, reversed(pair), strict=True)
        ),
        return_exceptions=True,
    )
    assert sorted(type(each).__name__ for each in told) == ["LastHolder", "NoneType"]


async def test_nobody_goes_or_is_changed_by_their_own_word(staff: Staff, house: dict[Role, Member]) -> None:
    system, security = house[Role.SYSTEM_ADMIN], house[Role.SECURITY_ADMIN]
    await staff.member(Role.SYSTEM_ADMIN)
    own = security.caller.operator_id
    with pytest.raises(NotYourself):
        await staff.appointments.disable(own, caller=security.caller, reason="why not")
    with pytest.raises(NotYourself):
        await staff.appointments.set_roles(own, [RoleGrant(Role.OPERATOR)], caller=security.caller)
    with pytest.raises(NotYourself):
        await staff.appointments.set_networks(own, ["10.0.0.0/8"], caller=security.caller)
    # Whoever wants to go asks for it; somebody else agrees.
    assert await agree(staff, "operators.disable", named(system), system, security) is ApprovalState.EXECUTED


async def test_nobody_who_looks_at_what_others_do_is_kept_out_by_one_person(
    staff: Staff, house: dict[Role, Member]
) -> None:
    security, clerk = house[Role.SECURITY_ADMIN], await staff.member(Role.OPERATOR)
    watching = [house[Role.SYSTEM_ADMIN], house[Role.AUDIT_ADMIN]]
    watching += [await staff.member(role) for role in (Role.APPROVER, Role.AUDITOR)]
    for each in watching:
        with pytest.raises(ApprovalNeeded) as caught:
            await staff.appointments.set_networks(each.caller.operator_id, ["192.0.2.0/24"], caller=security.caller)
        assert caught.value.extras.members["action"] == "operators.set-networks"
    await staff.appointments.set_networks(clerk.caller.operator_id, ["192.0.2.0/24"], caller=security.caller)
    assert (await staff.operators.get(clerk.caller.operator_id)).networks == ("192.0.2.0/24",)
    payload = {**named(house[Role.AUDIT_ADMIN]), "networks": ["10.0.0.0/8"]}
    assert await agree(staff, "operators.set-networks", payload, security, house[Role.SYSTEM_ADMIN]) == "executed"
    assert (await staff.operators.get(house[Role.AUDIT_ADMIN].caller.operator_id)).networks == ("10.0.0.0/8",)


async def test_nobody_is_told_of_operators_that_are_not_there(staff: Staff) -> None:
    security, nobody = await staff.member(Role.SECURITY_ADMIN), staff.ground.ids.uuid()
    with pytest.raises(NoSuchOperator):
        await staff.appointments.set_roles(nobody, [RoleGrant(Role.AUDITOR)], caller=security.caller)
    with pytest.raises(NoSuchOperator):
        await staff.appointments.disable(nobody, caller=security.caller, reason="because")
    with pytest.raises(NoSuchOperator):
        await staff.appointments.set_networks(nobody, [], caller=security.caller)
