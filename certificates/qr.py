"""Pictures that scanners read (ISO/IEC 18004), as SVG documents of their own."""

import io
from typing import Final

import segno

from certificates.types import Colour

_QUIET_ZONE: Final = 4  # modules
_MODULE: Final = 8  # pixels
_INK: Final = {Colour.BLACK: "#000000", Colour.RED: "#c00000"}
# Larger ones are not read well from the screen of a telephone.
LARGEST_VERSION: Final = 25
LONGEST: Final = 1273
"""Characters in the largest picture at the lowest error correction."""


def qr_svg(code: str, colour: Colour) -> str:
    """Return a complete SVG document with a QR code of exactly `code`, dark on white, with its quiet zone."""
    return _draw(segno.make_qr(code, error="m"), colour)


def token_svg(text: str, colour: Colour) -> str:
    """Return the same for a token or a part of it, `LONGEST` characters at the most.

    The lowest error correction: a screen has no torn corners, and larger modules are worth more.
    """
    return _draw(segno.make_qr(text, error="l", boost_error=False), colour)


def _draw(qr: segno.QRCode, colour: Colour) -> str:
    out = io.BytesIO()
    qr.save(out, kind="svg", border=_QUIET_ZONE, scale=_MODULE, dark=_INK[colour], light="#ffffff", nl=False)
    return out.getvalue().decode()
