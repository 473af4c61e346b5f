"""Face checks for a takeover: who came with a new WeChat account shows that they are the person who has an account.

The check is of the person whose name and number were given, not of the caller, whose account has no name yet. Passing
it raises no session: it asks for the takeover, which waits out its cool-down (`auth/account/takeovers.py`).
"""

from collections.abc import Sequence
from uuid import UUID

from auth.account.errors import TakeoverNotNeeded
from auth.account.takeovers import Takeovers
from auth.account.types import TakeoverView
from auth.rules import is_elder, parse_person
from auth.types import Caller
from core.clock import china_date
from core.db import transaction
from face.errors import CheckExpired, EvidenceReplayed, GuardianNeeded, NoSuchCheck, NotOffered
from face.kit import Kit
from face.rules import GUARDED, alternatives, needs_guardian
from face.types import CheckResult, Judgement, Purpose, StartedCheck


class TakeoverChecks:
    """Starts and decides the face check that a takeover rests on."""

    def __init__(self, kit: Kit, takeovers: Takeovers) -> None:
        self._kit = kit
        self._takeovers = takeovers

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
        self._kit.consents.check(consent, purpose="face")
        day = china_date(self._kit.clock.now())
        elder = is_elder(number, chosen=caller.elder, day=day, policy=self._kit.fresh_for)
        if self._kit.settings.engines.local.gives == "nothing":
            raise NotOffered(alternatives=alternatives(elder=elder))
        if needs_guardian(number, day):
            raise GuardianNeeded(alternatives=GUARDED)
        await self._takeovers.require_possible(caller)
        if await self._kit.realname.holder_of(caller, name=parsed_name, id_number=number) is None:
            raise TakeoverNotNeeded
        check = self._kit.new_check(
            Purpose.ACCOUNT_TAKEOVER, number, consent, caller=caller, elder=elder, claimed_name=parsed_name
        )

        async def work() -> None:
            await self._kit.count_and_add(check, number)
            await self._kit.consents.give(caller.actor_id, consent)
            subject_id = await self._kit.realname.find_citizen(number)
            await self._kit.trail.tell("face.check-started", check, subject_id=subject_id)

        await transaction(work)
        return self._kit.started(check)

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
        await self._kit.limits.hit("face.evidence", self._kit.settings.evidence_limit, f"citizen:{caller.actor_id}")
        check = await self._kit.records.find(check_id)
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
            raise EvidenceReplayed if check.expires_at > self._kit.clock.now() else CheckExpired

        async def decide(judgement: Judgement) -> tuple[CheckResult, TakeoverView | None]:
            async def work() -> TakeoverView | None:
                await self._kit.records.close(check, judgement)
                subject_id = await self._kit.realname.find_citizen(number)
                outcome = judgement.reason or "ok"
                await self._kit.trail.tell(f"face.check-{judgement.outcome}", check, outcome, subject_id=subject_id)
                return await self._takeovers.ask(caller, number) if judgement.passed else None

            takeover = await transaction(work)
            return await self._kit.result(check, judgement), takeover

        return await self._kit.examiner.examine(check, frames, number, then=decide)
