"""A face engine that reads pictures of a made-up kind, and the rooms of face put together over auth with it.

A made-up picture is the beginning of a JPEG and a line of text: who is on it, what they do, and a number that makes it
differ from all others. What follows the number is metadata.
"""

import asyncio
import hashlib
import itertools
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

from core.db import forbid_inside_transaction
from core.errors import Problem
from core.pii import Secret
from face.attempts import Attempts
from face.checks import FaceChecks
from face.elder import ElderSessions
from face.errors import EngineBusy, PictureUnusable
from face.examination import Examiner
from face.kit import Kit
from face.platform.checks import PlatformChecks
from face.platform.errors import PlatformRefused
from face.platform.ports import FacePlatform
from face.platform.records import Records as PlatformRecords
from face.platform.types import Begun, Finding, Subject
from face.platform.types import Outcome as PlatformOutcome
from face.platform.types import Reason as PlatformReason
from face.ports import FaceEngine
from face.recording.rules import possible_actions
from face.records import Records
from face.settings import EnginePolicy, EngineWorth, FaceSettings
from face.takeover import TakeoverChecks
from face.trail import Trail
from face.types import Action, FaceBox, FaceSeen, FrameObservation, PictureFault
from tests.conftest import Ground
from tests.fakes.auth import Auth, make_auth

# Installations: one in which no engine is offered, one in which both count.
NO_LOCAL = EnginePolicy(local=EngineWorth(gives="nothing", reason="a test's own reason"))
BOTH = EnginePolicy(wechat=EngineWorth(gives="present", reason="a test's own reason"))

_JPEG = b"\xff\xd8\xff"
_numbers = itertools.count(1)

FRONT = FaceSeen(
    box=FaceBox(200, 100, 140, 140),
    score=1.0,
    eye_distance=64.0,
    turn=0.0,
    tilt=0.0,
    sharpness=100.0,
    light=130.0,
    contrast=50.0,
    landmarks=((0.0, 0.0),) * 5,
    embedding=(0.0,) * 128,
)
_POSES = {
    "front": FRONT,
    Action.TURN_ONE_SIDE: replace(FRONT, turn=0.21),
    Action.TURN_OTHER_SIDE: replace(FRONT, turn=-0.21),
    Action.TILT: replace(FRONT, tilt=17.0),
    Action.COME_CLOSER: replace(FRONT, eye_distance=88.0),
    Action.OPEN_MOUTH: FRONT,
}


def picture_of(who: str, pose: str = "front") -> bytes:
    """Make a picture of a person; no two are the same bytes."""
    return _JPEG + f"{who}|{pose}|{next(_numbers)}".encode()


def frames_of(who: str, actions: Sequence[Action]) -> list[bytes]:
    """Make a recording of a person who does the actions."""
    poses = ["front", "front", *(pose for action in actions for pose in (action, "front")), "front"]
    return [picture_of(who, pose) for pose in poses]


class _Examination:
    def __init__(self, engine: "FakeFaceEngine") -> None:
        self._engine = engine

    async def look_at(self, pictures: Sequence[bytes]) -> tuple[FrameObservation, ...]:
        if self._engine.slowly is not None:
            await self._engine.slowly.wait()
        if self._engine.trouble is not None:
            raise self._engine.trouble
        return tuple(self._engine.observation(index, picture) for index, picture in enumerate(pictures))


class FakeFaceEngine:
    """Sees what the made-up pictures say. `trouble` is what every look fails with while it is set."""

    name = "fake"
    # Thresholds belong to a network: it says to be the one that was evaluated.
    model_id = FaceSettings().limits().decision.model_id

    def __init__(self, *, places: int = 10, places_kept: int = 0) -> None:
        self.trouble: Problem | None = None
        self.slowly: asyncio.Event | None = None
        self._is_ready = False
        self._places = places
        self._for_anybody = places - places_kept
        self._closed = False

    async def is_whole(self) -> bool:
        return self._is_ready

    def require_place(self, *, logged_in: bool = True) -> None:
        if self._closed or self._places == 0 or not (logged_in or self._for_anybody):
            raise EngineBusy(retry_after=2)

    @asynccontextmanager
    async def admit(self, *, logged_in: bool = True) -> AsyncIterator[_Examination]:
        self.require_place(logged_in=logged_in)
        taken = 0 if logged_in else 1
        self._places -= 1
        self._for_anybody -= taken
        try:
            yield _Examination(self)
        finally:
            self._places += 1
            self._for_anybody += taken

    async def warm_up(self) -> None:
        self._is_ready = True

    async def close(self) -> None:
        self._closed = True
        self._is_ready = False

    def observation(self, index: int, picture: bytes) -> FrameObservation:
        """Read a made-up picture; anything else is no picture."""
        try:
            who, pose, number, *_ = picture.removeprefix(_JPEG).decode().split("|")
        except ValueError:
            raise PictureUnusable(PictureFault.UNREADABLE, index) from None
        # Different people are one apart, pictures of one person nothing.
        face = replace(_POSES[pose], embedding=(float(sum(who.encode())), *[0.0] * 127))
        digest = hashlib.sha256(f"{who}|{pose}|{number}".encode()).hexdigest()
        return FrameObservation(640, 480, face, 0.0, self.model_id, digest)


@dataclass
class FakeFacePlatform:
    """Looks at the face that a test holds before it (`show`); knows whom each reference was begun for."""

    name = "wechat"
    trouble: Problem | None = None
    seconds: int = 3600
    begun: dict[str, tuple[Subject, str]] = field(default_factory=dict)
    ends: dict[str, Finding] = field(default_factory=dict)

    async def begin(self, subject: Subject, *, number: str) -> Begun:
        forbid_inside_transaction()
        if self.trouble is not None:
            raise self.trouble
        reference = f"verify-{next(_numbers)}"
        assert number not in {used for _, used in self.begun.values()}
        self.begun[reference] = (subject, number)
        return Begun(Secret(reference), self.seconds)

    async def ask(self, subject: Subject, begun: Begun, *, number: str) -> Finding:
        forbid_inside_transaction()
        if self.trouble is not None:
            raise self.trouble
        reference = begun.reference.reveal()
        if self.begun.get(reference) != (subject, number):
            raise PlatformRefused
        return self.ends.get(reference, Finding(PlatformOutcome.PENDING))

    def show(self, reference: str, reason: PlatformReason | None = None) -> None:
        """End a check: passed, or failed for a reason."""
        outcome = PlatformOutcome.FAILED if reason else PlatformOutcome.PASSED
        self.ends[reference] = Finding(outcome, reason)


@dataclass
class Face:
    """The rooms of face, with fakes outside."""

    ground: Ground
    auth: Auth
    engine: FakeFaceEngine
    settings: FaceSettings
    checks: FaceChecks
    elder: ElderSessions
    takeover: TakeoverChecks
    platform: FakeFacePlatform
    by_platform: PlatformChecks


def make_face(
    ground: Ground,
    *,
    auth: Auth | None = None,
    engine: FakeFaceEngine | None = None,
    real_engine: FaceEngine | None = None,
    platform: FacePlatform | None = None,
    settings: FaceSettings | None = None,
) -> Face:
    """Put face together over the ground; actions are always the first of the possible ones.

    A `real_engine` looks in the place of the fake one.
    """
    auth = auth or make_auth(ground)
    engine = engine or FakeFaceEngine()
    settings = settings or FaceSettings()
    records = Records(vault=ground.vault, clock=ground.clock)
    attempts = Attempts(clock=ground.clock, settings=settings)
    trail = Trail(ground.audit)
    examiner = Examiner(
        engine=real_engine or engine, portraits=auth.registry, records=records, trail=trail, settings=settings
    )
    kit = Kit(
        examiner=examiner,
        records=records,
        attempts=attempts,
        realname=auth.realname,
        consents=auth.consents,
        trail=trail,
        limits=ground.limits,
        clock=ground.clock,
        ids=ground.ids,
        settings=settings,
        fresh_for=auth.settings.levels.fresh_for(),
        engine=(real_engine or engine).name,
        draw=lambda _: 0,
    )
    fake = FakeFacePlatform()
    by_platform = PlatformChecks(
        kit,
        platform=platform or fake,
        records=PlatformRecords(vault=ground.vault, clock=ground.clock),
        contacts=auth.contacts,
        sessions=auth.sessions,
    )
    checks, elder = FaceChecks(kit, auth.sessions), ElderSessions(kit, auth.sessions)
    takeover = TakeoverChecks(kit, auth.takeovers)
    return Face(ground, auth, engine, settings, checks, elder, takeover, fake, by_platform)


ACTIONS = possible_actions(3)[0]
