"""The words of proofs that need no connection: what a token holds, what a list says, what a check comes to."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum
from typing import Final, TypeAlias
from uuid import UUID

from certificates.types import Colour, Outcome, Value

TYPE_PREFIX: Final = "urn:zhijian:"
"""What stands before a kind's slug in a token's `vct`."""
Told: TypeAlias = Value | bool
"""What a token says of a field, or of a claim: whether it holds."""


class Mark(IntEnum):
    """What a status list says of one token (Token Status List, section 7.1). Invalid is for good."""

    VALID = 0
    INVALID = 1
    SUSPENDED = 2


class Freshness(StrEnum):
    """How far a status list may be relied upon: within its `ttl`, beyond it, or not any more."""

    FRESH = "fresh"
    STALE = "stale"
    EXPIRED = "expired"


class Reason(StrEnum):
    """Why a token that is readable and signed is `unknown` all the same."""

    ISSUER = "issuer"
    CLOCK = "clock"
    LIST_MISSING = "list-missing"
    LIST_UNREADABLE = "list-unreadable"
    LIST_OF_OTHERS = "list-of-others"
    LIST_EXPIRED = "list-expired"
    MARK = "mark"


@dataclass(frozen=True, slots=True, repr=False)
class Contents:
    """What a token says, once its signature holds. `values` are the fields and claims that were let out.

    Prints nothing of what it holds.
    """

    issuer: str
    kind: str
    colour: Colour
    issued_at: datetime
    expires_at: datetime
    status_uri: str
    status_index: int
    values: Mapping[str, Told]

    def __repr__(self) -> str:
        return f"<Contents {self.kind}>"


@dataclass(frozen=True, slots=True, repr=False)
class StatusList:
    """A status list, inflated. `octets` holds `bits` for each index, the lowest index in the lowest bits."""

    uri: str
    issued_at: datetime
    expires_at: datetime
    ttl: timedelta
    bits: int
    octets: bytes

    def freshness(self, now: datetime) -> Freshness:
        """Tell how far the list may be relied upon now."""
        if now >= self.expires_at:
            return Freshness.EXPIRED
        return Freshness.FRESH if now - self.issued_at <= self.ttl else Freshness.STALE

    def at(self, index: int) -> int | None:
        """Return what stands at an index; None beyond the end."""
        per_octet = 8 // self.bits
        if not 0 <= index < len(self.octets) * per_octet:
            return None
        return self.octets[index // per_octet] >> index % per_octet * self.bits & (1 << self.bits) - 1


@dataclass(frozen=True, slots=True)
class OfflineCheck:
    """What a check without a connection comes to.

    `age` is how long ago the list was made that the answer rests on, `freshness` what that means; both are None where
    no list was looked at. `reason` tells more of `unknown`.
    """

    outcome: Outcome
    contents: Contents | None = None
    age: timedelta | None = None
    freshness: Freshness | None = None
    reason: Reason | None = None


@dataclass(frozen=True, slots=True, repr=False)
class OfflineToken:
    """A token as its holder gets it; `qr_svgs` are one picture, or a series of which all have to be scanned."""

    token: str
    qr_svgs: tuple[str, ...]
    expires_at: datetime

    def __repr__(self) -> str:
        return f"<OfflineToken until {self.expires_at.isoformat()}>"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a token's certificate stands in the lists, and whose it is; `citizen_id` is None once it is gone."""

    mark: Mark
    certificate_id: UUID
    citizen_id: UUID | None


@dataclass(frozen=True, slots=True)
class Standing:
    """What a list says of the newest tokens of a certificate: they share one place in it, given at `since`."""

    mark: Mark
    uri: str
    index: int
    since: datetime
