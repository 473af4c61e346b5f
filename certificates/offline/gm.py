"""A second signature inside a payload that ES256 signs as a whole: SM2 with SM3, where the profile is `dual`.

It stands in the payload as `gm` with the key's id, and covers the rest of it in canonical form (RFC 8785: our payloads
have neither fractions nor names outside ASCII). Whoever knows ES256 alone reads an ordinary token with one member more,
and nobody can take it away, since ES256 covers it; whoever has to rely on SM2 checks it by itself.
"""

import json
from collections.abc import Mapping
from typing import Any, Final

from certificates.offline.jws import decode, encode
from certificates.types import Outcome
from core.keyring.ring import Key
from core.keyring.sm2 import Sm2PrivateKey, Sm2PublicKey

Sm2Keys = Mapping[str, Sm2PublicKey]
"""Public keys of SM2 by key id."""

NO_KEYS: Final[Sm2Keys] = {}
TOKEN: Final = "token"  # noqa: S105 — what is signed: one kind of thing is never taken for another
COPY: Final = "copy"
_NAME: Final = "gm"
_PARTS: Final = {"kid", "sig"}


def countersigned(payload: Mapping[str, Any], key: Key[Sm2PrivateKey], *, what: str) -> dict[str, Any]:
    """Return a payload with its second signature. It takes milliseconds: call it in a thread."""
    signature = key.secret.sign(_covered(payload, what))
    return {**payload, _NAME: {"kid": key.kid, "sig": encode(signature)}}


def objection(payload: Mapping[str, Any], keys: Sm2Keys, *, what: str, required: bool = False) -> Outcome | None:
    """Return what is wrong with the second signature of a payload; None when nothing is.

    `required`: a payload without one is refused. Who has no key of SM2 at all, and does not require it, relies on ES256
    and looks at nothing here.
    """
    if _NAME not in payload:
        return Outcome.BAD_SIGNATURE if required else None
    if not keys and not required:
        return None
    told = payload[_NAME]
    if not isinstance(told, dict) or told.keys() != _PARTS or not all(isinstance(each, str) for each in told.values()):
        return Outcome.UNREADABLE
    key = keys.get(told["kid"])
    if key is None:
        return Outcome.UNKNOWN
    try:
        signature = decode(told["sig"])
    except ValueError:
        return Outcome.UNREADABLE
    rest = {name: value for name, value in payload.items() if name != _NAME}
    return None if key.holds(signature, _covered(rest, what)) else Outcome.BAD_SIGNATURE


def sm2_keys_of(jwks: object) -> Sm2Keys:
    """Return the keys of SM2 in a JSON Web Key Set by their ids; those of other kinds are left out.

    Raises:
        ValueError: it is no key set, or a key of SM2 in it is none.
    """
    listed = jwks.get("keys") if isinstance(jwks, dict) else None
    if not isinstance(listed, list):
        raise ValueError("keys")  # noqa: TRY004 — the contract says ValueError
    found = {}
    for each in listed:
        if isinstance(each, dict) and (each.get("kty"), each.get("crv")) == ("EC", "SM2"):
            try:
                found[str(each["kid"])] = Sm2PublicKey(b"".join(decode(each[name]) for name in ("x", "y")))
            except (KeyError, AttributeError) as error:
                raise ValueError("key") from error
    return found


def _covered(payload: Mapping[str, Any], what: str) -> bytes:
    canonical = json.dumps(payload, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return f"zhijian {what}\n{canonical}".encode()
