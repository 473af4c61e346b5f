"""Checking HTTP message signatures (RFC 9421) on requests that come to us.

The library checks the signature; which parts must be covered, the age of `created` and the nonce are our policy
(`security.md`, T19).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from http_message_signatures import HTTPMessageVerifier, MappingKeyResolver, VerifyResult, algorithms
from http_message_signatures.exceptions import HTTPMessageSignaturesException

from core.clock import Clock
from core.db import fetch, transaction
from core.errors import Unauthenticated
from core.log import get_logger

log = get_logger(__name__)

PublicKey = ed25519.Ed25519PublicKey | ec.EllipticCurvePublicKey

_COVERED: Final = ("@method", "@target-uri", "content-digest", "content-type")
_SKEW: Final = timedelta(seconds=300)
# The signer's own limit is meant as it stands; this much its clock may be behind.
_GRACE: Final = timedelta(seconds=5)
_NONCE_SHORTEST: Final = 16
_NONCE_LONGEST: Final = 128


class SignatureInvalid(Unauthenticated):
    """The signature of a request does not hold; the answer is the same for all causes."""

    code = "departments.signature-invalid"
    title = "签名无效"
    title_en = "The signature is not valid"
    plain = "签名不对。"


@dataclass(frozen=True, slots=True)
class TrustedKey:
    """A key of somebody outside: `party` is who signs with it."""

    party: str
    key: PublicKey


@dataclass(frozen=True, slots=True)
class _Message:
    """What the library wants to see of a request."""

    method: str
    url: str
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Signed:
    """A request whose signature holds. Call `SignatureChecker.use` before its effect."""

    party: str
    nonce: str


class _Verifier(HTTPMessageVerifier):
    """The library's, without its own look at the machine's clock: the age is judged by ours, with our skew."""

    def validate_created_and_expires(self, sig_input: object, max_age: timedelta | None = None) -> None:
        """Leave it to `SignatureChecker`."""


class SignatureChecker:
    """Checks signatures of departments and verifiers against the keys registered for them."""

    def __init__(self, keys: Mapping[str, TrustedKey], *, clock: Clock) -> None:
        self._keys = dict(keys)
        self._clock = clock
        self._resolver = MappingKeyResolver(
            public_keys={key_id: trusted.key for key_id, trusted in keys.items()}, private_keys={}
        )

    def check(self, *, method: str, target_uri: str, headers: Mapping[str, str], body: bytes) -> Signed:
        """Return who signed the request.

        Raises:
            SignatureInvalid: no signature, an unknown key, a part not covered, a wrong digest, too old, or just wrong.
        """
        try:
            return self._check(_Message(method.upper(), target_uri, headers), body)
        except (HTTPMessageSignaturesException, ValueError, KeyError, TypeError) as error:
            # Anybody can cause this line as often as they like; the figures count it (`zhijian_problems_total`).
            log.debug("signature refused", reason=type(error).__name__)
            raise SignatureInvalid from error

    def _check(self, message: _Message, body: bytes) -> Signed:
        for key_id, trusted in self._keys.items():
            if f'keyid="{key_id}"' not in message.headers.get("signature-input", ""):
                continue
            algorithm = (
                algorithms.ED25519
                if isinstance(trusted.key, ed25519.Ed25519PublicKey)
                else algorithms.ECDSA_P256_SHA256
            )
            verifier = _Verifier(signature_algorithm=algorithm, key_resolver=self._resolver)
            results = verifier.verify(message, max_age=None, require_components=_COVERED, body=body)
            if len(results) != 1:
                raise ValueError("one signature is expected")
            # The text above may stand anywhere in the header; what counts is the key that was used.
            if results[0].parameters.get("keyid") != key_id:
                raise ValueError("another key was used")
            return self._accept(results[0], trusted)
        raise ValueError("unknown key")

    def _accept(self, result: VerifyResult, trusted: TrustedKey) -> Signed:
        nonce, created, expires = result.nonce, result.parameters.get("created"), result.parameters.get("expires")
        if not isinstance(nonce, str) or not _NONCE_SHORTEST <= len(nonce) <= _NONCE_LONGEST:
            raise ValueError("a nonce is needed")
        now, skew = self._clock.now().timestamp(), _SKEW.total_seconds()
        if not isinstance(created, int) or abs(now - created) > skew:
            raise ValueError("too old or from the future")
        if isinstance(expires, int) and now > expires + _GRACE.total_seconds():
            raise ValueError("expired")
        return Signed(trusted.party, nonce)

    async def use(self, signed: Signed) -> bool:
        """Remember the nonce of a request; return whether it is new.

        Raises:
            DatabaseUnavailable: it could not be written.
        """

        async def work() -> bool:
            rows = await fetch(
                "INSERT INTO seen_nonce (id, created_at) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING RETURNING id",
                f"{signed.party}|{signed.nonce}"[:160],
                self._clock.now(),
            )
            return bool(rows)

        return await transaction(work)
