"""Logging in with one tap: a code from the mini program becomes an account, and the account a session."""

from typing import Any, Final
from uuid import UUID

from auth.ports import MiniProgram
from auth.records import OPENID, Record, Records, add_newcomer
from auth.sessions import Sessions
from auth.settings import AuthLimits
from auth.types import AccountIdentity, Grant
from core.cache import Limits
from core.clock import Clock
from core.crypto import Vault
from core.db import IntegrityError, as_uuid, fetch, fetch_one, is_postgres, transaction
from core.ids import Ids

_BY_OPENID: Final = """
SELECT w.id AS account_id, c.id, c.name_sealed, c.id_number_sealed, c.id_number_hash, c.mobile_sealed, c.elder_chosen,
       c.state
FROM wechat_account w JOIN citizen c ON c.id = w.citizen_id WHERE w.openid_hash IN ($1, $2)
"""
_ADD_ACCOUNT: Final = """
INSERT INTO wechat_account (id, citizen_id, openid_sealed, openid_hash, created_at) VALUES ($1, $2, $3, $4, $5)
RETURNING id
"""
# A login and the removal of its account wait for each other: otherwise a session could be opened just after the removal
# has ended them all. SQLite writes one after the other in any case.
_AND_HOLD: Final = " FOR SHARE OF w"


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
        hashes = self._vault.indexes(OPENID, identity.openid.reveal())
        await self._limits.hit("auth.login", self._settings.login_account, f"account:{min(hashes)}")

        async def work() -> Grant:
            row = await self._find(hashes)
            if row is None and await self._vault.claim(OPENID, identity.openid.reveal()):
                row = await self._find(hashes)
            if row is None:
                account_id, record = await self._welcome(identity)
            else:
                account_id, record = as_uuid(row["account_id"]), self._records.of_row(row)
            return await self._sessions.open_for(record, level=record.level, device=device, account_id=account_id)

        try:
            return await transaction(work)
        except IntegrityError:
            # Two first logins at once: the unique index let the other one make the account, which is there now. Or the
            # account was just being removed from its resident, and the row that was waited for is another's.
            return await transaction(work)

    @staticmethod
    async def _find(hashes: tuple[str, str]) -> dict[str, Any] | None:
        return await fetch_one(_BY_OPENID + _AND_HOLD if is_postgres() else _BY_OPENID, *hashes)

    async def _welcome(self, identity: AccountIdentity) -> tuple[UUID, Record]:
        now = self._clock.now()
        account_id = self._ids.uuid()
        record = await add_newcomer(self._ids.uuid(), now)
        openid_hash = self._vault.index(OPENID, identity.openid.reveal())
        sealed = self._vault.seal(OPENID, account_id, identity.openid.reveal())
        await fetch(_ADD_ACCOUNT, account_id, record.citizen_id, sealed, openid_hash, now)
        return account_id, record
