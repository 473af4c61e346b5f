"""The words of looking at texts."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class About(StrEnum):
    """What texts belong to: a form as it was submitted, what came with a supplement, a rating, an objection."""

    APPLICATION = "application"
    SUPPLEMENT = "supplement"
    RATING = "rating"
    OBJECTION = "objection"


class CheckState(StrEnum):
    """How the look at texts stands; those of an application are looked at before it leaves and never wait for it."""

    WAITING = "waiting"
    PASSED = "passed"
    HELD = "held"
    RELEASED = "released"
    REFUSED = "refused"

    @property
    def is_shown(self) -> bool:
        """Whether what was written may be read."""
        return self in {CheckState.PASSED, CheckState.RELEASED}


class CheckSource(StrEnum):
    """Who looked: the platform, our own list, or nobody because there was nothing to look at."""

    WECHAT = "wechat"
    LOCAL = "local"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class HeldText:
    """What waits for a person because of its texts; never the texts. `id` is what they belong to (`about`)."""

    id: UUID
    about: About
    number: str
    matter: str
    department: str
    source: CheckSource
    label: int
    held_at: datetime


@dataclass(frozen=True, slots=True, repr=False)
class OpenedText:
    """One text that a resident wrote: the name of its field, and the field's title."""

    name: str
    title: str
    text: str
