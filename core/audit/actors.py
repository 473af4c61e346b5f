"""Who can act: the words of an audit line. Pure, so that the types of any domain may hold an actor."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from uuid import UUID


class ActorKind(StrEnum):
    """Who can act."""

    CITIZEN = "citizen"
    OPERATOR = "operator"
    VERIFIER = "verifier"
    DEPARTMENT = "department"
    SYSTEM = "system"
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts; `id` is ours (a citizen's or operator's row id, a department's slug), never a personal value.

    `on_behalf_of` is the person for whom somebody else acts under a mandate, None for whoever acts for themselves.
    """

    kind: ActorKind
    id: str = ""
    on_behalf_of: UUID | None = None

    @classmethod
    def citizen(cls, citizen_id: UUID, *, on_behalf_of: UUID | None = None) -> "Actor":
        """Return a resident as actor."""
        return cls(ActorKind.CITIZEN, str(citizen_id), on_behalf_of)

    @classmethod
    def operator(cls, operator_id: UUID, *, on_behalf_of: UUID | None = None) -> "Actor":
        """Return an operator as actor."""
        return cls(ActorKind.OPERATOR, str(operator_id), on_behalf_of)

    @classmethod
    def department(cls, slug: str) -> "Actor":
        """Return a department as actor."""
        return cls(ActorKind.DEPARTMENT, slug)


SYSTEM: Final = Actor(ActorKind.SYSTEM)
NOBODY: Final = Actor(ActorKind.NOBODY)
