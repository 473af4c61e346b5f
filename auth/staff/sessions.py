"""Operators' sessions: opened by two proofs, ended by hand, by standing idle, or with what their holder may do."""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from auth.errors import TokenExpired, TokenInvalid
from auth.settings import OperatorSettings
from auth.staff.grants import grants_of, read_grants
from auth.staff.leaving import Leaving
from auth.staff.passwords import Passwords
from auth.staff.proof import Proof
from auth.staff.types import StaffGrant, StaffSessionView
from auth.types import StaffCaller
from core.audit.actors import Actor
from core.audit.record import Audit
from core.clock import Clock
from core.crypto import sha256_hex
from core.db import as_json, as_moment, as_uuid, execute, fetch, transaction
from core.ids import Ids
from core.metrics import STAFF_LOGINS
from core.signers.networks import comes_from

_ADD: Final = """
INSERT INTO operator_session (id, operator_id, token_hash, created_at, last_used_at, expires_at)
VALUES ($1, $2, $3, $4, $4, $5) RETURNING id
"""
_CALLER: Final = """
SELECT s.id, s.operator_id, s.last_used_at, s.expires_at, s.ended_at, o.username, o.state, o.networks,
       g.role, g.region, g.department, g.matter
FROM operator_session s JOIN operator_account o ON o.id = s.operator_id
LEFT JOIN operator_grant g ON g.operator_id = o.id
WHERE s.token_hash = $1 ORDER BY g.role, g.id
"""
_TOUCH: Final = "UPDATE operator_session SET last_used_at = $2 WHERE id = $1 AND ended_at IS NULL AND last_used_at < $2"
_END: Final = "UPDATE operator_session SET ended_at = $3 WHERE id = $1 AND operator_id = $2 AND ended_at IS NULL"
_LIST: Final = """
SELECT id, created_at, last_used_at, expires_at FROM operator_session
WHERE operator_id = $1 AND ended_at IS NULL AND expires_at > $2 AND last_used_at > $3
      AND (created_at < $4 OR (created_at = $4 AND id < $5))
ORDER BY created_at DESC, id DESC LIMIT $6
"""
_SET_PASSWORD: Final = "UPDATE operator_account SET password_hash = $2 WHERE id = $1 AND state = 'active'"  # noqa: S105
_TOUCH_EVERY: Final = timedelta(seconds=30)


class StaffSessions:
    """Where operators are logged in. Every request reads the session and the roles, so what is taken away is gone."""

    def __init__(
        self,
        *,
        proof: Proof,
        passwords: Passwords,
        leaving: Leaving,
        audit: Audit,
        clock: Clock,
        ids: Ids,
        settings: OperatorSettings,
    ) -> None:
        self._proof = proof
        self._passwords = passwords
        self._leaving = leaving
        self._audit = audit
        self._clock = clock
        self._ids = ids
        self._settings = settings

    async def log_in(self, username: str, password: str, otp: str, *, address: str) -> StaffGrant:
        """Let an operator in by password and one-time code.

        Raises:
            StaffLoginInvalid: name, password or code is wrong, the code was used, or the account is locked.
            TooManyRequests: this address tries too often.
        """

        async def open_session(operator_id: UUID, name: str) -> StaffGrant:
            session_id, token, now = self._ids.uuid(), self._ids.token(32), self._clock.now()
            expires_at = now + timedelta(hours=self._settings.absolute_hours)
            await fetch(_ADD, session_id, operator_id, sha256_hex(token.encode()), now, expires_at)
            await self._record("auth.staff-logged-in", operator_id, session_id)
            return StaffGrant(
                session_id=session_id,
                access_token=token,
                expires_in=self._settings.absolute_hours * 3600,
                idle_seconds=self._settings.idle_minutes * 60,
                operator=StaffCaller(operator_id, session_id, name, await read_grants(operator_id)),
            )

        grant = await self._proof.give(username, password, otp, address=address, then=open_session)
        STAFF_LOGINS.labels("ok").inc()
        return grant

    async def caller_of(self, access_token: str, *, address: str) -> StaffCaller:
        """Return which operator a token belongs to, and what they hold at this moment.

        Raises:
            TokenInvalid: the token is none of ours, its session has ended, the operator was disabled, or it comes from
                where this operator may not come from.
            TokenExpired: the session stood unused too long, or is over.
        """
        rows = await fetch(_CALLER, sha256_hex(access_token.encode()))
        row = rows[0] if rows else None
        if row is None or row["ended_at"] is not None or row["state"] != "active":
            raise TokenInvalid
        if not comes_from(address, as_json(row["networks"]), self._settings.networks):
            raise TokenInvalid
        now = self._clock.now()
        idle = timedelta(minutes=self._settings.idle_minutes)
        if as_moment(row["expires_at"]) <= now or as_moment(row["last_used_at"]) + idle <= now:
            raise TokenExpired
        caller = StaffCaller(as_uuid(row["operator_id"]), as_uuid(row["id"]), row["username"], grants_of(rows))
        if as_moment(row["last_used_at"]) + _TOUCH_EVERY <= now:  # Not at each request: reads should stay reads.
            await transaction(lambda: execute(_TOUCH, caller.session_id, now))
        return caller

    async def list_sessions(
        self, caller: StaffCaller, *, before: tuple[datetime, UUID], limit: int
    ) -> list[StaffSessionView]:
        """Return where the caller is logged in, newest first, those before a place.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        now = self._clock.now()
        idle_since = now - timedelta(minutes=self._settings.idle_minutes)
        return [
            StaffSessionView(
                id=as_uuid(row["id"]),
                created_at=as_moment(row["created_at"]),
                last_used_at=as_moment(row["last_used_at"]),
                expires_at=as_moment(row["expires_at"]),
                current=as_uuid(row["id"]) == caller.session_id,
            )
            for row in await fetch(_LIST, caller.operator_id, now, idle_since, *before, limit)
        ]

    async def end(self, caller: StaffCaller, session_id: UUID) -> bool:
        """Log the caller out of one of their own sessions; return whether there was such a one.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """

        async def work() -> bool:
            if await execute(_END, session_id, caller.operator_id, self._clock.now()) != 1:
                return False
            await self._record("auth.staff-logged-out", caller.operator_id, session_id)
            return True

        return await transaction(work)

    async def change_password(self, caller: StaffCaller, password: str, otp: str, *, wanted: str, address: str) -> None:
        """Give the caller another password; it takes both proofs, and ends all their other sessions.

        Raises:
            StaffLoginInvalid: the password or the code is wrong.
            PasswordWeak: the new one is too easy to guess.
            TooManyRequests: this address tries too often.
        """
        await self._passwords.check(wanted, caller.username)
        password_hash = await self._passwords.hash(wanted)

        async def change(operator_id: UUID, _name: str) -> None:
            await execute(_SET_PASSWORD, operator_id, password_hash)
            await self._leaving.end(operator_id, by=caller.actor, but=caller.session_id)
            await self._record("auth.password-changed", operator_id, caller.session_id)

        await self._proof.give(caller.username, password, otp, address=address, then=change)

    async def _record(self, action: str, operator_id: UUID, session_id: UUID) -> None:
        await self._audit.record(
            action, actor=Actor.operator(operator_id), object_kind="staff-session", object_id=session_id
        )
