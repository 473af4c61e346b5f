"""Logging in with one tap: a code from the mini program becomes an account, and the account a session."""

from typing import Final
from uuid import UUID

from auth.ports import MiniProgram
from auth.records import Record, Records
from auth.sessions import Sessions
from auth.settings import AuthLimits
from auth.types import AccountIdentity, Grant
from core.cache import Limits
from core.clock import Clock
from core.crypto import Vault
from core.db import IntegrityError, fetch, fetch_one, transaction
from core.ids import Ids

_OPENID: Final = "wechat_account.openid"
_BY_OPENID: Final = """
SELECT c.id, c.name_sealed, c.id_number_sealed, c.id_number_hash, c.mobile_sealed, c.elder_chosen, c.state
FROM wechat_account w JOIN citizen c ON c.id = w.citizen_id WHERE w.openid_hash = $1
"""
_ADD_CITIZEN: Final = """
INSERT INTO citizen (id, elder_chosen, state, created_at) VALUES ($1, $2, 'active', $3) RETURNING id
"""
_ADD_ACCOUNT: Final = """
INSERT INTO wechat_account (id, citizen_id, openid_sealed, openid_hash, created_at) VALUES ($1, $2, $3, $4, $5)
RETURNING id
"""


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
            TooManyRequests: this address, this account or everybody together logs in too often.
            AccountClosed: the account is closed.
        """
        await self._limits.hit_address("auth.login", self._settings.login_address, address)
        await self._limits.hit("auth.login:all", self._settings.login_all)
        identity = await self._mini_program.identify(code)
        openid_hash = self._vault.index(_OPENID, identity.openid.reveal())
        await self._limits.hit("auth.login", self._settings.login_account, f"account:{openid_hash}")

        async def work() -> Grant:
            row = await fetch_one(_BY_OPENID, openid_hash)
            record = await self._welcome(identity, openid_hash) if row is None else self._records.of_row(row)
            return await self._sessions.open_for(record, level=record.level, device=device)

        try:
            return await transaction(work)
        except IntegrityError:
            # Two first logins at once: the unique index let the other one make the account, which is there now.
            return await transaction(work)

    async def _welcome(self, identity: AccountIdentity, openid_hash: str) -> Record:
        now = self._clock.now()
        citizen_id, account_id = self._ids.uuid(), self._ids.uuid()
        await fetch(_ADD_CITIZEN, citizen_id, False, now)
        sealed = self._vault.seal(_OPENID, account_id, identity.openid.reveal())
        await fetch(_ADD_ACCOUNT, account_id, citizen_id, sealed, openid_hash, now)
        return _newcomer(citizen_id)


def _newcomer(citizen_id: UUID) -> Record:
    return Record(
        citizen_id=citizen_id,
        name=None,
        id_number=None,
        id_number_hash=None,
        mobile=None,
        elder_chosen=False,
        is_active=True,
    )
