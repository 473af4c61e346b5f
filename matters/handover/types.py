"""The words of what departments are told after they have a dossier."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from matters.types import DeliveryState, Receipt


class LetterKind(StrEnum):
    """What a letter tells: what was missing has come; a case or a branch was taken back; what was decided."""

    SUPPLEMENT = "supplement"
    WITHDRAWAL = "withdrawal"
    RESULT = "result"


class Prospect(StrEnum):
    """What is to be done with a letter: send it now, wait for the dossier, or let it go because nobody has that."""

    SEND = "send"
    WAIT = "wait"
    DROP = "drop"


@dataclass(frozen=True, slots=True)
class Attempt:
    """How a try ended that is not repeated by itself: `acknowledged`, `refused` for a reason, or `unknown`."""

    state: DeliveryState
    reason: str = ""
    receipt: Receipt | None = None


@dataclass(frozen=True, slots=True)
class Letter:
    """What a department is told, by ids. `branch` is its name where the letter is about a branch.

    `desk` is through whom it goes: who takes dossiers, or a register.
    """

    id: UUID
    application_id: UUID
    branch: str
    kind: LetterKind
    department: str
    desk: str
    state: DeliveryState
    created_at: datetime
