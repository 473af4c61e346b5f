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
from datetime import timedelta
from typing import Final
from uuid import UUID

from core.clock import Clock
from core.db import execute, fetch, fetch_one, is_postgres, require_transaction
from core.ids import Ids
from core.keyring.data_keys import DataKeys
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


class Vault:
    """Seals, opens and indexes personal columns.

    `column` is `table.column`; `row_id` the row's own id. Both are authenticated with the value.
    """

    def __init__(self, ring: KeyRing, *, clock: Clock, ids: Ids, cipher: str = "A256GCM") -> None:
        self._ring = ring
        self._clock = clock
        self._ids = ids
        self._suite = SUITES[cipher]
        self.data_keys = DataKeys(ring, clock=clock, ids=ids)

    async def load(self) -> None:
        """Make the first data key in a new database, and know those there are.

        Raises:
            RecordUnreadable: no key-encryption key of the ring has wrapped them.
        """
        await self.data_keys.load()

    # --- sealing --------------------------------------------------------------------------------------------------

    def seal(self, column: str, row_id: UUID, text: str) -> bytes:
        """Seal one text of one column of one row.

        Raises:
            RecordUnreadable: the data keys are not loaded.
        """
        number = self.data_keys.current
        secret = self.data_keys.secret(number)
        if secret is None:
            raise RecordUnreadable
        return kept_cipher(self._suite, secret).seal(SHARED, number, text, bound_to(column, row_id))

    def open(self, column: str, row_id: UUID, sealed: bytes) -> str:
        """Open what `seal` made for the same column and row.

        Raises:
            RecordUnreadable: the value was changed or moved, its key is gone, or it is under a person's own key.
        """
        blob = bytes(sealed)
        version, suite, number = head_of(blob)
        secret = self.data_keys.secret(number) if version == SHARED else None
        if secret is None:
            raise RecordUnreadable
        return kept_cipher(suite, secret).open(blob, bound_to(column, row_id))

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


async def destroy_person_key(person_id: UUID) -> bool:
    """Destroy a person's key in the running transaction; what was sealed under it opens never again.

    Raises:
        OutsideTransaction: no transaction is running.
        DatabaseUnavailable: the database could not be reached.
    """
    require_transaction()
    return await execute(_DESTROY_PERSON, person_id) == 1


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
    "sha256_hex",
]
