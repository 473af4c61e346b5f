"""Residents looking at themselves: what we know of them, their mobile number, the elder profile."""

from datetime import date
from typing import Final
from uuid import UUID

from auth.account.groups import ELDERLY, Groups
from auth.errors import AccountClosed, LevelTooLow, MobileCodeInvalid, TokenInvalid
from auth.places.recent import RecentSessions
from auth.ports import MiniProgram
from auth.realname import RealName
from auth.records import HOLD_ACTIVE, MOBILE, OPENID, Record, Records
from auth.rules import effective_level, is_elder
from auth.settings import LevelSettings
from auth.types import Caller, Level, MeView
from core.audit.record import Audit
from core.clock import Clock, china_date
from core.crypto import Vault
from core.db import as_moment, execute, fetch_one, transaction
from core.errors import FieldError
from core.pii import IdNumber, Mobile, PersonName

_SESSION: Final = "SELECT level, present_until FROM citizen_session WHERE id = $1 AND ended_at IS NULL"
_SET_MOBILE: Final = "UPDATE citizen SET mobile_sealed = $2, mobile_hash = $3 WHERE id = $1 AND state = 'active'"
_HAS_ACCOUNT: Final = "SELECT 1 AS has FROM wechat_account WHERE citizen_id = $1 AND openid_hash IN ($2, $3)"
_CHOOSE: Final = "UPDATE citizen SET elder_chosen = $2 WHERE id = $1 AND state = 'active'"
_CHOOSE_SESSIONS: Final = "UPDATE citizen_session SET elder = $2 WHERE citizen_id = $1 AND ended_at IS NULL"


class Citizens:
    """What residents see and change of themselves; personal values leave masked."""

    def __init__(
        self,
        *,
        mini_program: MiniProgram,
        realname: RealName,
        recent: RecentSessions,
        records: Records,
        groups: Groups,
        vault: Vault,
        audit: Audit,
        clock: Clock,
        levels: LevelSettings,
    ) -> None:
        self._mini_program = mini_program
        self._realname = realname
        self._recent = recent
        self._records = records
        self._groups = groups
        self._vault = vault
        self._audit = audit
        self._clock = clock
        self._policy = levels.fresh_for()

    async def me(self, caller: Caller) -> MeView:
        """Return what the caller may see of themselves, at the level their session has now.

        Raises:
            TokenInvalid: the session has ended meanwhile.
            AccountClosed: the account is closed.
        """
        record = await self._active(caller.citizen_id)
        session = await fetch_one(_SESSION, caller.session_id)
        if session is None:
            raise TokenInvalid
        now = self._clock.now()
        until = None if session["present_until"] is None else as_moment(session["present_until"])
        level = effective_level(Level(session["level"]), until, now)
        return MeView(
            id=record.citizen_id,
            level=level,
            present_until=until if level is Level.PRESENT else None,
            name=None if record.name is None else record.name.masked(),
            id_number=None if record.id_number is None else record.id_number.masked(),
            mobile=None if record.mobile is None else record.mobile.masked(),
            elder=is_elder(record.id_number, chosen=record.elder_chosen, day=china_date(now), policy=self._policy),
            groups=await self._groups_of(record, china_date(now)),
        )

    async def _groups_of(self, record: Record, day: date) -> tuple[str, ...]:
        proved = await self._groups.of(record.citizen_id)
        by_age = is_elder(record.id_number, chosen=False, day=day, policy=self._policy)
        return (*proved, ELDERLY) if by_age and ELDERLY not in proved else proved

    async def set_mobile(self, caller: Caller, code: str) -> None:
        """Keep the caller's mobile number, fetched with a code of the mini program.

        The first number is taken as it comes; putting another in its place needs a fresh proof of presence.

        Raises:
            MobileCodeInvalid: the code was used, has expired, or was never given.
            MobileUnsupported: the number is no mainland mobile number.
            WechatUnavailable: WeChat could not be reached.
            WechatQuota: WeChat takes no more calls from us for a while.
            WechatMisconfigured: WeChat does not take our settings.
            LevelTooLow: another number stands already, and the session is not at `present`.
            AccountClosed: the account is closed.
        """
        await self._keep_mobile(caller, await self._mini_program.mobile_of(code))

    async def set_sealed_mobile(self, caller: Caller, *, login_code: str, encrypted: str, iv: str) -> None:
        """Keep the caller's mobile number, encrypted by WeChat for one of the caller's accounts (the old button).

        Raises:
            MobileCodeInvalid: it was encrypted for another account, login or mini program.
            Problem: as `set_mobile`, and as a login for the login code.
        """
        identity, mobile = await self._mini_program.mobile_of_sealed(login_code, encrypted, iv)
        hashes = self._vault.indexes(OPENID, identity.openid.reveal())
        if await fetch_one(_HAS_ACCOUNT, caller.citizen_id, *hashes) is None:
            raise MobileCodeInvalid(
                errors=[FieldError("/login_code", "account", "不是您的微信", "Not a WeChat account of yours")]
            )
        await self._keep_mobile(caller, mobile)

    async def _keep_mobile(self, caller: Caller, mobile: Mobile) -> None:
        record = await self._active(caller.citizen_id)
        if record.mobile == mobile:
            return
        if record.mobile is not None and caller.level is not Level.PRESENT:
            raise LevelTooLow.needing(Level.PRESENT)

        async def work() -> None:
            if await execute(HOLD_ACTIVE, caller.citizen_id) != 1:
                raise AccountClosed
            person = await self._vault.ensure_person(caller.citizen_id)
            sealed = person.seal(MOBILE, caller.citizen_id, mobile.reveal())
            await execute(_SET_MOBILE, caller.citizen_id, sealed, self._mobile_hash(mobile))
            await self._audit.record(
                "auth.mobile-set",
                actor=caller.actor,
                subject_id=caller.citizen_id,
                field_names=("mobile",),
            )

        await transaction(work)

    async def choose_elder(self, caller: Caller, *, chosen: bool) -> None:
        """Turn the elder profile on or off; who is old enough has it in any case.

        Raises:
            AccountClosed: the account is closed.
        """
        record = await self._active(caller.citizen_id)
        elder = is_elder(record.id_number, chosen=chosen, day=china_date(self._clock.now()), policy=self._policy)

        async def work() -> None:
            await execute(_CHOOSE, caller.citizen_id, chosen)
            await execute(_CHOOSE_SESSIONS, caller.citizen_id, elder)
            self._recent.changed(caller.citizen_id)
            await self._audit.record(
                "auth.elder-chosen",
                actor=caller.actor,
                subject_id=caller.citizen_id,
                outcome="on" if chosen else "off",
            )

        await transaction(work)

    async def ensure_by_number(self, name: PersonName, id_number: IdNumber) -> UUID:
        """Return the resident with this number, making their account if the registry knows them: no WeChat is needed.

        Raises:
            IdentityMismatch: name and number do not agree; also when nobody has that number.
            RegistryUnavailable: the population registry could not be reached.
        """
        return await self._realname.ensure_citizen(name, id_number)

    async def _active(self, citizen_id: UUID) -> Record:
        record = await self._records.find(citizen_id)
        if record is None or not record.is_active:
            raise AccountClosed
        return record

    def _mobile_hash(self, mobile: Mobile) -> str:
        return self._vault.index(MOBILE, mobile.reveal())
