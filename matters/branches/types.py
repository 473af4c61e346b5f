"""The words of branches."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class BranchState(StrEnum):
    """How far one department's part is. `cancelled`: the case was decided without it."""

    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"
    CANCELLED = "cancelled"


class BranchOutcome(StrEnum):
    """What a department says in its part."""

    APPROVED = "approved"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class OpenBranch:
    """One department's part in a case. `reference` is what the department knows it by."""

    id: UUID
    application_id: UUID
    name: str
    department: str
    state: BranchState
    due_at: datetime | None
    reference: str
