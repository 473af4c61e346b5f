"""How one text is sealed and opened: the layout of a sealed value, and what is under one person's own key.

Layout: version (1 byte) | suite (1) | data key (4, big endian) | nonce (12) | ciphertext | tag (16). Version 1 is
sealed under a data key of the installation, version 2 under the key of one person (data key 0).
"""

import os
import struct
from collections.abc import Callable
from functools import lru_cache
from typing import Final
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from core.errors import Unavailable

SHARED: Final = 1
PERSONAL: Final = 2
SUITES: Final = {"A256GCM": 1, "SM4GCM": 2}
NONCE: Final = 12
_HEAD: Final = struct.Struct(">BBI")
_TAG: Final = 16


class RecordUnreadable(Unavailable):
    """A sealed value does not open: it was changed, moved, or its key is gone."""

    code = "core.record-unreadable"
    title = "这条记录暂时无法读取，我们已收到通知"
    title_en = "This record cannot be read now; the operators have been told"
    plain = "这条记录现在打不开，工作人员会处理。"
    retryable = False


class OneCipher:
    """One suite under one key."""

    def __init__(self, suite: int, key: bytes) -> None:
        self._suite = suite
        self._aes = AESGCM(key) if suite == SUITES["A256GCM"] else None
        self._sm4 = key[:16]

    def seal(self, version: int, number: int, text: str, bound_to: bytes) -> bytes:
        """Seal a text; `number` is that of the data key, `bound_to` what is authenticated with it."""
        head, nonce = _HEAD.pack(version, self._suite, number), os.urandom(NONCE)
        bound = bound_to + head
        if self._aes is not None:
            return head + nonce + self._aes.encrypt(nonce, text.encode(), bound)
        encryptor = Cipher(algorithms.SM4(self._sm4), modes.GCM(nonce)).encryptor()
        encryptor.authenticate_additional_data(bound)
        return head + nonce + encryptor.update(text.encode()) + encryptor.finalize() + encryptor.tag

    def open(self, blob: bytes, bound_to: bytes) -> str:
        """Open what `seal` made.

        Raises:
            RecordUnreadable: the value was changed or moved, or is under another key.
        """
        head, nonce, sealed = blob[: _HEAD.size], blob[_HEAD.size :][:NONCE], blob[_HEAD.size + NONCE :]
        bound = bound_to + head
        try:
            if self._aes is not None:
                return self._aes.decrypt(nonce, sealed, bound).decode()
            decryptor = Cipher(algorithms.SM4(self._sm4), modes.GCM(nonce, sealed[-_TAG:])).decryptor()
            decryptor.authenticate_additional_data(bound)
            return (decryptor.update(sealed[:-_TAG]) + decryptor.finalize()).decode()
        except (InvalidTag, ValueError) as error:
            raise RecordUnreadable from error


# Of data keys only: a person's key that was destroyed must be nowhere.
kept_cipher = lru_cache(maxsize=16)(OneCipher)


class PersonVault:
    """Seals and opens under one person's own key, which is unwrapped once, when it is first needed.

    The key stays in here as long as this object lives: make one for a row and let it go.
    """

    def __init__(self, suite: int, unwrap: Callable[[], bytes], older: Callable[[str, UUID, bytes], str]) -> None:
        self._suite = suite
        self._unwrap = unwrap
        self._open_older = older
        self._ciphers: dict[int, OneCipher] = {}

    def __repr__(self) -> str:
        return "<PersonVault>"

    def seal(self, column: str, row_id: UUID, text: str) -> bytes:
        """Seal one text of one column of one row of this person's.

        Raises:
            RecordUnreadable: the person has no key, or no more.
        """
        return self._cipher(self._suite).seal(PERSONAL, 0, text, bound_to(column, row_id))

    def open(self, column: str, row_id: UUID, sealed: bytes) -> str:
        """Open what `seal` made for the same person, column and row, or what the vault made before there was a key.

        Raises:
            RecordUnreadable: the value was changed or moved, or the key is gone.
        """
        blob = bytes(sealed)
        version, suite, _ = head_of(blob)
        if version != PERSONAL:
            return self._open_older(column, row_id, blob)
        return self._cipher(suite).open(blob, bound_to(column, row_id))

    def _cipher(self, suite: int) -> OneCipher:
        if suite not in self._ciphers:
            self._ciphers[suite] = OneCipher(suite, self._unwrap())
        return self._ciphers[suite]


def bound_to(column: str, row_id: UUID) -> bytes:
    """Return what a value of a column of a row is bound to."""
    return column.encode() + b"|" + row_id.bytes + b"|"


def head_of(blob: bytes) -> tuple[int, int, int]:
    """Return a sealed value's version, suite and data key.

    Raises:
        RecordUnreadable: it is no sealed value.
    """
    try:
        version, suite, number = _HEAD.unpack(blob[: _HEAD.size])
    except struct.error as error:
        raise RecordUnreadable from error
    if suite not in SUITES.values():
        raise RecordUnreadable
    return version, suite, number


def data_key_of(sealed: bytes) -> int | None:
    """Return the number of the data key that a value is sealed under: 0 when it is none of ours.

    None: it is under one person's own key, and a change of data keys does not concern it.
    """
    try:
        version, _, number = head_of(bytes(sealed))
    except RecordUnreadable:
        return 0
    return None if version == PERSONAL else number
