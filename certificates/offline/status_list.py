"""Status lists: one bit field for a million tokens, signed and small (IETF Token Status List, draft 21).

Who checks a token fetches the whole list, so that nobody learns which token they look at.
"""

import zlib
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric import ec

from certificates.offline.jws import Keys, decode, encode, read, sign
from certificates.offline.sd_jwt import moment
from certificates.offline.types import StatusList
from certificates.types import Outcome
from core.keyring.ring import Key

MEDIA_TYPE: Final = "application/statuslist+jwt"
SIZE: Final = 1 << 20
"""How many tokens one list has room for."""
BITS: Final = 2
_TYP: Final = "statuslist+jwt"
_INFLATED: Final = 10_000_000
LONGEST: Final = 4_000_000
"""Characters of a list that are looked at."""
_WIDTHS: Final = frozenset({1, 2, 4, 8})


def deflate(marks: Iterable[tuple[int, int]], *, size: int = SIZE, bits: int = BITS) -> str:
    """Return marks by their index as a compressed list (section 4.1); what is not named is valid."""
    per_octet = 8 // bits
    octets = bytearray(size // per_octet)
    for index, mark in marks:
        octets[index // per_octet] |= mark << index % per_octet * bits
    return encode(zlib.compress(bytes(octets), 9))


def compose(
    lst: str, *, uri: str, now: datetime, ttl: timedelta, lives: timedelta, key: Key[ec.EllipticCurvePrivateKey]
) -> str:  # fmt: skip
    """Return a list as a signed token (section 5.1)."""
    payload = {
        "sub": uri,
        "iat": int(now.timestamp()),
        "exp": int((now + lives).timestamp()),
        "ttl": int(ttl.total_seconds()),
        "status_list": {"bits": BITS, "lst": lst},
    }
    return sign(payload, key.secret, key_id=key.kid, typ=_TYP)


def read_status_list(text: str, keys: Keys) -> StatusList | Outcome:
    """Return a list, or why it is none: `unreadable`, `unknown` (the key), `bad_signature`."""
    if len(text) > LONGEST:
        return Outcome.UNREADABLE
    try:
        signed = read(text, typ=_TYP)
    except ValueError:
        return Outcome.UNREADABLE
    key = keys.get(signed.header["kid"])
    if key is None:
        return Outcome.UNKNOWN
    if not signed.holds(key):
        return Outcome.BAD_SIGNATURE
    try:
        return _status_list(dict(signed.payload))
    except (KeyError, TypeError, ValueError, OverflowError):
        return Outcome.UNREADABLE


def _status_list(payload: dict[str, Any]) -> StatusList:
    bits, ttl = payload["status_list"]["bits"], payload["ttl"]
    if bits not in _WIDTHS or type(ttl) is not int or ttl < 0:
        raise ValueError("payload")
    return StatusList(
        uri=str(payload["sub"]),
        issued_at=moment(payload["iat"]),
        expires_at=moment(payload["exp"]),
        ttl=timedelta(seconds=ttl),
        bits=bits,
        octets=inflate(str(payload["status_list"]["lst"])),
    )


def inflate(lst: str) -> bytes:
    """Return a compressed list as it is, at most 10 MB of it.

    Raises:
        ValueError: it is not compressed as it should be, or larger.
    """
    unpacker = zlib.decompressobj()
    try:
        octets = unpacker.decompress(decode(lst), _INFLATED)
    except zlib.error as error:
        raise ValueError("zlib") from error
    if not unpacker.eof or unpacker.unused_data:
        raise ValueError("zlib")
    return octets
