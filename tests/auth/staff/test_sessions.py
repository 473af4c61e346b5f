"""Operators' sessions: two proofs, few attempts, short sessions, and gone with what their holder may do."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from auth.errors import TokenExpired, TokenInvalid
from auth.settings import AuthLimits, AuthSettings, OperatorSettings
from auth.staff.errors import ActivationInvalid, PasswordWeak, StaffLoginInvalid
from auth.staff.types import StaffGrant
from auth.types import Role
from core.cache import TooManyRequests
from core.db import fetch
from core.metrics import REGISTRY
from tests.conftest import Ground
from tests.fakes.staff import PASSWORD, Member, Staff, make_staff

AFTER_ALL = (datetime(9999, 1, 1, tzinfo=UTC), UUID(int=0))


@pytest.fixture
def staff(ground: Ground) -> Staff:
    return make_staff(ground, AuthSettings(limits=AuthLimits(staff_address="10000/minute")))


@pytest.fixture
async def operator(staff: Staff) -> Member:
    return await staff.member(Role.SYSTEM_ADMIN, username="an.operator")


async def fail(staff: Staff, operator: Member) -> None:
    with pytest.raises(StaffLoginInvalid):
        await staff.log_in(operator, otp="not it")


async def test_password_and_code_let_an_operator_in(staff: Staff, operator: Member) -> None:
    grant = await staff.log_in(operator)
    caller = await staff.caller(grant)
    assert (caller.operator_id, caller.username, caller.roles) == (
        operator.caller.operator_id,
        "an.operator",
        frozenset({Role.SYSTEM_ADMIN}),
    )
    assert (grant.expires_in, grant.idle_seconds) == (12 * 3600, 15 * 60)


@pytest.mark.parametrize(
    ("username", "password", "code"),
    [
        ("nobody", None, None),
        ("an.operator", "wrong", None),
        ("an.operator", "", None),
        ("an.operator", None, "000"),
        ("an.operator", None, ""),
        ("an.operator", None, "１２３４５６"),
        ("An.Operator", None, None),
        ("an.operator' --", None, None),
    ],
)
async def test_everything_wrong_looks_the_same(
    staff: Staff, operator: Member, username: str, password: str | None, code: str | None
) -> None:
    with pytest.raises(StaffLoginInvalid) as caught:
        await staff.sessions.log_in(
            username,
            PASSWORD if password is None else password,
            operator.totp.at(staff.ground.clock.now()) if code is None else code,
            address=staff.address,
        )
    assert caught.value.extras.members == {}


async def test_a_code_works_once(staff: Staff, operator: Member) -> None:
    await staff.log_in(operator)
    with pytest.raises(StaffLoginInvalid):
        await staff.log_in(operator)
    with pytest.raises(StaffLoginInvalid):
        await staff.log_in(operator, steps=-1)
    staff.ground.clock.move(timedelta(seconds=30))
    await staff.log_in(operator)


async def test_of_many_uses_of_a_code_at_once_one_gets_in(staff: Staff, operator: Member) -> None:
    results = await asyncio.gather(*(staff.log_in(operator) for _ in range(5)), return_exceptions=True)
    assert sum(isinstance(result, StaffGrant) for result in results) == 1


@pytest.mark.parametrize(("steps", "let_in"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
async def test_clocks_may_differ_by_one_step(staff: Staff, operator: Member, steps: int, let_in: bool) -> None:
    if let_in:
        assert (await staff.log_in(operator, steps=steps)).access_token
    else:
        with pytest.raises(StaffLoginInvalid):
            await staff.log_in(operator, steps=steps)


async def test_five_wrong_codes_lock_the_account_for_half_an_hour_and_then_for_an_hour(
    staff: Staff, operator: Member
) -> None:
    for minutes in (30, 60):
        for _ in range(5):
            await fail(staff, operator)
        staff.ground.clock.move(timedelta(minutes=minutes, seconds=-1))
        with pytest.raises(StaffLoginInvalid):
            await staff.log_in(operator)
        staff.ground.clock.move(timedelta(seconds=1))
    await staff.log_in(operator)


async def test_logins_are_counted_by_outcome(staff: Staff, operator: Member) -> None:
    def count(outcome: str) -> float:
        return REGISTRY.get_sample_value("zhijian_staff_logins_total", {"outcome": outcome}) or 0.0

    before = [count(outcome) for outcome in ("ok", "refused", "locked")]
    await staff.log_in(operator)
    for _ in range(6):
        await fail(staff, operator)
    after = [count(outcome) for outcome in ("ok", "refused", "locked")]
    assert [now - then for now, then in zip(after, before, strict=True)] == [1, 5, 1]


async def test_a_thousand_guesses_at_once_are_five(staff: Staff, operator: Member) -> None:
    right = operator.totp.at(staff.ground.clock.now())
    guesses = [f"{number:06d}" for number in range(1_001) if f"{number:06d}" != right][:1_000]
    told = await asyncio.gather(*(staff.log_in(operator, otp=guess) for guess in guesses), return_exceptions=True)
    assert {type(each) for each in told} == {StaffLoginInvalid}
    with pytest.raises(StaffLoginInvalid):
        await staff.log_in(operator)
    lines = await fetch("SELECT outcome FROM audit_line WHERE action = 'auth.staff-logged-in'")
    assert sorted(line["outcome"] for line in lines) == ["locked", "refused", "refused", "refused", "refused"]


async def test_four_wrong_codes_are_forgiven_by_a_right_one_and_by_time(staff: Staff, operator: Member) -> None:
    for _ in range(4):
        await fail(staff, operator)
    await staff.log_in(operator)
    for _ in range(4):
        await fail(staff, operator)
    staff.ground.clock.move(timedelta(minutes=10))
    for _ in range(4):
        await fail(staff, operator)
    await staff.log_in(operator)


async def test_a_session_ends_after_fifteen_idle_minutes(staff: Staff, operator: Member) -> None:
    grant = await staff.log_in(operator)
    for _ in range(4):
        staff.ground.clock.move(timedelta(minutes=14))
        await staff.caller(grant)
    staff.ground.clock.move(timedelta(minutes=15))
    with pytest.raises(TokenExpired):
        await staff.caller(grant)


async def test_a_session_ends_after_twelve_hours_however_busy(staff: Staff, operator: Member) -> None:
    grant = await staff.log_in(operator)
    for _ in range(71):
        staff.ground.clock.move(timedelta(minutes=10))
        await staff.caller(grant)
    staff.ground.clock.move(timedelta(minutes=10))
    with pytest.raises(TokenExpired):
        await staff.caller(grant)


async def test_logging_out_holds_at_once(staff: Staff, operator: Member) -> None:
    grant = await staff.log_in(operator)
    caller = await staff.caller(grant)
    assert await staff.sessions.end(caller, caller.session_id)
    with pytest.raises(TokenInvalid):
        await staff.caller(grant)
    assert not await staff.sessions.end(caller, caller.session_id)


async def test_an_operator_sees_and_ends_their_own_sessions_only(staff: Staff, operator: Member) -> None:
    first = await staff.log_in(operator)
    staff.ground.clock.move(timedelta(seconds=30))
    second = await staff.log_in(operator)
    other = await staff.log_in(await staff.member(Role.AUDITOR))
    caller = await staff.caller(second)
    shown = await staff.sessions.list_sessions(caller, before=AFTER_ALL, limit=10)
    assert [(each.id, each.current) for each in shown] == [(second.session_id, True), (first.session_id, False)]
    assert not await staff.sessions.end(caller, other.session_id)
    assert await staff.sessions.end(caller, first.session_id)
    with pytest.raises(TokenInvalid):
        await staff.caller(first)
    await staff.caller(other)


async def test_a_recovery_code_takes_the_place_of_a_code_once(staff: Staff, operator: Member) -> None:
    code = operator.recovery_codes[3]
    results = await asyncio.gather(*(staff.log_in(operator, otp=code) for _ in range(4)), return_exceptions=True)
    assert sum(isinstance(result, StaffGrant) for result in results) == 1
    other = await staff.member(Role.AUDITOR)
    with pytest.raises(StaffLoginInvalid):
        await staff.log_in(other, otp=operator.recovery_codes[4])
    await staff.log_in(operator, otp=operator.recovery_codes[4].upper())


async def test_an_operator_comes_from_their_networks_only(staff: Staff) -> None:
    member = await staff.member(Role.AUDITOR, networks=("192.0.2.0/24", "2001:db8::/32"), address="192.0.2.9")
    with pytest.raises(StaffLoginInvalid):
        await staff.log_in(member, address="192.0.3.1")
    grant = await staff.log_in(member, address="192.0.2.9")
    await staff.sessions.caller_of(grant.access_token, address="2001:db8::1")
    for address in ("192.0.3.1", "", "unknown"):
        with pytest.raises(TokenInvalid):
            await staff.sessions.caller_of(grant.access_token, address=address)


async def test_nobody_locks_an_account_from_where_it_may_not_come_from(staff: Staff) -> None:
    member = await staff.member(Role.AUDITOR, networks=("192.0.2.0/24",), address="192.0.2.9")
    for _ in range(12):
        with pytest.raises(StaffLoginInvalid):
            await staff.log_in(member, otp="not it", address="192.0.3.1")
    await staff.log_in(member, address="192.0.2.9")


async def test_an_invitation_is_taken_up_from_the_networks_of_its_account_only(staff: Staff) -> None:
    invited = await staff.operators.invite("far.away", networks=("192.0.2.0/24",))
    with pytest.raises(ActivationInvalid):
        await staff.operators.activate(invited.secret, PASSWORD, address="192.0.3.1")
    activated = await staff.operators.activate(invited.secret, PASSWORD, address="192.0.2.9")
    assert activated.username == "far.away"


async def test_nobody_comes_from_outside_the_networks_of_the_installation(ground: Ground) -> None:
    staff = make_staff(ground, AuthSettings(operators=OperatorSettings(networks=("10.0.0.0/8",))))
    member = await staff.member(Role.AUDITOR, address="10.0.0.1")
    with pytest.raises(StaffLoginInvalid):
        await staff.log_in(member, address="192.0.2.1")
    await staff.log_in(member, address="10.0.0.1")
    with pytest.raises(ValueError, match="network"):
        OperatorSettings(networks=("somewhere",))


async def test_a_changed_password_ends_the_other_sessions(staff: Staff, operator: Member) -> None:
    first = await staff.log_in(operator)
    staff.ground.clock.move(timedelta(seconds=30))
    caller = await staff.caller(await staff.log_in(operator))
    staff.ground.clock.move(timedelta(seconds=30))
    code, wanted = operator.totp.at(staff.ground.clock.now()), "another-long-winter-1987"

    async def change(current: str, otp: str, password: str) -> None:
        await staff.sessions.change_password(caller, current, otp, wanted=password, address=staff.address)

    with pytest.raises(StaffLoginInvalid):
        await change("wrong", code, wanted)
    with pytest.raises(PasswordWeak):
        await change(PASSWORD, code, "password1234")
    await change(PASSWORD, code, wanted)
    with pytest.raises(StaffLoginInvalid):
        await change(wanted, code, PASSWORD)
    with pytest.raises(TokenInvalid):
        await staff.caller(first)
    staff.ground.clock.move(timedelta(seconds=30))
    await fail(staff, operator)
    operator.password = wanted
    await staff.log_in(operator)


@pytest.mark.parametrize("token", ["", "unknown", "x" * 10_000, "令牌"])
async def test_an_unknown_token_is_refused(staff: Staff, token: str) -> None:
    with pytest.raises(TokenInvalid):
        await staff.sessions.caller_of(token, address=staff.address)


async def test_secrets_stand_nowhere_in_clear(staff: Staff, operator: Member) -> None:
    grant = await staff.log_in(operator)
    stored = repr(
        [
            await fetch("SELECT * FROM operator_account"),
            await fetch("SELECT * FROM operator_session"),
            await fetch("SELECT * FROM recovery_code"),
            await fetch("SELECT * FROM audit_line"),
        ]
    )
    for value in (PASSWORD, operator.totp.secret, grant.access_token, *operator.recovery_codes):
        assert value not in stored
        assert value.encode().hex() not in stored
        assert value not in repr(grant)


async def test_an_address_tries_ten_times_a_minute(ground: Ground) -> None:
    staff = make_staff(ground)
    for _ in range(10):
        with pytest.raises(StaffLoginInvalid):
            await staff.sessions.log_in("nobody", "x", "000000", address=staff.address)
    with pytest.raises(TooManyRequests):
        await staff.sessions.log_in("nobody", "x", "000000", address=staff.address)
