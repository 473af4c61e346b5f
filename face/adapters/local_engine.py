"""The local engine: `face_recognition`'s own models in a few child processes, watched and replaced.

Children are started afresh (nothing of this process is copied into them), take one frame at a time, and die with us.
A child that dies or hangs over a frame costs the check that sent the frame one retryable error; another takes its
place at once, and meanwhile the others work. Nothing here computes: the event loop only moves bytes.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from core.clock import Clock
from face.adapters.engine_child import Child, ChildLost, run_module
from face.adapters.engine_worker import Setup
from face.adapters.own_network import OwnNetwork
from face.adapters.passive_network import PassiveNetwork
from face.adapters.picture import PictureLimits
from face.errors import EngineBusy, EngineOvertime, EngineUnavailable, PictureUnusable
from face.settings import LocalEngineSettings
from face.types import FrameObservation, PictureFault

_RETRY_AFTER: Final = 2


@dataclass(frozen=True, slots=True)
class LocalEngineLimits:
    """Sizes and deadlines of the local engine.

    A child holds about 160 MB; one that holds more than `worker_bytes` after a frame is replaced. Ten checks of twelve
    frames keep two children busy for two seconds; more would wait longer than people do. Of the ten, `places_kept` are
    for callers who are logged in.
    """

    workers: int = 2
    checks_at_once: int = 10
    places_kept: int = 4
    seconds_per_frame: float = 2.0
    seconds_per_check: float = 6.0
    seconds_to_start: float = 20.0
    worker_bytes: int = 250_000_000
    picture: PictureLimits = field(default_factory=PictureLimits)

    @classmethod
    def of(cls, settings: LocalEngineSettings) -> "LocalEngineLimits":
        """Return what an installation has set."""
        return cls(
            workers=settings.workers,
            checks_at_once=settings.checks_at_once,
            places_kept=settings.places_kept,
            seconds_per_frame=settings.seconds_per_frame,
            seconds_per_check=settings.seconds_per_check,
            seconds_to_start=settings.seconds_to_start,
            worker_bytes=settings.worker_megabytes * 1_000_000,
        )


class _Examination:
    """One admitted check. Its deadline begins with its first frame."""

    def __init__(self, engine: "LocalEngine", clock: Clock, seconds: float) -> None:
        self._engine = engine
        self._clock = clock
        self._seconds = seconds
        self._ends: float | None = None

    async def look_at(self, pictures: Sequence[bytes]) -> tuple[FrameObservation, ...]:
        """Look at the pictures concurrently; the first that fails ends the others.

        Raises:
            PictureUnusable: one is no picture this engine looks at.
            EngineUnavailable: a child died or hung over one.
            EngineOvertime: the check took too long.
        """
        now = self._clock.monotonic()
        if self._ends is None:
            self._ends = now + self._seconds
        looks = [asyncio.ensure_future(self._look_at(index, picture)) for index, picture in enumerate(pictures)]
        try:
            async with asyncio.timeout(max(0.0, self._ends - now)):
                return tuple(await asyncio.gather(*looks))
        except TimeoutError as error:
            raise EngineOvertime(retry_after=_RETRY_AFTER) from error
        finally:
            for look in looks:
                look.cancel()
            # Every outcome is taken in, so that none is reported as forgotten.
            await asyncio.gather(*looks, return_exceptions=True)

    async def _look_at(self, index: int, picture: bytes) -> FrameObservation:
        seen = await self._engine.look_at(picture)
        if isinstance(seen, PictureFault):
            raise PictureUnusable(seen, index)
        return seen


class LocalEngine:
    """A `FaceEngine` on this machine. Belongs to one event loop.

    `cache` is a folder where the converted network is kept between starts; with `own` the operator's network describes
    the faces in its place, and with `passive` another network of theirs says whether faces look alive.
    """

    def __init__(
        self,
        *,
        cache: Path,
        clock: Clock,
        limits: LocalEngineLimits | None = None,
        own: OwnNetwork | None = None,
        passive: PassiveNetwork | None = None,
    ) -> None:
        self._cache = cache
        self._clock = clock
        self._limits = limits or LocalEngineLimits()
        self._own = own
        self._passive = passive
        self._children = [
            Child(
                seconds_per_frame=self._limits.seconds_per_frame,
                seconds_to_start=self._limits.seconds_to_start,
                most_bytes=self._limits.worker_bytes,
                ended=self._replace,
            )
            for _ in range(self._limits.workers)
        ]
        self._idle = list(self._children)
        self._free = asyncio.Semaphore(self._limits.workers)
        self._replacing: set[asyncio.Future[None]] = set()
        self._converting = asyncio.Lock()
        self._setup: Setup | None = None
        self._checks = 0
        self._nameless = 0
        self._closed = False

    @property
    def name(self) -> str:
        """The engine as results and callers name it."""
        return "local"

    @property
    def model_id(self) -> str:
        """Model, weights and preprocessing; empty until the engine was ready once."""
        return next((child.model_id for child in self._children if child.model_id), "")

    @property
    def children(self) -> tuple[Child, ...]:
        """The child processes, for those who look after the machine."""
        return tuple(self._children)

    async def is_whole(self) -> bool:
        """Whether every child is waiting for frames, or working on one.

        Raises:
            Nothing: a child that is being replaced is an answer.
        """
        return not self._closed and all(child.is_ready for child in self._children)

    def require_place(self, *, logged_in: bool = True) -> None:
        """Refuse a check that would not be admitted now; nothing is taken.

        Raises:
            EngineBusy: all places are taken, or the engine is closing.
        """
        places = self._limits.checks_at_once
        is_full = not logged_in and self._nameless >= places - self._limits.places_kept
        if self._closed or is_full or self._checks >= places:
            raise EngineBusy(retry_after=_RETRY_AFTER)

    @asynccontextmanager
    async def admit(self, *, logged_in: bool = True) -> AsyncIterator[_Examination]:
        """Take one of the places for a check, a kept one only for callers who are logged in.

        Raises:
            EngineBusy: all are taken, or the engine is closing.
        """
        self.require_place(logged_in=logged_in)
        self._checks += 1
        self._nameless += not logged_in
        try:
            yield _Examination(self, self._clock, self._limits.seconds_per_check)
        finally:
            self._checks -= 1
            self._nameless -= not logged_in

    async def look_at(self, picture: bytes) -> FrameObservation | PictureFault:
        """Look at one picture outside any check, or say why it cannot be looked at.

        Raises:
            EngineUnavailable: the child died or hung over it.
        """
        if len(picture) > self._limits.picture.max_bytes:
            return PictureFault.TOO_LARGE
        await self._free.acquire()
        # Rather one that is ready than one that is being replaced.
        child = next((one for one in self._idle if one.is_ready), self._idle[0])
        self._idle.remove(child)
        # Shielded: when the caller goes away, the child still finishes its frame before it is given the next one.
        look = asyncio.ensure_future(self._use(child, picture))
        look.add_done_callback(_seen)
        return await asyncio.shield(look)

    async def warm_up(self) -> None:
        """Convert the network if need be, start every child and wait until all are ready.

        Raises:
            EngineUnavailable: they do not start.
        """
        await asyncio.gather(*(self._ensure(child) for child in self._children))

    async def close(self) -> None:
        """Stop all children.

        Raises:
            Nothing: closing twice is fine.
        """
        self._closed = True
        for child in self._children:
            await child.stop()
        await asyncio.gather(*self._replacing, return_exceptions=True)

    async def _use(self, child: Child, picture: bytes) -> FrameObservation | PictureFault:
        try:
            await self._ensure(child)
            return await child.look_at(picture)
        except ChildLost as error:
            raise EngineUnavailable(retry_after=_RETRY_AFTER) from error
        finally:
            self._idle.append(child)
            self._free.release()

    def _replace(self, child: Child) -> None:
        """Start a child again that has come to its end: nobody waits for that, but the next frame may."""
        replacing = asyncio.ensure_future(self._start_again(child))
        self._replacing.add(replacing)
        replacing.add_done_callback(self._replacing.discard)

    async def _start_again(self, child: Child) -> None:
        with suppress(EngineUnavailable):  # Then the next frame tries, and is told.
            await self._ensure(child)

    async def _ensure(self, child: Child) -> None:
        if child.is_ready:
            return
        if self._closed:
            raise EngineUnavailable
        try:
            await child.start(await self._prepared())
        except (ChildLost, TimeoutError, OSError) as error:
            raise EngineUnavailable(retry_after=_RETRY_AFTER) from error

    async def _prepared(self) -> Setup:
        """Return what a child is told; the first time, a process of its own converts the network."""
        async with self._converting:
            if self._setup is None:
                network = "" if self._own else str(await self._converted())
                self._setup = Setup(network=network, picture=self._limits.picture, own=self._own, passive=self._passive)
            return self._setup

    async def _converted(self) -> Path:
        process = await run_module("face.adapters.resnet_onnx", str(self._cache.absolute()))
        try:
            async with asyncio.timeout(self._limits.seconds_to_start):
                out, _ = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if process.returncode != 0:
            raise ChildLost
        return Path(out.decode().strip())


def _seen(look: asyncio.Future[FrameObservation | PictureFault]) -> None:
    if not look.cancelled():
        look.exception()  # Mark it as seen: the caller may be gone.
