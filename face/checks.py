"""Residents' face checks: started for a purpose, given evidence once, decided, and the session raised when passed."""

from collections.abc import Sequence
from uuid import UUID

from auth.errors import ConsentRequired
from auth.rules import consent_required, fresh_until
from auth.sessions import Sessions
from auth.types import Caller, Level, ReadPurpose
from core.clock import china_date
from core.db import transaction
from face.errors import GuardianNeeded, NoSuchCheck, NotOffered
from face.kit import Kit
from face.rules import GUARDED, needs_guardian
from face.types import CheckResult, Judgement, Purpose, StartedCheck, Unjudged


class FaceChecks:
    """Is the caller the person they are known as. The check is the actor's, also when they act for somebody else."""

    def __init__(self, kit: Kit, sessions: Sessions) -> None:
        self._kit = kit
        self._sessions = sessions

    async def start(self, caller: Caller, purpose: Purpose, consent: str) -> StartedCheck:
        """Start a check of the caller; this counts as an attempt until it is passed, or nobody could look at it.

        Raises:
            ConsentRequired: the consent is not to the face check's text in force.
            LevelTooLow: the caller's real name is not known: there is no portrait to compare with.
            NotOffered: this installation lets a face check prove nothing.
            GuardianNeeded: the caller is under 14, and no guardian has consented.
            TooManyAttempts: no attempt is left for this person or this account.
        """
        self._kit.consents.check(consent, purpose="face")
        if self._kit.settings.engines.local.gives == "nothing":
            raise NotOffered(alternatives=self._kit.others(logged_in=True, elder=caller.elder))
        person = await self._kit.realname.person_of(caller.actor_id, ReadPurpose.FACE_CHECK)
        if needs_guardian(person.id_number, china_date(self._kit.clock.now())):
            await self._require_guardian(caller.actor_id)
        check = self._kit.new_check(purpose, person.id_number, consent, caller=caller, elder=caller.elder)

        async def work() -> None:
            await self._kit.count_and_add(check, person.id_number)
            await self._kit.consents.give(caller.actor_id, consent, actor=caller.self_actor)
            await self._kit.trail.tell("face.check-started", check, actor=caller.self_actor)

        await transaction(work)
        return self._kit.started(check)

    async def submit_evidence(self, caller: Caller, check_id: UUID, frames: Sequence[bytes]) -> CheckResult:
        """Hand in the frames of a check, once, and learn how it ends; passed, the session is `present` at once.

        Raises:
            NoSuchCheck: there is none, or it belongs to another person or session.
            CheckExpired: it waited too long.
            EvidenceReplayed: it has had its evidence, or a picture was handed in before.
            FrameCount: too few or too many frames.
            PictureUnusable: a file is no picture; the check stays open.
            EngineBusy: the engine has no place; the check stays open.
            EngineUnavailable: the engine failed; the check stays open, unless the frames took too long.
            RegistryUnavailable: the portrait could not be fetched; the check stays open.
            TokenInvalid: the session has ended meanwhile.
            TooManyRequests: too much evidence came from this account.
            ConsentRequired: the consent was withdrawn since the check began, even while the frames were looked at.
        """
        await self._kit.limits.hit("face.evidence", self._kit.settings.evidence_limit, f"citizen:{caller.actor_id}")
        check = await self._kit.records.find(check_id)
        if check is None or (check.citizen_id, check.session_id) != (caller.actor_id, caller.session_id):
            raise NoSuchCheck
        if check.id_number is not None:  # Of somebody whom the caller says to be: decided by those who asked for it.
            raise NoSuchCheck
        await self._kit.consents.require(caller.actor_id, "face")
        person = await self._kit.realname.person_of(caller.actor_id, ReadPurpose.FACE_CHECK)

        async def decide(judgement: Judgement) -> CheckResult:
            async def work() -> bool:
                try:
                    await self._kit.consents.require(caller.actor_id, "face", hold=True)
                except ConsentRequired:
                    if await self._kit.records.close_unjudged(check, Unjudged.WITHDRAWN):
                        await self._kit.trail.tell("face.check-closed", check, Unjudged.WITHDRAWN.value)
                    return False
                await self._kit.records.close(check, judgement)
                reason = judgement.reason or "ok"
                await self._kit.trail.tell(f"face.check-{judgement.outcome}", check, reason, actor=caller.self_actor)
                if judgement.passed:
                    until = fresh_until(self._kit.clock.now(), elder=caller.elder, policy=self._kit.fresh_for)
                    await self._sessions.raise_level(caller.session_id, Level.PRESENT, until=until)
                return True

            if not await transaction(work):
                raise consent_required("face")
            return await self._kit.result(check, judgement)

        return await self._kit.examiner.examine(check, frames, person.id_number, then=decide)

    async def _require_guardian(self, citizen_id: UUID) -> None:
        if not await self._kit.consents.has_from_guardian(citizen_id, "face"):
            raise GuardianNeeded(alternatives=GUARDED)

    async def tidy(self) -> int:
        """Wipe what was sealed for elder checks that nobody finished, and erase checks of long ago; return how many.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        before = self._kit.clock.now() - self._kit.settings.kept

        async def work() -> int:
            return await self._kit.records.wipe_late() + await self._kit.records.forget(before)

        return await transaction(work)
