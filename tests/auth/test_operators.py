"""Operators: two secrets, few attempts, short sessions."""

import asyncio
from datetime import timedelta

import pyotp
import pytest

from auth.errors import RoleForbidden, StaffLoginInvalid, TokenExpired, TokenInvalid, UsernameTaken
from auth.settings import AuthLimits, AuthSettings
from auth.types import NewOperator, Role, StaffGrant
from core.cache import TooManyRequests
from core.db import execute, fetch
from tests.conftest import Ground
from tests.fakes.auth import Auth, make_auth


@pytest.fixture
def auth(ground: Ground) -> Auth:
    return make_auth(ground, AuthSettings(limits=AuthLimits(staff_address="10000/minute")))


@pytest.fixture
async def operator(auth: Auth) -> NewOperator:
    return await auth.operators.create("an.operator", Role.SYSTEM_ADMIN)


def otp(auth: Auth, operator: NewOperator, *, steps: int = 0) -> str:
    parsed = pyotp.parse_uri(operator.otpauth_uri)
    assert isinstance(parsed, pyotp.TOTP)
    return parsed.at(auth.ground.clock.now() + timedelta(seconds=30 * steps))


async def log_in(auth: Auth, operator: NewOperator, *, steps: int = 0) -> StaffGrant:
    return await auth.operators.log_in(
        operator.username, operator.password, otp(auth, operator, steps=steps), address=auth.address
    )


async def fail(auth: Auth, operator: NewOperator) -> None:
    with pytest.raises(StaffLoginInvalid):
        await auth.operators.log_in(operator.username, operator.password, "not it", address=auth.address)


async def test_password_and_code_let_an_operator_in(auth: Auth, operator: NewOperator) -> None:
    grant = await log_in(auth, operator)
    caller = await auth.operators.caller_of(grant.access_token)
    assert (caller.operator_id, caller.username, caller.role) == (
        operator.operator_id,
        "an.operator",
        Role.SYSTEM_ADMIN,
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
    auth: Auth, operator: NewOperator, username: str, password: str | None, code: str | None
) -> None:
    with pytest.raises(StaffLoginInvalid) as caught:
        await auth.operators.log_in(
            username,
            operator.password if password is None else password,
            otp(auth, operator) if code is None else code,
            address=auth.address,
        )
    assert caught.value.extras.members == {}


async def test_a_code_works_once(auth: Auth, operator: NewOperator) -> None:
    await log_in(auth, operator)
    with pytest.raises(StaffLoginInvalid):
        await log_in(auth, operator)
    with pytest.raises(StaffLoginInvalid):
        await log_in(auth, operator, steps=-1)
    auth.ground.clock.move(timedelta(seconds=30))
    await log_in(auth, operator)


async def test_of_many_uses_of_a_code_at_once_one_gets_in(auth: Auth, operator: NewOperator) -> None:
    results = await asyncio.gather(*(log_in(auth, operator) for _ in range(5)), return_exceptions=True)
    assert sum(isinstance(result, StaffGrant) for result in results) == 1


@pytest.mark.parametrize(("steps", "let_in"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
async def test_clocks_may_differ_by_one_step(auth: Auth, operator: NewOperator, steps: int, let_in: bool) -> None:
    if let_in:
        assert (await log_in(auth, operator, steps=steps)).access_token
    else:
        with pytest.raises(StaffLoginInvalid):
            await log_in(auth, operator, steps=steps)


async def test_five_wrong_codes_lock_the_account_for_half_an_hour_and_then_for_an_hour(
    auth: Auth, operator: NewOperator
) -> None:
    for minutes in (30, 60):
        for _ in range(5):
            await fail(auth, operator)
        auth.ground.clock.move(timedelta(minutes=minutes, seconds=-1))
        with pytest.raises(StaffLoginInvalid):
            await log_in(auth, operator)
        auth.ground.clock.move(timedelta(seconds=1))
    await log_in(auth, operator)


async def test_a_thousand_guesses_at_once_are_five(auth: Auth, operator: NewOperator) -> None:
    guesses = [f"{number:06d}" for number in range(40)]
    right = otp(auth, operator)
    await asyncio.gather(
        *(
            auth.operators.log_in(operator.username, "a wrong password", guess, address=auth.address)
            for guess in guesses
            if guess != right
        ),
        return_exceptions=True,
    )
    with pytest.raises(StaffLoginInvalid):
        await log_in(auth, operator)
    lines = await fetch("SELECT outcome FROM audit_line WHERE action = 'auth.staff-logged-in'")
    assert sorted(line["outcome"] for line in lines) == ["locked", "refused", "refused", "refused", "refused"]


async def test_four_wrong_codes_are_forgiven_by_a_right_one_and_by_time(auth: Auth, operator: NewOperator) -> None:
    for _ in range(4):
        await fail(auth, operator)
    await log_in(auth, operator)
    for _ in range(4):
        await fail(auth, operator)
    auth.ground.clock.move(timedelta(minutes=10))
    for _ in range(4):
        await fail(auth, operator)
    await log_in(auth, operator)


async def test_a_session_ends_after_fifteen_idle_minutes(auth: Auth, operator: NewOperator) -> None:
    grant = await log_in(auth, operator)
    for _ in range(4):
        auth.ground.clock.move(timedelta(minutes=14))
        await auth.operators.caller_of(grant.access_token)
    auth.ground.clock.move(timedelta(minutes=15))
    with pytest.raises(TokenExpired):
        await auth.operators.caller_of(grant.access_token)


async def test_a_session_ends_after_twelve_hours_however_busy(auth: Auth, operator: NewOperator) -> None:
    grant = await log_in(auth, operator)
    for _ in range(71):
        auth.ground.clock.move(timedelta(minutes=10))
        await auth.operators.caller_of(grant.access_token)
    auth.ground.clock.move(timedelta(minutes=10))
    with pytest.raises(TokenExpired):
        await auth.operators.caller_of(grant.access_token)


async def test_logging_out_and_being_disabled_hold_at_once(auth: Auth, operator: NewOperator) -> None:
    grant = await log_in(auth, operator)
    await auth.operators.end(await auth.operators.caller_of(grant.access_token))
    with pytest.raises(TokenInvalid):
        await auth.operators.caller_of(grant.access_token)
    auth.ground.clock.move(timedelta(seconds=30))
    second = await log_in(auth, operator)
    await execute("UPDATE operator_account SET state = 'disabled'")
    with pytest.raises(TokenInvalid):
        await auth.operators.caller_of(second.access_token)
    auth.ground.clock.move(timedelta(seconds=30))
    with pytest.raises(StaffLoginInvalid):
        await log_in(auth, operator)


async def test_a_role_opens_its_own_doors(auth: Auth, operator: NewOperator) -> None:
    token = (await log_in(auth, operator)).access_token
    await auth.operators.caller_of(token, roles=frozenset({"system-admin", "auditor"}))
    with pytest.raises(RoleForbidden):
        await auth.operators.caller_of(token, roles=frozenset({"auditor"}))


@pytest.mark.parametrize("token", ["", "unknown", "x" * 10_000, "令牌"])
async def test_an_unknown_token_is_refused(auth: Auth, token: str) -> None:
    with pytest.raises(TokenInvalid):
        await auth.operators.caller_of(token)


async def test_a_name_is_given_once_and_is_plain(auth: Auth, operator: NewOperator) -> None:
    with pytest.raises(UsernameTaken):
        await auth.operators.create(operator.username, Role.AUDITOR)
    for name in ("", "ab", "Upper", "with space", "名字", "x" * 65, "---"):
        with pytest.raises(ValueError, match="lower-case"):
            await auth.operators.create(name, Role.AUDITOR)


async def test_secrets_stand_nowhere_in_clear(auth: Auth, operator: NewOperator) -> None:
    grant = await log_in(auth, operator)
    secret = pyotp.parse_uri(operator.otpauth_uri).secret
    stored = repr([await fetch("SELECT * FROM operator_account"), await fetch("SELECT * FROM operator_session")])
    for value in (operator.password, secret, grant.access_token):
        assert value not in stored
        assert value.encode().hex() not in stored
        assert value not in repr([operator, grant])


async def test_an_address_tries_ten_times_a_minute(ground: Ground) -> None:
    auth = make_auth(ground)
    for _ in range(10):
        with pytest.raises(StaffLoginInvalid):
            await auth.operators.log_in("nobody", "x", "000000", address=auth.address)
    with pytest.raises(TooManyRequests):
        await auth.operators.log_in("nobody", "x", "000000", address=auth.address)
