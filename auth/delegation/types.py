"""The words of delegation: relatives, mandates as they are offered and shown, what the registers say, organisations."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from auth.types import MandateKind, PrincipalKind, Scope
from core.pii import IdNumber, PersonName


class Relation(StrEnum):
    """What the other person is to the one who asks."""

    CHILD = "child"
    PARENT = "parent"
    SPOUSE = "spouse"
    OTHER = "other"

    @property
    def seen_from_the_other(self) -> "Relation":
        """What the one who asks is to the other person."""
        return {Relation.CHILD: Relation.PARENT, Relation.PARENT: Relation.CHILD}.get(self, self)


class Guardianship(StrEnum):
    """Whether the register names the one who asks as guardian of the other, and of whom: a minor or an adult."""

    NONE = "none"
    MINOR = "minor"
    ADULT = "adult"


@dataclass(frozen=True, slots=True)
class Named:
    """Somebody by name and number."""

    name: PersonName
    id_number: IdNumber


@dataclass(frozen=True, slots=True)
class Kinship:
    """What the register of kinship says of two people; `relation` is None when it knows of none, or not of both."""

    relation: Relation | None
    guardianship: Guardianship


@dataclass(frozen=True, slots=True)
class Ward:
    """Somebody for whom a guardian acts, and why."""

    citizen_id: UUID
    person: Named
    guardianship: Guardianship


class LinkState(StrEnum):
    """Where the tie between two relatives stands."""

    WAITING = "waiting"
    CONFIRMED = "confirmed"
    ENDED = "ended"


class Basis(StrEnum):
    """Who has confirmed a tie."""

    REGISTER = "register"
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class RelativeView:
    """A relative as one of the two sees the other; `name` is masked, `relation` is what the other is to the viewer."""

    id: UUID
    relation: Relation
    name: str
    asked_by_me: bool
    state: LinkState
    basis: Basis | None
    asked_at: datetime
    confirmed_at: datetime | None
    guardian_mandate: UUID | None = None


class MandateState(StrEnum):
    """Where a mandate stands: `offered → active → revoked | ended | used`, and `offered → refused`."""

    OFFERED = "offered"
    ACTIVE = "active"
    REVOKED = "revoked"
    ENDED = "ended"
    USED = "used"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Terms:
    """What a principal gives: how far, until when, and whether for once."""

    scope: Scope
    ends_at: datetime
    one_time: bool


@dataclass(frozen=True, slots=True)
class MandateView:
    """A mandate as the viewer sees it. Names of people are masked; organisations carry theirs."""

    id: UUID
    kind: MandateKind
    state: MandateState
    is_agent: bool
    principal: PrincipalKind
    principal_name: str
    organisation_id: UUID | None
    agent_name: str
    scope: Scope
    one_time: bool
    offered_at: datetime
    accepted_at: datetime | None
    ends_at: datetime
    ended_at: datetime | None
    end_reason: str


@dataclass(frozen=True, slots=True)
class OrganisationView:
    """An organisation for which somebody may act, by which mandate, and as what."""

    id: UUID
    uscc: str
    name: str
    mandate_id: UUID
    kind: MandateKind
    ends_at: datetime
