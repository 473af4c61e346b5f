"""Made pictures through the real engine and the gates: each says what to change, and a good one says nothing."""

from collections.abc import Callable
from io import BytesIO

import numpy as np
import pytest
from PIL import Image, ImageFilter

from face.adapters.local_engine import LocalEngine
from face.recording.rules import comparison_fault
from face.settings import FaceSettings
from face.types import PictureFault, Reason
from sandbox import faces
from sandbox.face_warp import Camera, Pose, photograph

LIMITS = FaceSettings().limits()


def photo(pose: Pose | None = None, *, gain: float = 1.0, grain: float = 1.0) -> Image.Image:
    """Take face B before the pretended camera."""
    camera = Camera(gain=gain, grain=grain, quality=92)
    taken = photograph(faces._still("b"), pose or Pose(), camera, np.random.default_rng(4))
    return Image.open(BytesIO(taken)).convert("RGB")


def two_people() -> Image.Image:
    picture = Image.new("RGB", (1200, 480))
    picture.paste(photo().crop((20, 0, 620, 480)), (0, 0))
    picture.paste(photo().crop((20, 0, 620, 480)), (600, 0))
    return picture


PICTURES: dict[str, tuple[Callable[[], Image.Image], Reason | None]] = {
    "good": (photo, None),
    "blurred": (lambda: photo().filter(ImageFilter.GaussianBlur(4)), Reason.BLURRED),
    "dark": (lambda: photo(gain=0.22), Reason.TOO_DARK),
    "bright": (lambda: photo().point(lambda value: 150 + value // 2), Reason.TOO_BRIGHT),
    "far away": (lambda: photo(Pose(scale=34.0)), Reason.FACE_TOO_SMALL),
    "cut off": (lambda: photo(Pose(scale=80.0, middle=(74.0, 206.0))), Reason.OUT_OF_FRAME),
    "in company": (two_people, Reason.SEVERAL_FACES),
    "turned away": (lambda: photo(Pose(turn=0.46)), Reason.POSE),
    "nobody": (lambda: Image.effect_noise((640, 480), 40).convert("RGB"), Reason.NO_FACE),
}


def as_png(picture: Image.Image) -> bytes:
    out = BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


@pytest.mark.parametrize("name", PICTURES)
async def test_a_picture_says_what_to_change(engine: LocalEngine, name: str) -> None:
    make, reason = PICTURES[name]
    seen = await engine.look_at(as_png(make()))
    assert not isinstance(seen, PictureFault)
    assert comparison_fault(seen, LIMITS.quality) is reason


async def test_a_portrait_has_to_be_larger_than_a_frame(engine: LocalEngine) -> None:
    seen = await engine.look_at(as_png(photo(Pose(scale=52.0))))
    assert not isinstance(seen, PictureFault)
    assert comparison_fault(seen, LIMITS.quality) is None
    assert comparison_fault(seen, LIMITS.portrait) is Reason.FACE_TOO_SMALL


async def test_the_registrys_kind_of_portrait_is_good_enough(engine: LocalEngine, portrait: bytes) -> None:
    seen = await engine.look_at(portrait)
    assert not isinstance(seen, PictureFault)
    assert comparison_fault(seen, LIMITS.portrait) is None
