"""The words of extensions."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class ExtensionReason(StrEnum):
    """Why a limit is not enough; residents read it (`matters/cases/wording.py`)."""

    COMPLEX = "complex"
    OTHER_DEPARTMENT = "other-department"
    LARGE_VOLUME = "large-volume"
    FORCE_MAJEURE = "force-majeure"


class ExtensionState(StrEnum):
    """How a request for a longer limit stands."""

    WAITING = "waiting"
    APPROVED = "approved"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class ExtensionLine:
    """A request for a longer limit, without what was written."""

    id: UUID
    application_id: UUID
    number: str
    department: str
    region: str
    matter: str
    days: int
    reason: ExtensionReason
    state: ExtensionState
    requested_by: UUID
    requested_at: datetime
    decided_by: UUID | None
    decided_at: datetime | None
