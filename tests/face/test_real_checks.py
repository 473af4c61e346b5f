"""Whole checks with the real engine and the database: a recording that passed once passes never again, for nobody.

`FACE_TRIES` in the environment says how many recordings are replayed in each way.
"""

import os
import random
from collections.abc import Callable
from datetime import timedelta
from io import BytesIO
from uuid import UUID

import pytest
from PIL import Image

from auth.types import Caller
from core.db import fetch_one
from face.adapters.local_engine import LocalEngine
from face.errors import EvidenceReplayed
from face.types import Outcome, Purpose
from sandbox import faces
from tests.conftest import Ground
from tests.fakes.face import Face, make_face

TRIES = int(os.environ.get("FACE_TRIES", "2"))
PEOPLE = {"霍明哲": "999999198503122179", "宛秋实": "999999197806214551"}


def as_they_were(frames: list[bytes]) -> list[bytes]:
    return frames


def with_a_remark(frames: list[bytes]) -> list[bytes]:
    return [frame[:2] + b"\xff\xfe\x00\x0a" + random.randbytes(4).hex().encode() + frame[2:] for frame in frames]


def padded(frames: list[bytes]) -> list[bytes]:
    return [frame + b"\0\0" for frame in frames]


def backwards(frames: list[bytes]) -> list[bytes]:
    return with_a_remark(frames[::-1])


def saved_anew_without_loss(frames: list[bytes]) -> list[bytes]:
    return [_png(frame) for frame in frames]


def _png(frame: bytes) -> bytes:
    out = BytesIO()
    with Image.open(BytesIO(frame)) as picture:
        picture.save(out, "PNG", compress_level=1)
    return out.getvalue()


async def started(face: Face, caller: Caller) -> tuple[UUID, list[str]]:
    # Attempts are counted elsewhere: here each try has its own six hours.
    face.ground.clock.move(timedelta(hours=6))
    check = await face.checks.start(caller, Purpose.STEP_UP, "face@1")
    return check.id, [str(action) for action in check.actions]


async def passed(face: Face, caller: Caller) -> list[bytes]:
    """Return a recording that has passed; like anybody, a person may need a second one."""
    for _ in range(3):
        check_id, actions = await started(face, caller)
        frames = faces.make_frames(random.choice(["huomingzhe", "qumanlin", "pangxiuying"]), actions, "genuine", 8)
        if (await face.checks.submit_evidence(caller, check_id, frames)).outcome is Outcome.PASSED:
            return frames
    raise AssertionError("an honest recording did not pass")


@pytest.mark.parametrize("replayed", [as_they_were, with_a_remark, padded, backwards, saved_anew_without_loss])
async def test_a_recording_that_passed_is_refused_on_every_account(
    ground: Ground, engine: LocalEngine, portrait: bytes, replayed: Callable[[list[bytes]], list[bytes]]
) -> None:
    face = make_face(ground, real_engine=engine)
    callers = []
    for name, number in PEOPLE.items():
        face.auth.registry.portraits[number] = portrait
        callers.append(await face.auth.caller_named(f"openid-{number}", name, number))
    for _ in range(TRIES):
        frames = await passed(face, callers[0])
        for caller in callers:
            # The actions asked for are always the same here: nothing but the marks of the pictures is in the way.
            check_id, _ = await started(face, caller)
            with pytest.raises(EvidenceReplayed):
                await face.checks.submit_evidence(caller, check_id, replayed(frames))
            row = await fetch_one("SELECT state, outcome, reason FROM face_check WHERE id = $1", check_id)
            assert row == {"state": "done", "outcome": "failed", "reason": "replayed"}


async def test_one_old_picture_among_new_ones_is_enough(ground: Ground, engine: LocalEngine, portrait: bytes) -> None:
    face = make_face(ground, real_engine=engine)
    name, number = next(iter(PEOPLE.items()))
    face.auth.registry.portraits[number] = portrait
    caller = await face.auth.caller_named(f"openid-{number}", name, number)
    frames = await passed(face, caller)
    check_id, actions = await started(face, caller)
    new = faces.make_frames("huomingzhe", actions, "genuine", 8)
    with pytest.raises(EvidenceReplayed):
        await face.checks.submit_evidence(caller, check_id, [*new[:-1], *with_a_remark(frames[-1:])])
