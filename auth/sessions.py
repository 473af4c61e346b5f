"""Sessions: opened at login, renewed by rotating refresh tokens, raised by proofs, ended by their owner."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from auth.errors import AccountClosed, RefreshInvalid, RefreshReused, TokenInvalid
from auth.places.devices import tell_of_new_device
from auth.places.recent import CALLER, RecentSessions
from auth.records import Record, Records
from auth.rules import effective_level, fresh_until, is_elder, may_repeat
from auth.settings import LevelSettings, SessionSettings
from auth.tokens import Tokens
from auth.types import Caller, CitizenView, Grant, Level, SessionView, acting
from core.audit.actors import NOBODY
from core.audit.record import Audit
from core.clock import Clock, china_date
from core.crypto import Vault, sha256_hex
from core.db import as_moment, as_uuid, execute, fetch, fetch_one, is_postgres, later, require_transaction, transaction
from core.errors import Problem
from core.ids import Ids
from core.jobs.queue import Jobs

# The list of sessions tells the last use to the minute; a write with each request would tell it no better.
_TOUCH_EVERY: Final = timedelta(minutes=1)
_LONGEST_REFRESH: Final = 128
_SUCCESSOR: Final = "refresh_token.successor"
_DEVICE: Final = "citizen_session.device"

_ADD_SESSION: Final = """
INSERT INTO citizen_session (id, citizen_id, account_id, level, present_until, elder, device_hash, generation,
                             created_at, last_used_at, expires_at, end_reason, operator_id)
VALUES ($1, $2, $3, $4, $5, $6, $7, 0, $8, $8, $9, '', $10) RETURNING id
"""
# Only while the account is the resident's. A login and the removal of its account wait for each other, or a session
# could be opened just after the removal has ended them all; its refresh token would have no session and undoes both.
_ADD_BY_ACCOUNT: Final = """
INSERT INTO citizen_session (id, citizen_id, account_id, level, present_until, elder, device_hash, generation,
                             created_at, last_used_at, expires_at, end_reason, operator_id)
SELECT $1, $2, $3, $4, $5, $6, $7, 0, $8, $8, $9, '', $10
FROM wechat_account WHERE id = $3 AND citizen_id = $2 RETURNING id
"""
# SQLite writes one after the other in any case and knows no FOR SHARE.
_ADD_AND_HOLD: Final = _ADD_BY_ACCOUNT.replace("RETURNING", "FOR SHARE RETURNING")
_ADD_REFRESH: Final = """
INSERT INTO refresh_token (id, session_id, generation, token_hash, expires_at) VALUES ($1, $2, $3, $4, $5) RETURNING id
"""
# Compare and set: of many at once one gets the row; the others wait for it and then find it used.
_USE: Final = """
UPDATE refresh_token SET used_at = $2 WHERE token_hash = $1 AND used_at IS NULL AND expires_at > $2
RETURNING id, session_id, generation
"""
_ADVANCE: Final = """
UPDATE citizen_session SET generation = generation + 1, last_used_at = $3
WHERE id = $1 AND generation = $2 AND ended_at IS NULL AND expires_at > $3
RETURNING id, citizen_id, level, present_until, elder, expires_at
"""
_KEEP_SUCCESSOR: Final = "UPDATE refresh_token SET successor_sealed = $2 WHERE id = $1"
_WIPE_EARLIER: Final = """
UPDATE refresh_token SET successor_sealed = NULL
WHERE session_id = $1 AND generation < $2 AND successor_sealed IS NOT NULL
"""
_FIND_USED: Final = """
SELECT t.id, t.used_at, t.generation, t.successor_sealed, s.id AS session_id, s.generation AS newest, s.citizen_id,
       s.level, s.present_until, s.elder, s.device_hash, s.ended_at, s.end_reason, s.expires_at
FROM refresh_token t JOIN citizen_session s ON s.id = t.session_id WHERE t.token_hash = $1
"""
_TOUCH: Final = "UPDATE citizen_session SET last_used_at = $2 WHERE id = $1"
_END: Final = """
UPDATE citizen_session SET ended_at = $2, end_reason = $3, present_until = NULL WHERE id = $1 AND ended_at IS NULL
"""
_RAISE: Final = """
UPDATE citizen_session SET present_until = $2 WHERE id = $1 AND ended_at IS NULL AND level = 'real_name'
RETURNING citizen_id, operator_id
"""
_LIST: Final = """
SELECT id, level, present_until, device_hash, created_at, last_used_at, operator_id FROM citizen_session
WHERE citizen_id = $1 AND ended_at IS NULL AND expires_at > $2 AND (created_at < $3 OR (created_at = $3 AND id < $4))
ORDER BY created_at DESC, id DESC LIMIT $5
"""
_AFTER_ALL: Final = (datetime(9999, 1, 1, tzinfo=UTC), UUID(int=0))


class Sessions:
    """The sessions of residents.

    A session's level is read from its row at each request: raising or ending it holds at once, on every worker. Refresh
    tokens rotate; the second use of one ends the session, but for the moments in which an answer may have got lost.
    """

    def __init__(
        self,
        *,
        tokens: Tokens,
        recent: RecentSessions,
        records: Records,
        vault: Vault,
        audit: Audit,
        jobs: Jobs,
        clock: Clock,
        ids: Ids,
        settings: SessionSettings,
        levels: LevelSettings,
    ) -> None:
        self._tokens = tokens
        self._recent = recent
        self._records = records
        self._vault = vault
        self._audit = audit
        self._jobs = jobs
        self._clock = clock
        self._ids = ids
        self._settings = settings
        self._policy = levels.fresh_for()

    async def open(self, citizen_id: UUID, *, level: Level, device: str) -> Grant:
        """Log a resident in on a device and return their way in; inside a transaction it joins that one.

        Raises:
            AccountClosed: the account is closed, or there is none.
        """

        async def work() -> Grant:
            record = await self._records.find(citizen_id)
            if record is None:
                raise AccountClosed
            return await self.open_for(record, level=level, device=device)

        return await transaction(work)

    async def open_for(
        self,
        record: Record,
        *,
        level: Level,
        device: str,
        account_id: UUID | None = None,
        operator_id: UUID | None = None,
        lifetime: timedelta | None = None,
        is_new_device: bool | None = None,
    ) -> Grant:
        """Like `open`, inside a transaction or `in_one_statement`, for whoever has read the resident's row already.

        `account_id` is the WeChat account they came by, None for a face or another way. `operator_id` is the officer
        who acts in it for them; `lifetime` ends it earlier than others.

        Raises:
            AccountClosed: the account is closed.
            IntegrityError: the WeChat account is not theirs any more; raised where the rows go out.
            OutsideTransaction: no transaction is running.
        """
        require_transaction()
        if not record.is_active:
            raise AccountClosed
        now = self._clock.now()
        session_id = self._ids.uuid()
        elder = self._elder(record, now)
        base = min(level, record.level, key=lambda one: one.rank)
        is_present = level is Level.PRESENT and record.level is Level.REAL_NAME
        until = fresh_until(now, elder=elder, policy=self._policy) if is_present else None
        expires_at = now + (lifetime or timedelta(days=self._settings.absolute_days))
        device_hash = self.device_mark(device)
        await tell_of_new_device(self._jobs, record, session_id, device_hash, is_new=is_new_device)
        await later(
            _ADD_SESSION if account_id is None else _ADD_AND_HOLD if is_postgres() else _ADD_BY_ACCOUNT,
            session_id,
            record.citizen_id,
            account_id,
            base.value,
            until,
            elder,
            device_hash,
            now,
            expires_at,
            operator_id,
        )
        refresh_token = await self._new_token(session_id, 0, now, expires_at)
        await self._audit.record(
            "auth.session-opened",
            actor=acting(record.citizen_id, operator_id),
            subject_id=record.citizen_id,
            object_kind="session",
            object_id=session_id,
        )
        return self._grant(record, session_id, refresh_token, effective_level(base, until, now), elder=elder)

    async def renew(self, refresh_token: str, device: str) -> Grant:
        """Exchange a refresh token for its successor and a fresh access token.

        The same device gets the same successor once more within the grace (`security.md` 4.6).

        Raises:
            RefreshInvalid: the token is unknown or too old, or its session has ended.
            RefreshReused: the token was used before; the whole session is ended.
            AccountClosed: the account is closed.
        """
        if not refresh_token.isascii() or len(refresh_token) > _LONGEST_REFRESH:
            raise RefreshInvalid
        token_hash = sha256_hex(refresh_token.encode())

        async def work() -> Grant | Problem:
            now = self._clock.now()
            used = await fetch_one(_USE, token_hash, now)
            rotated = None if used is None else await self._rotate(used, now)
            return await self._not_rotated(token_hash, device, now) if rotated is None else rotated

        # A problem comes back as a value: raised inside, it would undo the end of a stolen session.
        result = await transaction(work)
        if isinstance(result, Problem):
            raise result
        return result

    async def caller_of(self, access_token: str, *, lately: bool = False) -> Caller:
        """Return who an access token belongs to, at the level their session has now.

        `lately`: the session as it was within the last second will do. That is for reads, and refuses nobody: who
        finds the level too low has to ask without it.

        Raises:
            TokenInvalid: the token is none of ours, or its session has ended.
            TokenExpired: the token is past its time.
        """
        claims = self._tokens.check(access_token)
        now = self._clock.now()
        row = self._recent.remembered(claims.citizen_id, claims.session_id) if lately else None
        if row is None:
            row = await self._recent.read(claims.citizen_id, claims.session_id, now)
            if row is None:
                raise TokenInvalid
            if now - as_moment(row["last_used_at"]) > _TOUCH_EVERY:
                await transaction(lambda: execute(_TOUCH, claims.session_id, now))
        return Caller(
            citizen_id=claims.citizen_id,
            session_id=claims.session_id,
            level=_level(row, now),
            elder=bool(row["elder"]),
            actor_id=claims.citizen_id,
            operator_id=_operator(row),
        )

    async def is_open(self, session_id: UUID) -> bool:
        """Tell whether a session has neither ended nor run out.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        return await fetch_one(CALLER, session_id, self._clock.now()) is not None

    def fresh_until(self, *, elder: bool) -> datetime:
        """Return until when a proof of presence given now counts."""
        return fresh_until(self._clock.now(), elder=elder, policy=self._policy)

    async def raise_level(self, session_id: UUID, level: Level, *, until: datetime) -> None:
        """Raise a session that has a real name to `level` for a while, in the running transaction.

        Raises:
            TokenInvalid: the session has ended meanwhile, or has no real name.
            OutsideTransaction: no transaction is running.
        """
        require_transaction()
        if level is not Level.PRESENT:
            raise ValueError("only a proof of presence raises one session alone")
        row = await fetch_one(_RAISE, session_id, until)
        if row is None:
            raise TokenInvalid
        citizen_id = as_uuid(row["citizen_id"])
        self._recent.changed(citizen_id)
        await self._audit.record(
            "auth.level-raised",
            actor=acting(citizen_id, _operator(row)),
            subject_id=citizen_id,
            object_kind="session",
            object_id=session_id,
            outcome=level.value,
        )

    async def list_sessions(
        self, caller: Caller, *, before: tuple[datetime, UUID] | None = None, limit: int = 20
    ) -> list[SessionView]:
        """Return where the caller is logged in, newest first, at most `limit`, those before a session when given.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        now = self._clock.now()
        rows = await fetch(_LIST, caller.citizen_id, now, *(before or _AFTER_ALL), limit)
        return [
            SessionView(
                id=as_uuid(row["id"]),
                device=row["device_hash"][:8] or None,
                level=_level(row, now),
                created_at=as_moment(row["created_at"]),
                last_used_at=as_moment(row["last_used_at"]),
                current=as_uuid(row["id"]) == caller.session_id,
                assisted=row["operator_id"] is not None,
            )
            for row in rows
        ]

    async def _rotate(self, used: Mapping[str, Any], now: datetime) -> Grant | Problem | None:
        session_id, generation = as_uuid(used["session_id"]), int(used["generation"])
        session = await fetch_one(_ADVANCE, session_id, generation, now)
        if session is None:
            return None
        successor = await self._new_token(session_id, generation + 1, now, as_moment(session["expires_at"]))
        token_id = as_uuid(used["id"])
        await execute(_KEEP_SUCCESSOR, token_id, self._vault.seal(_SUCCESSOR, token_id, successor))
        await execute(_WIPE_EARLIER, session_id, generation)
        return await self._renewed(session, session_id, successor, now)

    async def _not_rotated(self, token_hash: str, device: str, now: datetime) -> Grant | Problem:
        row = await fetch_one(_FIND_USED, token_hash)
        if row is None:
            return RefreshInvalid()
        if row["ended_at"] is not None:
            return RefreshReused() if row["end_reason"] == "refresh-reused" else RefreshInvalid()
        if row["used_at"] is None or as_moment(row["expires_at"]) <= now:
            return RefreshInvalid()
        session_id = as_uuid(row["session_id"])
        allowed = may_repeat(
            used_at=as_moment(row["used_at"]),
            now=now,
            grace=timedelta(seconds=self._settings.grace_seconds),
            generation=int(row["generation"]),
            newest=int(row["newest"]),
        )
        same_device = bool(device) and row["device_hash"] == self.device_mark(device)
        if allowed and same_device and row["successor_sealed"] is not None:
            successor = self._vault.open(_SUCCESSOR, as_uuid(row["id"]), row["successor_sealed"])
            return await self._renewed(row, session_id, successor, now)
        await self._end_family(session_id, as_uuid(row["citizen_id"]), now)
        return RefreshReused()

    async def _end_family(self, session_id: UUID, citizen_id: UUID, now: datetime) -> None:
        if await execute(_END, session_id, now, "refresh-reused") == 1:
            self._recent.changed(citizen_id)
            await self._audit.record(
                "auth.refresh-reused",
                actor=NOBODY,
                subject_id=citizen_id,
                object_kind="session",
                object_id=session_id,
                outcome="session-ended",
            )

    async def _renewed(
        self, session: Mapping[str, Any], session_id: UUID, refresh_token: str, now: datetime
    ) -> Grant | Problem:
        record = await self._records.find(as_uuid(session["citizen_id"]))
        if record is None or not record.is_active:
            return AccountClosed()
        elder = self._elder(record, now)
        if elder != bool(session["elder"]):  # A birthday since the last renewal.
            await execute("UPDATE citizen_session SET elder = $2 WHERE id = $1", session_id, elder)
            self._recent.changed(record.citizen_id)
        return self._grant(record, session_id, refresh_token, _level(session, now), elder=elder)

    async def _new_token(self, session_id: UUID, generation: int, now: datetime, at_most: datetime) -> str:
        refresh_token = self._ids.token(32)
        expires_at = min(now + timedelta(days=self._settings.refresh_days), at_most)
        token_hash = sha256_hex(refresh_token.encode())
        await later(_ADD_REFRESH, self._ids.uuid(), session_id, generation, token_hash, expires_at)
        return refresh_token

    def _grant(self, record: Record, session_id: UUID, refresh_token: str, level: Level, *, elder: bool) -> Grant:
        return Grant(
            session_id=session_id,
            access_token=self._tokens.issue(record.citizen_id, session_id),
            refresh_token=refresh_token,
            expires_in=self._tokens.lifetime,
            citizen=CitizenView(
                id=record.citizen_id,
                level=level,
                name=None if record.name is None else record.name.masked(),
                elder=elder,
            ),
        )

    def _elder(self, record: Record, now: datetime) -> bool:
        return is_elder(record.id_number, chosen=record.elder_chosen, day=china_date(now), policy=self._policy)

    def device_mark(self, device: str) -> str:
        """Return the keyed hash by which a device is known again, empty for one that says nothing of itself."""
        return self._vault.mark(_DEVICE, device) if device else ""


def _level(session: Mapping[str, Any], now: datetime) -> Level:
    until = session["present_until"]
    return effective_level(Level(session["level"]), None if until is None else as_moment(until), now)


def _operator(session: Mapping[str, Any]) -> UUID | None:
    return None if session["operator_id"] is None else as_uuid(session["operator_id"])
