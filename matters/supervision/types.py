"""The words of supervision."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class Deadline(StrEnum):
    """Which date of a case."""

    PRE_REVIEW = "pre-review"
    PROMISED = "promised"
    LEGAL = "legal"


class CardColour(StrEnum):
    """Near the date, or beyond it."""

    YELLOW = "yellow"
    RED = "red"


class CardState(StrEnum):
    """A card is open until its case has ended or its date has moved."""

    OPEN = "open"
    CLOSED = "closed"


class Closed(StrEnum):
    """Why a card was closed: the case came to its end, the date moved, or a red one followed the yellow."""

    ENDED = "ended"
    MOVED = "moved"
    OVERDUE = "overdue"


class OrderLevel(StrEnum):
    """Who has to answer an order."""

    DEPARTMENT = "department"
    SUPERIOR = "superior"


class OrderState(StrEnum):
    """How an order stands. `closed`: its case ended or its date moved before anybody answered."""

    OPEN = "open"
    ANSWERED = "answered"
    UNANSWERED = "unanswered"
    CLOSED = "closed"


class LateReason(StrEnum):
    """Why a case is late. `none`: there is no reason, and that is written down."""

    APPLICANT = "applicant"
    OTHER_DEPARTMENT = "other-department"
    SYSTEM_OUTAGE = "system-outage"
    FORCE_MAJEURE = "force-majeure"
    NONE = "none"


class Ground(StrEnum):
    """Why a record was made: nobody gave a reason before the case ended or at all, or nobody answered in time."""

    NO_REASON = "no-reason"
    UNANSWERED = "unanswered"


class RecordState(StrEnum):
    """Whether somebody has looked at a record, and what came of it."""

    OPEN = "open"
    UPHELD = "upheld"
    EXCUSED = "excused"


@dataclass(frozen=True, slots=True)
class Card:
    """A case that was near a date or beyond it."""

    id: UUID
    application_id: UUID
    number: str
    department: str
    region: str
    matter: str
    deadline: Deadline
    colour: CardColour
    due_at: datetime
    state: CardState
    issued_at: datetime
    closed_at: datetime | None
    closed_because: str


@dataclass(frozen=True, slots=True)
class Order:
    """A question why a case is late. `answer_by` is open while a year's calendar is not published."""

    id: UUID
    card_id: UUID
    application_id: UUID
    number: str
    department: str
    region: str
    matter: str
    level: OrderLevel
    state: OrderState
    issued_by: UUID | None
    issued_at: datetime
    answer_by: datetime | None
    escalated_at: datetime | None
    answered_by: UUID | None
    answered_at: datetime | None
    reason: str


@dataclass(frozen=True, slots=True, repr=False)
class OpenedOrder:
    """An order with what was written."""

    order: Order
    instruction: str
    answer: str


@dataclass(frozen=True, slots=True)
class Record:
    """A case was late, and nobody gave a reason."""

    id: UUID
    card_id: UUID
    application_id: UUID
    number: str
    department: str
    matter: str
    deadline: Deadline
    ground: Ground
    due_at: datetime
    state: RecordState
    created_at: datetime
    reviewed_by: UUID | None
    reviewed_at: datetime | None
