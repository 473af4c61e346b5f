"""The decisions about the staff."""

from datetime import UTC, datetime, timedelta
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth.staff.errors import ApprovalNeeded, RolesExclude
from auth.staff.passwords import Passwords
from auth.staff.rules import ACTIONS, check_alone, check_grants, lock_until
from auth.types import EVERYWHERE, Role, RoleGrant, StaffScope
from tests.fakes.staff import CHEAP, limited

NOW = datetime(2026, 3, 10, 2, 0, tzinfo=UTC)
ADMINISTRATORS = {Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN, Role.AUDIT_ADMIN}
DAILY = {Role.OPERATOR, Role.ACCEPTOR, Role.APPROVER, Role.DEPARTMENT_OPERATOR}


def may_be_one(*roles: Role) -> bool:
    try:
        check_grants([RoleGrant(role) for role in roles])
    except RolesExclude:
        return False
    return True


def test_of_all_pairs_only_those_of_daily_work_and_those_of_the_audit_are_one_person() -> None:
    allowed = {frozenset(pair) for pair in combinations(Role, 2) if may_be_one(*pair)}
    assert allowed == {frozenset(pair) for pair in combinations(DAILY, 2)} | {
        frozenset({Role.AUDIT_ADMIN, Role.AUDITOR})
    }
    assert all(may_be_one(role) for role in Role)
    assert may_be_one(*DAILY)


def test_an_administrator_has_no_limits_and_nothing_is_held_twice() -> None:
    for role in ADMINISTRATORS:
        with pytest.raises(RolesExclude):
            check_grants([limited(role, department="taxation")])
    twice = [limited(Role.ACCEPTOR, region="32"), limited(Role.ACCEPTOR, region="32")]
    with pytest.raises(RolesExclude):
        check_grants(twice)
    check_grants([limited(Role.ACCEPTOR, region="32"), limited(Role.ACCEPTOR, region="33")])


@pytest.mark.parametrize("role", list(Role))
def test_what_has_a_say_in_what_others_do_is_never_given_by_one_person(role: Role) -> None:
    wanted = [RoleGrant(role)]
    if role in ADMINISTRATORS | {Role.APPROVER}:
        with pytest.raises(ApprovalNeeded):
            check_alone((), wanted)
        with pytest.raises(ApprovalNeeded):
            check_alone([limited(role, department="taxation")], wanted)
    else:
        check_alone((), wanted)
    check_alone(wanted, wanted)
    check_alone(wanted, ())


def test_every_action_is_asked_for_and_approved_by_roles_that_are_never_one_person() -> None:
    for action, rule in ACTIONS.items():
        assert rule.asked_by, action
        assert rule.approved_by, action
        assert rule.approved_by <= ADMINISTRATORS | {Role.APPROVER}, action
    assert not ACTIONS["operators.grant-roles"].in_emergency
    assert not ACTIONS["data.export"].in_emergency


scopes = st.builds(
    StaffScope,
    st.sampled_from(["", "32", "3201", "320102", "33"]),
    st.sampled_from(["", "taxation", "health"]),
    st.sampled_from(["", "m-1"]),
)


@given(scopes, scopes, scopes)
def test_a_reach_is_an_order(one: StaffScope, two: StaffScope, three: StaffScope) -> None:
    assert one.covers(one)
    assert EVERYWHERE.covers(one)
    assert one == EVERYWHERE or not one.covers(EVERYWHERE)
    if one.covers(two) and two.covers(three):
        assert one.covers(three)
    if one.covers(two) and two.covers(one):
        assert one == two


def test_a_region_holds_what_lies_in_it() -> None:
    assert StaffScope("3201").covers(StaffScope("320102001"))
    assert not StaffScope("320102").covers(StaffScope("3201"))
    assert not StaffScope("3201").covers(StaffScope("3301"))
    assert not StaffScope(department="taxation").covers(StaffScope("3201"))


@given(st.integers(0, 1000))
def test_each_further_lock_is_twice_as_long_up_to_a_day(count: int) -> None:
    until = lock_until(NOW, lock_count=count, first=timedelta(minutes=30))
    assert until - NOW == min(timedelta(minutes=30) * 2 ** min(count, 12), timedelta(days=1))


@pytest.mark.parametrize(
    ("password", "good"),
    [
        ("short", False),
        ("x7Kq2mVbN4t", False),  # Eleven.
        ("x7Kq2mVbN4tz", True),
        ("password1234", False),
        ("qwertyuiop12", False),
        ("Woaini1314520", False),
        ("zhijian123456", False),
        ("aaaaaaaaaaaaaaaa", False),
        ("an.operator-x7Kq2m", False),
        ("AN.OPERATOR-x7Kq2m", False),
        ("correct horse battery staple", True),
        ("长长的冬天大厅里很冷清没有人", True),
        ("y" * 20 + "x7Kq2mVbN4tz" * 20, True),
    ],
)
async def test_a_password_is_long_and_not_guessed_early(password: str, good: bool) -> None:
    passwords = Passwords(hasher=CHEAP)
    if good:
        await passwords.check(password, "an.operator")
    else:
        with pytest.raises(Exception, match="password-weak"):
            await passwords.check(password, "an.operator")
