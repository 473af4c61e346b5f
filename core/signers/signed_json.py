"""Signed JSON: HMAC over method, target, time, nonce and body digest (`docs/departments/README.md`)."""

import hmac
from typing import Literal

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.hmac import HMAC
from pydantic import SecretStr

from core.clock import Clock
from core.ids import Ids
from core.outbound import Outgoing

Digest = Literal["sha256", "sm3"]


def digest_hex(name: Digest, data: bytes) -> str:
    """Return the SHA-256 or SM3 of some bytes in lower-case hex."""
    state = hashes.Hash(_algorithm(name))
    state.update(data)
    return state.finalize().hex()


def hmac_hex(name: Digest, secret: bytes, data: bytes) -> str:
    """Return the HMAC of some bytes in lower-case hex."""
    if name == "sha256":
        return hmac.digest(secret, data, "sha256").hex()
    state = HMAC(secret, _algorithm(name))
    state.update(data)
    return state.finalize().hex()


def _algorithm(name: Digest) -> hashes.HashAlgorithm:
    return hashes.SHA256() if name == "sha256" else hashes.SM3()


class SignedJson:
    """Signs as public security, education and the population registry want it; with SM3 as real estate does."""

    def __init__(self, *, app_id: str, secret: SecretStr, clock: Clock, ids: Ids, digest: Digest = "sha256") -> None:
        self._app_id = app_id
        self._secret = secret.get_secret_value().encode()
        self._clock = clock
        self._ids = ids
        self._digest: Digest = digest

    async def sign(self, request: Outgoing) -> Outgoing:
        """Return the request with its four headers."""
        timestamp = str(int(self._clock.now().timestamp()))
        nonce = self._ids.uuid().hex
        path = request.base.split("://", 1)[1].partition("/")[1:]
        target = "".join(path) + request.target
        text = "\n".join((request.method, target, timestamp, nonce, digest_hex(self._digest, request.body)))
        return request.with_headers(
            X_App_Id=self._app_id,
            X_Timestamp=timestamp,
            X_Nonce=nonce,
            X_Signature=hmac_hex(self._digest, self._secret, text.encode()),
        )
