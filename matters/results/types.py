"""The words of results: how one reaches the applicant, and what a paper is worth."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from matters.types import State


class DeliveryWay(StrEnum):
    """How a result reaches the applicant, who chooses."""

    ELECTRONIC = "electronic"
    COURIER = "courier"
    PICK_UP = "pick-up"


class DeliveryState(StrEnum):
    """How far a result is. `chosen`: there is none yet; `waiting`: it is there and on its way."""

    CHOSEN = "chosen"
    WAITING = "waiting"
    DELIVERED = "delivered"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True, repr=False)
class DeliveryChoice:
    """How the applicant wants the result: `place` is an address for the courier, a hall for picking up."""

    way: DeliveryWay
    state: DeliveryState
    place: str = ""
    chosen_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """A decision on paper, as a signed PDF. `number` is its own."""

    number: str
    sha256: str
    file_name: str
    pdf: bytes = field(repr=False)


class DecisionOutcome(StrEnum):
    """What a check of a decision comes to. `altered`: another file; `replaced`: decided otherwise since."""

    OK = "ok"
    ALTERED = "altered"
    REPLACED = "replaced"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class DecisionCheck:
    """What is told of a decision to whoever holds the paper: what stands on it, but for the applicant."""

    outcome: DecisionOutcome
    number: str | None = None
    matter: str | None = None
    department: str | None = None
    decision: State | None = None
    decided_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Package:
    """A case packed for the archive: a zip with a signed list of what is in it."""

    name: str
    sha256: str
    content: bytes = field(repr=False)
