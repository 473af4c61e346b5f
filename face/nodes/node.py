"""A face node: an engine on a machine of its own, whose places it lends to portals."""

from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from core.clock import Clock
from face.nodes.words import Condition, Place
from face.ports import Examination, FaceEngine
from face.types import FrameObservation

# A portal that is heard of no more has died; until then its place is nobody else's.
_LENT_SECONDS: Final = 15.0


class NoSuchPlace(Exception):
    """The place was never lent, was given back, or has fallen back."""


@dataclass(slots=True)
class _Loan:
    """A place that a portal has, and until when it is its own unless something is heard of it."""

    examination: Examination
    hold: AsyncExitStack
    ends: float
    looks: int = 0


class FaceNode:
    """Lends the places of an engine to portals: a check has one here from its admission to its end."""

    def __init__(self, *, engine: FaceEngine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock
        self._loans: dict[UUID, _Loan] = {}

    async def lend(self, place: UUID, *, logged_in: bool) -> Place:
        """Lend a place for a check under the id that the portal gave it; again, it is the same place.

        Raises:
            EngineBusy: there is none.
        """
        await self._take_back_the_silent()
        if place not in self._loans:
            hold = AsyncExitStack()
            examination = await hold.enter_async_context(self._engine.admit(logged_in=logged_in))
            self._loans[place] = _Loan(examination, hold, self._clock.monotonic() + _LENT_SECONDS)
        return Place(self._engine.model_id)

    async def look_at(self, place: UUID, pictures: Sequence[bytes]) -> tuple[FrameObservation, ...]:
        """Look at pictures of the check that has this place.

        Raises:
            NoSuchPlace: it has none any more.
            PictureUnusable: one is no picture the engine looks at.
            EngineUnavailable: the engine failed over one.
            EngineOvertime: the check took too long.
        """
        loan = self._loans.get(place)
        if loan is None or (not loan.looks and loan.ends <= self._clock.monotonic()):
            raise NoSuchPlace
        loan.looks += 1
        try:
            return await loan.examination.look_at(pictures)
        finally:
            loan.looks -= 1
            loan.ends = self._clock.monotonic() + _LENT_SECONDS

    async def take_back(self, place: UUID) -> None:
        """End a check's place; one that has ended stays so."""
        loan = self._loans.pop(place, None)
        if loan is not None:
            await loan.hold.aclose()

    async def condition(self) -> Condition:
        """Say whether all of the engine works, and what it describes faces by."""
        return Condition(await self._engine.is_whole(), self._engine.model_id)

    async def _take_back_the_silent(self) -> None:
        now = self._clock.monotonic()
        for place in [place for place, loan in self._loans.items() if not loan.looks and loan.ends <= now]:
            await self.take_back(place)
