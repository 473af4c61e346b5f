"""Pictures that nobody's camera made: each with what an engine is to say of it."""

import struct
import zlib
from collections.abc import Mapping
from io import BytesIO
from typing import Final

from PIL import Image

from face.adapters.picture import PictureLimits
from face.types import PictureFault

LIMITS: Final = PictureLimits()


def picture(kind: str = "JPEG", mode: str = "RGB", size: tuple[int, int] = (64, 48), **options: object) -> bytes:
    out = BytesIO()
    Image.effect_noise(size, 60).convert(mode).save(out, kind, **options)
    return out.getvalue()


def chunk(name: bytes, data: bytes) -> bytes:
    """Make a chunk of a PNG."""
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(width: int, height: int, bits: int, content: bytes, *, between: bytes = b"") -> bytes:
    """Make a PNG of any header, with these bytes as its rows and more chunks between head and rows."""
    header = struct.pack(">IIBBBBB", width, height, bits, 2, 0, 0, 0)
    body = chunk(b"IHDR", header) + between + chunk(b"IDAT", zlib.compress(content)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def rows(width: int, height: int) -> bytes:
    """Make the rows of a black PNG."""
    return (b"\0" + bytes(3 * width)) * height


def crumbs(width: int, height: int) -> bytes:
    """Make a PNG whose rows come in chunks of one byte."""
    whole = zlib.compress(rows(width, height), 0)[:60_000]
    body = b"".join(chunk(b"IDAT", whole[at : at + 1]) for at in range(len(whole)))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + body + chunk(b"IEND", b"")


def endless_scans(scans: int = 20_000) -> bytes:
    """Make a progressive JPEG that goes over its two million pixels again and again: twelve bytes for each scan."""
    grey = picture(mode="L", size=(1920, 1080), progressive=True, quality=1)
    # Everything up to the first scan; then scans that refine nothing, each one run of blocks without a bit to set.
    head = grey[: grey.index(b"\xff\xda")]
    scan = b"\xff\xda\x00\x08\x01\x01\x00\x00\x00\x00" + b"\x00\x00"
    return head + scan * scans + b"\xff\xd9"


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


# What each is, and the fault it is refused for; with none it may as well be taken for the picture it also is.
EVIL: Final[Mapping[str, tuple[bytes, PictureFault | None]]] = {
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
    "scans without end": (endless_scans(), PictureFault.UNREADABLE),
    "text that unpacks to 64 MB": (
        png(64, 48, 8, rows(64, 48), between=chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(64_000_000), 9))),
        PictureFault.UNREADABLE,
    ),
    "a profile that unpacks to 64 MB": (
        png(64, 48, 8, rows(64, 48), between=chunk(b"iCCP", b"a\0\0" + zlib.compress(bytes(64_000_000), 9))),
        PictureFault.UNREADABLE,
    ),
    "rows that unpack to 64 MB": (png(64, 48, 8, bytes(64_000_000)), None),
    "a million texts": (png(64, 48, 8, rows(64, 48), between=chunk(b"tEXt", b"a\0b") * 60_000), None),
    "one great text": (png(64, 48, 8, rows(64, 48), between=chunk(b"tEXt", b"a\0" + bytes(900_000))), None),
    "rows in crumbs": (crumbs(1400, 1400), PictureFault.UNREADABLE),
    "animated": (animated(), PictureFault.ANIMATED),
    "too many bytes": (b"\xff\xd8\xff" + bytes(LIMITS.max_bytes), PictureFault.TOO_LARGE),
}
