"""The keys under which this installation issues: published, so that what it signs can be checked by anybody."""

import base64
import hashlib
import json
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

_COORDINATE = 32


class IssuerKeys:
    """The public half of the issuer key as a JSON Web Key Set (RFC 7517)."""

    def __init__(self, key: ec.EllipticCurvePublicKey) -> None:
        numbers = key.public_numbers()
        self._jwk = {"crv": "P-256", "kty": "EC", "x": _coordinate(numbers.x), "y": _coordinate(numbers.y)}

    @property
    def key_id(self) -> str:
        """The thumbprint of the key (RFC 7638)."""
        text = json.dumps(self._jwk, sort_keys=True, separators=(",", ":"))
        return _text(hashlib.sha256(text.encode()).digest())

    def jwks(self) -> list[dict[str, Any]]:
        """Return the keys to check signatures with."""
        return [{**self._jwk, "alg": "ES256", "use": "sig", "kid": self.key_id}]


def _coordinate(number: int) -> str:
    return _text(number.to_bytes(_COORDINATE, "big"))


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
