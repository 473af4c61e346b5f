"""Signatures with SM2 and SM3 (GB/T 32918.2), as raw `r || s`; the library is GmSSL, wrapped here alone.

Its nonces come from the system's generator. It works in software: where a certified device has to keep the key,
that device takes the place of `Sm2PrivateKey` (docs/decisions/0036).
"""

import base64
import binascii
from dataclasses import dataclass, field
from typing import Final

import gmssl_pyx
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

_HALF: Final = 32  # bytes of d, of each coordinate, of r and of s
# The order of the curve: r and s lie below it.
_N: Final = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123


@dataclass(frozen=True, slots=True)
class Sm2PublicKey:
    """A public key: a point of the curve, `x || y`, 64 bytes."""

    point: bytes

    def __post_init__(self) -> None:
        """Refuse what is no point of the curve.

        Raises:
            ValueError: it is none.
        """
        try:
            ours = len(self.point) == 2 * _HALF and gmssl_pyx.normalize_sm2_public_key(self.point) == self.point
        except gmssl_pyx.GmsslInnerError as error:
            raise ValueError("SM2 point") from error
        if not ours:
            raise ValueError("SM2 point")

    def holds(self, signature: bytes, message: bytes) -> bool:
        """Tell whether a signature is by this key, for the usual signer id (GM/T 0009). Nothing raises."""
        r, s = int.from_bytes(signature[:_HALF]), int.from_bytes(signature[_HALF:])
        if len(signature) != 2 * _HALF or not (0 < r < _N and 0 < s < _N):
            return False
        try:
            return bool(gmssl_pyx.sm2_verify(self.point, message, encode_dss_signature(r, s)))
        except gmssl_pyx.GmsslInnerError:
            return False


@dataclass(frozen=True, slots=True, repr=False)
class Sm2PrivateKey:
    """A private key with its public half, which the library does not compute from it."""

    secret: bytes = field(repr=False)
    public: Sm2PublicKey

    @classmethod
    def generate(cls) -> "Sm2PrivateKey":
        """Make a key."""
        point, secret = gmssl_pyx.sm2_key_generate()
        return cls(secret, Sm2PublicKey(point))

    @classmethod
    def from_text(cls, text: bytes) -> "Sm2PrivateKey":
        """Read what `text` wrote, and see that both halves belong together.

        Raises:
            ValueError: it is no key.
        """
        try:
            both = base64.b64decode(text.strip(), validate=True)
        except binascii.Error as error:
            raise ValueError("SM2 key") from error
        key = cls(both[:_HALF], Sm2PublicKey(both[_HALF:]))
        try:
            fits = key.public.holds(key.sign(b"do the halves fit"), b"do the halves fit")
        except gmssl_pyx.GmsslInnerError as error:
            raise ValueError("SM2 key") from error
        if not fits:
            raise ValueError("SM2 key")
        return key

    def text(self) -> bytes:
        """Return the key as it stands in its file: both halves in base64."""
        return base64.b64encode(self.secret + self.public.point) + b"\n"

    def sign(self, message: bytes) -> bytes:
        """Return a signature of 64 bytes over a message, for the usual signer id. Milliseconds: use a thread."""
        r, s = decode_dss_signature(gmssl_pyx.sm2_sign(self.secret, self.public.point, message))
        return r.to_bytes(_HALF) + s.to_bytes(_HALF)
