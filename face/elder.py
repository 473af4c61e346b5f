"""Elder sessions: logging in by name, number and face, without any account, on a kiosk or a relative's phone.

Whoever asks learns nothing about who exists: a check starts for anybody whose number is well formed, and people who are
unknown, or whose name is another, end as `not_passed` after the same work.
"""

import secrets
from collections.abc import Callable, Sequence
from uuid import UUID

from auth.consent import Consents
from auth.realname import RealName
from auth.rules import FreshFor, is_elder, parse_person
from auth.sessions import Sessions
from auth.types import Channel, Grant, Level
from core.cache import Limits
from core.clock import Clock, china_date
from core.db import transaction
from core.ids import Ids
from core.settings import Switch
from face.attempts import Attempts
from face.checks import result, started
from face.errors import CheckExpired, EvidenceReplayed, GuardianNeeded, NoSuchCheck, NotOffered
from face.examination import Examiner
from face.ports import Others
from face.records import Check, Records
from face.rules import GUARDED, choose_actions, hall_or_phone, needs_guardian
from face.settings import FaceSettings
from face.trail import Trail
from face.types import CheckResult, Judgement, Purpose, StartedCheck


class ElderSessions:
    """Opens a session for whoever is the person they say they are.

    Time and attempts follow the birth date in the number that was given, whether or not anybody has it.
    """

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
        if self._settings.elder_sessions is Switch.OFF or self._settings.gives == "nothing":
            raise NotOffered(alternatives=self._others(logged_in=False, elder=True))
        parsed_name, number = parse_person(name, id_number)
        self._consents.check(consent, purpose="face")
        now = self._clock.now()
        if needs_guardian(number, china_date(now)):
            raise GuardianNeeded(alternatives=GUARDED)
        elder = is_elder(number, chosen=False, day=china_date(now), policy=self._fresh_for)
        await self._limits.hit_address("face.elder", self._settings.elder_address_limit, address)
        hashes = self._records.person_hashes(number)
        check = Check(
            id=self._ids.uuid(),
            purpose=Purpose.ELDER_SESSION,
            citizen_id=None,
            session_id=None,
            person_hash=hashes[0],
            elder=elder,
            consent=consent,
            actions=choose_actions(self._settings.actions, self._draw),
            is_open=True,
            expires_at=now + self._settings.lifetime(elder=elder),
            name=parsed_name,
            id_number=number,
        )

        async def work() -> None:
            await self._attempts.require(hashes, None, elder=elder)
            await self._records.add(check, engine=self._engine)
            subject_id = await self._realname.find_citizen(number)
            await self._trail.tell("face.check-started", check, subject_id=subject_id)

        await transaction(work)
        return started(check, self._settings, self._engine)

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
        await self._limits.hit_address("face.elder-evidence", self._settings.elder_evidence_limit, address)
        check = await self._records.find(check_id)
        if check is None or check.purpose is not Purpose.ELDER_SESSION:
            raise NoSuchCheck
        if check.name is None or check.id_number is None:
            # Wiped with its outcome, or when it had waited too long.
            raise EvidenceReplayed if check.expires_at > self._clock.now() else CheckExpired
        name, number = check.name, check.id_number
        is_known = await self._realname.agrees(name, number)

        async def decide(judgement: Judgement) -> tuple[CheckResult, Grant | None]:
            citizen_id = await self._realname.ensure_citizen(name, number) if judgement.passed else None

            async def work() -> Grant | None:
                await self._records.close(check, judgement)
                subject_id = citizen_id or await self._realname.find_citizen(number)
                outcome = judgement.reason or "ok"
                await self._trail.tell(f"face.check-{judgement.outcome}", check, outcome, subject_id=subject_id)
                if citizen_id is None:
                    return None
                await self._consents.give(citizen_id, check.consent, channel=Channel.FACE)
                return await self._sessions.open(citizen_id, level=Level.PRESENT, device=device)

            grant = await transaction(work)
            return await result(check, judgement, self._attempts), grant

        return await self._examiner.examine(check, frames, number, is_known=is_known, then=decide)
