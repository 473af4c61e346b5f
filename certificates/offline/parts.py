"""A token in several pictures: numbered, scanned in any order, put together without a connection.

Each text is `ZJ:<number>/<of>:<mark>:<piece>`; `mark` is the same for all pieces of one token, the beginning of its
SHA-256, so that pictures of two tokens are never mixed up. Whether the token is genuine is not asked here.
"""

import hashlib
import re
from collections.abc import Sequence
from typing import Final

from certificates.offline.jws import encode

MOST: Final = 9
"""As many pictures somebody may have to scan at the most."""
LONGEST_SHOWN: Final = 7200
"""Characters of a token that nine pictures hold, 800 in each."""
_PIECE: Final = 800  # characters; with what stands before it still within version 20 of a QR code
_MARK: Final = 8
_TEXT: Final = re.compile(r"ZJ:([1-9])/([1-9]):([A-Za-z0-9_-]{8}):([A-Za-z0-9_.~-]+)")


def split(token: str) -> tuple[str, ...]:
    """Return the texts of the pictures of a token, about equally long.

    Raises:
        ValueError: it would take more than nine.
    """
    count = -(-len(token) // _PIECE)
    if count > MOST:
        raise ValueError("more pictures than anybody scans")
    size, mark = -(-len(token) // count), _mark(token)
    pieces = (token[at : at + size] for at in range(0, len(token), size))
    return tuple(f"ZJ:{number}/{count}:{mark}:{piece}" for number, piece in enumerate(pieces, 1))


def looks_like_parts(text: str) -> bool:
    """Tell whether a text is meant to be pictures of a token, however broken."""
    return text.startswith("ZJ:")


def join(texts: Sequence[str]) -> str:
    """Return the token of which these are all the pictures, in any order, each as often as it was scanned.

    Raises:
        ValueError: one is none, one is missing, or they are of several tokens.
    """
    found: dict[int, str] = {}
    told = set()
    for text in texts:
        part = _TEXT.fullmatch(text)
        if part is None or found.setdefault(int(part[1]), part[4]) != part[4]:
            raise ValueError("no picture of a token, or two of one number")
        told.add((int(part[2]), part[3]))
    if len(told) != 1:
        raise ValueError("pictures of several tokens")
    [(count, mark)] = told
    if found.keys() != set(range(1, count + 1)):
        raise ValueError("a picture is missing")
    token = "".join(found[number] for number in sorted(found))
    if _mark(token) != mark:
        raise ValueError("the pictures do not belong together")
    return token


def _mark(token: str) -> str:
    return encode(hashlib.sha256(token.encode()).digest())[:_MARK]
