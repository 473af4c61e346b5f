"""Residents' face checks: started for a purpose, given evidence once, decided, and the session raised when passed."""

import secrets
from collections.abc import Callable, Sequence
from uuid import UUID

from auth.consent import Consents
from auth.errors import ConsentRequired
from auth.realname import RealName
from auth.rules import FreshFor, consent_required, fresh_until
from auth.sessions import Sessions
from auth.types import Caller, Level, ReadPurpose
from core.cache import Limits
from core.clock import Clock, china_date
from core.db import transaction
from core.ids import Ids
from core.metrics import FACE_CHECKS
from face.attempts import Attempts
from face.errors import GuardianNeeded, NoSuchCheck, NotOffered
from face.examination import Examiner
from face.ports import Others
from face.records import Check, Records
from face.rules import GUARDED, choose_actions, hall_or_phone, needs_guardian
from face.settings import FaceSettings
from face.trail import Trail
from face.types import CheckResult, Judgement, Purpose, StartedCheck, Unjudged


class FaceChecks:
    """Is the caller the person they are known as. The check is the actor's, also when they act for somebody else."""

    def __init__(
        self,
        *,
        examiner: Examiner,
        records: Records,
        attempts: Attempts,
        realname: RealName,
        sessions: Sessions,
        consents: Consents,
        trail: Trail,
        limits: Limits,
        clock: Clock,
        ids: Ids,
        settings: FaceSettings,
        fresh_for: FreshFor,
        engine: str = "local",
        draw: Callable[[int], int] = secrets.randbelow,
        others: Others = hall_or_phone,
    ) -> None:
        self._examiner = examiner
        self._records = records
        self._attempts = attempts
        self._realname = realname
        self._sessions = sessions
        self._consents = consents
        self._trail = trail
        self._limits = limits
        self._clock = clock
        self._ids = ids
        self._settings = settings
        self._fresh_for = fresh_for
        self._engine = engine
        self._draw = draw
        self._others = others

    async def start(self, caller: Caller, purpose: Purpose, consent: str) -> StartedCheck:
        """Start a check of the caller; this counts as an attempt until it is passed, or nobody could look at it.

        Raises:
            ConsentRequired: the consent is not to the face check's text in force.
            LevelTooLow: the caller's real name is not known: there is no portrait to compare with.
            NotOffered: this installation lets a face check prove nothing.
            GuardianNeeded: the caller is under 14, and no guardian has consented.
            TooManyAttempts: no attempt is left for this person or this account.
        """
        self._consents.check(consent, purpose="face")
        if self._settings.gives == "nothing":
            raise NotOffered(alternatives=self._others(logged_in=True, elder=caller.elder))
        person = await self._realname.person_of(caller.actor_id, ReadPurpose.FACE_CHECK)
        if needs_guardian(person.id_number, china_date(self._clock.now())):
            await self._require_guardian(caller.actor_id)
        hashes = self._records.person_hashes(person.id_number)
        check = Check(
            id=self._ids.uuid(),
            purpose=purpose,
            citizen_id=caller.actor_id,
            session_id=caller.session_id,
            person_hash=hashes[0],
            elder=caller.elder,
            consent=consent,
            actions=choose_actions(self._settings.actions, self._draw),
            is_open=True,
            expires_at=self._clock.now() + self._settings.lifetime(elder=caller.elder),
        )

        async def work() -> None:
            await self._attempts.require(hashes, check.citizen_id, elder=check.elder)
            await self._consents.give(caller.actor_id, consent, actor=caller.self_actor)
            await self._records.add(check, engine=self._engine)
            await self._trail.tell("face.check-started", check, actor=caller.self_actor)

        await transaction(work)
        return started(check, self._settings, self._engine)

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
        await self._limits.hit("face.evidence", self._settings.evidence_limit, f"citizen:{caller.actor_id}")
        check = await self._records.find(check_id)
        if check is None or (check.citizen_id, check.session_id) != (caller.actor_id, caller.session_id):
            raise NoSuchCheck
        if check.id_number is not None:  # Of somebody whom the caller says to be: decided by those who asked for it.
            raise NoSuchCheck
        await self._consents.require(caller.actor_id, "face")
        person = await self._realname.person_of(caller.actor_id, ReadPurpose.FACE_CHECK)

        async def decide(judgement: Judgement) -> CheckResult:
            async def work() -> bool:
                try:
                    await self._consents.require(caller.actor_id, "face", hold=True)
                except ConsentRequired:
                    if await self._records.close_unjudged(check, Unjudged.WITHDRAWN):
                        await self._trail.tell("face.check-closed", check, Unjudged.WITHDRAWN.value)
                    return False
                await self._records.close(check, judgement)
                reason = judgement.reason or "ok"
                await self._trail.tell(f"face.check-{judgement.outcome}", check, reason, actor=caller.self_actor)
                if judgement.passed:
                    until = fresh_until(self._clock.now(), elder=caller.elder, policy=self._fresh_for)
                    await self._sessions.raise_level(caller.session_id, Level.PRESENT, until=until)
                return True

            if not await transaction(work):
                raise consent_required("face")
            return await result(check, judgement, self._attempts)

        return await self._examiner.examine(check, frames, person.id_number, then=decide)

    async def _require_guardian(self, citizen_id: UUID) -> None:
        if not await self._consents.has_from_guardian(citizen_id, "face"):
            raise GuardianNeeded(alternatives=GUARDED)

    async def tidy(self) -> int:
        """Wipe what was sealed for elder checks that nobody finished; return of how many.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """

        async def work() -> int:
            return await self._records.wipe_late()

        return await transaction(work)


def started(check: Check, settings: FaceSettings, engine: str) -> StartedCheck:
    """Return what a client is told about a check that has begun."""
    return StartedCheck(
        id=check.id,
        actions=check.actions,
        expires_at=check.expires_at,
        min_frames=settings.min_frames,
        max_frames=settings.max_frames,
        max_frame_bytes=settings.max_frame_bytes,
        engine=engine,
    )


async def result(check: Check, judgement: Judgement, attempts: Attempts) -> CheckResult:
    """Return what a caller is told about a decided check, and count it for operators."""
    FACE_CHECKS.labels(judgement.reason or judgement.outcome).inc()
    left = await attempts.left(check.person_hash, check.citizen_id, elder=check.elder)
    return CheckResult(judgement.outcome, judgement.reason, left)
