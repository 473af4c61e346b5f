"""Who may come into the registers: looked at when it is asked for, and once more when it is done."""

from collections.abc import Iterable, Mapping
from typing import Any, Final
from uuid import UUID

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from auth.ports import KnownNames
from auth.registers.errors import KeyUnusable, PartyTaken
from auth.registers.types import PartyKind
from auth.staff.rules import unknown
from core.db import fetch, fetch_one
from core.errors import FieldError
from core.signers.strength import PublicKey, fingerprint, is_sound

_KEY: Final = "/request/key/public_key"
_SLUG: Final = "SELECT id FROM party WHERE slug = $1"
_OF_KIND: Final = "SELECT id FROM party WHERE kind = $1 AND slug = $2"
_BY_ID: Final = "SELECT id FROM party WHERE id = $1 AND kind = $2"
_KEY_TAKEN: Final = "SELECT id FROM party_key WHERE key_id = $1 OR fingerprint = $2"


class Admission:
    """Refuses what means nothing to the rooms, keys that anybody could use, and one key for two parties.

    `given` are the keys that the settings name, by their ids: nobody registers one of them.
    """

    def __init__(self, *, names: KnownNames, given: Mapping[str, PublicKey]) -> None:
        self._names = names
        self._given_ids = frozenset(given)
        self._given_keys = frozenset(fingerprint(key) for key in given.values())

    async def check(self, action: str, payload: Mapping[str, Any]) -> None:
        """See at once whether what is asked for could be done.

        Raises:
            NameUnknown: a field, matter, department or party is not known.
            KeyUnusable: the key is none that can be trusted.
            PartyTaken: the name, or the key or its id, is registered already.
        """
        self.require_sound(payload)
        if action in {"verifiers.register", "devices.register"}:
            if await fetch(_SLUG, payload["slug"]):
                raise PartyTaken
        elif action == "keys.add":
            kind = PartyKind(payload["kind"])
            if kind is not PartyKind.DEPARTMENT and not await fetch(_OF_KIND, kind.value, payload["slug"]):
                raise unknown(["/request/slug"])
        else:
            kind = PartyKind.VERIFIER if action == "verifiers.change" else PartyKind.DEVICE
            pointer = f"{kind.value}_id"
            if not await fetch(_BY_ID, UUID(payload[pointer]), kind.value):
                raise unknown([f"/request/{pointer}"])
        if "key" in payload:
            key = payload["key"]
            if await fetch_one(_KEY_TAKEN, key["key_id"], fingerprint(read_key(key["public_key"]))):
                raise PartyTaken

    def require_sound(self, payload: Mapping[str, Any]) -> None:
        """See that all names mean something, and that the key, if there is one, can be trusted.

        Raises:
            NameUnknown: a field, matter or department is not known.
            KeyUnusable: the key is none that can be trusted.
            PartyTaken: the key or its id is one of the settings'.
        """
        strange = list(self._strange(payload))
        if strange:
            raise unknown(strange)
        if "key" not in payload:
            return
        key = read_key(payload["key"]["public_key"])
        if not is_sound(key):
            raise _unusable()
        if payload["key"]["key_id"] in self._given_ids or fingerprint(key) in self._given_keys:
            raise PartyTaken

    def _strange(self, payload: Mapping[str, Any]) -> Iterable[str]:
        for purpose, words in payload.get("purposes", {}).items():
            for place, word in enumerate(words):
                if not self._names.is_readable(word):
                    yield f"/request/purposes/{purpose}/{place}"
        for purpose in payload.get("purpose_titles", {}):
            if purpose not in payload["purposes"]:
                yield f"/request/purpose_titles/{purpose}"
        for place, name in enumerate(payload.get("matters", ())):
            if not self._names.is_matter(name):
                yield f"/request/matters/{place}"
        if payload.get("kind") == PartyKind.DEPARTMENT and not self._names.is_department(payload["slug"]):
            yield "/request/slug"


def read_key(text: str) -> PublicKey:
    """Read a public key in PEM.

    Raises:
        KeyUnusable: it is no Ed25519 or P-256 key.
    """
    try:
        key = serialization.load_pem_public_key(text.encode())
    except (ValueError, UnsupportedAlgorithm) as error:
        raise _unusable() from error
    if isinstance(key, ed25519.Ed25519PublicKey):
        return key
    if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1):
        return key
    raise _unusable()


def _unusable() -> KeyUnusable:
    return KeyUnusable(errors=[FieldError(_KEY, "key", "公钥无法使用", "Not a key that can be used")])
