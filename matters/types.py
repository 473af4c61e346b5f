"""The words of matters: states, steps, what is handed to a department and what it answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from core.pii import IdNumber, Mobile, PersonName

Fact = str | bool | date | None
Details = Mapping[str, str | int | bool | None]


class State(StrEnum):
    """Where an application stands."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    PRE_REVIEW = "pre_review"
    SUPPLEMENT_REQUESTED = "supplement_requested"
    ACCEPTED = "accepted"
    NOT_ACCEPTED = "not_accepted"
    IN_REVIEW = "in_review"
    SUSPENDED = "suspended"
    APPROVED = "approved"
    REJECTED = "rejected"
    DELIVERED = "delivered"
    CLOSED = "closed"
    WITHDRAWN = "withdrawn"
    TERMINATED = "terminated"


class Step(StrEnum):
    """What was done to an application: one line of its history.

    `extended`, `moved` and `branch_settled` change something about a case that stays where it stands.
    """

    CREATED = "created"
    SUBMITTED = "submitted"
    HANDED_OVER = "handed_over"
    SUPPLEMENT_REQUESTED = "supplement_requested"
    SUPPLEMENTED = "supplemented"
    ACCEPTED = "accepted"
    NOT_ACCEPTED = "not_accepted"
    REVIEWED = "in_review"
    SUSPENDED = "suspended"
    RESUMED = "resumed"
    EXTENDED = "extended"
    MOVED = "moved"
    BRANCH_SETTLED = "branch_settled"
    APPROVED = "approved"
    REJECTED = "rejected"
    DELIVERED = "delivered"
    CLOSED = "closed"
    WITHDRAWN = "withdrawn"
    TERMINATED = "terminated"


class DeliveryState(StrEnum):
    """How far a dossier is on its way to a department.

    `sent` also covers "sent, and the answer was lost"; `unknown` waits for a person, because the department cannot tell
    a repeated dossier from a new one; `held` waits for a person who reads what was written in it.
    """

    PENDING = "pending"
    SENT = "sent"
    ACKNOWLEDGED = "acknowledged"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    CANCELLED = "cancelled"
    HELD = "held"


class Dedupe(StrEnum):
    """How a department tells a dossier sent twice from two dossiers.

    `key`: by our reference. `query`: it does not, but says whether a reference has arrived. `none`: not at all.
    """

    KEY = "key"
    QUERY = "query"
    NONE = "none"


class Capability(StrEnum):
    """What a department's system can do for us.

    `query`: says what it has on record. `verify`: says whether something is so. `submit`: takes dossiers. `status`:
    says how a case stands. `supplement`: takes what was missing. `withdraw`: takes a case back. `callback`: tells of a
    case's progress by itself.
    """

    QUERY = "query"
    VERIFY = "verify"
    SUBMIT = "submit"
    STATUS = "status"
    SUPPLEMENT = "supplement"
    WITHDRAW = "withdraw"
    CALLBACK = "callback"


class Outcome(StrEnum):
    """What came of one check at one department."""

    PASSED = "passed"
    FAILED = "failed"
    UNCLEAR = "unclear"
    UNAVAILABLE = "unavailable"


class Satisfaction(StrEnum):
    """The five levels of the national rating system; 1 is best in GB/T 39046, 5 in the national upload."""

    VERY_SATISFIED = "very_satisfied"
    SATISFIED = "satisfied"
    BASICALLY_SATISFIED = "basically_satisfied"
    DISSATISFIED = "dissatisfied"
    VERY_DISSATISFIED = "very_dissatisfied"

    @property
    def is_bad(self) -> bool:
        """Whether it is a 差评, which must say why."""
        return self in {Satisfaction.DISSATISFIED, Satisfaction.VERY_DISSATISFIED}


class Suggestion(StrEnum):
    """What a look at a text suggests."""

    PASS = "pass"  # noqa: S105 — the platform's word for "nothing against it"
    REVIEW = "review"
    RISK = "risk"

    @property
    def holds(self) -> bool:
        """Whether a person looks before the text goes on."""
        return self is not Suggestion.PASS


@dataclass(frozen=True, slots=True)
class TextVerdict:
    """What a look came to. `label` is the platform's number for what it saw; 0 where nobody gave one."""

    suggestion: Suggestion
    label: int = 0


@dataclass(frozen=True, slots=True)
class Text:
    """A sentence for residents in both languages."""

    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Applicant:
    """Who applies, as the population registry knows them. Prints masked."""

    name: PersonName
    id_number: IdNumber
    mobile: Mobile | None = None


@dataclass(frozen=True, slots=True, repr=False)
class DossierFile:
    """A file of a case; `address` is where its department fetches it until `expires_at`.

    `size` (bytes) and `sha256` (lower-case hex) are those of the file as it is kept: a picture was made anew.
    """

    id: UUID
    material: str
    name: str
    media_type: str
    size: int
    sha256: str
    address: str
    expires_at: datetime


@dataclass(frozen=True, slots=True, repr=False)
class Dossier:
    """What a department gets. `reference` is ours, and the same at each try. Prints as its reference.

    `department`: whose matter it is, at a desk of several; `at_once`: decided while one waits; `files`: as they came.
    """

    reference: str
    matter: str
    applicant: Applicant
    form: Mapping[str, object]
    callback_url: str
    submitted_at: datetime
    year: int
    department: str = ""
    at_once: bool = False
    files: tuple[DossierFile, ...] = ()

    def __repr__(self) -> str:
        return f"<Dossier {self.reference}>"


@dataclass(frozen=True, slots=True, repr=False)
class Receipt:
    """A department's answer to a dossier it took. `approved` carries the result when it decided at once."""

    receipt_number: str
    approved: Details | None = None

    def __repr__(self) -> str:
        return f"<Receipt {self.receipt_number}>"


@dataclass(frozen=True, slots=True, repr=False)
class ProgressEvent:
    """What a department tells about a case. `sequence` rises by one from 1 in the order of its events.

    `demands` are codes of materials that it asks for.
    """

    event_id: str
    reference: str
    sequence: int
    state: State
    at: datetime
    note: str = ""
    result: Details | None = None
    demands: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"<ProgressEvent {self.event_id} {self.state}>"


@dataclass(frozen=True, slots=True)
class Filed:
    """A dossier that a department has, or may have. `receipt_number` is theirs, empty where it is not known."""

    reference: str
    department: str
    receipt_number: str = ""


@dataclass(frozen=True, slots=True, repr=False)
class CaseStatus:
    """How a department says that a case stands. `events`: what it would otherwise tell by callback, if it says so."""

    receipt_number: str
    events: tuple[ProgressEvent, ...] = ()

    def __repr__(self) -> str:
        return f"<CaseStatus {self.receipt_number}>"


@dataclass(frozen=True, slots=True)
class Branch:
    """One department's part in a case that several take part in; `due_at` where it has promised a time."""

    check: str
    department: str
    outcome: str
    code: str
    due_at: datetime | None = None
    due_note: str | None = None


@dataclass(frozen=True, slots=True)
class HandledBy:
    """Who handles a case: the unit, its region's code, and what it is called."""

    unit: str
    region: str
    title: str
    title_en: str


class ServiceState(StrEnum):
    """How the systems stand that a matter needs."""

    OK = "ok"
    DEGRADED = "degraded"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class Availability:
    """How a matter's department stands. `since`: when trouble began; `expected_at`: when it is expected to be over."""

    state: ServiceState
    since: datetime | None
    expected_at: datetime | None
    text: Text


@dataclass(frozen=True, slots=True, repr=False)
class Result:
    """How a case ended. `details` is what the department gave with its decision."""

    outcome: State
    at: datetime
    reason: str | None = None
    text: str = ""
    text_en: str = ""
    details: Details | None = None
    rule_version: str | None = None


@dataclass(frozen=True, slots=True)
class AttachmentView:
    """A file given with an application; never its content."""

    id: UUID
    material: str
    sha256: str
    size: int
    media_type: str
    created_at: datetime


@dataclass(frozen=True, slots=True, repr=False)
class Supplement:
    """What came of what was missing. `form` is as it is now; `key` is ours, and the same at each try."""

    filed: Filed
    key: str
    form: Mapping[str, object]
    files: Sequence[DossierFile]


@dataclass(frozen=True, slots=True)
class MaterialLine:
    """One material of an application: how it is satisfied, why so, and from where. `handed_in`: a file came for it."""

    code: str
    title: Text
    way: str
    reason: Text
    source: str
    handed_in: bool
