"""What the catalogue needs from the room of materials."""

from typing import Protocol
from uuid import UUID

from matters.catalogue.knowing import Standpoint
from matters.catalogue.types import GuideMaterial


class MaterialDesk(Protocol):
    """Knows how a person satisfies what a matter asks for."""

    async def resolve_from(self, standpoint: Standpoint, citizen_id: UUID | None) -> tuple[GuideMaterial, ...]:
        """Return how somebody satisfies each material that is asked of them, and why so; without an id, anybody.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        ...
