"""Making a picture anew from its pixels: whatever else a file held stays behind."""

import struct
from collections.abc import Mapping
from io import BytesIO
from types import MappingProxyType
from typing import Final

from PIL import Image, ImageFile, ImageOps

FORMATS: Final[Mapping[str, str]] = MappingProxyType({"image/jpeg": "JPEG", "image/png": "PNG"})
# A JPEG is decoded at the size it is kept in; a PNG in full: 24 million pixels are 96 MB.
_PIXELS: Final[Mapping[str, int]] = MappingProxyType({"JPEG": 120_000_000, "PNG": 24_000_000})
# Print of 8 points on a page of A4 is legible at 300 dots to the inch: 3508 of them along the longer side.
LONGEST: Final = 4096
_QUALITY: Final = 88
# A progressive JPEG of a camera has ten scans or so; each goes over the whole picture, however few bytes it has.
_SCAN: Final = b"\xff\xda"
_MOST_SCANS: Final = 64
# Browsers have been talked into reading these out of pictures; no camera writes them, and chance does not either.
_MARKUP: Final = (b"<script", b"<!doctype", b"javascript:")


class Unsound(Exception):
    """A file is not what it says, or holds what is not taken."""


def made_anew(content: bytes, media_type: str) -> bytes:
    """Return a picture of the same kind made from the pixels alone, upright, without any metadata.

    The longer side has 4096 pixels at the most. This takes up to a second for a large picture.

    Raises:
        Unsound: it does not decode to its last pixel, has more pixels than fit, moves, or talks.
    """
    kind = FORMATS[media_type]
    lowered = content.lower()
    if any(word in lowered for word in _MARKUP) or (kind == "JPEG" and content.count(_SCAN) > _MOST_SCANS):
        raise Unsound
    # Set anew each time: importing some libraries makes Pillow accept truncated files, for the whole process.
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    try:
        return _redrawn(content, kind)
    except (OSError, ValueError, SyntaxError, ArithmeticError, LookupError, TypeError, struct.error, EOFError) as error:
        # Decoders raise many things on hostile files; here all of them mean one thing.
        raise Unsound from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning, MemoryError) as error:
        raise Unsound from error


def _redrawn(content: bytes, kind: str) -> bytes:
    with Image.open(BytesIO(content), formats=(kind,)) as image:
        if image.width * image.height > _PIXELS[kind] or getattr(image, "is_animated", False):
            raise Unsound
        image.draft("RGB", (LONGEST, LONGEST))
        image.load()
        upright = ImageOps.exif_transpose(image)
        upright.thumbnail((LONGEST, LONGEST))
        drawn = upright.convert(_mode(upright, kind))
    # Copied without what stood beside the pixels: a converted picture carries its file's words along.
    clean = Image.frombytes(drawn.mode, drawn.size, drawn.tobytes())
    out = BytesIO()
    if kind == "JPEG":
        clean.save(out, "JPEG", quality=_QUALITY)
    else:
        clean.save(out, "PNG")
    return out.getvalue()


def _mode(image: Image.Image, kind: str) -> str:
    if image.mode in {"L", "1", "I;16", "I"}:
        return "L"
    has_holes = image.mode in {"RGBA", "LA", "PA"} or (image.mode == "P" and "transparency" in image.info)
    return "RGBA" if kind == "PNG" and has_holes else "RGB"
