"""What do I need: a matter's guide, with for each material how the one who asks satisfies it."""

from dataclasses import replace
from typing import Final

from auth.errors import MandateMissing
from auth.types import Caller, Level
from core.db import fetch
from matters.catalogue.catalogue import Catalogue
from matters.catalogue.rules import choose_ways
from matters.catalogue.types import Guide, GuideMaterial, Matter
from matters.ports import Holdings

# What went along with an application once need not be given again for the same matter.
_GIVEN: Final = """
SELECT DISTINCT attachment.material FROM attachment JOIN application ON application.id = attachment.application_id
WHERE attachment.citizen_id = $1 AND attachment.matter_code = $2 AND application.submitted_at IS NOT NULL
"""
_GOOD: Final = frozenset({"active", "expiring"})


class Guides:
    """Makes guides out for people."""

    def __init__(self, *, catalogue: Catalogue, holdings: Holdings) -> None:
        self._catalogue = catalogue
        self._holdings = holdings

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
        return Guide(published, await self.materials_of(caller, published.matter))

    async def materials_of(self, caller: Caller, matter: Matter) -> tuple[GuideMaterial, ...]:
        """Return how this caller satisfies each material of a matter.

        A mandate for the matter takes along what the matter itself asks about: also that a certificate is held which is
        not in the mandate.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        known = caller.level.rank >= Level.REAL_NAME.rank
        held: frozenset[str] = frozenset()
        given: frozenset[str] = frozenset()
        if known:
            held = frozenset(
                view.kind
                for view in await self._holdings.list_held(replace(caller, mandate=None), after=None, limit=100)
                if view.state.value in _GOOD
            )
            rows = await fetch(_GIVEN, caller.citizen_id, matter.code)
            given = frozenset(str(row["material"]) for row in rows)
        return choose_ways(matter.materials, real_name=known, held=held, given=given)
