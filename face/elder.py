"""Elder sessions: logging in by name, number and face, without any account, on a kiosk or a relative's phone.

Whoever asks learns nothing about who exists: a check starts for anybody whose number is well formed, and people who are
unknown, or whose name is another, end as `not_passed` after the same work.
"""

from collections.abc import Sequence
from uuid import UUID

from auth.rules import is_elder, parse_person
from auth.sessions import Sessions
from auth.types import Channel, Grant, Level
from core.clock import china_date
from core.db import transaction
from core.settings import Switch
from face.errors import CheckExpired, EvidenceReplayed, GuardianNeeded, NoSuchCheck, NotOffered
from face.kit import Kit
from face.rules import GUARDED, needs_guardian
from face.types import CheckResult, Judgement, Purpose, StartedCheck


class ElderSessions:
    """Opens a session for whoever is the person they say they are.

    Time and attempts follow the birth date in the number that was given, whether or not anybody has it.
    """

    def __init__(self, kit: Kit, sessions: Sessions) -> None:
        self._kit = kit
        self._sessions = sessions

    async def start(self, name: str, id_number: str, consent: str, *, address: str) -> StartedCheck:
        """Start a check of the person with this name and number; this counts as an attempt, whatever comes of it.

        Raises:
            IdNumberInvalid: the number cannot be one.
            NameInvalid: the name cannot be one.
            ConsentRequired: the consent is not to the face check's text in force.
            NotOffered: this installation opens no sessions this way.
            GuardianNeeded: by the number the person is under 14.
            TooManyRequests: too many were started from this address.
            TooManyAttempts: no attempt is left for this person.
        """
        if self._kit.settings.elder_sessions is Switch.OFF or self._kit.settings.engines.local.gives == "nothing":
            raise NotOffered(alternatives=self._kit.others(logged_in=False, elder=True))
        parsed_name, number = parse_person(name, id_number)
        self._kit.consents.check(consent, purpose="face")
        now = self._kit.clock.now()
        if needs_guardian(number, china_date(now)):
            raise GuardianNeeded(alternatives=GUARDED)
        elder = is_elder(number, chosen=False, day=china_date(now), policy=self._kit.fresh_for)
        await self._kit.limits.hit_address("face.elder", self._kit.settings.elder_address_limit, address)
        check = self._kit.new_check(
            Purpose.ELDER_SESSION, number, consent, caller=None, elder=elder, claimed_name=parsed_name
        )

        async def work() -> None:
            await self._kit.count_and_add(check, number)
            subject_id = await self._kit.realname.find_citizen(number)
            await self._kit.trail.tell("face.check-started", check, subject_id=subject_id)

        await transaction(work)
        return self._kit.started(check)

    async def submit_evidence(
        self, check_id: UUID, frames: Sequence[bytes], *, device: str, address: str
    ) -> tuple[CheckResult, Grant | None]:
        """Hand in the frames of a check, once, and learn how it ends; passed, with a session at `present`.

        Raises:
            NoSuchCheck: there is none, or it is a resident's own.
            CheckExpired: it waited too long.
            EvidenceReplayed: it has had its evidence, or a picture was handed in before.
            FrameCount: too few or too many frames.
            PictureUnusable: a file is no picture; the check stays open.
            EngineBusy: the engine has no place; the check stays open.
            EngineUnavailable: the engine failed; the check stays open, unless the frames took too long.
            RegistryUnavailable: the registry could not be asked; the check stays open.
            AccountClosed: the person's account is closed.
            TooManyRequests: too much evidence came from this address.
        """
        await self._kit.limits.hit_address("face.elder-evidence", self._kit.settings.elder_evidence_limit, address)
        check = await self._kit.records.find(check_id)
        if check is None or check.purpose is not Purpose.ELDER_SESSION:
            raise NoSuchCheck
        if check.name is None or check.id_number is None:
            # Wiped with its outcome, or when it had waited too long.
            raise EvidenceReplayed if check.expires_at > self._kit.clock.now() else CheckExpired
        name, number = check.name, check.id_number
        is_known = await self._kit.realname.agrees(name, number)

        async def decide(judgement: Judgement) -> tuple[CheckResult, Grant | None]:
            citizen_id = await self._kit.realname.ensure_citizen(name, number) if judgement.passed else None

            async def work() -> Grant | None:
                await self._kit.records.close(check, judgement)
                subject_id = citizen_id or await self._kit.realname.find_citizen(number)
                outcome = judgement.reason or "ok"
                await self._kit.trail.tell(f"face.check-{judgement.outcome}", check, outcome, subject_id=subject_id)
                if citizen_id is None:
                    return None
                await self._kit.consents.give(citizen_id, check.consent, channel=Channel.FACE)
                return await self._sessions.open(citizen_id, level=Level.PRESENT, device=device)

            grant = await transaction(work)
            return await self._kit.result(check, judgement), grant

        return await self._kit.examiner.examine(check, frames, number, is_known=is_known, then=decide)
