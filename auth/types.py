"""The words of auth: levels, callers, people, and what is told about them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias
from uuid import UUID

from core.audit.actors import Actor
from core.pii import IdNumber, Mobile, PersonName, Secret


class Level(StrEnum):
    """How sure we are who is calling (可信等级), lowest first."""

    LINKED = "linked"
    REAL_NAME = "real_name"
    PRESENT = "present"

    @property
    def rank(self) -> int:
        """The place in the order, 0 for the lowest."""
        return _ORDER.index(self)


_ORDER = tuple(Level)


class MandateKind(StrEnum):
    """Where the right to act for somebody comes from."""

    AGENT = "agent"  # given by the principal, accepted by the agent
    GUARDIAN = "guardian"  # by law, as the register of kinship says
    REPRESENTATIVE = "representative"  # of an organisation, as the business register says


class PrincipalKind(StrEnum):
    """Whose affairs a mandate is about."""

    CITIZEN = "citizen"
    ORGANISATION = "organisation"


@dataclass(frozen=True, slots=True)
class Scope:
    """What a mandate covers: kinds of certificates, and matters by their codes. None stands for all of them."""

    certificates: frozenset[str] | None
    matters: frozenset[str] | None

    def covers_certificate(self, kind: str) -> bool:
        """Tell whether certificates of this kind are in it."""
        return self.certificates is None or kind in self.certificates

    def covers_matter(self, code: str) -> bool:
        """Tell whether the matter with this code is in it."""
        return self.matters is None or code in self.matters


@dataclass(frozen=True, slots=True)
class Mandate:
    """The mandate a request is made under. One that is used up lets its holder read and do nothing more."""

    id: UUID
    kind: MandateKind
    principal: PrincipalKind
    scope: Scope
    is_one_time: bool
    is_used_up: bool


def acting(citizen_id: UUID, operator_id: UUID | None) -> Actor:
    """Return who acts in a session of a resident: they themselves, or the officer for them."""
    return Actor.citizen(citizen_id) if operator_id is None else Actor.operator(operator_id, on_behalf_of=citizen_id)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who a request comes from: `citizen_id` says whose affairs, `actor_id` who acts; the same without a mandate.

    `level` is the actor's. Under a mandate of an organisation `citizen_id` is the organisation's id. `operator_id` is
    the officer at the keyboard of a session that the person has confirmed, None in every other.
    """

    citizen_id: UUID
    session_id: UUID
    level: Level
    elder: bool
    actor_id: UUID
    mandate: Mandate | None = None
    operator_id: UUID | None = None

    @property
    def actor(self) -> Actor:
        """Who acts, as the audit writes it down."""
        if self.operator_id is not None:
            return Actor.operator(self.operator_id, on_behalf_of=self.citizen_id)
        on_behalf_of = self.citizen_id if self.citizen_id != self.actor_id else None
        return Actor.citizen(self.actor_id, on_behalf_of=on_behalf_of)

    @property
    def self_actor(self) -> Actor:
        """Who acts where it is about the actor themselves: their presence, their consent."""
        return acting(self.actor_id, self.operator_id)

    @property
    def sees_the_person(self) -> bool:
        """Whether the caller may see the principal's own record in full: it is theirs, or they are the guardian."""
        return self.mandate is None or self.mandate.kind is MandateKind.GUARDIAN

    @property
    def certificates(self) -> frozenset[str] | None:
        """The kinds of certificates this caller may come near; None for all of them."""
        return None if self.mandate is None else self.mandate.scope.certificates

    @property
    def matters(self) -> frozenset[str] | None:
        """The codes of the matters this caller may come near; None for all of them."""
        return None if self.mandate is None else self.mandate.scope.matters

    def covers_certificate(self, kind: str) -> bool:
        """Tell whether certificates of this kind are the caller's own, or in the scope of the mandate."""
        return self.mandate is None or self.mandate.scope.covers_certificate(kind)

    def covers_matter(self, code: str) -> bool:
        """Tell whether the matter is open to the caller: always for themselves, else by the scope of the mandate."""
        return self.mandate is None or self.mandate.scope.covers_matter(code)


@dataclass(frozen=True, slots=True)
class Person:
    """A resident under their real name, as the population registry knows them."""

    citizen_id: UUID
    name: PersonName
    id_number: IdNumber
    mobile: Mobile | None


@dataclass(frozen=True, slots=True)
class CitizenView:
    """What a client is told about who has logged in. `name` is masked."""

    id: UUID
    level: Level
    name: str | None
    elder: bool


@dataclass(frozen=True, slots=True)
class Grant:
    """A way in: an access token for `expires_in` seconds and the refresh token for the next one."""

    session_id: UUID
    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_in: int
    citizen: CitizenView


@dataclass(frozen=True, slots=True)
class MeView:
    """What a resident sees of themselves; name, number and mobile are masked."""

    id: UUID
    level: Level
    present_until: datetime | None
    name: str | None
    id_number: str | None
    mobile: str | None
    elder: bool
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SessionView:
    """One place where a resident is logged in. `device` is a short mark of it, the same each time, or None.

    `assisted`: an officer acts in it for the resident, who has confirmed that.
    """

    id: UUID
    device: str | None
    level: Level
    created_at: datetime
    last_used_at: datetime
    current: bool
    assisted: bool = False


@dataclass(frozen=True, slots=True)
class AccountView:
    """A WeChat account of a resident. `mark` is a short mark of it, the same each time; `bound_at` since when."""

    id: UUID
    mark: str
    bound_at: datetime
    current: bool


class Channel(StrEnum):
    """Where a consent was given."""

    ONLINE = "online"
    FACE = "face"  # On a screen of somebody else's: an elder session on a kiosk or a relative's phone.
    COUNTER = "counter"


@dataclass(frozen=True, slots=True)
class ConsentView:
    """One consent of a resident, standing or withdrawn. `given_by_guardian`: somebody agreed for them."""

    id: UUID
    purpose: str
    version: int
    text_hash: str
    channel: Channel
    given_by_guardian: bool
    given_at: datetime
    withdrawn_at: datetime | None


class ReadPurpose(StrEnum):
    """For what a person's name, number and mobile are read: a closed list, and nobody reads them for nothing."""

    FACE_CHECK = "face-check"
    CERTIFICATE = "certificate"
    APPLICATION = "application"
    DECISION = "decision"
    CORRECTION = "correction"
    OWN_RIGHTS = "own-rights"
    DELEGATION = "delegation"
    STEP_UP = "step-up"
    LEDGER = "ledger"


Plain: TypeAlias = "str | int | bool | Sequence[Plain] | Mapping[str, Plain] | None"


@dataclass(frozen=True, slots=True)
class Term:
    """What a name or a code is called; `inside` are its codes, and the names of what comes with a code."""

    zh: str
    en: str
    inside: Mapping[str, "Term"] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, repr=False)
class Section:
    """Part of what is stored about a person: plain values, the tables all of which are in it, words for its names."""

    name: str
    title: str
    title_en: str
    tables: tuple[str, ...]
    rows: Sequence[Mapping[str, Plain]]
    terms: Mapping[str, Term] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Kept:
    """What outlives an account: why, and until when. Without `until` the end is not known yet, or `is_for_good`.

    `is_configured`: the reason is this installation's rule, to be confirmed by whoever runs it, not a named law.
    """

    what: str
    title: str
    title_en: str
    law: str
    law_en: str
    is_configured: bool
    is_for_good: bool
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Stop:
    """Something under way that ends with the account."""

    kind: str
    id: UUID
    title: str
    title_en: str


@dataclass(frozen=True, slots=True)
class Outlook:
    """What closing an account would stop, and what would be kept after it."""

    stops: tuple[Stop, ...] = ()
    kept: tuple[Kept, ...] = ()


@dataclass(frozen=True, slots=True)
class Erasure:
    """What was erased, as numbers of rows by table, and what is still kept."""

    erased: Mapping[str, int]
    kept: tuple[Kept, ...] = ()


@dataclass(frozen=True, slots=True)
class AccountIdentity:
    """Who a one-time login code belongs to, as the mini-program platform knows them."""

    openid: Secret
    unionid: Secret | None = None


class Verdict(StrEnum):
    """What the population registry says of a name and a number. Unknown people and wrong names are one and the same.

    `deceased` is a match with somebody who has died: nobody comes in by it, and callers are told of a mismatch.
    """

    MATCH = "match"
    MISMATCH = "mismatch"
    DECEASED = "deceased"


@dataclass(frozen=True, slots=True)
class Claims:
    """What an access token of ours says: who, in which session, and until when (Unix seconds)."""

    citizen_id: UUID
    session_id: UUID
    expires: int


class Role(StrEnum):
    """What an operator may do. The three administrators are never one person (等保三员)."""

    SYSTEM_ADMIN = "system-admin"
    SECURITY_ADMIN = "security-admin"
    AUDIT_ADMIN = "audit-admin"
    APPROVER = "approver"
    ACCEPTOR = "acceptor"
    DEPARTMENT_OPERATOR = "department-operator"
    OPERATOR = "operator"
    AUDITOR = "auditor"


@dataclass(frozen=True, slots=True)
class StaffScope:
    """What something concerns, or how far a grant reaches. An empty part is not limited.

    `region` is a code of GB/T 2260 and its continuation (province 2 digits, city 4, county 6, town 9, village 12): a
    shorter code holds all that begin with it. `department` is a department's slug, `matter` a matter's code.
    """

    region: str = ""
    department: str = ""
    matter: str = ""

    def covers(self, other: "StaffScope") -> bool:
        """Say whether a grant that reaches this far holds `other`."""
        return (
            other.region.startswith(self.region)
            and self.department in {"", other.department}
            and self.matter in {"", other.matter}
        )


EVERYWHERE = StaffScope()


@dataclass(frozen=True, slots=True)
class RoleGrant:
    """A role that somebody holds, and how far it reaches."""

    role: Role
    scope: StaffScope = EVERYWHERE


@dataclass(frozen=True, slots=True)
class StaffCaller:
    """Which operator a request comes from, and what they hold now."""

    operator_id: UUID
    session_id: UUID
    username: str
    grants: tuple[RoleGrant, ...]

    @property
    def actor(self) -> Actor:
        """Who acts, as the audit writes it down."""
        return Actor.operator(self.operator_id)

    @property
    def roles(self) -> frozenset[Role]:
        """The roles, however far each reaches."""
        return frozenset(grant.role for grant in self.grants)

    def scopes(self, roles: Collection[str]) -> tuple[StaffScope, ...]:
        """Return how far each grant of one of these roles reaches; of any role where none is named."""
        return tuple(grant.scope for grant in self.grants if not roles or grant.role in roles)
