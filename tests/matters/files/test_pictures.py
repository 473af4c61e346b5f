"""Whole pictures only: what merely begins and ends like one is refused."""

import io
import zlib

import pytest
from PIL import Image, PngImagePlugin

from matters.files.pictures import Unsound, made_anew
from tests.matters.applications.test_rules import JPEG, PNG, picture

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
    [(JPEG, JPEG_TYPE), (PNG, PNG_TYPE), (picture("JPEG", size=(4000, 3000)), JPEG_TYPE)],
)
def test_sound_pictures_are_made_anew_in_their_kind(content: bytes, media_type: str) -> None:
    before, after = opened(content), opened(made_anew(content, media_type))
    assert (after.format, after.size) == (before.format, before.size)


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
    with pytest.raises(Unsound):
        made_anew(content, media_type)


def opened(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content))


def telling_jpeg() -> bytes:
    """A picture that says where and when it was taken, and what is to be done with it."""
    file, exif = io.BytesIO(), Image.Exif()
    exif[0x010F], exif[0x0112], exif[0x9286] = "Phone of somebody", 6, "at home"
    exif.get_ifd(0x8825)[1] = "N"
    Image.new("RGB", (40, 20), (200, 10, 10)).save(file, "JPEG", exif=exif, comment=b"a word", icc_profile=b"x" * 200)
    return file.getvalue()


def test_what_a_file_says_beside_its_pixels_stays_behind() -> None:
    told = telling_jpeg()
    assert b"Phone of somebody" in told
    kept = made_anew(told, JPEG_TYPE)
    for word in (b"Exif", b"Phone", b"a word", b"ICC", b"at home"):
        assert word not in kept
    # Turned as the camera meant it, since what said so is gone.
    assert opened(kept).size == (20, 40)
    assert not opened(kept).getexif()


def test_words_in_a_png_stay_behind() -> None:
    file, info = io.BytesIO(), PngImagePlugin.PngInfo()
    info.add_text("Author", "somebody")
    Image.new("RGBA", (4, 4), (0, 0, 0, 0)).save(file, "PNG", pnginfo=info)
    kept = made_anew(file.getvalue(), PNG_TYPE)
    assert b"somebody" not in kept
    assert opened(kept).mode == "RGBA"


@pytest.mark.parametrize("mode", ["1", "L", "P", "CMYK"])
def test_every_mode_of_a_camera_or_scanner_becomes_plain(mode: str) -> None:
    file = io.BytesIO()
    kind = "JPEG" if mode == "CMYK" else "PNG"
    Image.new(mode, (8, 8)).save(file, kind)
    assert opened(made_anew(file.getvalue(), f"image/{kind.lower()}")).mode in {"L", "RGB"}


def test_more_pixels_than_anybody_needs_are_fewer_afterwards() -> None:
    kept = made_anew(picture("JPEG", size=(6000, 4500)), JPEG_TYPE)
    assert opened(kept).size == (4096, 3072)
