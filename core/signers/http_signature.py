"""Checking HTTP message signatures (RFC 9421) on requests that come to us.

The library checks the signature; which parts must be covered, the age of `created` and the nonce are our policy
(`security.md`, T19).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Protocol

from cryptography.hazmat.primitives.asymmetric import ed25519
from http_message_signatures import HTTPMessageVerifier, MappingKeyResolver, VerifyResult, algorithms
from http_message_signatures.exceptions import HTTPMessageSignaturesException

from core.clock import Clock
from core.db import fetch, transaction
from core.errors import Unauthenticated
from core.log import get_logger
from core.signers.networks import comes_from
from core.signers.strength import PublicKey

log = get_logger(__name__)

_COVERED: Final = ("@method", "@target-uri", "content-digest", "content-type")
_SKEW: Final = timedelta(seconds=300)
# The signer's own limit is meant as it stands; this much its clock may be behind.
_GRACE: Final = timedelta(seconds=5)
_KEY_ID: Final = re.compile(r';keyid="([A-Za-z0-9._:/@-]{1,64})"')
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
    """A key of somebody outside: `party` is who signs with it, `kind` what they are to us.

    `networks` lists from where they may come; empty: from anywhere.
    """

    party: str
    key: PublicKey
    kind: str = "department"
    networks: tuple[str, ...] = ()


class KeyRegister(Protocol):
    """Where further keys are looked up. An answer may be a second old."""

    async def find(self, key_id: str) -> TrustedKey | None:
        """Return the key of an id, if it may be used.

        Raises:
            DatabaseUnavailable: it cannot be looked up now.
        """
        ...


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
    kind: str = "department"


class _Verifier(HTTPMessageVerifier):
    """The library's, without its own look at the machine's clock: the age is judged by ours, with our skew."""

    def validate_created_and_expires(self, sig_input: object, max_age: timedelta | None = None) -> None:
        """Leave it to `SignatureChecker`."""


class SignatureChecker:
    """Checks signatures against the keys given at the start, and those of the register where there is one."""

    def __init__(
        self, keys: Mapping[str, TrustedKey], *, clock: Clock, register: KeyRegister | None = None
    ) -> None:  # fmt: skip
        self._keys = dict(keys)
        self._register = register
        self._clock = clock

    async def check(
        self, *, method: str, target_uri: str, headers: Mapping[str, str], body: bytes, address: str = ""
    ) -> Signed:
        """Return who signed the request. `address` is where it comes from.

        Raises:
            SignatureInvalid: no signature, an unknown key, a part not covered, a wrong digest, too old, just wrong, or
                from where this party does not come.
            DatabaseUnavailable: the key cannot be looked up now.
        """
        try:
            key_id = _key_id_of(headers)
            trusted = self._keys.get(key_id)
            if trusted is None and self._register is not None:
                trusted = await self._register.find(key_id)
            trusted = _known(trusted)
            signed = self._check(_Message(method.upper(), target_uri, headers), body, key_id, trusted)
            _require_near(address, trusted.networks)
        except (HTTPMessageSignaturesException, ValueError, KeyError, TypeError) as error:
            # Anybody can cause this line as often as they like; the figures count it (`zhijian_problems_total`).
            log.debug("signature refused", reason=type(error).__name__)
            raise SignatureInvalid from error
        return signed

    def _check(self, message: _Message, body: bytes, key_id: str, trusted: TrustedKey) -> Signed:
        algorithm = (
            algorithms.ED25519 if isinstance(trusted.key, ed25519.Ed25519PublicKey) else algorithms.ECDSA_P256_SHA256
        )
        resolver = MappingKeyResolver(public_keys={key_id: trusted.key}, private_keys={})
        verifier = _Verifier(signature_algorithm=algorithm, key_resolver=resolver)
        results = verifier.verify(message, max_age=None, require_components=_COVERED, body=body)
        if len(results) != 1:
            raise ValueError("one signature is expected")
        # The text above may stand anywhere in the header; what counts is the key that was used.
        if results[0].parameters.get("keyid") != key_id:
            raise ValueError("another key was used")
        return self._accept(results[0], trusted)

    def _accept(self, result: VerifyResult, trusted: TrustedKey) -> Signed:
        nonce, created, expires = result.nonce, result.parameters.get("created"), result.parameters.get("expires")
        if not isinstance(nonce, str) or not _NONCE_SHORTEST <= len(nonce) <= _NONCE_LONGEST:
            raise ValueError("a nonce is needed")
        now, skew = self._clock.now().timestamp(), _SKEW.total_seconds()
        if not isinstance(created, int) or abs(now - created) > skew:
            raise ValueError("too old or from the future")
        if isinstance(expires, int) and now > expires + _GRACE.total_seconds():
            raise ValueError("expired")
        return Signed(trusted.party, nonce, trusted.kind)

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


def _key_id_of(headers: Mapping[str, str]) -> str:
    """Return the one key id that the header speaks of."""
    named = set(_KEY_ID.findall(headers.get("signature-input", "")))
    if len(named) != 1:
        raise ValueError("one key is expected")
    return str(named.pop())


def _known(trusted: TrustedKey | None) -> TrustedKey:
    if trusted is None:
        raise ValueError("unknown key")
    return trusted


def _require_near(address: str, networks: tuple[str, ...]) -> None:
    if not comes_from(address, networks):
        raise ValueError("from elsewhere")
