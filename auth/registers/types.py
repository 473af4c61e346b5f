"""The words of the registers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from auth.types import Term


class PartyKind(StrEnum):
    """Who or what signs requests to us."""

    VERIFIER = "verifier"
    DEPARTMENT = "department"
    DEVICE = "device"


class PartyState(StrEnum):
    """Whether requests of a party are taken."""

    ACTIVE = "active"
    SUSPENDED = "suspended"


@dataclass(frozen=True, slots=True)
class KeyView:
    """A public key of a party."""

    id: UUID
    key_id: str
    public_key: str
    active: bool
    added_at: datetime
    withdrawn_at: datetime | None


@dataclass(frozen=True, slots=True)
class PartyView:
    """A party as the register shows it.

    `purposes` says which fields a verifier may read for which purpose, `purpose_titles` what these are called,
    `quota_per_day` how often it may ask (0: not limited), `place` and `matters` belong to a device.
    """

    id: UUID
    kind: PartyKind
    slug: str
    state: PartyState
    name: str
    networks: tuple[str, ...]
    purposes: Mapping[str, tuple[str, ...]]
    quota_per_day: int
    place: str
    matters: tuple[str, ...]
    registered_at: datetime
    changed_at: datetime
    purpose_titles: Mapping[str, Term] = field(default_factory=dict)
    contact: str | None = field(default=None, repr=False)
    keys: tuple[KeyView, ...] = ()


@dataclass(frozen=True, slots=True)
class VerifierTerms:
    """What the register lets a verifier do: which fields and claims it may read for which purpose, and how often a day.

    `quota_per_day` 0: as often as it likes. `titles` says what its purposes are called.
    """

    id: UUID
    name: str
    purposes: Mapping[str, frozenset[str]]
    quota_per_day: int
    titles: Mapping[str, Term] = field(default_factory=dict)

    def may_read(self, name: str, purpose: str) -> bool:
        """Say whether it may read a field or a claim for a purpose: nothing for one that the register does not have."""
        return name in self.purposes.get(purpose, ())


class RecordKind(StrEnum):
    """Which register of data protection a record belongs to."""

    ASSESSMENT = "assessment"
    PROCESSING = "processing"
    BREACH = "breach"
    FILING = "filing"


@dataclass(frozen=True, slots=True)
class PrivacyRecordView:
    """An entry of a register of data protection; `follows_id` is the one it carries on."""

    id: UUID
    kind: RecordKind
    title: str
    content: Mapping[str, str]
    follows_id: UUID | None
    written_by: UUID
    written_at: datetime
