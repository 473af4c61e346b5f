"""Public keys as JSON Web Keys (RFC 7517), and the ids that follow from them."""

import base64
import hashlib
import json
from collections.abc import Mapping
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec

from core.keyring.sm2 import Sm2PublicKey

_HALF: Final = 32  # bytes of a coordinate


def public_jwk(key: ec.EllipticCurvePublicKey) -> dict[str, str]:
    """Return a public key of P-256 as a JSON Web Key."""
    numbers = key.public_numbers()
    return {"crv": "P-256", "kty": "EC", "x": _b64(numbers.x.to_bytes(_HALF)), "y": _b64(numbers.y.to_bytes(_HALF))}


def sm2_jwk(key: Sm2PublicKey) -> dict[str, str]:
    """Return a public key of SM2 in the same form; no registered name of its curve exists, so it is called `SM2`."""
    return {"crv": "SM2", "kty": "EC", "x": _b64(key.point[:_HALF]), "y": _b64(key.point[_HALF:])}


def thumbprint(key: ec.EllipticCurvePublicKey) -> str:
    """Return the key's id: its JWK thumbprint (RFC 7638, SHA-256, base64url)."""
    return _thumbprint(public_jwk(key))


def sm2_thumbprint(key: Sm2PublicKey) -> str:
    """Return the same for a key of SM2."""
    return _thumbprint(sm2_jwk(key))


def _thumbprint(jwk: Mapping[str, str]) -> str:
    canonical = json.dumps(jwk, separators=(",", ":"), sort_keys=True)
    return _b64(hashlib.sha256(canonical.encode()).digest())


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
