"""The one place that makes identifiers and random references."""

import secrets
import time
import uuid
from typing import Protocol
from uuid import UUID


class Ids(Protocol):
    """Where new identifiers come from. Tests hand in a fixed source."""

    def uuid(self) -> UUID:
        """Return a new row id, sorted by time of making."""
        ...

    def token(self, size: int) -> str:
        """Return `size` random bytes as URL-safe text."""
        ...

    def digits(self, count: int) -> str:
        """Return `count` random decimal digits."""
        ...


class RandomIds:
    """Identifiers from the operating system's random source."""

    def uuid(self) -> UUID:
        """Return a UUID version 7 (RFC 9562, method 3): Unix milliseconds, the 4,096th part of one, 62 random bits.

        Ids of one process are in the order of their making also within a millisecond: a ledger is read by them.
        """
        milliseconds, rest = divmod(time.time_ns(), 1_000_000)
        part = (rest << 12) // 1_000_000
        value = (milliseconds & ((1 << 48) - 1)) << 80 | 0x7 << 76 | part << 64 | 0x2 << 62 | secrets.randbits(62)
        return uuid.UUID(int=value)

    def token(self, size: int) -> str:
        """Return `size` bytes of the system's randomness, base64url without padding."""
        return secrets.token_urlsafe(size)

    def digits(self, count: int) -> str:
        """Return `count` unpredictable decimal digits."""
        return "".join(secrets.choice("0123456789") for _ in range(count))
