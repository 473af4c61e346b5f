"""Face checks for a takeover: who came with a new WeChat account shows that they are the person who has an account.

The check is of the person whose name and number were given, not of the caller, whose account has no name yet. Passing
it raises no session: it asks for the takeover, which waits out its cool-down (`auth/account/takeovers.py`).
"""

import secrets
from collections.abc import Callable, Sequence
from uuid import UUID

from auth.account.errors import TakeoverNotNeeded
from auth.account.takeovers import Takeovers
from auth.account.types import TakeoverView
from auth.consent import Consents
from auth.realname import RealName
from auth.rules import FreshFor, is_elder, parse_person
from auth.types import Caller
from core.cache import Limits
from core.clock import Clock, china_date
from core.db import transaction
from core.ids import Ids
from face.attempts import Attempts
from face.checks import result, started
from face.errors import CheckExpired, EvidenceReplayed, GuardianNeeded, NoSuchCheck, NotOffered
from face.examination import Examiner
from face.records import Check, Records
from face.rules import GUARDED, alternatives, choose_actions, needs_guardian
from face.settings import FaceSettings
from face.trail import Trail
from face.types import CheckResult, Judgement, Purpose, StartedCheck


class TakeoverChecks:
    """Starts and decides the face check that a takeover rests on."""

    def __init__(
        self,
        *,
        examiner: Examiner,
        records: Records,
        attempts: Attempts,
        realname: RealName,
        takeovers: Takeovers,
        consents: Consents,
        trail: Trail,
        limits: Limits,
        clock: Clock,
        ids: Ids,
        settings: FaceSettings,
        fresh_for: FreshFor,
        engine: str = "local",
        draw: Callable[[int], int] = secrets.randbelow,
    ) -> None:
        self._examiner = examiner
        self._records = records
        self._attempts = attempts
        self._realname = realname
        self._takeovers = takeovers
        self._consents = consents
        self._trail = trail
        self._limits = limits
        self._clock = clock
        self._ids = ids
        self._settings = settings
        self._fresh_for = fresh_for
        self._engine = engine
        self._draw = draw

    async def start(self, caller: Caller, name: str, id_number: str, consent: str) -> StartedCheck:
        """Start a check of the person whose account the caller wants to have back.

        Raises:
            IdNumberInvalid: the number cannot be one.
            NameInvalid: the name cannot be one.
            ConsentRequired: the consent is not to the face check's text in force.
            NotOffered: this installation lets a face check prove nothing.
            GuardianNeeded: by the number the person is under 14.
            TakeoverImpossible: the caller came by no WeChat account, or by one that is bound to somebody.
            TakeoverNotNeeded: nobody holds that person.
            IdentityMismatch: name and number do not agree; also when nobody has that number.
            RegistryUnavailable: the population registry could not be reached.
            TooManyRequests: this account or this number was tried too often.
            TooManyAttempts: no face check is left for this person or this account.
        """
        parsed_name, number = parse_person(name, id_number)
        self._consents.check(consent, purpose="face")
        day = china_date(self._clock.now())
        elder = is_elder(number, chosen=caller.elder, day=day, policy=self._fresh_for)
        if self._settings.gives == "nothing":
            raise NotOffered(alternatives=alternatives(elder=elder))
        if needs_guardian(number, day):
            raise GuardianNeeded(alternatives=GUARDED)
        await self._takeovers.require_possible(caller)
        if await self._realname.holder_of(caller, name=parsed_name, id_number=number) is None:
            raise TakeoverNotNeeded
        hashes = self._records.person_hashes(number)
        check = Check(
            id=self._ids.uuid(),
            purpose=Purpose.ACCOUNT_TAKEOVER,
            citizen_id=caller.actor_id,
            session_id=caller.session_id,
            person_hash=hashes[0],
            elder=elder,
            consent=consent,
            actions=choose_actions(self._settings.actions, self._draw),
            is_open=True,
            expires_at=self._clock.now() + self._settings.lifetime(elder=elder),
            name=parsed_name,
            id_number=number,
        )

        async def work() -> None:
            await self._attempts.require(hashes, check.citizen_id, elder=elder)
            await self._consents.give(caller.actor_id, consent)
            await self._records.add(check, engine=self._engine)
            subject_id = await self._realname.find_citizen(number)
            await self._trail.tell("face.check-started", check, subject_id=subject_id)

        await transaction(work)
        return started(check, self._settings, self._engine)

    async def submit_evidence(
        self, caller: Caller, check_id: UUID, frames: Sequence[bytes]
    ) -> tuple[CheckResult, TakeoverView | None]:
        """Hand in the frames of a check, once; passed, with the takeover that now waits.

        Raises:
            NoSuchCheck: there is none, or it belongs to another session or purpose.
            CheckExpired: it waited too long.
            EvidenceReplayed: it has had its evidence, or a picture was handed in before.
            FrameCount: too few or too many frames.
            PictureUnusable: a file is no picture; the check stays open.
            EngineBusy: the engine has no place; the check stays open.
            EngineUnavailable: the engine failed; the check stays open, unless the frames took too long.
            RegistryUnavailable: the portrait could not be fetched; the check stays open.
            TakeoverImpossible: the WeChat account was bound to somebody meanwhile.
            TooManyRequests: too much evidence came from this account.
        """
        await self._limits.hit("face.evidence", self._settings.evidence_limit, f"citizen:{caller.actor_id}")
        check = await self._records.find(check_id)
        if (
            check is None
            or check.purpose is not Purpose.ACCOUNT_TAKEOVER
            or (check.citizen_id, check.session_id) != (caller.actor_id, caller.session_id)
        ):
            raise NoSuchCheck
        number = check.id_number
        if number is None:
            if check.is_open:
                raise NoSuchCheck
            raise EvidenceReplayed if check.expires_at > self._clock.now() else CheckExpired

        async def decide(judgement: Judgement) -> tuple[CheckResult, TakeoverView | None]:
            async def work() -> TakeoverView | None:
                await self._records.close(check, judgement)
                subject_id = await self._realname.find_citizen(number)
                outcome = judgement.reason or "ok"
                await self._trail.tell(f"face.check-{judgement.outcome}", check, outcome, subject_id=subject_id)
                return await self._takeovers.ask(caller, number) if judgement.passed else None

            takeover = await transaction(work)
            return await result(check, judgement, self._attempts), takeover

        return await self._examiner.examine(check, frames, number, then=decide)
