"""The words of the rating system."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from matters.types import Satisfaction


class Dimension(StrEnum):
    """What a rating may say more closely: five things of the way online, three of the counter."""

    OVERALL = "overall"
    EFFICIENCY = "efficiency"
    GUIDE = "guide"
    CONVENIENCE = "convenience"
    PLATFORM = "platform"
    SKILL = "skill"
    ATTITUDE = "attitude"


class RatingSource(StrEnum):
    """Who said it: the applicant, or nobody within the time that the rules give (默认好评)."""

    CITIZEN = "citizen"
    DEFAULT = "default"


class TicketState(StrEnum):
    """How far a bad rating is followed up."""

    OPEN = "open"
    CONTACTED = "contacted"
    SETTLED = "settled"


class Direction(StrEnum):
    """In which direction levels are counted: 1 is best in GB/T 39046, 5 is best in what goes to the national system."""

    GBT_39046 = "gbt-39046"
    NATIONAL = "national"


@dataclass(frozen=True, slots=True, repr=False)
class Said:
    """What an applicant says of how it went."""

    level: Satisfaction
    reasons: Sequence[str] = ()
    text: str = ""
    dimensions: Mapping[Dimension, Satisfaction] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RatingLine:
    """One rating as it goes into an export: of a case, of nobody. `occasion` counts the ratings of one case from 1."""

    id: UUID
    number: str
    matter: str
    department: str
    channel: str
    level: Satisfaction
    source: RatingSource
    occasion: int
    reasons: Sequence[str]
    dimensions: Mapping[Dimension, Satisfaction]
    promised_days: int
    accepted_at: datetime | None
    rated_at: datetime


@dataclass(frozen=True, slots=True)
class Rates:
    """How many ratings there are, and how many are good (3 levels of 5), with and without those nobody gave."""

    ratings: int
    good: int
    given: int
    given_good: int

    @property
    def rate(self) -> float | None:
        """The share of good ones among all, None where there are none."""
        return self.good / self.ratings if self.ratings else None

    @property
    def given_rate(self) -> float | None:
        """The share of good ones among those that somebody gave."""
        return self.given_good / self.given if self.given else None


@dataclass(frozen=True, slots=True)
class TicketLine:
    """A bad rating that is followed up; nothing of what was written. `contact_by`: None where no calendar says."""

    id: UUID
    number: str
    matter: str
    department: str
    region: str
    level: Satisfaction
    reasons: Sequence[str]
    state: TicketState
    opened_at: datetime
    contact_by: datetime | None
    contacted_at: datetime | None
    settled_at: datetime | None


@dataclass(frozen=True, slots=True, repr=False)
class OpenedTicket:
    """A ticket with what was written. `withheld`: something was, and is not to be read before a person has seen it."""

    line: TicketLine
    text: str
    dimensions: Mapping[Dimension, Satisfaction]
    withheld: bool = False
