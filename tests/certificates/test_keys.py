"""The published keys are the one that signs, and those whose signatures are still shown."""

import base64
from datetime import timedelta

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from certificates.keys import IssuerKeys
from core.keyring.jwk import thumbprint
from core.keyring.ring import Key, KeySet
from tests.fakes.ground import FixedClock

CLOCK = FixedClock()


def _number(text: str) -> int:
    return int.from_bytes(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))


def _key(days: int = 0) -> Key[ec.EllipticCurvePrivateKey]:
    private = ec.generate_private_key(ec.SECP256R1())
    return Key(thumbprint(private.public_key()), private, CLOCK.now() + timedelta(days=days))


def _keys(*keys: Key[ec.EllipticCurvePrivateKey]) -> IssuerKeys:
    return IssuerKeys(lambda: KeySet.of(*keys), clock=CLOCK)


def test_what_the_issuer_signs_verifies_with_the_published_key() -> None:
    signing = _key()
    [key] = _keys(signing).jwks()
    published = ec.EllipticCurvePublicNumbers(_number(key["x"]), _number(key["y"]), ec.SECP256R1()).public_key()
    signature = signing.secret.sign(b"token", ec.ECDSA(hashes.SHA256()))
    published.verify(signature, b"token", ec.ECDSA(hashes.SHA256()))
    assert "d" not in key
    assert (key["kty"], key["crv"], key["alg"], key["use"]) == ("EC", "P-256", "ES256", "sig")


def test_a_key_is_named_by_its_thumbprint() -> None:
    one, other = _key(), _key()
    assert _keys(one).current.kid == one.kid != _keys(other).current.kid
    assert len(one.kid) == 43


def test_earlier_keys_and_the_next_one_are_published_beside_the_one_that_signs() -> None:
    earlier, current, following = _key(-400), _key(-1), _key(1)
    room = _keys(following, earlier, current)
    assert room.current.kid == current.kid
    assert [key["kid"] for key in room.jwks()] == [earlier.kid, current.kid, following.kid]
