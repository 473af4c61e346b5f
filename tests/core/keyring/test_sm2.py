"""SM2 as the standard has it: its worked example, and nothing that is not exactly a signature."""

from random import Random

import pytest

from core.keyring.sm2 import _N, Sm2PrivateKey, Sm2PublicKey

# GB/T 32918.5, the example of a signature over the recommended curve.
EXAMPLE_KEY = bytes.fromhex("3945208F7B2144B13F36E38AC6D39F95889393692860B51A42FB81EF4DF7C5B8")
EXAMPLE_POINT = bytes.fromhex(
    "09F9DF311E5421A150DD7D161E4BC5C672179FAD1833FC076BB08FF356F35020"
    "CCEA490CE26775A52DC6EA718CC1AA600AED05FBF35E084A6632F6072DA9AD13"
)
EXAMPLE_SIGNATURE = bytes.fromhex(
    "F5A03B0648D2C4630EEAC513E1BB81A15944DA3827D5B74143AC7EACEEE720B3"
    "B1B6AA29DF212FD8763182BC0D421CA1BB9038FD1F7F42D4840B69C485BBC1AA"
)
MESSAGE = b"message digest"


def test_the_example_of_the_standard_holds() -> None:
    public = Sm2PublicKey(EXAMPLE_POINT)
    assert public.holds(EXAMPLE_SIGNATURE, MESSAGE)
    ours = Sm2PrivateKey(EXAMPLE_KEY, public).sign(MESSAGE)
    assert public.holds(ours, MESSAGE)
    assert not public.holds(ours, MESSAGE + b".")


def test_each_signature_has_a_nonce_of_its_own() -> None:
    key = Sm2PrivateKey.generate()
    assert len({key.sign(MESSAGE)[:32] for _ in range(100)}) == 100


def test_nothing_else_is_a_signature() -> None:
    key, random = Sm2PrivateKey.generate(), Random(7)
    good = key.sign(MESSAGE)
    r, s = good[:32], good[32:]
    zero, order = bytes(32), _N.to_bytes(32)
    strange = [b"", good[:-1], good + b"\0", zero + s, r + zero, order + s, r + order, s + r, b"\xff" * 64]
    for _ in range(300):
        place = random.randrange(64)
        strange.append(good[:place] + bytes([good[place] ^ 1 << random.randrange(8)]) + good[place + 1 :])
    assert [each for each in strange if key.public.holds(each, MESSAGE)] == []
    assert not Sm2PrivateKey.generate().public.holds(good, MESSAGE)


@pytest.mark.parametrize(
    "point", [b"", bytes(64), b"\x01" * 64, EXAMPLE_POINT[:-1], EXAMPLE_POINT + b"\0", b"\x04" + EXAMPLE_POINT]
)
def test_what_is_no_point_is_no_key(point: bytes) -> None:
    with pytest.raises(ValueError, match="SM2 point"):
        Sm2PublicKey(point)


def test_a_key_is_written_and_read_and_its_halves_belong_together() -> None:
    key = Sm2PrivateKey.generate()
    assert Sm2PrivateKey.from_text(key.text()) == key
    assert key.secret.hex() not in repr(key)
    mixed = Sm2PrivateKey(Sm2PrivateKey.generate().secret, key.public)
    for wrong in (mixed.text(), b"", b"?", key.text()[:40], bytes(128), Sm2PrivateKey(bytes(32), key.public).text()):
        with pytest.raises(ValueError, match="SM2"):
            Sm2PrivateKey.from_text(wrong)
