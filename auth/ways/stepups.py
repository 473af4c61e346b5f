"""Step-ups: a resident who is logged in under their real name shows, by a way, that they are there."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from auth.consent import Consents
from auth.realname import RealName
from auth.sessions import Sessions
from auth.types import Caller, Level, ReadPurpose
from auth.ways.desk import Desk
from auth.ways.errors import NoSuchCheck
from auth.ways.records import Records
from auth.ways.rules import claim_of
from auth.ways.settings import WaySettings
from auth.ways.types import CheckResult, CheckView, Method, Proof, Purpose, StartedCheck
from core.audit.record import Audit
from core.cache import Limits
from core.db import transaction

_AFTER_ALL: Final = (datetime(9999, 1, 1, tzinfo=UTC), UUID(int=0))


class StepUps:
    """Raises sessions to `present`. The check is the actor's, also when they act for somebody else."""

    def __init__(
        self,
        *,
        desk: Desk,
        records: Records,
        realname: RealName,
        sessions: Sessions,
        consents: Consents,
        audit: Audit,
        limits: Limits,
        settings: WaySettings,
    ) -> None:
        self._desk = desk
        self._records = records
        self._realname = realname
        self._sessions = sessions
        self._consents = consents
        self._audit = audit
        self._limits = limits
        self._settings = settings

    async def start(
        self,
        caller: Caller,
        method: Method,
        *,
        consent: str | None,
        mobile: str | None,
        card_number: str | None,
        address: str,
    ) -> StartedCheck:
        """Start a check of the caller; without a mobile the one they have on record is taken.

        Name and number go to whoever stands behind the method: that rests on the consent to check the real name.

        Raises:
            WayNotOffered: the installation raises no session by this method.
            ConsentRequired: no consent stands, or another came.
            LevelTooLow: the caller's real name is not known.
            MobileInvalid: the method needs a mobile.
            CardNumberInvalid: the method needs a card number.
            WayLocked: no attempt by this method is left.
            WayUnavailable: the provider could not be reached.
            WayRefused: the provider does not take what was given.
            TooManyRequests: too many messages were asked for from this address.
        """
        self._desk.require_offered(method, Purpose.STEP_UP, elder=caller.elder)
        if consent is None:
            await self._consents.require(caller.actor_id, "real-name")
        else:
            self._consents.check(consent, purpose="real-name")
        person = await self._realname.person_of(caller.actor_id, ReadPurpose.STEP_UP)
        claim = claim_of(
            method,
            person.name,
            person.id_number,
            mobile=mobile,
            card_number=card_number,
            known_mobile=person.mobile,
        )
        if method is Method.SMS:
            await self._limits.hit_address("auth.sms", self._settings.sms_address_limit, address, fail_open=False)

        async def agree() -> None:
            if consent is not None:
                await self._consents.give(caller.actor_id, consent, actor=caller.self_actor)

        return await self._desk.begin(
            method,
            Purpose.STEP_UP,
            claim,
            citizen_id=caller.actor_id,
            session_id=caller.session_id,
            elder=caller.elder,
            consent=consent or "",
            actor=caller.self_actor,
            subject_id=caller.actor_id,
            also=agree,
        )

    async def submit_evidence(self, caller: Caller, check_id: UUID, code: str | None) -> CheckResult:
        """Ask how a check stands, with the code where the method has one; passed, the session is `present` at once.

        Raises:
            NoSuchCheck: there is none, or it belongs to another person or session.
            CodeRequired: the method has a code, and none came.
            CheckExpired: it waited too long.
            CheckDecided: it has ended.
            CheckInProgress: another request looks at it now.
            WayUnavailable: the provider could not be reached; the check stays open.
            WayRefused: the provider takes this proof no more.
            TokenInvalid: the session has ended meanwhile.
            TooManyRequests: too much evidence came from this account.
        """
        await self._limits.hit("auth.way-evidence", self._settings.evidence_limit, f"citizen:{caller.actor_id}")
        check = await self._records.find(check_id)
        if check is None or (check.citizen_id, check.session_id) != (caller.actor_id, caller.session_id):
            raise NoSuchCheck

        async def follow(_proof: Proof) -> Callable[[], Awaitable[None]]:
            return lambda: self._raise(caller)

        result, _ = await self._desk.look(
            check, code, follow=follow, actor=caller.self_actor, subject_id=caller.actor_id
        )
        return result

    async def list_checks(
        self, caller: Caller, *, before: tuple[datetime, UUID] | None = None, limit: int = 20
    ) -> list[CheckView]:
        """Return the caller's checks, newest first, at most `limit`, those before one when given.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        return await self._records.list_of(caller.actor_id, before or _AFTER_ALL, limit)

    async def revoke(self, caller: Caller, check_id: UUID) -> bool:
        """Give up one of the caller's checks; return whether it was open. The attempt counts all the same.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """

        async def work() -> bool:
            revoked = await self._records.revoke(check_id, caller.actor_id)
            if revoked:
                await self._audit.record(
                    "auth.way-revoked",
                    actor=caller.self_actor,
                    subject_id=caller.actor_id,
                    purpose=Purpose.STEP_UP.value,
                    object_kind="way-check",
                    object_id=check_id,
                )
            return revoked

        return await transaction(work)

    async def _raise(self, caller: Caller) -> None:
        until = self._sessions.fresh_until(elder=caller.elder)
        await self._sessions.raise_level(caller.session_id, Level.PRESENT, until=until)
