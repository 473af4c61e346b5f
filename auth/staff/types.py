"""The words of the staff: invitations, what is known of operators, and what takes two of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from auth.types import EVERYWHERE, Role, RoleGrant, StaffCaller, StaffScope


class OperatorState(StrEnum):
    """How an account of the staff stands."""

    INVITED = "invited"
    ACTIVE = "active"
    DISABLED = "disabled"


@dataclass(frozen=True, slots=True)
class StaffGrant:
    """An operator's way in: it ends after `idle_seconds` without use, and after `expires_in` seconds at the latest."""

    session_id: UUID
    access_token: str = field(repr=False)
    expires_in: int
    idle_seconds: int
    operator: StaffCaller


@dataclass(frozen=True, slots=True)
class Invitation:
    """An account to be activated: the secret is told this once, works once, and until `until`."""

    operator_id: UUID
    username: str
    secret: str = field(repr=False)
    until: datetime


@dataclass(frozen=True, slots=True)
class Activated:
    """What somebody needs to log in besides their password, told this once."""

    operator_id: UUID
    username: str
    otpauth_uri: str = field(repr=False)
    recovery_codes: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class OperatorView:
    """What administrators see of an operator."""

    id: UUID
    username: str
    state: OperatorState
    grants: tuple[RoleGrant, ...]
    networks: tuple[str, ...]
    created_at: datetime
    locked_until: datetime | None


@dataclass(frozen=True, slots=True)
class StaffSessionView:
    """One place where an operator is logged in."""

    id: UUID
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime
    current: bool


class ApprovalState(StrEnum):
    """How something that takes two people stands."""

    WAITING = "waiting"
    APPROVED = "approved"
    EXECUTED = "executed"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


class Finding(StrEnum):
    """What was found of an emergency afterwards."""

    JUSTIFIED = "justified"
    UNJUSTIFIED = "unjustified"


class Undone(StrEnum):
    """What was done to take an unjustified emergency back."""

    STOPPED = "stopped"  # It was not used yet, and never will be.
    KEY_WITHDRAWN = "key-withdrawn"
    PARTY_SUSPENDED = "party-suspended"
    PARTY_RESTORED = "party-restored"


class Left(StrEnum):
    """What of an unjustified emergency nobody can take back: people have to see to it."""

    PARTY_ACTED = "party-acted"  # What the party has done since then, with how many lines of the audit tell of it.
    PARTY_CHANGED_SINCE = "party-changed-since"  # Others have changed it too: it is suspended, not put back.
    KEY_MADE = "key-made"
    KEYS_DESTROYED = "keys-destroyed"


@dataclass(frozen=True, slots=True)
class Aftermath:
    """What became of an unjustified emergency: what was undone, and what is left, with a number (0: it has none)."""

    undone: tuple[Undone, ...] = ()
    left: Mapping[Left, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ActionRule:
    """Who may ask for something and who may approve it; whether one person may do it in an emergency."""

    asked_by: frozenset[Role]
    approved_by: frozenset[Role]
    in_emergency: bool


@dataclass(frozen=True, slots=True)
class ApprovalView:
    """Something that takes two people. `payload` and `reason` are there when one of them is looked at."""

    id: UUID
    action: str
    payload_hash: str
    state: ApprovalState
    emergency: bool
    requested_by: UUID
    requested_at: datetime
    expires_at: datetime
    decided_by: UUID | None = None
    decided_at: datetime | None = None
    executed_at: datetime | None = None
    reviewed_by: UUID | None = None
    reviewed_at: datetime | None = None
    finding: Finding | None = None
    aftermath: Aftermath = Aftermath()
    followed_up_by: UUID | None = None
    followed_up_at: datetime | None = None
    payload: Mapping[str, object] | None = field(default=None, repr=False)
    reason: str | None = field(default=None, repr=False)
    follow_up: str | None = field(default=None, repr=False)


class PersonField(StrEnum):
    """What of a person can be opened."""

    NAME = "name"
    ID_NUMBER = "id_number"
    MOBILE = "mobile"


@dataclass(frozen=True, slots=True)
class OpeningReason:
    """For what and under which case somebody opens a person's values; the person reads both.

    `concerned` is where the case belongs. `is_of_the_case`: what is opened belongs to that case; where only a person is
    named, nobody here knows.
    """

    purpose: str
    case: str
    concerned: StaffScope = EVERYWHERE
    is_of_the_case: bool = True
