"""Logging in with one tap: a code from the mini program becomes an account, and the account a session."""

from contextlib import suppress
from datetime import timedelta
from typing import Final

from limits import parse

from auth.ports import MiniProgram
from auth.records import OPENID, Records, add_newcomer
from auth.sessions import Sessions
from auth.settings import AuthLimits
from auth.types import AccountIdentity, Grant
from core.cache import Limits, TooManyRequests
from core.clock import Clock
from core.crypto import Vault
from core.db import IntegrityError, as_uuid, fetch, fetch_one, in_one_statement, transaction
from core.ids import Ids

# One account by its id: with an estimate of two, PostgreSQL answers `EXISTS` from a hash of all sessions there are.
# `recent`: how often the account has logged in lately, counted where nothing can make it forget.
_BY_OPENID: Final = """
SELECT w.id AS account_id, c.id, c.name_sealed, c.id_number_sealed, c.id_number_hash, c.mobile_sealed, c.elder_chosen,
       c.state, k.wrapped,
       (SELECT count(*) FROM citizen_session s WHERE s.account_id = w.id AND s.created_at > $3) AS recent,
       EXISTS (SELECT 1 FROM citizen_session s WHERE s.citizen_id = c.id AND s.device_hash = $4) AS knows_device,
       EXISTS (SELECT 1 FROM citizen_session s WHERE s.citizen_id = c.id) AS came_before
FROM wechat_account w JOIN citizen c ON c.id = w.citizen_id LEFT JOIN person_key k ON k.person_id = c.id
WHERE w.id = (SELECT id FROM wechat_account WHERE openid_hash IN ($1, $2) LIMIT 1)
"""
_IS_THERE: Final = "SELECT 1 AS there FROM wechat_account WHERE openid_hash IN ($1, $2)"
_ADD_ACCOUNT: Final = """
INSERT INTO wechat_account (id, citizen_id, openid_sealed, openid_hash, created_at) VALUES ($1, $2, $3, $4, $5)
RETURNING id
"""
_AGAIN: Final = 2


class Login:
    """The way in for people with a WeChat account. A known resident is back under their real name with one call."""

    def __init__(
        self,
        *,
        mini_program: MiniProgram,
        sessions: Sessions,
        records: Records,
        vault: Vault,
        limits: Limits,
        clock: Clock,
        ids: Ids,
        settings: AuthLimits,
    ) -> None:
        self._mini_program = mini_program
        self._sessions = sessions
        self._records = records
        self._vault = vault
        self._limits = limits
        self._clock = clock
        self._ids = ids
        self._settings = settings
        self._by_account = parse(settings.login_account)
        self._window = timedelta(seconds=self._by_account.get_expiry())

    async def log_in(self, code: str, *, device: str, address: str) -> Grant:
        """Exchange a login code for a session; somebody new gets an account with it.

        Raises:
            CodeInvalid: the code was used, has expired, or was never given.
            WechatBlocked: WeChat holds the account for risky.
            WechatTooMany: WeChat lets the account log in no more for the moment.
            WechatUnavailable: WeChat could not be reached.
            WechatQuota: WeChat takes no more calls from us for a while.
            WechatMisconfigured: WeChat does not take our settings.
            TooManyRequests: this address, this account or everybody together logs in too often.
            AccountClosed: the account is closed.
        """
        await self._limits.hit_address("auth.login", self._settings.login_address, address)
        await self._limits.hit_here("auth.login:all", self._settings.login_all)
        identity = await self._mini_program.identify(code)
        openid_hashes = self._vault.indexes(OPENID, identity.openid.reveal())
        for _ in range(_AGAIN):
            # Two first logins at once: the unique index let the other one make the account, which is there now. Or the
            # account was just being removed from its resident, so that nothing could be opened by it for them; where
            # the resident's account was closed, both can happen one after the other.
            with suppress(IntegrityError):
                return await self._enter(identity, openid_hashes, device)
        return await self._enter(identity, openid_hashes, device)

    async def _enter(self, identity: AccountIdentity, openid_hashes: tuple[str, str], device: str) -> Grant:
        mark = self._sessions.device_mark(device)
        row = await fetch_one(_BY_OPENID, *openid_hashes, self._clock.now() - self._window, mark)
        if row is None:
            return await transaction(lambda: self._welcome(identity, openid_hashes, device))
        if row["recent"] >= self._by_account.amount:
            raise TooManyRequests(retry_after=int(self._window.total_seconds()))
        record, account_id = self._records.of_row(row), as_uuid(row["account_id"])
        is_new = bool(row["came_before"]) and not row["knows_device"]
        return await in_one_statement(
            lambda: self._sessions.open_for(
                record, level=record.level, device=device, account_id=account_id, is_new_device=is_new
            )
        )

    async def _welcome(self, identity: AccountIdentity, openid_hashes: tuple[str, str], device: str) -> Grant:
        is_claimed = await self._vault.claim(OPENID, identity.openid.reveal())
        if is_claimed and await fetch_one(_IS_THERE, *openid_hashes) is not None:
            # Somebody else was first, under the other key of the index, which no unique index sees.
            raise IntegrityError
        now = self._clock.now()
        account_id = self._ids.uuid()
        record = await add_newcomer(self._ids.uuid(), now)
        openid_hash = self._vault.index(OPENID, identity.openid.reveal())
        sealed = self._vault.seal(OPENID, account_id, identity.openid.reveal())
        await fetch(_ADD_ACCOUNT, account_id, record.citizen_id, sealed, openid_hash, now)
        return await self._sessions.open_for(record, level=record.level, device=device, account_id=account_id)
