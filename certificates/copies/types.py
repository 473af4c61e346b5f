"""The words of stamped copies."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class CopyOutcome(StrEnum):
    """What a check of a stamped copy comes to.

    `altered`: the file is not the one that was made; `changed`: the certificate says something else since.
    """

    OK = "ok"
    OTHER_PURPOSE = "other_purpose"
    EXPIRED = "expired"
    REVOKED = "revoked"
    FROZEN = "frozen"
    ALTERED = "altered"
    CHANGED = "changed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class StampedCopy:
    """A stamped copy as a signed PDF; it is good until `expires_at`."""

    id: UUID
    expires_at: datetime
    pdf: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class CopyCheck:
    """What is told of a copy to whoever holds it: what stands on it anyway. `name` is masked."""

    outcome: CopyOutcome
    kind: str | None = None
    name: str | None = None
    consumer: str | None = None
    purpose: str | None = None
    made_at: datetime | None = None
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class CopyView:
    """A copy as its holder looks back at it: for whom, for what, with which fields. The paper itself is not kept."""

    id: UUID
    consumer: str
    purpose: str
    field_names: tuple[str, ...]
    made_at: datetime
    expires_at: datetime
