"""Tokens that disclose field by field: SD-JWT (RFC 9901) as a verifiable credential (SD-JWT VC).

What a token is made for stands beside it as disclosures; the signed part has their digests only. A holder may take
disclosures away before showing it, and nobody can add one.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric import ec

from certificates.offline.gm import NO_KEYS, TOKEN, Sm2Keys, countersigned, objection
from certificates.offline.jws import Keys, decode, encode, read_json, sign
from certificates.offline.jws import read as read_jws
from certificates.offline.parts import join, looks_like_parts
from certificates.offline.types import TYPE_PREFIX, Contents, Told
from certificates.types import Colour, Outcome
from core.keyring.ring import Key
from core.keyring.sm2 import Sm2PrivateKey

_TYP: Final = "dc+sd-jwt"
LONGEST: Final = 8192
"""Characters of a token that are looked at."""
_MOST: Final = 64  # disclosures
_DISCLOSURE: Final = 3  # salt, name, value
_FORMAT: Final = frozenset({"...", "_sd", "_sd_alg"})  # words of the format, which nothing is called by
_LATEST: Final = 253_402_300_799  # the year 9999


def digest(disclosure: str) -> str:
    """Return the digest of a disclosure as the signed part names it (RFC 9901, section 4.2.3)."""
    return encode(hashlib.sha256(disclosure.encode()).digest())


def disclosure(salt: str, name: str, value: Told) -> str:
    """Return a disclosure of one field (RFC 9901, section 4.2.1), as short as it can be written."""
    return encode(json.dumps([salt, name, value], ensure_ascii=False, separators=(",", ":")).encode())


def compose(
    contents: Contents,
    *,
    key: Key[ec.EllipticCurvePrivateKey],
    salt: Callable[[], str],
    sm2: Key[Sm2PrivateKey] | None = None,
) -> str:
    """Return a token; `salt` gives 128 random bits as text for each disclosure, `sm2` signs beside `key`."""
    disclosures = [disclosure(salt(), name, value) for name, value in contents.values.items()]
    payload: dict[str, Any] = {
        "iss": contents.issuer,
        "iat": int(contents.issued_at.timestamp()),
        "exp": int(contents.expires_at.timestamp()),
        "vct": f"{TYPE_PREFIX}{contents.kind}",
        "status": {"status_list": {"idx": contents.status_index, "uri": contents.status_uri}},
        # Apart, since a certificate may have a field called `status` of its own. Sorted, so that their order tells
        # nothing; SHA-256 is what is meant when no algorithm is named.
        "fields": {"_sd": sorted(digest(each) for each in disclosures)},
    }
    # A picture has little room: only what is against a certificate is said.
    if contents.colour is not Colour.BLACK:
        payload["colour"] = contents.colour.value
    if sm2 is not None:
        payload = countersigned(payload, sm2, what=TOKEN)
    token = sign(payload, key.secret, key_id=key.kid, typ=_TYP)
    return "".join(f"{part}~" for part in (token, *disclosures))


def looks_like_token(text: str) -> bool:
    """Tell whether a text is meant to be such a token, however broken."""
    return len(text) <= LONGEST and "~" in text and text.partition("~")[0].count(".") > 0


def find_token(text: str) -> str | None:
    """Return the token in what was scanned: itself, or put together from its pictures; None for anything else."""
    if not looks_like_parts(text):
        return text if looks_like_token(text) else None
    try:
        return join(text.split())
    except ValueError:
        return None


def read(text: str, keys: Keys, sm2: Sm2Keys = NO_KEYS, *, require_sm2: bool = False) -> Contents | Outcome:
    """Return what a token says, or why it says nothing: `unreadable`, `unknown` (the key), `bad_signature`.

    With keys of SM2 the second signature is checked too, and with `require_sm2` there has to be one.
    Whether it has run out or was revoked is not looked at.
    """
    if len(text) > LONGEST:
        return Outcome.UNREADABLE
    first, *disclosures = text.split("~")
    # A token ends with `~`: what may follow there is a proof of a holder's key, which these tokens do not have.
    if not disclosures or disclosures.pop() or len(disclosures) > _MOST:
        return Outcome.UNREADABLE
    try:
        signed = read_jws(first, typ=_TYP)
        told = [_told(each) for each in disclosures]
    except ValueError:
        return Outcome.UNREADABLE
    key = keys.get(signed.header["kid"])
    if key is None:
        return Outcome.UNKNOWN
    if not signed.holds(key) or not _are_covered(disclosures, told, signed.payload):
        return Outcome.BAD_SIGNATURE
    if (wrong := objection(signed.payload, sm2, what=TOKEN, required=require_sm2)) is not None:
        return wrong
    try:
        return _contents(signed.payload, dict(told))
    except (KeyError, TypeError, ValueError, OverflowError):
        return Outcome.UNREADABLE


def _told(text: str) -> tuple[str, Told]:
    parts = read_json(decode(text))
    if not isinstance(parts, list) or len(parts) != _DISCLOSURE:
        raise ValueError("disclosure")
    salt, name, value = parts
    if not isinstance(salt, str) or not isinstance(name, str) or not (_is_plain(value) or _is_rows(value)):
        raise ValueError("disclosure")
    return name, value


def _is_plain(value: object) -> bool:
    return isinstance(value, str | int | None)


def _is_rows(value: object) -> bool:
    """Tell whether a value is a list of records, as endorsements are."""
    return isinstance(value, list) and all(
        isinstance(row, dict) and all(map(_is_plain, row.values())) and not row.keys() & _FORMAT for row in value
    )


def _are_covered(disclosures: Sequence[str], told: Sequence[tuple[str, object]], payload: Mapping[str, Any]) -> bool:
    """Tell whether the signed part names every disclosure, each once, and none is called by a word of the format."""
    digests = {digest(each) for each in disclosures}
    names = {name for name, _ in told}
    fields = payload.get("fields")
    listed = fields.get("_sd") if isinstance(fields, dict) and fields.keys() == {"_sd"} else None
    return (
        isinstance(listed, list)
        and digests <= {each for each in listed if isinstance(each, str)}
        and len(digests) == len(names) == len(disclosures)
        and not names & _FORMAT
    )


def _contents(payload: Mapping[str, Any], values: Mapping[str, Told]) -> Contents:
    status = payload["status"]["status_list"]
    kind, index = payload["vct"], status["idx"]
    if not isinstance(kind, str) or not kind.startswith(TYPE_PREFIX) or type(index) is not int or index < 0:
        raise ValueError("payload")
    return Contents(
        issuer=str(payload["iss"]),
        kind=kind.removeprefix(TYPE_PREFIX),
        colour=Colour(payload.get("colour", Colour.BLACK)),
        issued_at=moment(payload["iat"]),
        expires_at=moment(payload["exp"]),
        status_uri=str(status["uri"]),
        status_index=index,
        values=values,
    )


def moment(seconds: object) -> datetime:
    """Return a NumericDate (RFC 7519) as a time.

    Raises:
        ValueError: it is none.
    """
    if type(seconds) is not int or not 0 <= seconds <= _LATEST:
        raise ValueError("NumericDate")
    return datetime.fromtimestamp(seconds, UTC)
