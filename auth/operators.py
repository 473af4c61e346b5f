"""Operators: made by command, let in by password and one-time code, logged out when they walk away."""

import asyncio
import hmac
import secrets
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import pyotp
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from auth.errors import RoleForbidden, StaffLoginInvalid, TokenExpired, TokenInvalid, UsernameTaken
from auth.rules import lock_until
from auth.settings import AuthLimits, OperatorSettings
from auth.types import NewOperator, Role, StaffCaller, StaffGrant
from core.audit.actors import SYSTEM, Actor, ActorKind
from core.audit.record import Audit
from core.cache import Limits
from core.clock import Clock
from core.crypto import Vault, sha256_hex
from core.db import as_moment, as_uuid, execute, fetch, fetch_one, transaction
from core.ids import Ids

_OTP: Final = "operator_account.otp"
_STEP_SECONDS: Final = 30
_ISSUER: Final = "zhijian"
_LONGEST: Final = 256
_USERNAME: Final = "A username is 3 to 64 lower-case letters, digits, dots and dashes."
# OWASP's figures for argon2id: 19 MiB, two passes, one lane; about 30 ms. Two at once, so that a flood of logins takes
# neither the memory nor all threads.
_AT_ONCE: Final = 2
_HASHER: Final = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
# No password has it; compared with when there is no such operator, so that the answer takes as long.
_NOBODY: Final = _HASHER.hash(secrets.token_hex(16))

_ADD: Final = """
INSERT INTO operator_account (id, username, role, state, password_hash, otp_sealed, otp_step, attempts, lock_count,
                              created_at)
VALUES ($1, $2, $3, 'active', $4, $5, 0, 0, 0, $6) ON CONFLICT (username) DO NOTHING RETURNING id
"""
# An attempt counts when it starts: many at once cannot try more codes than one after the other.
_COUNT_ATTEMPT: Final = """
UPDATE operator_account
SET attempts = CASE WHEN first_attempt_at > $3 THEN attempts + 1 ELSE 1 END,
    first_attempt_at = CASE WHEN first_attempt_at > $3 THEN first_attempt_at ELSE $2 END
WHERE username = $1 AND state = 'active' AND (locked_until IS NULL OR locked_until <= $2)
      AND (first_attempt_at IS NULL OR first_attempt_at <= $3 OR attempts < $4)
RETURNING id, username, role, password_hash, otp_sealed, attempts, lock_count
"""
_LOCK: Final = """
UPDATE operator_account SET locked_until = $2, lock_count = lock_count + 1, attempts = 0, first_attempt_at = NULL
WHERE id = $1 AND attempts >= $3
"""
# No code works twice: the step of the last one only ever grows.
_TAKE_STEP: Final = """
UPDATE operator_account SET otp_step = $2, attempts = 0, first_attempt_at = NULL, lock_count = 0
WHERE id = $1 AND otp_step < $2 AND state = 'active'
"""
_ADD_SESSION: Final = """
INSERT INTO operator_session (id, operator_id, token_hash, created_at, last_used_at, expires_at)
VALUES ($1, $2, $3, $4, $4, $5) RETURNING id
"""
_CALLER: Final = """
SELECT s.id, s.operator_id, s.last_used_at, s.expires_at, s.ended_at, o.username, o.role, o.state
FROM operator_session s JOIN operator_account o ON o.id = s.operator_id WHERE s.token_hash = $1
"""
_TOUCH: Final = "UPDATE operator_session SET last_used_at = $2 WHERE id = $1 AND ended_at IS NULL AND last_used_at < $2"
_END: Final = "UPDATE operator_session SET ended_at = $2 WHERE id = $1 AND ended_at IS NULL"
_TOUCH_EVERY: Final = timedelta(seconds=30)


class Operators:
    """The staff. Wrong name, password, code and a locked account look the same from outside."""

    def __init__(
        self,
        *,
        vault: Vault,
        limits: Limits,
        audit: Audit,
        clock: Clock,
        ids: Ids,
        settings: OperatorSettings,
        rates: AuthLimits,
    ) -> None:
        self._vault = vault
        self._limits = limits
        self._audit = audit
        self._clock = clock
        self._ids = ids
        self._settings = settings
        self._rates = rates
        self._places = asyncio.Semaphore(_AT_ONCE)

    async def create(self, username: str, role: Role) -> NewOperator:
        """Make an operator and return the password and the secret of the one-time codes, which are told this once.

        Raises:
            UsernameTaken: there is one of that name.
            ValueError: the name is not made of 3 to 64 lower-case letters, digits, dots and dashes.
        """
        if not 3 <= len(username) <= 64 or not username.isascii() or username != username.lower():  # noqa: PLR2004 — said above
            raise ValueError(_USERNAME)
        if not username.replace(".", "").replace("-", "").isalnum():
            raise ValueError(_USERNAME)
        password, secret = secrets.token_urlsafe(15), pyotp.random_base32()
        operator_id = self._ids.uuid()
        async with self._places:
            password_hash = await asyncio.to_thread(_HASHER.hash, password)
        sealed = self._vault.seal(_OTP, operator_id, secret)

        async def work() -> bool:
            now = self._clock.now()
            if not await fetch(_ADD, operator_id, username, role.value, password_hash, sealed, now):
                return False
            await self._audit.record(
                "auth.operator-created",
                actor=SYSTEM,
                object_kind="operator",
                object_id=operator_id,
                outcome=role.value,
            )
            return True

        if not await transaction(work):
            raise UsernameTaken
        uri = pyotp.TOTP(secret, interval=_STEP_SECONDS).provisioning_uri(name=username, issuer_name=_ISSUER)
        return NewOperator(operator_id, username, password, uri)

    async def log_in(self, username: str, password: str, otp: str, *, address: str) -> StaffGrant:
        """Let an operator in by password and one-time code.

        Five attempts within ten minutes lock the account for half an hour, then for twice as long each time; the count
        stands in the database.

        Raises:
            StaffLoginInvalid: name, password or code is wrong, the code was used, or the account is locked.
            TooManyRequests: this address tries too often.
        """
        await self._limits.hit_address("auth.staff", self._rates.staff_address, address)
        now = self._clock.now()
        since = now - timedelta(minutes=self._settings.window_minutes)

        async def count() -> dict[str, Any] | None:
            return await fetch_one(_COUNT_ATTEMPT, username[:_LONGEST], now, since, self._settings.attempts)

        row = await transaction(count)
        right = await self._is_password(password, _NOBODY if row is None else row["password_hash"])
        if row is None:
            raise StaffLoginInvalid
        operator_id = as_uuid(row["id"])
        step = self._step_of(self._vault.open(_OTP, operator_id, row["otp_sealed"]), otp, now)
        grant = await self._enter(row, step, now) if right and step is not None else None
        if grant is None:
            await self._fail(operator_id, int(row["lock_count"]), now)
            raise StaffLoginInvalid
        return grant

    async def caller_of(self, access_token: str, *, roles: Collection[str] = ()) -> StaffCaller:
        """Return which operator a token belongs to, and see that they have one of `roles` (none given: any).

        Raises:
            TokenInvalid: the token is none of ours, its session has ended, or the operator was disabled.
            TokenExpired: the session stood unused too long, or is over.
            RoleForbidden: the operator has another role.
        """
        row = await fetch_one(_CALLER, sha256_hex(access_token.encode()))
        if row is None or row["ended_at"] is not None or row["state"] != "active":
            raise TokenInvalid
        now = self._clock.now()
        idle = timedelta(minutes=self._settings.idle_minutes)
        if as_moment(row["expires_at"]) <= now or as_moment(row["last_used_at"]) + idle <= now:
            raise TokenExpired
        caller = StaffCaller(as_uuid(row["operator_id"]), as_uuid(row["id"]), row["username"], Role(row["role"]))
        if roles and caller.role.value not in roles:
            raise RoleForbidden
        if as_moment(row["last_used_at"]) + _TOUCH_EVERY <= now:  # Not at each request: reads should stay reads.
            await transaction(lambda: execute(_TOUCH, caller.session_id, now))
        return caller

    async def end(self, caller: StaffCaller) -> None:
        """Log an operator out.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """

        async def work() -> None:
            if await execute(_END, caller.session_id, self._clock.now()) == 1:
                await self._record("auth.staff-logged-out", caller.operator_id, caller.session_id)

        await transaction(work)

    async def _is_password(self, password: str, password_hash: str) -> bool:
        async with self._places:
            return await asyncio.to_thread(_verify, password_hash, password[:_LONGEST])

    def _step_of(self, secret: str, otp: str, now: datetime) -> int | None:
        """Return the step whose code was given, this one or a neighbour (clocks differ), or None."""
        totp = pyotp.TOTP(secret, interval=_STEP_SECONDS)
        this = int(now.timestamp()) // _STEP_SECONDS
        given = otp.encode()
        matching = [step for step in (this - 1, this, this + 1) if hmac.compare_digest(_code(totp, step), given)]
        return matching[-1] if matching else None

    async def _enter(self, row: Mapping[str, Any], step: int, now: datetime) -> StaffGrant | None:
        operator_id, session_id = as_uuid(row["id"]), self._ids.uuid()
        token = self._ids.token(32)
        expires_at = now + timedelta(hours=self._settings.absolute_hours)

        async def work() -> bool:
            if await execute(_TAKE_STEP, operator_id, step) != 1:
                return False
            await fetch(_ADD_SESSION, session_id, operator_id, sha256_hex(token.encode()), now, expires_at)
            await self._record("auth.staff-logged-in", operator_id, session_id)
            return True

        if not await transaction(work):
            return None
        return StaffGrant(
            session_id=session_id,
            access_token=token,
            expires_in=self._settings.absolute_hours * 3600,
            idle_seconds=self._settings.idle_minutes * 60,
            operator=StaffCaller(operator_id, session_id, row["username"], Role(row["role"])),
        )

    async def _fail(self, operator_id: UUID, lock_count: int, now: datetime) -> None:
        until = lock_until(now, lock_count=lock_count, first=timedelta(minutes=self._settings.lock_minutes))

        async def work() -> None:
            locked = await execute(_LOCK, operator_id, until, self._settings.attempts) == 1
            await self._record("auth.staff-logged-in", operator_id, "", outcome="locked" if locked else "refused")

        await transaction(work)

    async def _record(self, action: str, operator_id: UUID, session_id: UUID | str, *, outcome: str = "ok") -> None:
        await self._audit.record(
            action,
            actor=Actor(ActorKind.OPERATOR, str(operator_id)),
            object_kind="staff-session",
            object_id=session_id,
            outcome=outcome,
        )


def _code(totp: pyotp.TOTP, step: int) -> bytes:
    return totp.generate_otp(step).encode()


def _verify(password_hash: str, password: str) -> bool:
    try:
        return _HASHER.verify(password_hash, password)
    except (VerificationError, InvalidHashError):
        return False
