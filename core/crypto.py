"""Envelope encryption and blind indexes (the keys themselves: `core/keyring/`).

A key-encryption key (KEK) outside the database wraps data keys inside it; data keys seal columns. A sealed value is
bound to its table, column and row (`security.md` 4.4), so a ciphertext moved elsewhere does not open. A blind index is
a keyed hash by which a sealed value can be looked up; while its key is being changed a value has two.

What belongs to one person alone may be sealed under that person's own key, which is itself sealed under a data key and
bound to the person. Destroying the one row of that key makes all of it unreadable, in every copy of the database, at
once (docs/decisions/0019).
"""

import base64
import hashlib
import hmac
import os
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from core.clock import Clock
from core.db import as_moment, as_uuid, execute, fetch, fetch_one, is_postgres, require_transaction, transaction
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
from core.keyring.sealing import (
    NONCE,
    SHARED,
    SUITES,
    PersonVault,
    RecordUnreadable,
    bound_to,
    data_key_of,
    head_of,
    kept_cipher,
)

_REMEMBERED: Final = timedelta(minutes=1)
_NOTICE: Final = timedelta(seconds=3)
_KEY: Final = 32

PERSON_KEY: Final = "person_key.wrapped"
_FIND_PERSON: Final = "SELECT wrapped FROM person_key WHERE person_id = $1"
_ADD_PERSON: Final = """
INSERT INTO person_key (person_id, wrapped, created_at) VALUES ($1, $2, $3)
ON CONFLICT (person_id) DO NOTHING RETURNING wrapped
"""
_DESTROY_PERSON: Final = "DELETE FROM person_key WHERE person_id = $1"

_ROWS: Final = "SELECT id, row_id, wrapped, current_from, retired_at FROM data_key ORDER BY id"
_ADD: Final = """
INSERT INTO data_key (id, row_id, wrapped, current_from, created_at) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (id) DO NOTHING RETURNING id
"""
_REWRAP: Final = "UPDATE data_key SET wrapped = $2 WHERE id = $1 AND wrapped = $3 AND retired_at IS NULL"
# What was wrapped goes with it: a destroyed key is destroyed.
_RETIRE: Final = "UPDATE data_key SET retired_at = $2, wrapped = $3 WHERE id < $1 AND retired_at IS NULL"


class Vault:
    """Seals, opens and indexes personal columns.

    `column` is `table.column`; `row_id` the row's own id. Both are authenticated with the value.
    """

    def __init__(self, ring: KeyRing, *, clock: Clock, ids: Ids, cipher: str = "A256GCM") -> None:
        self._ring = ring
        self._clock = clock
        self._ids = ids
        self._suite = SUITES[cipher]
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
                return AESGCM(kek.secret).decrypt(wrapped[:NONCE], wrapped[NONCE:], _bound_key(row_id)), kek.secret
            except InvalidTag:
                continue
        raise RecordUnreadable

    # --- sealing --------------------------------------------------------------------------------------------------

    def seal(self, column: str, row_id: UUID, text: str) -> bytes:
        """Seal one text of one column of one row."""
        cipher = kept_cipher(self._suite, self._keys[self._current])
        return cipher.seal(SHARED, self._current, text, bound_to(column, row_id))

    def open(self, column: str, row_id: UUID, sealed: bytes) -> str:
        """Open what `seal` made for the same column and row.

        Raises:
            RecordUnreadable: the value was changed or moved, its key is gone, or it is under a person's own key.
        """
        blob = bytes(sealed)
        version, suite, number = head_of(blob)
        if version != SHARED or number not in self._keys:
            raise RecordUnreadable
        return kept_cipher(suite, self._keys[number]).open(blob, bound_to(column, row_id))

    # --- what belongs to one person alone -----------------------------------------------------------------------------

    def of_person(self, person_id: UUID, wrapped: bytes | None) -> PersonVault:
        """Return what seals and opens under a person's own key, given as its row holds it; it is not unwrapped yet.

        Without a key, only values sealed before there was one open, and nothing can be sealed.
        """
        return PersonVault(self._suite, lambda: self._unwrap_person(person_id, wrapped), self.open)

    async def find_person(self, person_id: UUID) -> PersonVault:
        """Return the same for a person whose key has to be looked up.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        row = await fetch_one(_FIND_PERSON, person_id)
        return self.of_person(person_id, None if row is None else row["wrapped"])

    async def ensure_person(self, person_id: UUID) -> PersonVault:
        """Return the same, making the person's key in the running transaction if there is none.

        See first that the person's account is open: a key made after the closing would outlive it.

        Raises:
            OutsideTransaction: no transaction is running.
            DatabaseUnavailable: the database could not be reached.
        """
        require_transaction()
        if await fetch_one(_FIND_PERSON, person_id) is None:
            wrapped = self.seal(PERSON_KEY, person_id, base64.b64encode(os.urandom(_KEY)).decode())
            await fetch(_ADD_PERSON, person_id, wrapped, self._clock.now())
        return await self.find_person(person_id)

    def _unwrap_person(self, person_id: UUID, wrapped: bytes | None) -> bytes:
        if wrapped is None:
            raise RecordUnreadable
        return base64.b64decode(self.open(PERSON_KEY, person_id, wrapped))

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


async def retire_data_keys(below: int, now: datetime) -> int:
    """Destroy the data keys below a number, which is that of the current one at most; return how many there were.

    What they sealed is lost: see first that nothing stands under them any more.

    Raises:
        OutsideTransaction: no transaction is running.
    """
    require_transaction()
    return await execute(_RETIRE, below, now, b"")


async def destroy_person_key(person_id: UUID) -> bool:
    """Destroy a person's key in the running transaction; what was sealed under it opens never again.

    Raises:
        OutsideTransaction: no transaction is running.
        DatabaseUnavailable: the database could not be reached.
    """
    require_transaction()
    return await execute(_DESTROY_PERSON, person_id) == 1


async def wraps_all(kek: bytes) -> bool:
    """Tell whether a key-encryption key opens every data key there is.

    Raises:
        DatabaseUnavailable: the database could not be reached.
    """
    for row in await fetch(_ROWS):
        wrapped = bytes(row["wrapped"])
        try:
            if row["retired_at"] is None:
                AESGCM(kek).decrypt(wrapped[:NONCE], wrapped[NONCE:], _bound_key(as_uuid(row["row_id"])))
        except InvalidTag:
            return False
    return True


def _wrap(kek: bytes, row_id: UUID, key: bytes) -> bytes:
    nonce = os.urandom(NONCE)
    return nonce + AESGCM(kek).encrypt(nonce, key, _bound_key(row_id))


def _bound_key(row_id: UUID) -> bytes:
    return b"data_key|" + row_id.bytes


def _digest(key: bytes, purpose: bytes, column: str, value: str) -> str:
    own = hmac.digest(key, purpose + column.encode(), hashlib.sha256)
    return hmac.digest(own, value.encode(), hashlib.sha256)[:16].hex()


def sha256_hex(data: bytes) -> str:
    """Return the SHA-256 of some bytes in lower-case hex."""
    return hashlib.sha256(data).hexdigest()


__all__ = [
    "AUDIT_FILE",
    "INDEX_FILE",
    "ISSUER_FILE",
    "KEK_FILE",
    "MARK_FILE",
    "PERSON_KEY",
    "TOKEN_FILE",
    "KeyRing",
    "PersonVault",
    "RecordUnreadable",
    "Vault",
    "data_key_of",
    "destroy_person_key",
    "make_keys",
    "private_pem",
    "retire_data_keys",
    "sha256_hex",
    "wraps_all",
]
