"""Logins by a way: name, number and a proof, where there is no WeChat (H5, a kiosk).

Whoever asks learns nothing about who exists: a check starts for anybody whose number is well formed, and people who are
unknown, or whose name is another, never pass, after the same work.
"""

from collections.abc import Awaitable, Callable
from uuid import UUID

from auth.consent import Consents
from auth.realname import RealName
from auth.rules import FreshFor, is_elder, parse_person
from auth.sessions import Sessions
from auth.types import Grant, Level
from auth.ways.desk import Desk
from auth.ways.errors import NoSuchCheck
from auth.ways.records import Records
from auth.ways.rules import claim_of
from auth.ways.settings import WaySettings
from auth.ways.types import CheckResult, Method, Proof, Purpose, StartedCheck
from core.audit.actors import NOBODY
from core.cache import Limits
from core.clock import Clock, china_date


class LoginChecks:
    """Opens sessions by a way, at the level that the method gives.

    Time and attempts follow the birth date in the number that was given, whether or not anybody has it.
    """

    def __init__(
        self,
        *,
        desk: Desk,
        records: Records,
        realname: RealName,
        sessions: Sessions,
        consents: Consents,
        limits: Limits,
        clock: Clock,
        settings: WaySettings,
        fresh_for: FreshFor,
    ) -> None:
        self._desk = desk
        self._records = records
        self._realname = realname
        self._sessions = sessions
        self._consents = consents
        self._limits = limits
        self._clock = clock
        self._settings = settings
        self._fresh_for = fresh_for

    async def start(
        self,
        method: Method,
        *,
        name: str,
        id_number: str,
        consent: str,
        mobile: str | None,
        card_number: str | None,
        address: str,
    ) -> StartedCheck:
        """Start a check of the person with this name and number; it is an attempt, whether or not there is anybody.

        Raises:
            IdNumberInvalid: the number cannot be one.
            NameInvalid: the name cannot be one.
            ConsentRequired: the consent is not to the real name's text in force.
            WayNotOffered: the installation opens no session by this method.
            MobileInvalid: the method needs a mobile.
            CardNumberInvalid: the method needs a card number.
            WayLocked: no attempt by this method is left for this person.
            WayUnavailable: the provider could not be reached.
            WayRefused: the provider does not take what was given.
            TooManyRequests: too many were started from this address.
        """
        person_name, number = parse_person(name, id_number)
        self._consents.check(consent, purpose="real-name")
        elder = is_elder(number, chosen=False, day=china_date(self._clock.now()), policy=self._fresh_for)
        self._desk.require_offered(method, Purpose.LOGIN, elder=elder)
        claim = claim_of(method, person_name, number, mobile=mobile, card_number=card_number)
        await self._limits.hit_address(
            "auth.way-login", self._settings.login_address_limit, address, fail_open=False
        )  # fmt: skip
        if method is Method.SMS:
            await self._limits.hit_address("auth.sms", self._settings.sms_address_limit, address, fail_open=False)
        return await self._desk.begin(
            method,
            Purpose.LOGIN,
            claim,
            citizen_id=None,
            session_id=None,
            elder=elder,
            consent=consent,
            actor=NOBODY,
            subject_id=await self._realname.find_citizen(number),
        )

    async def submit_evidence(
        self, check_id: UUID, code: str | None, *, device: str, address: str
    ) -> tuple[CheckResult, Grant | None]:
        """Ask how a check stands, with the code where the method has one; passed, with a session.

        Raises:
            NoSuchCheck: there is none, or it is a resident's own.
            CodeRequired: the method has a code, and none came.
            CheckExpired: it waited too long.
            CheckDecided: it has ended.
            CheckInProgress: another request looks at it now.
            WayUnavailable: the provider could not be reached; the check stays open.
            WayRefused: the provider takes this proof no more.
            RegistryUnavailable: the population registry could not be asked; the check stays open.
            AccountClosed: the person's account is closed.
            TooManyRequests: too much evidence came from this address.
        """
        await self._limits.hit_address("auth.way-evidence", self._settings.evidence_limit, address, fail_open=False)
        check = await self._records.find(check_id)
        if check is None or check.purpose is not Purpose.LOGIN:
            raise NoSuchCheck
        level = self._settings.level(check.method, Purpose.LOGIN)
        if level is None:  # Offered when it began, and not any more.
            raise NoSuchCheck
        subject_id = await self._realname.find_citizen(check.number) if check.number else None

        async def follow(proof: Proof) -> Callable[[], Awaitable[Grant]]:
            claim = proof.claim
            citizen_id = await self._realname.ensure_citizen(claim.name, claim.id_number)
            return lambda: self._open(citizen_id, check.consent, level, device)

        return await self._desk.look(check, code, follow=follow, actor=NOBODY, subject_id=subject_id)

    async def _open(self, citizen_id: UUID, consent: str, level: Level, device: str) -> Grant:
        await self._consents.give(citizen_id, consent)
        return await self._sessions.open(citizen_id, level=level, device=device)
