"""What the catalogue needs from the rooms of materials and of applications."""

from collections.abc import Mapping
from typing import Protocol
from uuid import UUID

from auth.types import Caller
from matters.catalogue.knowing import Standpoint
from matters.catalogue.types import GuideMaterial
from matters.views.types import ApplicationView


class MaterialDesk(Protocol):
    """Knows how a person satisfies what a matter asks for."""

    async def resolve_from(self, standpoint: Standpoint, citizen_id: UUID | None) -> tuple[GuideMaterial, ...]:
        """Return how somebody satisfies each material that is asked of them, and why so; without an id, anybody.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        ...


class DraftDesk(Protocol):
    """Begins applications."""

    async def start(self, caller: Caller, name: str, form: Mapping[str, object]) -> ApplicationView:
        """Make a draft with what the state knows already and what the applicant says; it calls nobody outside.

        Raises:
            RequirementUnmet: what is known already rules it out.
            TooManyRequests: too many drafts.
        """
        ...
