"""The words of handling: moves of staff, orders, cases as staff sees them, queues, open deliveries, figures."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from matters.handover.types import LetterKind
from matters.types import AttachmentView, DeliveryState, State, Step, Text


class Move(StrEnum):
    """What an operator may do to a case."""

    ACCEPT = "accept"
    NOT_ACCEPT = "not-accept"
    ASK = "ask-for-supplement"
    TAKE_UP = "take-up"
    SUSPEND = "suspend"
    RESUME = "resume"
    APPROVE = "approve"
    REJECT = "reject"
    TERMINATE = "terminate"
    MOVE = "move"
    MERGE = "merge"


class Holder(StrEnum):
    """With whom a case lies.

    `staff`: with the people who work here. `system`: with the department's own system, which tells by callback.
    """

    STAFF = "staff"
    SYSTEM = "system"


class Queue(StrEnum):
    """What waits for the same kind of work."""

    ALL = "all"
    DELIVERY = "delivery"
    ACCEPTANCE = "acceptance"
    REVIEW = "review"
    DECISION = "decision"
    WAITING = "waiting"
    ENDED = "ended"


class DeliveryQueue(StrEnum):
    """Deliveries that need a person: nobody knows whether it arrived; it was refused; every try has failed."""

    UNKNOWN = "unknown"
    REFUSED = "refused"
    DEAD = "dead"


class Arrival(StrEnum):
    """What an operator has found out about a dossier that may have arrived."""

    ARRIVED = "arrived"
    DID_NOT_ARRIVE = "did-not-arrive"


@dataclass(frozen=True, slots=True, repr=False)
class Order:
    """What an operator orders. `version` is the one they have looked at, None for any; `note` is for the applicant."""

    application_id: UUID
    version: int | None
    reason: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Written:
    """A document that was written: its kind, its title and its number."""

    kind: str
    title: Text
    number: str


@dataclass(frozen=True, slots=True)
class Done:
    """What an order came to."""

    id: UUID
    state: State
    version: int
    document: Written | None = None


@dataclass(frozen=True, slots=True)
class CaseLine:
    """A case in a queue; nothing in it is about a person."""

    id: UUID
    number: str
    matter: str
    title: Text
    department: str
    region: str
    state: State
    submitted_at: datetime
    due_at: datetime | None


@dataclass(frozen=True, slots=True, repr=False)
class CaseEntry:
    """One line of a case's history as staff reads it. `effective`: it has brought the case to where it stands.

    `withheld`: its note is not to be read before a person has seen it.
    """

    at: datetime
    step: Step
    actor_kind: str
    actor_id: str
    reason: str
    words: Text | None
    note: str
    document: Written | None
    effective: bool
    withheld: bool


@dataclass(frozen=True, slots=True)
class DeliveryView:
    """How a dossier's way stands."""

    department: str
    state: DeliveryState
    failures: int
    receipt_number: str
    reason: str
    sent_at: datetime | None


@dataclass(frozen=True, slots=True, repr=False)
class CaseView:
    """A case as an operator sees it. `may` are the moves that this operator may make now."""

    line: CaseLine
    version: int
    accepted_at: datetime | None
    decided_at: datetime | None
    due_note: str
    holder: Holder
    accepted_by: str
    timeline: Sequence[CaseEntry]
    files: Sequence[AttachmentView]
    delivery: DeliveryView | None
    may: Sequence[Move]


@dataclass(frozen=True, slots=True)
class OpenDelivery:
    """A delivery that needs a person."""

    id: UUID
    number: str
    matter: str
    department: str
    queue: DeliveryQueue
    state: DeliveryState
    case_state: State
    failures: int
    reason: str
    since: datetime


@dataclass(frozen=True, slots=True)
class OpenBranchDelivery:
    """A branch whose dossier needs a person. `since` is when the branch was opened."""

    id: UUID
    application_id: UUID
    number: str
    branch: str
    matter: str
    department: str
    state: DeliveryState
    case_state: State
    reason: str
    since: datetime


@dataclass(frozen=True, slots=True)
class OpenLetter:
    """A letter that needs a person. `branch` is its name where it is about a branch."""

    id: UUID
    application_id: UUID
    number: str
    branch: str
    matter: str
    department: str
    kind: LetterKind
    state: DeliveryState
    case_state: State
    failures: int
    reason: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Counted:
    """How often something happened in the cases of a department, for a reason. `error`: it was one of ours."""

    department: str
    reason: str
    words: Text
    count: int
    error: bool = False


@dataclass(frozen=True, slots=True)
class Figures:
    """What should be rare: cases annulled, materials asked for twice, nothing said in time."""

    annulled: Sequence[Counted] = field(default_factory=tuple)
    asked_again: Sequence[Counted] = field(default_factory=tuple)
    deemed_accepted: Sequence[Counted] = field(default_factory=tuple)

    @property
    def errors(self) -> int:
        """How many cases were annulled because of an error of ours."""
        return sum(each.count for each in self.annulled if each.error)
