"""Operators: invited with a one-time secret, activated, listed. What they may do is said in `appointments.py`."""

import secrets
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import pyotp

from auth.settings import AuthLimits, OperatorSettings
from auth.staff.errors import ActivationInvalid, ApprovalNeeded, NoSuchOperator, NotYourself, UsernameTaken
from auth.staff.grants import grants_of, read_grants, replace_grants, take_turn
from auth.staff.leaving import Leaving
from auth.staff.passwords import Passwords
from auth.staff.proof import OTP, STEP_SECONDS, recovery_hash
from auth.staff.rules import OVERSEERS, check_grants
from auth.staff.types import Activated, Invitation, OperatorState, OperatorView
from auth.types import RoleGrant, StaffCaller
from core.audit.actors import SYSTEM, Actor
from core.audit.record import Audit
from core.cache import Limits
from core.clock import Clock
from core.crypto import Vault, sha256_hex
from core.db import as_json, as_moment, as_uuid, execute, fetch, fetch_one, transaction
from core.ids import Ids
from core.signers.networks import comes_from

_ISSUER: Final = "zhijian"
_USERNAME: Final = "A username is 3 to 64 lower-case letters, digits, dots and dashes."
_RECOVERY_CODES: Final = 10

_ADD: Final = """
INSERT INTO operator_account (id, username, state, password_hash, otp_step, networks, attempts, lock_count,
                              activation_hash, activation_until, created_at)
VALUES ($1, $2, 'invited', '', 0, $3, 0, 0, $4, $5, $6) ON CONFLICT (username) DO NOTHING RETURNING id
"""
_INVITE_AGAIN: Final = """
UPDATE operator_account SET state = 'invited', password_hash = '', activation_hash = $2, activation_until = $3
WHERE id = $1 RETURNING username
"""
_INVITED: Final = """
SELECT id, username, networks FROM operator_account
WHERE activation_hash = $1 AND activation_until > $2 AND state = 'invited'
"""
# Of two uses at once one finds the row.
_ACTIVATE: Final = """
UPDATE operator_account
SET state = 'active', password_hash = $3, otp_sealed = $4, otp_step = 0, attempts = 0, first_attempt_at = NULL,
    locked_until = NULL, lock_count = 0, activation_hash = NULL, activation_until = NULL
WHERE id = $1 AND activation_hash = $2 AND activation_until > $5 AND state = 'invited'
"""
_FORGET_CODES: Final = "DELETE FROM recovery_code WHERE operator_id = $1"
_ADD_CODE: Final = "INSERT INTO recovery_code (id, operator_id, code_hash) VALUES ($1, $2, $3) RETURNING id"
_BY_NAME: Final = "SELECT id FROM operator_account WHERE username = $1"
_LIST: Final = """
SELECT o.id, o.username, o.state, o.networks, o.created_at, o.locked_until, g.role, g.region, g.department, g.matter
FROM (SELECT * FROM operator_account WHERE username > $1 ORDER BY username LIMIT $2) o
LEFT JOIN operator_grant g ON g.operator_id = o.id ORDER BY o.username, g.role, g.id
"""
_ONE: Final = """
SELECT o.id, o.username, o.state, o.networks, o.created_at, o.locked_until, g.role, g.region, g.department, g.matter
FROM operator_account o LEFT JOIN operator_grant g ON g.operator_id = o.id WHERE o.id = $1 ORDER BY g.role, g.id
"""


class Operators:
    """The staff, as administrators keep it. Who is changed is logged out in the same transaction."""

    def __init__(
        self,
        *,
        vault: Vault,
        passwords: Passwords,
        leaving: Leaving,
        limits: Limits,
        audit: Audit,
        clock: Clock,
        ids: Ids,
        settings: OperatorSettings,
        rates: AuthLimits,
    ) -> None:
        self._vault = vault
        self._passwords = passwords
        self._leaving = leaving
        self._limits = limits
        self._rates = rates
        self._audit = audit
        self._clock = clock
        self._ids = ids
        self._settings = settings

    async def invite(
        self,
        username: str,
        grants: Sequence[RoleGrant] = (),
        *,
        networks: Sequence[str] = (),
        caller: StaffCaller | None = None,
    ) -> Invitation:
        """Make an account and return its one-time secret. Without a caller it is the keyboard of the installation.

        Only the keyboard gives roles with it. Who invites knows the secret: what the account may do, a security
        administrator says, so that nobody alone makes an accomplice.

        Raises:
            UsernameTaken: there is one of that name.
            RolesExclude: one person cannot hold these roles.
            ApprovalNeeded: there are roles, and a caller.
            ValueError: the name is not made of 3 to 64 lower-case letters, digits, dots and dashes.
        """
        if not 3 <= len(username) <= 64 or not username.isascii() or username != username.lower():  # noqa: PLR2004 — said above
            raise ValueError(_USERNAME)
        if not username.replace(".", "").replace("-", "").isalnum():
            raise ValueError(_USERNAME)
        check_grants(grants)
        if caller is not None and grants:
            raise ApprovalNeeded
        operator_id, secret, now = self._ids.uuid(), secrets.token_urlsafe(32), self._clock.now()
        until = now + timedelta(hours=self._settings.activation_hours)

        async def work() -> bool:
            if not await fetch(_ADD, operator_id, username, list(networks), _hash(secret), until, now):
                return False
            await replace_grants(operator_id, grants, ids=self._ids)
            await self._record(caller, operator_id, outcome="ok")
            return True

        if not await transaction(work):
            raise UsernameTaken
        return Invitation(operator_id, username, secret, until)

    async def invite_again(self, operator_id: UUID, *, caller: StaffCaller | None = None) -> Invitation:
        """Give somebody a new one-time secret: what they had to log in with is worth nothing from now on.

        Who knows the secret could come in with it. So whoever looks at what others do is invited again at the keyboard
        of the installation only, and all others hold nothing until a security administrator gives it to them again.

        Raises:
            NoSuchOperator: there is no such operator.
            NotYourself: it is the caller.
            ApprovalNeeded: it takes the keyboard.
        """
        secret, now = secrets.token_urlsafe(32), self._clock.now()
        until = now + timedelta(hours=self._settings.activation_hours)

        async def work() -> Invitation:
            if caller is not None and caller.operator_id == operator_id:
                raise NotYourself
            await take_turn()
            row = await fetch_one(_INVITE_AGAIN, operator_id, _hash(secret), until)
            if row is None:
                raise NoSuchOperator
            if caller is not None:
                if {grant.role for grant in await read_grants(operator_id)} & OVERSEERS:
                    raise ApprovalNeeded(start="python -m scripts.create_operator --again")
                await replace_grants(operator_id, (), ids=self._ids)
            await self._leaving.end(operator_id, by=_actor(caller))
            await self._record(caller, operator_id, outcome="again")
            return Invitation(operator_id, row["username"], secret, until)

        return await transaction(work)

    async def activate(self, secret: str, password: str, *, address: str) -> Activated:
        """Exchange a one-time secret for a password of one's own, and return what makes the one-time codes.

        Raises:
            ActivationInvalid: the secret is unknown, was used, or has run out, or the address lies in none of the
                networks that its account may come from.
            PasswordWeak: the password is too easy to guess; the secret stays good.
            TooManyRequests: this address tries too often.
        """
        await self._limits.hit_address("auth.activation", self._rates.staff_address, address)
        row = await fetch_one(_INVITED, _hash(secret), self._clock.now())
        if row is None or not comes_from(address, as_json(row["networks"]), self._settings.networks):
            raise ActivationInvalid
        operator_id, username = as_uuid(row["id"]), str(row["username"])
        await self._passwords.check(password, username)
        password_hash = await self._passwords.hash(password)
        otp_secret = pyotp.random_base32()
        codes = tuple(_recovery_code() for _ in range(_RECOVERY_CODES))
        sealed = self._vault.seal(OTP, operator_id, otp_secret)

        async def work() -> bool:
            now = self._clock.now()
            if await execute(_ACTIVATE, operator_id, _hash(secret), password_hash, sealed, now) != 1:
                return False
            await execute(_FORGET_CODES, operator_id)
            for code in codes:
                await fetch(_ADD_CODE, self._ids.uuid(), operator_id, recovery_hash(operator_id, code))
            await self._audit.record(
                "auth.operator-activated",
                actor=Actor.operator(operator_id),
                object_kind="operator",
                object_id=operator_id,
            )
            return True

        if not await transaction(work):
            raise ActivationInvalid
        uri = pyotp.TOTP(otp_secret, interval=STEP_SECONDS).provisioning_uri(name=username, issuer_name=_ISSUER)
        return Activated(operator_id, username, uri, codes)

    async def get(self, operator_id: UUID) -> OperatorView:
        """Return one operator.

        Raises:
            NoSuchOperator: there is no such operator.
        """
        rows = await fetch(_ONE, operator_id)
        if not rows:
            raise NoSuchOperator
        return _view(rows)

    async def find_by_name(self, username: str) -> UUID | None:
        """Return the id of the operator of a name, if there is one."""
        row = await fetch_one(_BY_NAME, username)
        return None if row is None else as_uuid(row["id"])

    async def list_operators(self, *, after: str, limit: int) -> list[OperatorView]:
        """Return operators by name, those after one.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        found: dict[str, list[Mapping[str, Any]]] = {}
        for row in await fetch(_LIST, after, limit):
            found.setdefault(row["username"], []).append(row)
        return [_view(rows) for rows in found.values()]

    async def _record(self, caller: StaffCaller | None, operator_id: UUID, *, outcome: str) -> None:
        await self._audit.record(
            "auth.operator-invited",
            actor=_actor(caller),
            object_kind="operator",
            object_id=operator_id,
            outcome=outcome,
        )


def _actor(caller: StaffCaller | None) -> Actor:
    """Who acts; without a caller it is the keyboard of the installation."""
    return SYSTEM if caller is None else caller.actor


def _hash(secret: str) -> str:
    return sha256_hex(secret.encode())


def _recovery_code() -> str:
    """64 random bits in four groups."""
    text = secrets.token_hex(8)
    return f"{text[:4]}-{text[4:8]}-{text[8:12]}-{text[12:]}"


def _view(rows: Sequence[Mapping[str, Any]]) -> OperatorView:
    row = rows[0]
    return OperatorView(
        id=as_uuid(row["id"]),
        username=row["username"],
        state=OperatorState(row["state"]),
        grants=grants_of(rows),
        networks=tuple(as_json(row["networks"])),
        created_at=as_moment(row["created_at"]),
        locked_until=None if row["locked_until"] is None else as_moment(row["locked_until"]),
    )
