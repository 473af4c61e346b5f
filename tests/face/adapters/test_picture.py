"""Uploaded files: whatever they are, they end as upright pixels or as a named fault."""

from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFile

from face.adapters.picture import BadPicture, decode
from face.types import PictureFault
from tests.fakes.evil_pictures import EVIL, LIMITS, picture


def outcome(data: bytes) -> PictureFault | None:
    try:
        pixels = decode(data, LIMITS)
    except BadPicture as refusal:
        return refusal.fault
    assert pixels.size <= 3 * LIMITS.max_pixels
    return None


@pytest.mark.parametrize("name", EVIL)
def test_evil_files_are_refused_by_name(name: str) -> None:
    data, fault = EVIL[name]
    assert outcome(data) in ({fault} if fault else {None, *PictureFault})


@pytest.mark.parametrize(
    ("kind", "mode"), [("JPEG", "RGB"), ("JPEG", "L"), ("PNG", "RGB"), ("PNG", "RGBA"), ("PNG", "P")]
)
def test_what_cameras_make_becomes_rgb_pixels(kind: str, mode: str) -> None:
    pixels = decode(picture(kind, mode), LIMITS)
    assert pixels.shape == (48, 64, 3)
    assert pixels.dtype == np.uint8


def test_zeros_behind_the_end_are_padding() -> None:
    assert decode(picture() + bytes(64), LIMITS).shape == (48, 64, 3)


def test_pictures_are_turned_upright_as_their_camera_says() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    pixels = decode(picture(exif=exif.tobytes()), LIMITS)
    assert pixels.shape == (64, 48, 3)


@pytest.mark.parametrize("size", [(1920, 1080), (1080, 1920), (1440, 1440)])
def test_frames_of_a_camera_of_1080_lines_fit_in(size: tuple[int, int]) -> None:
    assert decode(picture(size=size, quality=30), LIMITS).shape == (size[1], size[0], 3)


def test_truncated_files_stay_refused_when_a_library_has_allowed_them() -> None:
    ImageFile.LOAD_TRUNCATED_IMAGES = True
    with pytest.raises(BadPicture) as refusal:
        decode(EVIL["png without pixels"][0], LIMITS)
    assert refusal.value.fault is PictureFault.UNREADABLE
    assert ImageFile.LOAD_TRUNCATED_IMAGES is False


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_damaged_files_never_break_the_decoder(data: st.DataObject) -> None:
    good = bytearray(data.draw(st.sampled_from([GOOD_JPEG, GOOD_PNG])))
    for _ in range(data.draw(st.integers(1, 8))):
        good[data.draw(st.integers(0, len(good) - 1))] = data.draw(st.integers(0, 255))
    # Anything but pixels or a named fault is an exception, and fails here.
    with suppress(BadPicture):
        assert decode(bytes(good), LIMITS).ndim == 3


GOOD_JPEG = picture()
GOOD_PNG = picture("PNG")
