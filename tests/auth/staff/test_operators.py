"""Operators: invited with a secret that works once, given roles, and shut out within the same moment."""

import asyncio
from datetime import timedelta

import pytest

from auth.errors import TokenInvalid
from auth.staff.errors import (
    AccountForbids,
    ActivationInvalid,
    ApprovalNeeded,
    NoSuchOperator,
    NotYourself,
    PasswordWeak,
    StaffLoginInvalid,
    UsernameTaken,
)
from auth.staff.types import Activated, OperatorState
from auth.types import Role, RoleGrant
from core.cache import TooManyRequests
from tests.fakes.staff import PASSWORD, Staff


async def test_a_secret_is_exchanged_once_for_a_way_in(staff: Staff) -> None:
    invitation = await staff.operators.invite("an.operator", [RoleGrant(Role.AUDITOR)])
    results = await asyncio.gather(
        *(staff.operators.activate(invitation.secret, PASSWORD, address=staff.address) for _ in range(4)),
        return_exceptions=True,
    )
    activated = [each for each in results if isinstance(each, Activated)]
    assert len(activated) == 1
    assert all(isinstance(each, ActivationInvalid) for each in results if each is not activated[0])
    assert len(set(activated[0].recovery_codes)) == 10
    assert "issuer=zhijian" in activated[0].otpauth_uri


async def test_a_secret_runs_out_after_a_day_and_an_unknown_one_looks_the_same(staff: Staff) -> None:
    invitation = await staff.operators.invite("an.operator", [RoleGrant(Role.AUDITOR)])
    staff.ground.clock.move(timedelta(hours=24))
    for secret in (invitation.secret, "unknown", ""):
        with pytest.raises(ActivationInvalid) as caught:
            await staff.operators.activate(secret, PASSWORD, address=staff.address)
        assert caught.value.extras.members == {}


async def test_a_weak_password_leaves_the_secret_good(staff: Staff) -> None:
    invitation = await staff.operators.invite("an.operator", [RoleGrant(Role.AUDITOR)])
    with pytest.raises(PasswordWeak):
        await staff.operators.activate(invitation.secret, "password1234", address=staff.address)
    await staff.operators.activate(invitation.secret, PASSWORD, address=staff.address)


async def test_an_address_tries_ten_secrets_a_minute(staff: Staff) -> None:
    for _ in range(10):
        with pytest.raises(ActivationInvalid):
            await staff.operators.activate("guess", PASSWORD, address=staff.address)
    with pytest.raises(TooManyRequests):
        await staff.operators.activate("guess", PASSWORD, address=staff.address)


async def test_somebody_invited_cannot_log_in(staff: Staff) -> None:
    await staff.operators.invite("an.operator", [RoleGrant(Role.AUDITOR)])
    for password in ("", PASSWORD):
        with pytest.raises(StaffLoginInvalid):
            await staff.sessions.log_in("an.operator", password, "000000", address=staff.address)


async def test_a_name_is_given_once_and_is_plain(staff: Staff) -> None:
    await staff.operators.invite("an.operator", [RoleGrant(Role.AUDITOR)])
    with pytest.raises(UsernameTaken):
        await staff.operators.invite("an.operator", [RoleGrant(Role.AUDITOR)])
    for name in ("", "ab", "Upper", "with space", "名字", "x" * 65, "---"):
        with pytest.raises(ValueError, match="lower-case"):
            await staff.operators.invite(name, [RoleGrant(Role.AUDITOR)])


async def test_being_invited_again_makes_the_old_way_in_worthless(staff: Staff) -> None:
    administrator, member = await staff.member(Role.SYSTEM_ADMIN), await staff.member(Role.OPERATOR)
    grant = await staff.log_in(member)
    invitation = await staff.operators.invite_again(member.caller.operator_id, caller=administrator.caller)
    with pytest.raises(TokenInvalid):
        await staff.caller(grant)
    staff.ground.clock.move(timedelta(seconds=30))
    with pytest.raises(StaffLoginInvalid):
        await staff.log_in(member)
    with pytest.raises(StaffLoginInvalid):
        await staff.log_in(member, otp=member.recovery_codes[0])
    await staff.operators.activate(invitation.secret, "another-long-winter-1987", address=staff.address)
    for otp in (member.totp.at(staff.ground.clock.now()), member.recovery_codes[0]):
        with pytest.raises(StaffLoginInvalid):
            await staff.sessions.log_in(member.username, "another-long-winter-1987", otp, address=staff.address)


async def test_the_staff_is_listed_by_name_in_pages(staff: Staff) -> None:
    for name in ("c-c", "a-a", "b-b"):
        await staff.member(Role.OPERATOR, Role.ACCEPTOR, username=name)
    first = await staff.operators.list_operators(after="", limit=2)
    assert [view.username for view in first] == ["a-a", "b-b"]
    assert [view.username for view in await staff.operators.list_operators(after="b-b", limit=2)] == ["c-c"]
    assert {grant.role for grant in first[0].grants} == {Role.OPERATOR, Role.ACCEPTOR}


async def test_an_account_that_one_person_makes_holds_nothing(staff: Staff) -> None:
    administrator, security = await staff.member(Role.SYSTEM_ADMIN), await staff.member(Role.SECURITY_ADMIN)
    for role in Role:
        with pytest.raises(ApprovalNeeded):
            await staff.operators.invite("a.puppet", [RoleGrant(role)], caller=administrator.caller)
    invitation = await staff.operators.invite("a.puppet", caller=administrator.caller)
    # Until its holder has used the secret, nobody knows whose account it is.
    with pytest.raises(AccountForbids):
        await staff.appointments.set_roles(invitation.operator_id, [RoleGrant(Role.ACCEPTOR)], caller=security.caller)
    await staff.operators.activate(invitation.secret, PASSWORD, address=staff.address)
    assert (await staff.operators.get(invitation.operator_id)).grants == ()
    await staff.appointments.set_roles(invitation.operator_id, [RoleGrant(Role.ACCEPTOR)], caller=security.caller)
    assert (await staff.operators.get(invitation.operator_id)).grants == (RoleGrant(Role.ACCEPTOR),)


@pytest.mark.parametrize("role", [Role.SECURITY_ADMIN, Role.AUDIT_ADMIN, Role.APPROVER, Role.AUDITOR])
async def test_who_looks_at_what_others_do_is_invited_again_at_the_keyboard_only(staff: Staff, role: Role) -> None:
    administrator, other = await staff.member(Role.SYSTEM_ADMIN), await staff.member(role)
    with pytest.raises(ApprovalNeeded):
        await staff.operators.invite_again(other.caller.operator_id, caller=administrator.caller)
    assert (await staff.operators.get(other.caller.operator_id)).state is OperatorState.ACTIVE
    with pytest.raises(NotYourself):
        await staff.operators.invite_again(administrator.caller.operator_id, caller=administrator.caller)
    assert (await staff.operators.invite_again(other.caller.operator_id)).username == other.username
    assert (await staff.operators.get(other.caller.operator_id)).grants == (RoleGrant(role),)


async def test_who_is_invited_again_by_one_person_holds_nothing_until_another_gives_it(staff: Staff) -> None:
    administrator, clerk = await staff.member(Role.SYSTEM_ADMIN), await staff.member(Role.OPERATOR)
    await staff.operators.invite_again(clerk.caller.operator_id, caller=administrator.caller)
    assert (await staff.operators.get(clerk.caller.operator_id)).grants == ()


async def test_nobody_is_told_of_operators_that_are_not_there(staff: Staff) -> None:
    administrator, nobody = await staff.member(Role.SYSTEM_ADMIN), staff.ground.ids.uuid()
    with pytest.raises(NoSuchOperator):
        await staff.operators.get(nobody)
    with pytest.raises(NoSuchOperator):
        await staff.operators.invite_again(nobody, caller=administrator.caller)
