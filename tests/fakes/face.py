"""A face engine that reads pictures of a made-up kind, and the rooms of face put together over auth with it.

A made-up picture is the beginning of a JPEG and a line of text: who is on it, what they do, and a number that makes it
differ from all others. What follows the number is metadata.
"""

import asyncio
import hashlib
import itertools
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

from core.errors import Problem
from face import rules
from face.attempts import Attempts
from face.checks import FaceChecks
from face.elder import ElderSessions
from face.errors import EngineBusy, PictureUnusable
from face.examination import Examiner
from face.records import Records
from face.settings import FaceSettings
from face.takeover import TakeoverChecks
from face.trail import Trail
from face.types import Action, FaceBox, FaceSeen, FrameObservation, PictureFault
from tests.conftest import Ground
from tests.fakes.auth import Auth, make_auth

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
    model_id = "fake/1"

    def __init__(self, *, places: int = 10, places_kept: int = 0) -> None:
        self.trouble: Problem | None = None
        self.slowly: asyncio.Event | None = None
        self.is_ready = False
        self._places = places
        self._for_anybody = places - places_kept
        self._closed = False

    @asynccontextmanager
    async def admit(self, *, logged_in: bool = True) -> AsyncIterator[_Examination]:
        if self._closed or self._places == 0 or not (logged_in or self._for_anybody):
            raise EngineBusy(retry_after=2)
        taken = 0 if logged_in else 1
        self._places -= 1
        self._for_anybody -= taken
        try:
            yield _Examination(self)
        finally:
            self._places += 1
            self._for_anybody += taken

    async def warm_up(self) -> None:
        self.is_ready = True

    async def close(self) -> None:
        self._closed = True
        self.is_ready = False

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
class Face:
    """The rooms of face, with fakes outside."""

    ground: Ground
    auth: Auth
    engine: FakeFaceEngine
    settings: FaceSettings
    checks: FaceChecks
    elder: ElderSessions
    takeover: TakeoverChecks


def make_face(
    ground: Ground,
    *,
    auth: Auth | None = None,
    engine: FakeFaceEngine | None = None,
    settings: FaceSettings | None = None,
) -> Face:
    """Put face together over the ground; actions are always the first of the possible ones."""
    auth = auth or make_auth(ground)
    engine = engine or FakeFaceEngine()
    settings = settings or FaceSettings()
    records = Records(vault=ground.vault, clock=ground.clock)
    attempts = Attempts(clock=ground.clock, settings=settings)
    trail = Trail(ground.audit)
    examiner = Examiner(engine=engine, portraits=auth.registry, records=records, trail=trail, settings=settings)
    shared: Any = {
        "examiner": examiner,
        "records": records,
        "attempts": attempts,
        "realname": auth.realname,
        "consents": auth.consents,
        "trail": trail,
        "limits": ground.limits,
        "clock": ground.clock,
        "ids": ground.ids,
        "settings": settings,
        "fresh_for": auth.settings.levels.fresh_for(),
        "engine": engine.name,
        "draw": lambda _: 0,
    }
    checks = FaceChecks(sessions=auth.sessions, **shared)
    elder = ElderSessions(sessions=auth.sessions, **shared)
    takeover = TakeoverChecks(takeovers=auth.takeovers, **shared)
    return Face(ground, auth, engine, settings, checks, elder, takeover)


ACTIONS = rules.possible_actions(3)[0]
