"""Whole pictures only: what merely begins and ends like one is refused."""

import asyncio
import io
import zlib

import pytest
from PIL import Image, PngImagePlugin

from matters.applications.pictures import is_sound
from tests.matters.applications.test_rules import JPEG, PDF, PNG, picture

JPEG_TYPE, PNG_TYPE = "image/jpeg", "image/png"
END = b"\0\0\0\0IEND\xaeB`\x82"


def chunk(name: bytes, content: bytes) -> bytes:
    return len(content).to_bytes(4, "big") + name + content + zlib.crc32(name + content).to_bytes(4, "big")


def huge_png() -> bytes:
    """A few hundred bytes that claim to be 900 million pixels."""
    head = (30_000).to_bytes(4, "big") * 2 + bytes([8, 0, 0, 0, 0])
    return PNG[:8] + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + END


def talking_png() -> bytes:
    """A sound picture with a script in its text."""
    file, info = io.BytesIO(), PngImagePlugin.PngInfo()
    info.add_text("Comment", "<SCRIPT>alert(1)</SCRIPT>")
    Image.new("RGB", (4, 4)).save(file, "PNG", pnginfo=info)
    return file.getvalue()


def animated_png() -> bytes:
    file = io.BytesIO()
    frames = [Image.new("RGB", (4, 4), (shade, 0, 0)) for shade in (0, 200)]
    frames[0].save(file, "PNG", save_all=True, append_images=frames[1:])
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "media_type"),
    [(JPEG, JPEG_TYPE), (PNG, PNG_TYPE), (picture("JPEG", size=(4000, 3000)), JPEG_TYPE), (PDF, "application/pdf")],
)
def test_sound_files_pass(content: bytes, media_type: str) -> None:
    assert is_sound(content, media_type)


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        pytest.param(PNG[:8] + b"<script>alert(1)</script>" + END, PNG_TYPE, id="a page dressed as a picture"),
        pytest.param(talking_png(), PNG_TYPE, id="a picture that talks"),
        pytest.param(PNG[:-20] + END, PNG_TYPE, id="cut and closed"),
        pytest.param(PNG.replace(PNG[45:49], b"\0\0\0\0"), PNG_TYPE, id="a damaged chunk"),
        pytest.param(huge_png(), PNG_TYPE, id="more pixels than fit"),
        pytest.param(animated_png(), PNG_TYPE, id="more than one picture"),
        pytest.param(JPEG[: len(JPEG) // 2] + b"\xff\xd9", JPEG_TYPE, id="half a picture"),
        pytest.param(JPEG[:4] + b"\0" * 64 + b"\xff\xd9", JPEG_TYPE, id="head and tail alone"),
        pytest.param(PNG, JPEG_TYPE, id="another kind"),
    ],
)
def test_what_does_not_decode_or_carries_a_page_is_refused(content: bytes, media_type: str) -> None:
    assert not is_sound(content, media_type)


async def test_a_large_picture_does_not_hold_the_loop() -> None:
    content = picture("JPEG", size=(7000, 7000))
    longest, loop = 0.0, asyncio.get_running_loop()
    looking = asyncio.ensure_future(asyncio.to_thread(is_sound, content, JPEG_TYPE))
    while not looking.done():
        before = loop.time()
        await asyncio.sleep(0.001)
        longest = max(longest, loop.time() - before)
    assert await looking
    assert longest < 0.2
