"""The words of exchange: what is counted, how a system stands, and what nobody uses."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from matters.types import ServiceState


class Direction(StrEnum):
    """Who asked: we them (`out`), or they us (`in`)."""

    OUT = "out"
    IN = "in"


class ExchangeOutcome(StrEnum):
    """How an exchange ended. `refused`: a complete answer that says no; `held-back`: not even tried."""

    OK = "ok"
    REFUSED = "refused"
    TIMEOUT = "timeout"
    UNREACHABLE = "unreachable"
    HELD_BACK = "held-back"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, order=True)
class Exchanged:
    """What is counted together: names from closed lists, nothing of what was said, nobody it was about.

    `resource` is an entry of the sharing catalogue where the call is one of its resources, else the call's own name.
    `consumer` uses the answer: a department, or a part of this service.
    """

    day: date
    direction: Direction
    partner: str
    resource: str
    matter: str
    consumer: str
    outcome: ExchangeOutcome


@dataclass(frozen=True, slots=True)
class ExchangeLine:
    """How often something was exchanged on a day, and how long it took in microseconds."""

    id: UUID
    exchanged: Exchanged
    count: int
    total_us: int
    longest_us: int


@dataclass(frozen=True, slots=True)
class ExchangeDay:
    """A day with one partner: how often, how often without a usable answer, and how long in microseconds."""

    day: date
    direction: Direction
    partner: str
    count: int
    failed: int
    total_us: int
    longest_us: int


@dataclass(frozen=True, slots=True)
class ExchangeWanted:
    """What to look for; an empty part is not limited. Days are China's, both included."""

    since: date
    until: date
    partner: str = ""
    matter: str = ""
    resource: str = ""
    outcome: str = ""
    direction: str = ""


@dataclass(frozen=True, slots=True)
class Unused:
    """A system, or one of its resources (empty: the whole system), that nobody asked; None: not since we count."""

    partner: str
    resource: str
    last_on: date | None


@dataclass(frozen=True, slots=True)
class Standing:
    """How a system stands as it is written down: since when it is in trouble, and when that was last seen."""

    state: ServiceState
    since: datetime | None
    seen_at: datetime
    expected_at: datetime | None = None
