"""Access tokens: ES256, ten minutes, by the rules of RFC 8725 and RFC 9068. The only importer of pyjwt.

A token says who and in which session. The level stands in the session's row and nowhere else.
"""

import base64
import hashlib
import json
import re
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from math import inf
from typing import Any, Final
from uuid import UUID

import jwt
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from jwt.types import Options

from auth.errors import TokenExpired, TokenInvalid
from auth.settings import SessionSettings
from auth.types import Claims
from core.clock import Clock
from core.ids import Ids
from core.keyring.jwk import public_jwk
from core.keyring.ring import KeySet

_ALGORITHM: Final = "ES256"
_TYPE: Final = "at+jwt"
_LONGEST: Final = 8192
_SEGMENT: Final = re.compile(r"[A-Za-z0-9_-]+")
# The order of P-256 (SEC 2, 2.4.2). With (r, s) also (r, order - s) is a signature of the same text: only the lower s
# is taken, so that nobody can make another spelling of a token.
_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_HALF: Final = 32
_SIGNATURE: Final = ec.ECDSA(hashes.SHA256())
_encoder: Final = json.JSONEncoder(separators=(",", ":"))
_HEADER: Final = frozenset({"alg", "typ", "kid"})
_REQUIRED: Final = ("exp", "iat", "aud", "iss", "sub", "jti", "sid")
# Times are checked here against our clock; pyjwt would look at the machine's.
_OPTIONS: Final[Options] = {
    "require": list(_REQUIRED),
    "verify_exp": False,
    "verify_iat": False,
    "verify_nbf": False,
    "strict_aud": True,
}


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _segment(value: Mapping[str, object]) -> str:
    return _b64(_encoder.encode(value).encode())


@dataclass(frozen=True, slots=True)
class _Accepted:
    """The keys as they stand until `until`: the one that signs, and those whose tokens are taken."""

    source: KeySet[ec.EllipticCurvePrivateKey]
    until: float
    signing: ec.EllipticCurvePrivateKey
    header: str
    public: Mapping[str, ec.EllipticCurvePublicKey]


class Tokens:
    """Makes and checks access tokens. `keys` gives the keys as they are now: they change while this lives."""

    def __init__(
        self,
        *,
        keys: Callable[[], KeySet[ec.EllipticCurvePrivateKey]],
        settings: SessionSettings,
        clock: Clock,
        ids: Ids,
    ) -> None:
        self._keys = keys
        self._settings = settings
        self._clock = clock
        self._ids = ids
        self._verified: OrderedDict[bytes, tuple[str, Claims]] = OrderedDict()
        self._accepted = self._accepted_at(clock.now())

    @property
    def lifetime(self) -> int:
        """How many seconds a token lives."""
        return self._settings.access_seconds

    def issue(self, citizen_id: UUID, session_id: UUID) -> str:
        """Return a fresh token for a session."""
        moment = self._clock.now()
        now, accepted = int(moment.timestamp()), self._accepted_now(moment)
        payload = {
            "iss": self._settings.issuer,
            "aud": self._settings.audience,
            "sub": str(citizen_id),
            "sid": str(session_id),
            "jti": self._ids.uuid().hex,
            "iat": now,
            "exp": now + self._settings.access_seconds,
        }
        text = f"{accepted.header}.{_segment(payload)}"
        r, s = decode_dss_signature(accepted.signing.sign(text.encode(), _SIGNATURE))
        return f"{text}.{_b64(r.to_bytes(_HALF) + min(s, _ORDER - s).to_bytes(_HALF))}"

    def check(self, token: str) -> Claims:
        """Return what a token of ours says. The session it names may have ended: that is asked elsewhere.

        Raises:
            TokenInvalid: it is none of ours.
            TokenExpired: it was ours.
        """
        if len(token) > _LONGEST:
            raise TokenInvalid
        try:
            digest = hashlib.sha256(token.encode("ascii")).digest()
        except UnicodeEncodeError as error:
            raise TokenInvalid from error
        now = self._clock.now()
        public = self._accepted_now(now).public
        known = self._verified.get(digest)
        if known is None:
            known = self._verify(token, public)
            self._remember(digest, known)
        kid, claims = known
        if kid not in public:
            # It was right when it was remembered, and its key is retired since.
            self._verified.pop(digest, None)
            raise TokenInvalid
        if claims.expires <= now.timestamp():
            self._verified.pop(digest, None)
            raise TokenExpired
        return claims

    def jwks(self) -> dict[str, list[dict[str, str]]]:
        """Return the public keys by which others check our access tokens (RFC 7517)."""
        public = self._accepted_now(self._clock.now()).public
        return {
            "keys": [
                {**public_jwk(key), "kid": kid, "use": "sig", "alg": _ALGORITHM} for kid, key in public.items()
            ],
        }  # fmt: skip

    def _accepted_now(self, now: datetime) -> _Accepted:
        accepted = self._accepted
        if accepted.source is not self._keys() or now.timestamp() >= accepted.until:
            accepted = self._accepted = self._accepted_at(now)
        return accepted

    def _accepted_at(self, now: datetime) -> _Accepted:
        keys = self._keys()
        change, signing = keys.next_change(now), keys.current(now)
        return _Accepted(
            source=keys,
            until=inf if change is None else change.timestamp(),
            signing=signing.secret,
            header=_segment({"alg": _ALGORITHM, "kid": signing.kid, "typ": _TYPE}),
            public={key.kid: key.secret.public_key() for key in keys.accepted(now)},
        )

    def _remember(self, digest: bytes, known: tuple[str, Claims]) -> None:
        self._verified[digest] = known
        while len(self._verified) > self._settings.verified_tokens:
            self._verified.popitem(last=False)

    def _verify(self, token: str, public: Mapping[str, ec.EllipticCurvePublicKey]) -> tuple[str, Claims]:
        kid = _key_id(token)
        key = public.get(kid)
        if key is None:
            raise TokenInvalid
        try:
            payload = jwt.decode(
                token,
                key,
                algorithms=[_ALGORITHM],
                audience=self._settings.audience,
                issuer=self._settings.issuer,
                options=_OPTIONS,
            )
            return kid, self._claims(payload)
        except (jwt.PyJWTError, ValueError, TypeError, KeyError) as error:
            raise TokenInvalid from error

    def _claims(self, payload: Mapping[str, Any]) -> Claims:
        issued, expires = payload["iat"], payload["exp"]
        if type(issued) is not int or type(expires) is not int or not isinstance(payload["sid"], str):
            raise ValueError("types")
        now = self._clock.now().timestamp()
        if issued > now + self._settings.skew_seconds or expires - issued > self._settings.access_seconds:
            raise ValueError("times")
        return Claims(citizen_id=UUID(payload["sub"]), session_id=UUID(payload["sid"]), expires=expires)


def _s_of(signature: bytes) -> int:
    return int.from_bytes(signature[_HALF:])


def _key_id(token: str) -> str:
    """Return the key id of a token whose shape and header are exactly as we make them, or an empty text.

    Nothing in a header may say where a key comes from (`jku`, `x5u`, `jwk`) or what else must be understood (`crit`).
    """
    segments = token.split(".")
    if len(segments) != 3 or not all(_SEGMENT.fullmatch(segment) for segment in segments):  # noqa: PLR2004 — JWS compact
        return ""
    try:
        decoded = [base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4)) for segment in segments]
        # The unused bits at the end of a segment must be zero: one token has one spelling.
        if any(_b64(raw) != segment for raw, segment in zip(decoded, segments, strict=True)):
            return ""
        if _s_of(decoded[2]) > _ORDER // 2:
            return ""
        header = json.loads(decoded[0])
    except (ValueError, RecursionError):
        return ""
    if not isinstance(header, dict) or set(header) != _HEADER:
        return ""
    if header["alg"] != _ALGORITHM or header["typ"] != _TYPE or not isinstance(header["kid"], str):
        return ""
    kid: str = header["kid"]
    return kid
