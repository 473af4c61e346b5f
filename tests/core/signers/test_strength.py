"""Keys that anybody could sign with are told apart from those that somebody has made for themselves."""

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from core.signers.strength import _L, _P, _ZERO, _add, _decode, _is_zero, _Point, _times, fingerprint, is_sound

# The eight points of small order (as y with the sign of x), and the encodings of some of them that are not canonical.
SMALL = [
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
]
NOT_CANONICAL = [
    "0100000000000000000000000000000000000000000000000000000000000080",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
]


def encoded(point: _Point) -> bytes:
    inverse = pow(point[2], -1, _P)
    x, y = point[0] * inverse % _P, point[1] * inverse % _P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def ed(raw: bytes) -> ed25519.Ed25519PublicKey:
    return ed25519.Ed25519PublicKey.from_public_bytes(raw)


def test_what_somebody_makes_for_themselves_is_sound() -> None:
    for _ in range(20):
        assert is_sound(ed25519.Ed25519PrivateKey.generate().public_key())
        assert is_sound(ec.generate_private_key(ec.SECP256R1()).public_key())


@pytest.mark.parametrize("text", SMALL + NOT_CANONICAL)
def test_points_of_small_order_and_odd_encodings_are_not(text: str) -> None:
    assert not is_sound(ed(bytes.fromhex(text)))


def test_the_eight_are_all_of_small_order_there_are() -> None:
    points = [_decode(bytes.fromhex(text)) for text in SMALL]
    assert all(point is not None and _is_zero(_times(8, point)) for point in points)
    assert len({encoded(point) for point in points if point is not None}) == 8


def test_a_key_with_a_part_of_small_order_is_not() -> None:
    good = _decode(ed25519.Ed25519PrivateKey.generate().public_key().public_bytes_raw())
    small = _decode(bytes.fromhex(SMALL[4]))
    assert good is not None
    assert small is not None
    assert _is_zero(_times(_L, good))
    assert not is_sound(ed(encoded(_add(good, small))))
    assert is_sound(ed(encoded(_add(good, _ZERO))))


def test_what_is_no_point_is_not() -> None:
    tried = [number.to_bytes(32, "little") for number in range(2, 40)]
    off = [raw for raw in tried if _decode(raw) is None]
    assert len(off) >= 10
    assert [raw for raw in off if is_sound(ed(raw))] == []


def test_why_it_matters_one_signature_holds_for_any_message_under_a_key_of_small_order() -> None:
    forged = bytes.fromhex(SMALL[0]) + bytes(32)
    held = 0
    for message in (b"pay nothing", b"pay everything"):
        try:
            ed(bytes.fromhex(SMALL[0])).verify(forged, message)
            held += 1
        except InvalidSignature:
            continue
    assert held == 2, "the library refuses such keys by itself now: this look is needed no more"


@pytest.mark.parametrize(
    "key",
    [
        ed25519.Ed25519PrivateKey.from_private_bytes(bytes(32)).public_key(),
        ed25519.Ed25519PrivateKey.from_private_bytes(b"\x01" * 32).public_key(),
        ec.derive_private_key(1, ec.SECP256R1()).public_key(),
        ec.derive_private_key(42, ec.SECP256R1()).public_key(),
    ],
)
def test_a_private_key_that_is_tried_first_is_not(key: ed25519.Ed25519PublicKey | ec.EllipticCurvePublicKey) -> None:
    assert not is_sound(key)


def test_a_key_has_one_fingerprint_however_it_is_written() -> None:
    key = ec.generate_private_key(ec.SECP256R1()).public_key()
    short = key.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.CompressedPoint)
    again = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), short)
    assert fingerprint(key) == fingerprint(again)
    assert fingerprint(key) != fingerprint(ec.generate_private_key(ec.SECP256R1()).public_key())
