"""Proving to be an operator: password and one-time code, few attempts, no code twice."""

import hmac
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar
from uuid import UUID

import pyotp

from auth.settings import AuthLimits, OperatorSettings
from auth.staff.errors import StaffLoginInvalid
from auth.staff.passwords import LONGEST, Passwords
from auth.staff.rules import lock_until
from core.audit.actors import Actor
from core.audit.record import Audit
from core.cache import Limits
from core.clock import Clock
from core.crypto import Vault, sha256_hex
from core.db import as_json, as_uuid, execute, fetch_one, transaction
from core.log import get_logger
from core.metrics import STAFF_LOGINS
from core.signers.networks import comes_from

log = get_logger(__name__)

T = TypeVar("T")
# What is done once somebody has proved who they are, in the transaction that uses their code up.
Then = Callable[[UUID, str], Awaitable[T]]

OTP: Final = "operator_account.otp"
STEP_SECONDS: Final = 30

_NETWORKS: Final = "SELECT networks FROM operator_account WHERE username = $1"
# An attempt counts when it starts: many at once cannot try more codes than one after the other.
_COUNT_ATTEMPT: Final = """
UPDATE operator_account
SET attempts = CASE WHEN first_attempt_at > $3 THEN attempts + 1 ELSE 1 END,
    first_attempt_at = CASE WHEN first_attempt_at > $3 THEN first_attempt_at ELSE $2 END
WHERE username = $1 AND state = 'active' AND (locked_until IS NULL OR locked_until <= $2)
      AND (first_attempt_at IS NULL OR first_attempt_at <= $3 OR attempts < $4)
RETURNING id, username, password_hash, otp_sealed, attempts, lock_count
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
_TAKE_RECOVERY_CODE: Final = """
UPDATE recovery_code SET used_at = $3 WHERE operator_id = $1 AND code_hash = $2 AND used_at IS NULL
"""
_FORGIVE: Final = """
UPDATE operator_account SET attempts = 0, first_attempt_at = NULL, lock_count = 0 WHERE id = $1 AND state = 'active'
"""


class Proof:
    """Takes password and code. Everything wrong looks the same from outside."""

    def __init__(
        self,
        *,
        vault: Vault,
        passwords: Passwords,
        limits: Limits,
        audit: Audit,
        clock: Clock,
        settings: OperatorSettings,
        rates: AuthLimits,
    ) -> None:
        self._vault = vault
        self._passwords = passwords
        self._limits = limits
        self._audit = audit
        self._clock = clock
        self._settings = settings
        self._rates = rates

    async def give(self, username: str, password: str, otp: str, *, address: str, then: Then[T]) -> T:
        """Do something for who proves to be an operator, in one transaction with the use of their code.

        A recovery code takes the place of the one-time code once. Five attempts within ten minutes lock the account for
        half an hour, then for twice as long each time; the count stands in the database. What comes from where the
        account may not come from is not counted: nobody can lock it from there.

        Raises:
            StaffLoginInvalid: name, password or code is wrong, the code was used, the account is locked or disabled,
                or the address lies in none of the networks it may come from.
            TooManyRequests: this address tries too often.
        """
        await self._limits.hit_address("auth.staff", self._rates.staff_address, address)
        now = self._clock.now()
        since = now - timedelta(minutes=self._settings.window_minutes)

        async def count() -> dict[str, Any] | None:
            return await fetch_one(_COUNT_ATTEMPT, username[:LONGEST], now, since, self._settings.attempts)

        row = await transaction(count) if await self._is_near(username[:LONGEST], address) else None
        right = await self._passwords.is_right(password, "" if row is None else row["password_hash"])
        if row is None:
            STAFF_LOGINS.labels("refused").inc()
            raise StaffLoginInvalid
        operator_id = as_uuid(row["id"])
        taken = self._taking(operator_id, row, otp, now) if right else None

        async def work() -> list[T]:
            return [] if taken is None or not await taken() else [await then(operator_id, row["username"])]

        done = await transaction(work)
        if not done:
            await self._fail(operator_id, int(row["lock_count"]), now)
            raise StaffLoginInvalid
        return done[0]

    async def _is_near(self, username: str, address: str) -> bool:
        row = await fetch_one(_NETWORKS, username)
        return comes_from(address, self._settings.networks, () if row is None else as_json(row["networks"]))

    def _taking(
        self, operator_id: UUID, row: Mapping[str, Any], otp: str, now: datetime
    ) -> Callable[[], Awaitable[bool]]:
        """Return what uses the given code up, in the running transaction."""
        step = self._step_of(self._vault.open(OTP, operator_id, row["otp_sealed"]), otp, now)
        if step is not None:

            async def take_step() -> bool:
                return await execute(_TAKE_STEP, operator_id, step) == 1

            return take_step

        async def take_recovery_code() -> bool:
            if await execute(_TAKE_RECOVERY_CODE, operator_id, recovery_hash(operator_id, otp), now) != 1:
                return False
            await self._record("auth.recovery-code-used", operator_id)
            return await execute(_FORGIVE, operator_id) == 1

        return take_recovery_code

    @staticmethod
    def _step_of(secret: str, otp: str, now: datetime) -> int | None:
        """Return the step whose code was given, this one or a neighbour (clocks differ), or None."""
        totp = pyotp.TOTP(secret, interval=STEP_SECONDS)
        this = int(now.timestamp()) // STEP_SECONDS
        given = otp.encode()
        matching = [
            step for step in (this - 1, this, this + 1) if hmac.compare_digest(totp.generate_otp(step).encode(), given)
        ]
        return matching[-1] if matching else None

    async def _fail(self, operator_id: UUID, lock_count: int, now: datetime) -> None:
        until = lock_until(now, lock_count=lock_count, first=timedelta(minutes=self._settings.lock_minutes))

        async def work() -> bool:
            locked = await execute(_LOCK, operator_id, until, self._settings.attempts) == 1
            await self._record("auth.staff-logged-in", operator_id, outcome="locked" if locked else "refused")
            return locked

        locked = await transaction(work)
        STAFF_LOGINS.labels("locked" if locked else "refused").inc()
        if locked:
            log.warning("an operator is locked out after too many attempts", operator=str(operator_id))

    async def _record(self, action: str, operator_id: UUID, *, outcome: str = "ok") -> None:
        await self._audit.record(
            action, actor=Actor.operator(operator_id), object_kind="operator", object_id=operator_id, outcome=outcome
        )


def recovery_hash(operator_id: UUID, code: str) -> str:
    """Return what is kept of a recovery code; it is random enough for a plain hash."""
    return sha256_hex(f"{operator_id} {code.strip().lower()}".encode())
