"""Signature Version 4 for object stores (`AWS4-HMAC-SHA256`), in its header form.

The canonical request is method, path, query, headers and the digest of the body; the key is derived from the secret by
day, region and service. Paths are encoded once, as S3 wants it. Vectors: `tests/core/signers/test_signature_v4.py`.
"""

import hashlib
import hmac
from typing import Final
from urllib.parse import parse_qsl, quote, urlsplit

from pydantic import SecretStr

from core.clock import Clock
from core.outbound import Outgoing

_ALGORITHM: Final = "AWS4-HMAC-SHA256"
_UNRESERVED: Final = "-._~"


class SignatureV4:
    """Signs requests to one store."""

    def __init__(
        self, *, access_key: str, secret_key: SecretStr, region: str, clock: Clock, service: str = "s3"
    ) -> None:
        self._access_key = access_key
        self._secret = secret_key.get_secret_value()
        self._region = region
        self._clock = clock
        self._service = service

    async def sign(self, request: Outgoing) -> Outgoing:
        """Return the request with its time, the digest of its body, and the signature over both."""
        stamp = self._clock.now().strftime("%Y%m%dT%H%M%SZ")
        digest = hashlib.sha256(request.body).hexdigest()
        parts = urlsplit(request.base + request.target)
        headers = {
            "host": parts.netloc,
            "x-amz-content-sha256": digest,
            "x-amz-date": stamp,
        }
        names = ";".join(sorted(headers))
        canonical = "\n".join(
            (
                request.method,
                quote(parts.path or "/", safe="/%" + _UNRESERVED),
                canonical_query(parts.query),
                *(f"{name}:{headers[name]}" for name in sorted(headers)),
                "",
                names,
                digest,
            )
        )
        scope = f"{stamp[:8]}/{self._region}/{self._service}/aws4_request"
        text = "\n".join((_ALGORITHM, stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()))
        signature = hmac.digest(self._key(stamp[:8]), text.encode(), "sha256").hex()
        return request.with_headers(
            X_Amz_Content_Sha256=digest,
            X_Amz_Date=stamp,
            Authorization=(
                f"{_ALGORITHM} Credential={self._access_key}/{scope}, SignedHeaders={names}, Signature={signature}"
            ),
        )

    def _key(self, day: str) -> bytes:
        key = f"AWS4{self._secret}".encode()
        for part in (day, self._region, self._service, "aws4_request"):
            key = hmac.digest(key, part.encode(), "sha256")
        return key


def canonical_query(query: str) -> str:
    """Return a query as it is signed: names and values encoded anew, sorted by name and value."""
    pairs = [
        (quote(name, safe=_UNRESERVED), quote(value, safe=_UNRESERVED))
        for name, value in parse_qsl(query, keep_blank_values=True)
    ]
    return "&".join(f"{name}={value}" for name, value in sorted(pairs))
