"""Envelope encryption and blind indexes (the keys themselves: `core/keyring/`).

A key-encryption key (KEK) outside the database wraps data keys inside it; data keys seal columns. A sealed value is
bound to its table, column and row (`security.md` 4.4), so a ciphertext moved elsewhere does not open. A blind index is
a keyed hash by which a sealed value can be looked up; while its key is being changed a value has two.

Layout of a sealed value: version (1 byte) | suite (1) | data key (4, big endian) | nonce (12) | ciphertext | tag (16).
"""

import hashlib
import hmac
import os
import struct
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from core.clock import Clock
from core.db import as_moment, as_uuid, execute, fetch, is_postgres, require_transaction, transaction
from core.errors import Unavailable
from core.ids import Ids
from core.keyring.ring import (
    AUDIT_FILE,
    INDEX_FILE,
    ISSUER_FILE,
    KEK_FILE,
    MARK_FILE,
    TOKEN_FILE,
    KeyRing,
    make_keys,
    private_pem,
)

_VERSION: Final = 1
_SUITES: Final = {"A256GCM": 1, "SM4GCM": 2}
_HEAD: Final = struct.Struct(">BBI")
_NONCE: Final = 12
_TAG: Final = 16
_REMEMBERED: Final = timedelta(minutes=1)
_NOTICE: Final = timedelta(seconds=3)

_ROWS: Final = "SELECT id, row_id, wrapped, current_from, retired_at FROM data_key ORDER BY id"
_ADD: Final = """
INSERT INTO data_key (id, row_id, wrapped, current_from, created_at) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (id) DO NOTHING RETURNING id
"""
_REWRAP: Final = "UPDATE data_key SET wrapped = $2 WHERE id = $1 AND wrapped = $3 AND retired_at IS NULL"
# What was wrapped goes with it: a destroyed key is destroyed.
_RETIRE: Final = "UPDATE data_key SET retired_at = $2, wrapped = $3 WHERE id < $1 AND retired_at IS NULL"


class RecordUnreadable(Unavailable):
    """A sealed value does not open: it was changed, moved, or its key is gone."""

    code = "core.record-unreadable"
    title = "这条记录暂时无法读取，我们已收到通知"
    title_en = "This record cannot be read now; the operators have been told"
    plain = "这条记录现在打不开，工作人员会处理。"
    retryable = False


@lru_cache(maxsize=16)
def _aes(key: bytes) -> AESGCM:
    return AESGCM(key)


def _seal(suite: int, key: bytes, nonce: bytes, text: bytes, bound_to: bytes) -> bytes:
    if suite == _SUITES["A256GCM"]:
        return _aes(key).encrypt(nonce, text, bound_to)
    encryptor = Cipher(algorithms.SM4(key[:16]), modes.GCM(nonce)).encryptor()
    encryptor.authenticate_additional_data(bound_to)
    return encryptor.update(text) + encryptor.finalize() + encryptor.tag


def _open(suite: int, key: bytes, nonce: bytes, sealed: bytes, bound_to: bytes) -> bytes:
    if suite == _SUITES["A256GCM"]:
        return _aes(key).decrypt(nonce, sealed, bound_to)
    decryptor = Cipher(algorithms.SM4(key[:16]), modes.GCM(nonce, sealed[-_TAG:])).decryptor()
    decryptor.authenticate_additional_data(bound_to)
    return decryptor.update(sealed[:-_TAG]) + decryptor.finalize()


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

    # --- the data keys --------------------------------------------------------------------------------------------

    async def load(self) -> None:
        """Unwrap the data keys, making the first one in a new database; again and again, to learn of new ones.

        A key that was destroyed still opens for a minute what this process has read before.

        Raises:
            RecordUnreadable: no key-encryption key of the ring has wrapped them.
        """
        rows = await fetch(_ROWS)
        if not rows:
            await self._add(1, None)
            rows = await fetch(_ROWS)
        now, current = self._clock.now(), 0
        for row in rows:
            number = int(row["id"])
            if row["retired_at"] is not None:
                if as_moment(row["retired_at"]) + _REMEMBERED < now:
                    self._keys.pop(number, None)
                continue
            if number not in self._keys:
                self._keys[number], _ = self._unwrap(as_uuid(row["row_id"]), bytes(row["wrapped"]))
            if row["current_from"] is None or as_moment(row["current_from"]) <= now:
                current = number
        self._current = current

    @property
    def current_key(self) -> int:
        """The number of the data key that seals now."""
        return self._current

    async def follow_plan(self) -> list[str]:
        """Bring the data keys to what the key folder plans; return in words for the audit what was done.

        Raises:
            RecordUnreadable: no key-encryption key of the ring has wrapped them.
            OutsideTransaction: no transaction is running.
        """
        require_transaction()
        plan, done = self._ring.data, []
        rows = [row for row in await fetch(_ROWS) if row["retired_at"] is None]
        if rows and int(rows[-1]["id"]) < plan.newest:
            # In a restored database it may be long overdue; it is known everywhere before it is used all the same.
            await self._add(plan.newest, max(plan.current_from, self._clock.now() + _NOTICE))
            done.append(f"data:{plan.newest} made")
        kek = self._ring.keks.current(self._clock.now()).secret
        for row in rows:
            row_id, wrapped = as_uuid(row["row_id"]), bytes(row["wrapped"])
            key, by = self._unwrap(row_id, wrapped)
            if by != kek and await execute(_REWRAP, int(row["id"]), _wrap(kek, row_id, key), wrapped):
                done.append(f"data:{int(row['id'])} wrapped")
        return done

    async def retire_below(self, number: int) -> int:
        """Destroy the data keys below a number; return how many there were. What they sealed is lost.

        Raises:
            OutsideTransaction: no transaction is running.
        """
        require_transaction()
        return await execute(_RETIRE, min(number, self._current), self._clock.now(), b"")

    async def _add(self, number: int, current_from: datetime | None) -> None:
        row_id = self._ids.uuid()
        now = self._clock.now()
        wrapped = _wrap(self._ring.keks.current(now).secret, row_id, os.urandom(32))

        async def insert() -> None:
            await fetch(_ADD, number, row_id, wrapped, current_from, now)

        await transaction(insert)

    def _unwrap(self, row_id: UUID, wrapped: bytes) -> tuple[bytes, bytes]:
        """Return a data key, and the key-encryption key that had wrapped it."""
        for kek in reversed(self._ring.keks.keys):
            try:
                return AESGCM(kek.secret).decrypt(wrapped[:_NONCE], wrapped[_NONCE:], _bound_key(row_id)), kek.secret
            except InvalidTag:
                continue
        raise RecordUnreadable

    # --- sealing --------------------------------------------------------------------------------------------------

    def seal(self, column: str, row_id: UUID, text: str) -> bytes:
        """Seal one text of one column of one row."""
        number = self._current
        nonce = os.urandom(_NONCE)
        head = _HEAD.pack(_VERSION, self._suite, number)
        return (
            head + nonce + _seal(self._suite, self._keys[number], nonce, text.encode(), _bound_to(column, row_id, head))
        )

    def open(self, column: str, row_id: UUID, sealed: bytes) -> str:
        """Open what `seal` made for the same column and row.

        Raises:
            RecordUnreadable: the value was changed or moved, or its key is gone.
        """
        blob = bytes(sealed)
        try:
            head = blob[: _HEAD.size]
            version, suite, number = _HEAD.unpack(head)
            if version != _VERSION:
                raise RecordUnreadable
            nonce = blob[_HEAD.size : _HEAD.size + _NONCE]
            body = blob[_HEAD.size + _NONCE :]
            return _open(suite, self._keys[number], nonce, body, _bound_to(column, row_id, head)).decode()
        except (InvalidTag, KeyError, ValueError, struct.error) as error:
            raise RecordUnreadable from error

    # --- looking up -----------------------------------------------------------------------------------------------

    def index(self, column: str, value: str) -> str:
        """Return the blind index to write for a value: 32 hex digits, another key for each column."""
        return _digest(self._ring.indexes.current(self._clock.now()).secret, b"index|", column, value)

    def indexes(self, column: str, value: str) -> tuple[str, str]:
        """Return the blind indexes under which a value may stand, for `… IN ($1, $2)`; the current one comes first.

        They are the same but while the key is being changed: then rows stand under either, and a row that moves from
        one to the other is found by one statement whenever it looks.
        """
        keys, now = self._ring.indexes, self._clock.now()
        current = keys.current(now)
        others = [key for key in keys.accepted(now) if key is not current]
        first = _digest(current.secret, b"index|", column, value)
        return first, _digest(others[-1].secret, b"index|", column, value) if others else first

    async def claim(self, column: str, value: str) -> bool:
        """Keep others from giving a row this value until the transaction ends; False where that is not needed.

        A unique index sees to it that a value is there once, but not while it may stand under two keys: then claim it,
        look it up, and write only if it is not there.

        Raises:
            OutsideTransaction: no transaction is running.
        """
        require_transaction()
        keys = self._ring.indexes.accepted(self._clock.now())
        if len(keys) == 1:
            return False
        if is_postgres():
            # The same key for everybody, whichever of them they hold for the current one.
            digest = _digest(min(keys, key=lambda key: key.kid).secret, b"claim|", column, value)
            await fetch("SELECT pg_advisory_xact_lock($1)", int.from_bytes(bytes.fromhex(digest[:16]), signed=True))
        return True

    def mark(self, column: str, value: str) -> str:
        """Return a keyed digest of something that is not kept: a device, a code on a slip, whom an offer is for.

        Its key stays when that of blind indexes changes, since nobody could make these anew.
        """
        return _digest(self._ring.mark, b"mark|", column, value)


async def wraps_all(kek: bytes) -> bool:
    """Tell whether a key-encryption key opens every data key there is.

    Raises:
        DatabaseUnavailable: the database could not be reached.
    """
    for row in await fetch(_ROWS):
        wrapped = bytes(row["wrapped"])
        try:
            if row["retired_at"] is None:
                AESGCM(kek).decrypt(wrapped[:_NONCE], wrapped[_NONCE:], _bound_key(as_uuid(row["row_id"])))
        except InvalidTag:
            return False
    return True


def data_key_of(sealed: bytes) -> int:
    """Return the number of the data key under which a value is sealed; 0 when it is none of ours."""
    try:
        return int(_HEAD.unpack(bytes(sealed[: _HEAD.size]))[2])
    except struct.error:
        return 0


def _wrap(kek: bytes, row_id: UUID, key: bytes) -> bytes:
    nonce = os.urandom(_NONCE)
    return nonce + AESGCM(kek).encrypt(nonce, key, _bound_key(row_id))


def _bound_key(row_id: UUID) -> bytes:
    return b"data_key|" + row_id.bytes


def _digest(key: bytes, purpose: bytes, column: str, value: str) -> str:
    own = hmac.digest(key, purpose + column.encode(), hashlib.sha256)
    return hmac.digest(own, value.encode(), hashlib.sha256)[:16].hex()


def _bound_to(column: str, row_id: UUID, head: bytes) -> bytes:
    return column.encode() + b"|" + row_id.bytes + b"|" + head


def sha256_hex(data: bytes) -> str:
    """Return the SHA-256 of some bytes in lower-case hex."""
    return hashlib.sha256(data).hexdigest()


__all__ = [
    "AUDIT_FILE",
    "INDEX_FILE",
    "ISSUER_FILE",
    "KEK_FILE",
    "MARK_FILE",
    "TOKEN_FILE",
    "KeyRing",
    "RecordUnreadable",
    "Vault",
    "data_key_of",
    "make_keys",
    "private_pem",
    "sha256_hex",
    "wraps_all",
]
