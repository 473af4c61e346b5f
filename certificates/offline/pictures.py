"""The pictures of a token: one of it alone where that is scanned well, else a numbered series of smaller ones."""

from certificates.offline.parts import split
from certificates.qr import LONGEST, token_svg
from certificates.types import Colour


def token_svgs(token: str, colour: Colour) -> tuple[str, ...]:
    """Return SVG documents, all of which have to be scanned.

    Raises:
        ValueError: there would be more of them than anybody scans.
    """
    texts = (token,) if len(token) <= LONGEST else split(token)
    return tuple(token_svg(text, colour) for text in texts)
