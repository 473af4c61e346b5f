"""The published key is the one that signs."""

import base64

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from certificates.keys import IssuerKeys


def _number(text: str) -> int:
    return int.from_bytes(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))


def test_what_the_issuer_signs_verifies_with_the_published_key() -> None:
    private = ec.generate_private_key(ec.SECP256R1())
    [key] = IssuerKeys(private.public_key()).jwks()
    published = ec.EllipticCurvePublicNumbers(_number(key["x"]), _number(key["y"]), ec.SECP256R1()).public_key()
    signature = private.sign(b"token", ec.ECDSA(hashes.SHA256()))
    published.verify(signature, b"token", ec.ECDSA(hashes.SHA256()))
    assert "d" not in key
    assert (key["kty"], key["crv"], key["alg"], key["use"]) == ("EC", "P-256", "ES256", "sig")


def test_a_key_is_named_by_its_thumbprint() -> None:
    one, other = (ec.generate_private_key(ec.SECP256R1()).public_key() for _ in range(2))
    assert IssuerKeys(one).key_id == IssuerKeys(one).key_id != IssuerKeys(other).key_id
    assert len(IssuerKeys(one).key_id) == 43
