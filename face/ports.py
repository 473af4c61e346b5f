"""What a face check needs from outside: an engine that looks at pictures, and somebody who holds portraits."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from core.errors import Alternative
from core.pii import IdNumber
from face.types import FrameObservation


class Examination(Protocol):
    """The place one check has in an engine, from admission to its end.

    All its pictures share one deadline, counted from the first, and each has its own, counted from when the engine
    begins with it: waiting behind other checks does not use that up.
    """

    async def look_at(self, pictures: Sequence[bytes]) -> tuple[FrameObservation, ...]:
        """Look at JPEG or PNG pictures and say what is on each; nothing of them is kept.

        Each picture is one job of the engine, and they are looked at concurrently as far as the engine has room.

        Raises:
            PictureUnusable: one is no picture, too large, damaged, animated or in colours no camera makes.
            EngineUnavailable: the engine died or hung over one of them; send them again.
            EngineOvertime: all together took too long; the same would take as long again.
        """
        ...


class FaceEngine(Protocol):
    """Finds, measures and describes faces. It decides nothing: `face.rules` does, from what the engine saw.

    Descriptions (embeddings) of engines with different `model_id` mean different things and are never compared.
    """

    @property
    def name(self) -> str:
        """The engine as results and callers name it."""
        ...

    @property
    def model_id(self) -> str:
        """Model, digest of its weights, and version of everything done before them."""
        ...

    async def is_whole(self) -> bool:
        """Say whether all of it works: not while a part of it is away, is being replaced, or was never started.

        Raises:
            Nothing: what cannot be asked does not work.
        """
        ...

    def require_place(self, *, logged_in: bool = True) -> None:
        """Refuse a check for which no place is free now; nothing is taken and nothing asked of anybody.

        For the time before a request's body is read: its sender need not send what nobody will look at.

        Raises:
            EngineBusy: as `admit`.
        """
        ...

    def admit(self, *, logged_in: bool = True) -> AbstractAsyncContextManager[Examination]:
        """Take one of the engine's places for a check, for as long as the context lasts.

        Some places are kept for callers who are logged in; the others are for everybody.

        Raises:
            EngineBusy: no such place is free, or the engine is closing; `retry_after` says when to come again.
            EngineUnavailable: nobody is there who could give one.
        """
        ...

    async def warm_up(self) -> None:
        """Start the engine and wait until it is ready; again when it already is, nothing happens.

        Raises:
            EngineUnavailable: it does not start.
        """
        ...

    async def close(self) -> None:
        """Stop the engine and everything it started.

        Raises:
            Nothing: closing twice, or an engine that never started, is fine.
        """
        ...


class PortraitSource(Protocol):
    """Who holds the official portrait of a person: in production the registry's comparison base."""

    async def portrait_of(self, id_number: IdNumber) -> bytes | None:
        """Return the portrait as JPEG or PNG, or nothing: the person is unknown there, or has none.

        It is held in memory for one comparison and never kept. Never called in a transaction.

        Raises:
            Unavailable: the source could not be reached; try again later.
        """
        ...


class Others(Protocol):
    """What else leads where a face check does, in this installation."""

    def __call__(self, *, logged_in: bool, elder: bool) -> tuple[Alternative, ...]:
        """Return the ways to raise a session, or for somebody who is not logged in, to open one."""
        ...
