"""Keys, envelope encryption and blind indexes.

A key-encryption key (KEK) outside the database wraps data keys inside it; data keys seal columns. A sealed value is
bound to its table, column and row (`security.md` 4.4), so a ciphertext moved elsewhere does not open. A blind index is
a keyed hash by which a sealed value can be looked up.

Layout of a sealed value: version (1 byte) | suite (1) | data key (4, big endian) | nonce (12) | ciphertext | tag (16).

What belongs to one person alone may be sealed under that person's own key (version 2, data key 0), which is itself
sealed under a data key and bound to the person. Destroying the one row of that key makes all of it unreadable, in every
copy of the database, at once (docs/decisions/0019).
"""

import base64
import hashlib
import hmac
import os
import struct
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from core.clock import Clock
from core.db import as_uuid, execute, fetch, fetch_one, require_transaction, transaction
from core.errors import Unavailable
from core.ids import Ids
from core.keys.files import ec_key, ec_public_key, ed_key, raw_key, write_key

_VERSION: Final = 1
_PERSONAL: Final = 2
_SUITES: Final = {"A256GCM": 1, "SM4GCM": 2}
_HEAD: Final = struct.Struct(">BBI")
_NONCE: Final = 12
_TAG: Final = 16
_KEY: Final = 32

_PERSON_KEY: Final = "person_key.wrapped"
_FIND_PERSON: Final = "SELECT wrapped FROM person_key WHERE person_id = $1"
_ADD_PERSON: Final = """
INSERT INTO person_key (person_id, wrapped, created_at) VALUES ($1, $2, $3)
ON CONFLICT (person_id) DO NOTHING RETURNING wrapped
"""
_DESTROY_PERSON: Final = "DELETE FROM person_key WHERE person_id = $1"

KEK_FILE: Final = "kek.key"
INDEX_FILE: Final = "index.key"
TOKEN_FILE: Final = "token.pem"  # noqa: S105 — the name of a file
# The keys of access tokens beside the one that signs: the next one, and those that have signed (deploy/README.md).
_TOKEN_FILES: Final = "token-*.pem"  # noqa: S105 — names of files
ISSUER_FILE: Final = "issuer.pem"
AUDIT_FILE: Final = "audit.pem"


class RecordUnreadable(Unavailable):
    """A sealed value does not open: it was changed, moved, or its key is gone."""

    code = "core.record-unreadable"
    title = "这条记录暂时无法读取，我们已收到通知"
    title_en = "This record cannot be read now; the operators have been told"
    plain = "这条记录现在打不开，工作人员会处理。"
    retryable = False


@dataclass(frozen=True, slots=True, repr=False)
class KeyRing:
    """The keys that never stand in the database. `token` signs access tokens, `token_others` are good for them too."""

    kek: bytes
    index: bytes
    token: ec.EllipticCurvePrivateKey
    issuer: ec.EllipticCurvePrivateKey
    audit: ed25519.Ed25519PrivateKey
    token_others: tuple[ec.EllipticCurvePublicKey, ...] = ()

    def __repr__(self) -> str:
        return "<KeyRing>"

    @classmethod
    def load(cls, folder: Path) -> "KeyRing":
        """Read the keys from a folder that only this user may read.

        Raises:
            UnsafeSettings: a key is missing, weak, or readable by others.
        """
        return cls(
            kek=raw_key(folder / KEK_FILE),
            index=raw_key(folder / INDEX_FILE),
            token=ec_key(folder / TOKEN_FILE),
            issuer=ec_key(folder / ISSUER_FILE),
            audit=ed_key(folder / AUDIT_FILE),
            token_others=tuple(ec_public_key(path) for path in sorted(folder.glob(_TOKEN_FILES))),
        )


def make_keys(folder: Path) -> list[str]:
    """Make the keys that are missing in `folder` and return their names. Existing ones stay untouched."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    made = []
    for name in (KEK_FILE, INDEX_FILE):
        if not (folder / name).exists():
            write_key(folder / name, base64.b64encode(os.urandom(32)) + b"\n")
            made.append(name)
    for name in (TOKEN_FILE, ISSUER_FILE, AUDIT_FILE):
        if not (folder / name).exists():
            key = (
                ed25519.Ed25519PrivateKey.generate() if name == AUDIT_FILE else ec.generate_private_key(ec.SECP256R1())
            )
            write_key(folder / name, private_pem(key))
            made.append(name)
    return made


def private_pem(key: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey) -> bytes:
    """Return a private key as unencrypted PKCS 8."""
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


class _Cipher:
    """One suite under one key."""

    def __init__(self, suite: int, key: bytes) -> None:
        self._aes = AESGCM(key) if suite == _SUITES["A256GCM"] else None
        self._sm4 = key[:16]

    def seal(self, nonce: bytes, content: bytes, bound_to: bytes) -> bytes:
        if self._aes is not None:
            return self._aes.encrypt(nonce, content, bound_to)
        encryptor = Cipher(algorithms.SM4(self._sm4), modes.GCM(nonce)).encryptor()
        encryptor.authenticate_additional_data(bound_to)
        return encryptor.update(content) + encryptor.finalize() + encryptor.tag

    def open(self, nonce: bytes, sealed: bytes, bound_to: bytes) -> bytes:
        if self._aes is not None:
            return self._aes.decrypt(nonce, sealed, bound_to)
        decryptor = Cipher(algorithms.SM4(self._sm4), modes.GCM(nonce, sealed[-_TAG:])).decryptor()
        decryptor.authenticate_additional_data(bound_to)
        return decryptor.update(sealed[:-_TAG]) + decryptor.finalize()


# Of data keys only: a person's key that was destroyed must be nowhere.
_kept = lru_cache(maxsize=16)(_Cipher)


class Vault:
    """Seals, opens and indexes personal columns.

    `column` is `table.column`; `row_id` the row's own id. Both are authenticated with the value.
    """

    def __init__(self, ring: KeyRing, *, clock: Clock, ids: Ids, cipher: str = "A256GCM") -> None:
        self._ring = ring
        self._clock = clock
        self._ids = ids
        self._suite = _SUITES[cipher]
        self._keys: dict[int, bytes] = {}
        self._current = 0

    async def load(self) -> None:
        """Unwrap the data keys, making the first one in a new database.

        Raises:
            RecordUnreadable: the key-encryption key is not the one that wrapped them.
        """
        rows = await fetch("SELECT id, row_id, wrapped FROM data_key WHERE retired_at IS NULL ORDER BY id")
        if not rows:
            rows = await self._make_first()
        for row in rows:
            number = int(row["id"])
            self._keys[number] = self._unwrap(as_uuid(row["row_id"]), bytes(row["wrapped"]))
            self._current = max(self._current, number)

    async def _make_first(self) -> list[dict[str, Any]]:
        row_id = self._ids.uuid()
        nonce = os.urandom(_NONCE)
        wrapped = nonce + AESGCM(self._ring.kek).encrypt(nonce, os.urandom(32), b"data_key|" + row_id.bytes)

        async def insert() -> None:
            await fetch(
                "INSERT INTO data_key (id, row_id, wrapped, created_at) VALUES (1, $1, $2, $3) "
                "ON CONFLICT (id) DO NOTHING RETURNING id",
                row_id,
                wrapped,
                self._clock.now(),
            )

        await transaction(insert)
        return await fetch("SELECT id, row_id, wrapped FROM data_key WHERE retired_at IS NULL ORDER BY id")

    def _unwrap(self, row_id: UUID, wrapped: bytes) -> bytes:
        try:
            return AESGCM(self._ring.kek).decrypt(wrapped[:_NONCE], wrapped[_NONCE:], b"data_key|" + row_id.bytes)
        except InvalidTag as error:
            raise RecordUnreadable from error

    def seal(self, column: str, row_id: UUID, text: str) -> bytes:
        """Seal one text of one column of one row."""
        head = _HEAD.pack(_VERSION, self._suite, self._current)
        return _sealed(_kept(self._suite, self._keys[self._current]), head, column, row_id, text)

    def open(self, column: str, row_id: UUID, sealed: bytes) -> str:
        """Open what `seal` made for the same column and row.

        Raises:
            RecordUnreadable: the value was changed or moved, its key is gone, or it is under a person's own key.
        """
        blob = bytes(sealed)
        version, suite, number = _head_of(blob)
        if version != _VERSION or number not in self._keys:
            raise RecordUnreadable
        return _opened(_kept(suite, self._keys[number]), blob, column, row_id)

    # --- what belongs to one person alone -----------------------------------------------------------------------------

    def of_person(self, person_id: UUID, wrapped: bytes | None) -> "PersonVault":
        """Return what seals and opens under a person's own key, given as its row holds it; it is not unwrapped yet.

        Without a key, only values sealed before there was one open, and nothing can be sealed.
        """
        return PersonVault(self._suite, lambda: self._unwrap_person(person_id, wrapped), self.open)

    async def find_person(self, person_id: UUID) -> "PersonVault":
        """Return the same for a person whose key has to be looked up.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        row = await fetch_one(_FIND_PERSON, person_id)
        return self.of_person(person_id, None if row is None else row["wrapped"])

    async def ensure_person(self, person_id: UUID) -> "PersonVault":
        """Return the same, making the person's key in the running transaction if there is none.

        See first that the person's account is open: a key made after the closing would outlive it.

        Raises:
            OutsideTransaction: no transaction is running.
            DatabaseUnavailable: the database could not be reached.
        """
        require_transaction()
        if await fetch_one(_FIND_PERSON, person_id) is None:
            wrapped = self.seal(_PERSON_KEY, person_id, base64.b64encode(os.urandom(_KEY)).decode())
            await fetch(_ADD_PERSON, person_id, wrapped, self._clock.now())
        return await self.find_person(person_id)

    async def destroy_person(self, person_id: UUID) -> bool:
        """Destroy a person's key in the running transaction; what was sealed under it opens never again.

        Raises:
            OutsideTransaction: no transaction is running.
            DatabaseUnavailable: the database could not be reached.
        """
        require_transaction()
        return await execute(_DESTROY_PERSON, person_id) == 1

    def _unwrap_person(self, person_id: UUID, wrapped: bytes | None) -> bytes:
        if wrapped is None:
            raise RecordUnreadable
        return base64.b64decode(self.open(_PERSON_KEY, person_id, wrapped))

    def index(self, column: str, value: str) -> str:
        """Return the blind index of a value: 32 hex digits, another key for each column."""
        key = hmac.digest(self._ring.index, b"index|" + column.encode(), hashlib.sha256)
        return hmac.digest(key, value.encode(), hashlib.sha256)[:16].hex()


class PersonVault:
    """Seals and opens under one person's own key, which is unwrapped once, when it is first needed.

    The key stays in here as long as this object lives: make one for a row and let it go.
    """

    def __init__(self, suite: int, unwrap: Callable[[], bytes], older: Callable[[str, UUID, bytes], str]) -> None:
        self._suite = suite
        self._unwrap = unwrap
        self._open_older = older
        self._ciphers: dict[int, _Cipher] = {}

    def __repr__(self) -> str:
        return "<PersonVault>"

    def seal(self, column: str, row_id: UUID, text: str) -> bytes:
        """Seal one text of one column of one row of this person's.

        Raises:
            RecordUnreadable: the person has no key, or no more.
        """
        head = _HEAD.pack(_PERSONAL, self._suite, 0)
        return _sealed(self._cipher(self._suite), head, column, row_id, text)

    def open(self, column: str, row_id: UUID, sealed: bytes) -> str:
        """Open what `seal` made for the same person, column and row, or what the vault made before there was a key.

        Raises:
            RecordUnreadable: the value was changed or moved, or the key is gone.
        """
        blob = bytes(sealed)
        version, suite, _ = _head_of(blob)
        if version != _PERSONAL:
            return self._open_older(column, row_id, blob)
        return _opened(self._cipher(suite), blob, column, row_id)

    def _cipher(self, suite: int) -> _Cipher:
        if suite not in self._ciphers:
            self._ciphers[suite] = _Cipher(suite, self._unwrap())
        return self._ciphers[suite]


def _sealed(cipher: _Cipher, head: bytes, column: str, row_id: UUID, text: str) -> bytes:
    nonce = os.urandom(_NONCE)
    return head + nonce + cipher.seal(nonce, text.encode(), _bound_to(column, row_id, head))


def _opened(cipher: _Cipher, blob: bytes, column: str, row_id: UUID) -> str:
    head, nonce, body = blob[: _HEAD.size], blob[_HEAD.size :][:_NONCE], blob[_HEAD.size + _NONCE :]
    try:
        return cipher.open(nonce, body, _bound_to(column, row_id, head)).decode()
    except (InvalidTag, ValueError) as error:
        raise RecordUnreadable from error


def _head_of(blob: bytes) -> tuple[int, int, int]:
    try:
        version, suite, number = _HEAD.unpack(blob[: _HEAD.size])
    except struct.error as error:
        raise RecordUnreadable from error
    return version, suite, number


def _bound_to(column: str, row_id: UUID, head: bytes) -> bytes:
    return column.encode() + b"|" + row_id.bytes + b"|" + head


def sha256_hex(data: bytes) -> str:
    """Return the SHA-256 of some bytes in lower-case hex."""
    return hashlib.sha256(data).hexdigest()
