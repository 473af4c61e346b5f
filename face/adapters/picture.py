"""Turn an uploaded file into pixels, in the engine's child process: whatever it is, it ends as pixels or as a fault."""

import warnings
from dataclasses import dataclass
from io import BytesIO
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFile, ImageOps

from face.types import PictureFault

Pixels: TypeAlias = npt.NDArray[np.uint8]

_JPEG_START: Final = b"\xff\xd8\xff"
_JPEG_END: Final = b"\xff\xd9"
_PNG_START: Final = b"\x89PNG\r\n\x1a\n"
_PNG_END: Final = b"IEND\xaeB`\x82"
_PNG_DEPTH_AT: Final = 24
_BITS_PER_CHANNEL: Final = 8
# A progressive JPEG of a camera has ten or so; each goes over the whole picture, however few bytes it has.
_SCAN_START: Final = b"\xff\xda"
_MOST_SCANS: Final = 64
_CAMERA_MODES: Final = {"JPEG": {"RGB", "L"}, "PNG": {"RGB", "RGBA", "L", "LA", "P"}}


@dataclass(frozen=True, slots=True)
class PictureLimits:
    """Bounds of one picture. Frames of 1920 x 1080 fit in, more shows no more of a face and costs everybody time.

    `cpu_seconds` of the processor may be spent on decoding it: a hundred times what a photograph takes.
    """

    max_bytes: int = 5_000_000
    max_pixels: int = 2_100_000
    cpu_seconds: float = 1.0


class BadPicture(Exception):
    """The file is no picture for this engine."""

    def __init__(self, fault: PictureFault) -> None:
        self.fault = fault
        super().__init__(fault.value)


def decode(data: bytes, limits: PictureLimits) -> Pixels:
    """Decode a JPEG or PNG to upright RGB pixels; all metadata is dropped.

    Raises:
        BadPicture: wrong type, too large, damaged, animated, or in colours no camera makes.
    """
    if len(data) > limits.max_bytes:
        raise BadPicture(PictureFault.TOO_LARGE)
    kind = _kind_of(data)
    # Set anew each time: importing some libraries makes Pillow accept truncated files, for the whole process.
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(BytesIO(data), formats=(kind,)) as image:
                _check(image, kind, data[_PNG_DEPTH_AT], limits)
                ImageOps.exif_transpose(image, in_place=True)
                return np.asarray(image if image.mode == "RGB" else image.convert("RGB"))
    except BadPicture:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise BadPicture(PictureFault.TOO_MANY_PIXELS) from error
    except Exception as error:
        # Decoders raise anything on hostile files; here all of it means one thing.
        raise BadPicture(PictureFault.UNREADABLE) from error


def _kind_of(data: bytes) -> str:
    """Tell the format from the first bytes, and that the file ends where its format ends."""
    if data.startswith(_JPEG_START):
        kind, end = "JPEG", _JPEG_END
    elif data.startswith(_PNG_START):
        kind, end = "PNG", _PNG_END
    else:
        raise BadPicture(PictureFault.WRONG_TYPE)
    # Some cameras pad with zeros; anything else behind the end makes the file two things at once.
    body = data.rstrip(b"\0")
    if body.endswith(end):
        if kind == "JPEG" and body.count(_SCAN_START) > _MOST_SCANS:
            raise BadPicture(PictureFault.UNREADABLE)
        return kind
    raise BadPicture(PictureFault.TRAILING_DATA if end in body[-65536:] else PictureFault.TRUNCATED)


def _check(image: Image.Image, kind: str, bits: int, limits: PictureLimits) -> None:
    """Refuse by the header alone what would cost much or is no photograph."""
    if image.width * image.height > limits.max_pixels:
        raise BadPicture(PictureFault.TOO_MANY_PIXELS)
    if image.format != kind or getattr(image, "n_frames", 1) > 1:
        raise BadPicture(PictureFault.ANIMATED)
    if image.mode not in _CAMERA_MODES[kind]:
        raise BadPicture(PictureFault.UNUSUAL_COLOURS)
    if kind == "PNG" and bits > _BITS_PER_CHANNEL:
        raise BadPicture(PictureFault.UNUSUAL_COLOURS)
