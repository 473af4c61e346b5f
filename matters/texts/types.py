"""The words of looking at texts."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class CheckState(StrEnum):
    """How the look at an application's texts stands."""

    PASSED = "passed"
    HELD = "held"
    RELEASED = "released"
    REFUSED = "refused"


class CheckSource(StrEnum):
    """Who looked: the platform, our own list, or nobody because there was nothing to look at."""

    WECHAT = "wechat"
    LOCAL = "local"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class HeldText:
    """An application that waits for a person because of its texts; never the texts."""

    id: UUID
    number: str
    matter: str
    department: str
    source: CheckSource
    label: int
    held_at: datetime


@dataclass(frozen=True, slots=True, repr=False)
class OpenedText:
    """One text that a resident wrote, under the title of its field."""

    title: str
    text: str
