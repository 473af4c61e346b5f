"""Compact signatures (RFC 7515) with ES256 and nothing else, read strictly: one signed thing has one form.

Lenient base64 would let a changed token pass as another writing of the same one.
"""

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

Keys = Mapping[str, ec.EllipticCurvePublicKey]
"""Public keys by key id."""

_ES256: Final = ec.ECDSA(hashes.SHA256())
_HALF: Final = 32  # bytes of r and of s
_PARTS: Final = 3


def encode(data: bytes) -> str:
    """Return base64url without padding (RFC 7515, section 2)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    """Return what `encode` was given.

    Raises:
        ValueError: the text is not the one form of any bytes.
    """
    try:
        data = base64.urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
    except (binascii.Error, UnicodeEncodeError) as error:
        raise ValueError("base64url") from error
    if encode(data) != text:
        raise ValueError("base64url")
    return data


def read_json(data: bytes) -> Any:  # noqa: ANN401 — any JSON
    """Return JSON read strictly: UTF-8, no name twice, no NaN.

    Raises:
        ValueError: it is none.
    """

    def once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            raise ValueError("a name stands twice")
        return found

    def no_constant(name: str) -> float:
        raise ValueError(name)

    try:
        return json.loads(data.decode(), object_pairs_hook=once, parse_constant=no_constant)
    except RecursionError as error:
        raise ValueError("too deep") from error


@dataclass(frozen=True, slots=True, repr=False)
class Signed:
    """A compact signature taken apart; whether it holds is another question."""

    header: Mapping[str, Any]
    payload: Mapping[str, Any]
    covered: bytes
    signature: bytes

    def holds(self, key: ec.EllipticCurvePublicKey) -> bool:
        """Tell whether the signature is by this key."""
        r, s = (int.from_bytes(part) for part in (self.signature[:_HALF], self.signature[_HALF:]))
        try:
            key.verify(encode_dss_signature(r, s), self.covered, _ES256)
        except InvalidSignature:
            return False
        return True


def sign(payload: Mapping[str, Any], key: ec.EllipticCurvePrivateKey, *, key_id: str, typ: str) -> str:
    """Return a payload with its signature, in compact form."""
    header = {"alg": "ES256", "typ": typ, "kid": key_id}
    covered = ".".join(
        encode(json.dumps(part, ensure_ascii=False, separators=(",", ":")).encode()) for part in (header, payload)
    )
    r, s = decode_dss_signature(key.sign(covered.encode(), _ES256))
    return f"{covered}.{encode(r.to_bytes(_HALF) + s.to_bytes(_HALF))}"


def read(text: str, *, typ: str) -> Signed:
    """Take a compact signature apart.

    Raises:
        ValueError: it is none, of another type, or not by ES256 under a named key.
    """
    parts = text.split(".")
    if len(parts) != _PARTS:
        raise ValueError("three parts are expected")
    header, payload = (read_json(decode(part)) for part in parts[:2])
    signature = decode(parts[2])
    if not isinstance(header, dict) or not isinstance(payload, dict) or len(signature) != 2 * _HALF:
        raise ValueError("parts")
    # Nothing but what we write ourselves: no `crit`, no key that comes along, no other algorithm (RFC 8725).
    if header.keys() != {"alg", "typ", "kid"} or (header["alg"], header["typ"]) != ("ES256", typ):
        raise ValueError("header")
    if not isinstance(header["kid"], str):
        raise ValueError("kid")  # noqa: TRY004 — the contract says ValueError
    return Signed(header, payload, f"{parts[0]}.{parts[1]}".encode(), signature)


def keys_of(jwks: object) -> Keys:
    """Return the keys of a JSON Web Key Set (RFC 7517) by their ids; those of other kinds are left out.

    Raises:
        ValueError: it is no key set, or a key of P-256 in it is none.
    """
    listed = jwks.get("keys") if isinstance(jwks, dict) else None
    if not isinstance(listed, list):
        raise ValueError("keys")  # noqa: TRY004 — the contract says ValueError
    found = {}
    for each in listed:
        if isinstance(each, dict) and (each.get("kty"), each.get("crv")) == ("EC", "P-256"):
            try:
                x, y = (int.from_bytes(decode(each[name])) for name in ("x", "y"))
                found[str(each["kid"])] = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
            except (KeyError, AttributeError) as error:
                raise ValueError("key") from error
    return found
