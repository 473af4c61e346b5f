"""Looking at a whole picture: what begins and ends like one may be anything in between."""

import struct
from collections.abc import Mapping
from io import BytesIO
from types import MappingProxyType
from typing import Final

from PIL import Image, ImageFile

_FORMATS: Final[Mapping[str, str]] = MappingProxyType({"image/jpeg": "JPEG", "image/png": "PNG"})
# A JPEG is decoded at an eighth of its size, a PNG in full: 16 million pixels are 64 MB.
_PIXELS: Final[Mapping[str, int]] = MappingProxyType({"JPEG": 50_000_000, "PNG": 16_000_000})
_SCALED: Final = (640, 640)
# Browsers have been talked into reading these out of pictures; no camera writes them, and chance does not either.
_MARKUP: Final = (b"<script", b"<!doctype", b"javascript:")


def is_sound(content: bytes, media_type: str) -> bool:
    """Tell whether a file is what it says, to its last pixel; of other kinds than pictures nothing more is asked.

    This takes tens of milliseconds for a large picture: call it in a thread.
    """
    kind = _FORMATS.get(media_type)
    if kind is None:
        return True
    lowered = content.lower()
    return not any(word in lowered for word in _MARKUP) and _decodes(content, kind)


def _decodes(content: bytes, kind: str) -> bool:
    # Set anew each time: importing some libraries makes Pillow accept truncated files, for the whole process.
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    try:
        with Image.open(BytesIO(content), formats=(kind,)) as image:
            if image.width * image.height > _PIXELS[kind]:
                return False
            if kind == "PNG" and getattr(image, "is_animated", False):
                return False
            image.draft("RGB", _SCALED)
            image.load()
    except (OSError, ValueError, SyntaxError, ArithmeticError, LookupError, TypeError, struct.error, EOFError):
        # Decoders raise many things on hostile files; here all of them mean one thing.
        return False
    except (Image.DecompressionBombError, Image.DecompressionBombWarning, MemoryError):
        return False
    return True
