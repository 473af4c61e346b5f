"""Uploaded files: whatever they are, they end as upright pixels or as a named fault."""

import struct
import zlib
from contextlib import suppress
from io import BytesIO

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFile

from face.adapters.picture import BadPicture, PictureLimits, decode
from face.types import PictureFault

LIMITS = PictureLimits()


def picture(kind: str = "JPEG", mode: str = "RGB", size: tuple[int, int] = (64, 48), **options: object) -> bytes:
    out = BytesIO()
    Image.effect_noise(size, 60).convert(mode).save(out, kind, **options)
    return out.getvalue()


def png(width: int, height: int, bits: int, content: bytes) -> bytes:
    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, bits, 2, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(content)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def animated() -> bytes:
    out = BytesIO()
    frames = [Image.new("RGB", (32, 32), colour) for colour in ("red", "blue")]
    frames[0].save(out, "PNG", save_all=True, append_images=frames[1:])
    return out.getvalue()


def huge_jpeg_header() -> bytes:
    data = bytearray(picture())
    at = data.index(b"\xff\xc0")
    data[at + 5 : at + 9] = struct.pack(">HH", 30_000, 30_000)
    return bytes(data)


EVIL = {
    "empty": (b"", PictureFault.WRONG_TYPE),
    "text": (b"<svg onload=alert(1)>", PictureFault.WRONG_TYPE),
    "gif": (picture("GIF", "L"), PictureFault.WRONG_TYPE),
    "webp": (picture("WEBP"), PictureFault.WRONG_TYPE),
    "tiff": (picture("TIFF"), PictureFault.WRONG_TYPE),
    "only magic": (b"\xff\xd8\xff", PictureFault.TRUNCATED),
    "magic and end": (b"\xff\xd8\xff\xd9", PictureFault.UNREADABLE),
    "truncated jpeg": (picture()[:-200], PictureFault.TRUNCATED),
    "jpeg cut in its header, with an end": (picture()[:300] + b"\xff\xd9", PictureFault.UNREADABLE),
    "truncated png": (picture("PNG")[:-100], PictureFault.TRUNCATED),
    "polyglot zip": (picture() + b"PK\x03\x04" + b"evil" * 50, PictureFault.TRAILING_DATA),
    "polyglot html": (picture("PNG") + b"<script>alert(1)</script>", PictureFault.TRAILING_DATA),
    "header of 30,000 x 30,000 (png)": (png(30_000, 30_000, 8, b""), PictureFault.TOO_MANY_PIXELS),
    "header of 30,000 x 30,000 (jpeg)": (huge_jpeg_header(), PictureFault.TOO_MANY_PIXELS),
    "png without pixels": (png(64, 64, 8, b""), PictureFault.UNREADABLE),
    "more than 1080p (jpeg)": (picture(size=(1700, 1300)), PictureFault.TOO_MANY_PIXELS),
    "more than 1080p (png)": (png(1700, 1300, 8, b""), PictureFault.TOO_MANY_PIXELS),
    "cmyk": (picture(mode="CMYK"), PictureFault.UNUSUAL_COLOURS),
    "16 bit grey": (picture("PNG", "I;16"), PictureFault.UNUSUAL_COLOURS),
    "16 bit colour": (png(8, 8, 16, (b"\0" + bytes(48)) * 8), PictureFault.UNUSUAL_COLOURS),
    "animated": (animated(), PictureFault.ANIMATED),
    "too many bytes": (b"\xff\xd8\xff" + bytes(LIMITS.max_bytes), PictureFault.TOO_LARGE),
}


@pytest.mark.parametrize("name", EVIL)
def test_evil_files_are_refused_by_name(name: str) -> None:
    data, fault = EVIL[name]
    with pytest.raises(BadPicture) as refusal:
        decode(data, LIMITS)
    assert refusal.value.fault is fault


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
