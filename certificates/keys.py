"""The keys under which this installation issues: published, so that what it signs can be checked by anybody."""

from collections.abc import Callable
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from core.clock import Clock
from core.keyring.jwk import public_jwk, sm2_jwk
from core.keyring.ring import Key, KeySet
from core.keyring.sm2 import Sm2PrivateKey, Sm2PublicKey


class IssuerKeys:
    """The issuer keys: the one that signs now, and the public halves of all that are accepted.

    An earlier key stays until it is retired, since certificates signed with it are shown for years.
    """

    def __init__(
        self,
        keys: Callable[[], KeySet[ec.EllipticCurvePrivateKey]],
        *,
        clock: Clock,
        sm2: Callable[[], KeySet[Sm2PrivateKey]] | None = None,
    ) -> None:
        """Build it; `sm2` are the keys that sign beside those, where the profile is `dual`."""
        self._keys = keys
        self._clock = clock
        self._sm2 = sm2

    @property
    def current(self) -> Key[ec.EllipticCurvePrivateKey]:
        """The key that signs now; its id is its thumbprint (RFC 7638)."""
        return self._keys().current(self._clock.now())

    def accepted(self) -> dict[str, ec.EllipticCurvePublicKey]:
        """Return the keys to check signatures with, by their ids."""
        return {key.kid: key.secret.public_key() for key in self._keys().accepted(self._clock.now())}

    @property
    def current_sm2(self) -> Key[Sm2PrivateKey] | None:
        """The key of SM2 that signs beside `current` now; None where ES256 stands alone."""
        return None if self._sm2 is None else self._sm2().current(self._clock.now())

    def accepted_sm2(self) -> dict[str, Sm2PublicKey]:
        """Return the keys of SM2 to check second signatures with, by their ids; none where ES256 stands alone."""
        accepted = () if self._sm2 is None else self._sm2().accepted(self._clock.now())
        return {key.kid: key.secret.public for key in accepted}

    def jwks(self) -> list[dict[str, Any]]:
        """Return the same as a JSON Web Key Set (RFC 7517): the current one, the next, and earlier ones."""
        ours = [(public_jwk(key), "ES256", kid) for kid, key in self.accepted().items()]
        ours += [(sm2_jwk(key), "SM2-SM3", kid) for kid, key in self.accepted_sm2().items()]
        return [{**jwk, "alg": alg, "use": "sig", "kid": kid} for jwk, alg, kid in ours]
