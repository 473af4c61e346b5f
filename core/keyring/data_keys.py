"""The data keys: they lie in the database, wrapped by a key-encryption key that lies outside it."""

import os
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from core.clock import Clock
from core.db import as_moment, as_uuid, execute, fetch, require_transaction, transaction
from core.ids import Ids
from core.keyring.ring import KeyRing
from core.keyring.sealing import NONCE, RecordUnreadable

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


class DataKeys:
    """The data keys as this process knows them."""

    def __init__(self, ring: KeyRing, *, clock: Clock, ids: Ids) -> None:
        self._ring = ring
        self._clock = clock
        self._ids = ids
        self._keys: dict[int, bytes] = {}
        self._current = 0

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
    def current(self) -> int:
        """The number of the key that seals now."""
        return self._current

    def secret(self, number: int) -> bytes | None:
        """Return the key with a number; None when it is gone, or not known yet."""
        return self._keys.get(number)

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


async def retire_data_keys(below: int, now: datetime) -> int:
    """Destroy the data keys below a number, which is that of the current one at most; return how many there were.

    What they sealed is lost: see first that nothing stands under them any more.

    Raises:
        OutsideTransaction: no transaction is running.
    """
    require_transaction()
    return await execute(_RETIRE, below, now, b"")


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
