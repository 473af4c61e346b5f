"""Whether a public key of somebody outside can be trusted with a signature at all. Pure.

The library takes any 32 bytes as an Ed25519 key. Some are no point of the curve, and for eight of the points (those of
small order) anybody can make signatures that hold for nearly any message without knowing a private key.
"""

from functools import lru_cache
from typing import Final

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from core.crypto import sha256_hex

PublicKey = ed25519.Ed25519PublicKey | ec.EllipticCurvePublicKey

# RFC 8032, 5.1: the field, the curve's constant, and the order of the group that keys belong to.
_P: Final = 2**255 - 19
_D: Final = -121665 * pow(121666, -1, _P) % _P
_L: Final = 2**252 + 27742317777372353535851937790883648493
_ROOT: Final = pow(2, (_P - 1) // 4, _P)
# A point as (X, Y, Z, T) with x = X/Z, y = Y/Z, T = XY/Z.
_Point = tuple[int, int, int, int]
_ZERO: Final[_Point] = (0, 1, 1, 0)
# Private keys that somebody would try first: so many small numbers, and every byte repeated.
_GUESSES: Final = 256


def is_sound(key: PublicKey) -> bool:
    """Say whether a key is worth trusting: on its curve, in the right group, and of no private key that all know."""
    if isinstance(key, ed25519.Ed25519PublicKey) and not _is_in_group(key.public_bytes_raw()):
        return False
    return fingerprint(key) not in _guessable()


def fingerprint(key: PublicKey) -> str:
    """Return the SHA-256 of a key in its one binary form, the same however its text was written."""
    return sha256_hex(key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo))


@lru_cache(maxsize=1)
def _guessable() -> frozenset[str]:
    edwards = (ed25519.Ed25519PrivateKey.from_private_bytes(bytes([byte]) * 32) for byte in range(_GUESSES))
    curves = (ec.derive_private_key(number, ec.SECP256R1()) for number in range(1, _GUESSES))
    keys: list[PublicKey] = [*(each.public_key() for each in edwards), *(each.public_key() for each in curves)]
    return frozenset(map(fingerprint, keys))


def _is_in_group(encoded: bytes) -> bool:
    """Say whether 32 bytes are a point of the prime-order group other than zero, in its one encoding."""
    point = _decode(encoded)
    return point is not None and not _is_zero(point) and _is_zero(_times(_L, point))


def _decode(encoded: bytes) -> _Point | None:
    """Return the point that 32 bytes stand for, by RFC 8032, 5.1.3; None where there is none."""
    number = int.from_bytes(encoded, "little")
    sign, y = number >> 255, number & ((1 << 255) - 1)
    if y >= _P:
        return None
    u, v = (y * y - 1) % _P, (_D * y * y + 1) % _P
    x = u * pow(v, 3, _P) * pow(u * pow(v, 7, _P), (_P - 5) // 8, _P) % _P
    if v * x * x % _P != u:
        x = x * _ROOT % _P
    if v * x * x % _P != u or (x == 0 and sign):
        return None
    x = x if x & 1 == sign else _P - x
    return x, y, 1, x * y % _P


def _add(one: _Point, other: _Point) -> _Point:
    """Return the sum of two points (RFC 8032, 5.1.4)."""
    a, b = (one[1] - one[0]) * (other[1] - other[0]) % _P, (one[1] + one[0]) * (other[1] + other[0]) % _P
    c, d = 2 * one[3] * other[3] * _D % _P, 2 * one[2] * other[2] % _P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % _P, g * h % _P, f * g % _P, e * h % _P


def _times(number: int, point: _Point) -> _Point:
    total = _ZERO
    while number:
        if number & 1:
            total = _add(total, point)
        point, number = _add(point, point), number >> 1
    return total


def _is_zero(point: _Point) -> bool:
    return point[0] % _P == 0 and (point[1] - point[2]) % _P == 0
