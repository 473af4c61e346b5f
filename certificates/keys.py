"""The keys under which this installation issues: published, so that what it signs can be checked by anybody."""

from collections.abc import Callable
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from core.clock import Clock
from core.keyring.ring import KeySet, public_jwk


class IssuerKeys:
    """The public halves of the issuer keys as a JSON Web Key Set (RFC 7517): the current, the next, and earlier ones.

    An earlier key stays until it is retired, since certificates signed with it are shown for years.
    """

    def __init__(self, keys: Callable[[], KeySet[ec.EllipticCurvePrivateKey]], *, clock: Clock) -> None:
        self._keys = keys
        self._clock = clock

    @property
    def key_id(self) -> str:
        """The thumbprint (RFC 7638) of the key that signs now."""
        return self._keys().current(self._clock.now()).kid

    def jwks(self) -> list[dict[str, Any]]:
        """Return the keys to check signatures with."""
        return [
            {**public_jwk(key.secret.public_key()), "alg": "ES256", "use": "sig", "kid": key.kid}
            for key in self._keys().accepted(self._clock.now())
        ]
