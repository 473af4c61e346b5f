"""What do I need: a matter's guide, with for each material how the one who asks satisfies it."""

from auth.errors import MandateMissing
from auth.types import Caller
from matters.catalogue.catalogue import Catalogue
from matters.catalogue.knowing import Knowing
from matters.catalogue.ports import MaterialDesk
from matters.catalogue.types import Guide


class Guides:
    """Makes guides out for people: what is required of them, and what they have to bring."""

    def __init__(self, *, catalogue: Catalogue, knowing: Knowing, materials: MaterialDesk) -> None:
        self._catalogue = catalogue
        self._knowing = knowing
        self._materials = materials

    async def open(self, caller: Caller, name: str) -> Guide:
        """Return the guide of a matter for this caller; also for one whose real name is not known yet.

        Raises:
            MatterUnknown: nothing published has this name.
            MandateMissing: the mandate does not cover this matter.
            DatabaseUnavailable: the database could not be reached.
        """
        published = self._catalogue.find(name)
        if not caller.covers_matter(published.matter.code):
            raise MandateMissing
        standpoint = await self._knowing.of(caller, published.matter)
        materials = await self._materials.resolve_from(standpoint, caller.citizen_id)
        return Guide(published, materials, standpoint.required)

    async def for_anybody(self, name: str) -> Guide:
        """Return the guide of a matter for somebody of whom nothing is known.

        Raises:
            MatterUnknown: nothing published has this name.
        """
        published = self._catalogue.find(name)
        standpoint = self._knowing.of_anybody(published.matter)
        return Guide(published, await self._materials.resolve_from(standpoint, None), standpoint.required)
