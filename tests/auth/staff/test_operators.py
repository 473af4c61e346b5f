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
    RolesExclude,
    StaffLoginInvalid,
    UsernameTaken,
)
from auth.staff.types import Activated, OperatorState
from auth.types import Role, RoleGrant
from core.cache import TooManyRequests
from core.db import IntegrityError, fetch, transaction
from tests.fakes.staff import PASSWORD, Staff, limited


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


async def test_one_person_gives_no_role_that_has_a_say_in_what_others_do(staff: Staff) -> None:
    administrator, member = await staff.member(Role.SYSTEM_ADMIN), await staff.member(Role.OPERATOR)
    for role in (Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN, Role.AUDIT_ADMIN, Role.APPROVER):
        with pytest.raises(ApprovalNeeded):
            await staff.operators.invite("a.puppet", [RoleGrant(role)], caller=administrator.caller)
        with pytest.raises(ApprovalNeeded):
            await staff.operators.set_roles(member.caller.operator_id, [RoleGrant(role)], caller=administrator.caller)
    assert await staff.operators.find_by_name("a.puppet") is None
    assert (await staff.operators.get(member.caller.operator_id)).grants == (RoleGrant(Role.OPERATOR),)


async def test_an_administrator_is_invited_again_at_the_keyboard_only(staff: Staff) -> None:
    administrator, other = await staff.member(Role.SYSTEM_ADMIN), await staff.member(Role.SECURITY_ADMIN)
    with pytest.raises(ApprovalNeeded):
        await staff.operators.invite_again(other.caller.operator_id, caller=administrator.caller)
    with pytest.raises(NotYourself):
        await staff.operators.invite_again(administrator.caller.operator_id, caller=administrator.caller)
    assert (await staff.operators.invite_again(other.caller.operator_id)).username == other.username


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


async def test_a_role_taken_away_ends_the_sessions_at_once(staff: Staff) -> None:
    security, member = await staff.member(Role.SECURITY_ADMIN), await staff.member(Role.OPERATOR, Role.ACCEPTOR)
    grant = await staff.log_in(member)
    assert (await staff.caller(grant)).roles == {Role.OPERATOR, Role.ACCEPTOR}
    view = await staff.operators.set_roles(
        member.caller.operator_id,
        [limited(Role.ACCEPTOR, department="taxation", region="3201")],
        caller=security.caller,
    )
    with pytest.raises(TokenInvalid):  # The clock has not moved.
        await staff.caller(grant)
    staff.ground.clock.move(timedelta(seconds=30))
    assert (await staff.caller(await staff.log_in(member))).grants == view.grants
    assert view.grants == (limited(Role.ACCEPTOR, department="taxation", region="3201"),)


async def test_somebody_disabled_is_out_at_once_and_asks_for_nothing_more(staff: Staff) -> None:
    security, member = await staff.member(Role.SECURITY_ADMIN), await staff.member(Role.SYSTEM_ADMIN)
    grant = await staff.log_in(member)
    asked = await staff.approvals.ask(member.caller, "keys.retire", {"key": "k"}, reason="because")
    await staff.operators.disable(member.caller.operator_id, caller=security.caller, reason="left the service")
    with pytest.raises(TokenInvalid):
        await staff.caller(grant)
    staff.ground.clock.move(timedelta(seconds=30))
    with pytest.raises(StaffLoginInvalid):
        await staff.log_in(member)
    assert (await staff.approvals.get(asked.id)).state == "withdrawn"
    assert (await staff.operators.get(member.caller.operator_id)).state is OperatorState.DISABLED
    with pytest.raises(AccountForbids):
        await staff.operators.disable(member.caller.operator_id, caller=security.caller, reason="once more")
    with pytest.raises(NotYourself):
        await staff.operators.disable(security.caller.operator_id, caller=security.caller, reason="why not")


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


async def test_the_staff_is_listed_by_name_in_pages(staff: Staff) -> None:
    for name in ("c-c", "a-a", "b-b"):
        await staff.member(Role.OPERATOR, Role.ACCEPTOR, username=name)
    first = await staff.operators.list_operators(after="", limit=2)
    assert [view.username for view in first] == ["a-a", "b-b"]
    assert [view.username for view in await staff.operators.list_operators(after="b-b", limit=2)] == ["c-c"]
    assert {grant.role for grant in first[0].grants} == {Role.OPERATOR, Role.ACCEPTOR}


async def test_nobody_is_told_of_operators_that_are_not_there(staff: Staff) -> None:
    security, nobody = await staff.member(Role.SECURITY_ADMIN), staff.ground.ids.uuid()
    with pytest.raises(NoSuchOperator):
        await staff.operators.get(nobody)
    with pytest.raises(NoSuchOperator):
        await staff.operators.set_roles(nobody, [RoleGrant(Role.AUDITOR)], caller=security.caller)
    with pytest.raises(NoSuchOperator):
        await staff.operators.disable(nobody, caller=security.caller, reason="because")
    with pytest.raises(NoSuchOperator):
        await staff.operators.set_networks(nobody, [], caller=security.caller)
    with pytest.raises(NotYourself):
        await staff.operators.set_networks(security.caller.operator_id, ["10.0.0.0/8"], caller=security.caller)
