"""The local engine: `face_recognition`'s own models in a few child processes, watched and replaced.

Children are started afresh (nothing of this process is copied into them), take one frame at a time, and die with us.
A child that dies or hangs over a frame costs the check that sent the frame one retryable error; the next frame finds
a new child. Nothing here computes: the event loop only moves bytes.
"""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import msgspec

from core.clock import Clock
from face.adapters.engine_worker import LENGTH, Ready, Seen, Unusable
from face.adapters.picture import PictureLimits
from face.errors import EngineBusy, EngineOvertime, EngineUnavailable, PictureUnusable
from face.settings import FaceSettings
from face.types import FrameObservation, PictureFault

_ROOT: Final = Path(__file__).resolve().parents[2]
# Everything a child gets of our environment: no key, no password, no address.
_ENVIRONMENT: Final = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "TZ")
_ONE_THREAD: Final = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
_RETRY_AFTER: Final = 2
# uvloop's children inherit whatever may be inherited, and Sanic's listening socket may: a child would hold the port
# after we are gone. So all but the standard streams is closed before anything is loaded.
_START: Final = (
    "import os, runpy, sys; os.closerange(3, os.sysconf('SC_OPEN_MAX')); sys.argv = sys.argv[1:]; "
    "runpy.run_module(sys.argv[0], run_name='__main__', alter_sys=True)"
)

_answers: Final[msgspec.json.Decoder[Ready | Seen | Unusable]] = msgspec.json.Decoder(Ready | Seen | Unusable)


@dataclass(frozen=True, slots=True)
class LocalEngineLimits:
    """Sizes and deadlines of the local engine.

    A child holds about 160 MB. Ten checks of twelve frames keep two children busy for two seconds; more would wait
    longer than people do. Of the ten, `places_kept` are for callers who are logged in.
    """

    workers: int = 2
    checks_at_once: int = 10
    places_kept: int = 4
    seconds_per_frame: float = 2.0
    seconds_per_check: float = 6.0
    seconds_to_start: float = 20.0
    picture: PictureLimits = field(default_factory=PictureLimits)

    @classmethod
    def of(cls, settings: FaceSettings) -> "LocalEngineLimits":
        """Return what an installation has set."""
        local = settings.local_engine
        return cls(
            workers=local.workers,
            checks_at_once=local.checks_at_once,
            places_kept=local.places_kept,
            seconds_per_frame=local.seconds_per_frame,
            seconds_per_check=local.seconds_per_check,
            seconds_to_start=local.seconds_to_start,
        )


class _ChildLost(Exception):
    """The child died, hung, or said something that is no answer."""


class _Child:
    """One child process: started when needed, killed when it fails."""

    def __init__(self, limits: LocalEngineLimits) -> None:
        self._limits = limits
        self._process: asyncio.subprocess.Process | None = None
        self.model_id = ""

    @property
    def is_alive(self) -> bool:
        """Whether a frame can be handed over at once."""
        return self._process is not None and self._process.returncode is None

    async def start(self, network: Path) -> None:
        """Start the process and wait until its models are loaded."""
        await self.stop()
        picture_limits = msgspec.json.encode(self._limits.picture).decode()
        self._process = await _run("face.adapters.engine_worker", str(network), picture_limits)
        try:
            async with asyncio.timeout(self._limits.seconds_to_start):
                ready = await self._answer()
        except BaseException:
            await self.stop()
            raise
        if not isinstance(ready, Ready):
            await self.stop()
            raise _ChildLost
        self.model_id = ready.model_id

    async def look_at(self, picture: bytes) -> FrameObservation | PictureFault:
        """Hand over one frame and wait for what is on it."""
        process = self._process
        if process is None or process.stdin is None:
            raise _ChildLost
        try:
            async with asyncio.timeout(self._limits.seconds_per_frame):
                process.stdin.write(LENGTH.pack(len(picture)))
                process.stdin.write(picture)
                await process.stdin.drain()
                answer = await self._answer()
        except (TimeoutError, OSError) as error:
            await self.stop()
            raise _ChildLost from error
        except _ChildLost:
            await self.stop()
            raise
        match answer:
            case Seen(observation):
                return observation
            case Unusable(fault):
                return fault
            case Ready():
                await self.stop()
                raise _ChildLost

    async def stop(self) -> None:
        """Kill the process, if there is one, and wait for its end."""
        process, self._process = self._process, None
        if process is None:
            return
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()

    async def _answer(self) -> Ready | Seen | Unusable:
        if self._process is None or self._process.stdout is None:
            raise _ChildLost
        try:
            (size,) = LENGTH.unpack(await self._process.stdout.readexactly(LENGTH.size))
            return _answers.decode(await self._process.stdout.readexactly(size))
        except (asyncio.IncompleteReadError, msgspec.MsgspecError) as error:
            raise _ChildLost from error


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

    `cache` is a folder where the converted network is kept between starts.
    """

    def __init__(self, *, cache: Path, clock: Clock, limits: LocalEngineLimits | None = None) -> None:
        self._cache = cache
        self._clock = clock
        self._limits = limits or LocalEngineLimits()
        self._children = [_Child(self._limits) for _ in range(self._limits.workers)]
        self._idle: asyncio.Queue[_Child] = asyncio.Queue()
        for child in self._children:
            self._idle.put_nowait(child)
        self._converting = asyncio.Lock()
        self._network: Path | None = None
        self._model_id = ""
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
        return self._model_id

    @property
    def is_ready(self) -> bool:
        """Whether a child is waiting for frames, or working on one."""
        return any(child.is_alive for child in self._children)

    @asynccontextmanager
    async def admit(self, *, logged_in: bool = True) -> AsyncIterator[_Examination]:
        """Take one of the places for a check, a kept one only for callers who are logged in.

        Raises:
            EngineBusy: all are taken, or the engine is closing.
        """
        places = self._limits.checks_at_once
        is_full = not logged_in and self._nameless >= places - self._limits.places_kept
        if self._closed or is_full or self._checks >= places:
            raise EngineBusy(retry_after=_RETRY_AFTER)
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
        child = await self._idle.get()
        # Shielded: when the caller goes away, the child still finishes its frame before it is given the next one.
        look = asyncio.ensure_future(self._use(child, picture))
        look.add_done_callback(_seen)
        return await asyncio.shield(look)

    async def warm_up(self) -> None:
        """Convert the network if need be, start every child and wait until all are ready.

        Raises:
            EngineUnavailable: they do not start.
        """
        # The first start converts the network; the others find it done.
        children = [await self._idle.get() for _ in self._children]
        try:
            await asyncio.gather(*(self._ensure(child) for child in children))
        finally:
            for child in children:
                self._idle.put_nowait(child)

    async def close(self) -> None:
        """Stop all children.

        Raises:
            Nothing: closing twice is fine.
        """
        self._closed = True
        for child in self._children:
            await child.stop()

    async def _use(self, child: _Child, picture: bytes) -> FrameObservation | PictureFault:
        try:
            await self._ensure(child)
            return await child.look_at(picture)
        except _ChildLost as error:
            raise EngineUnavailable(retry_after=_RETRY_AFTER) from error
        finally:
            self._idle.put_nowait(child)

    async def _ensure(self, child: _Child) -> None:
        if child.is_alive:
            return
        if self._closed:
            raise EngineUnavailable
        try:
            await child.start(await self._converted())
        except (_ChildLost, TimeoutError, OSError) as error:
            raise EngineUnavailable(retry_after=_RETRY_AFTER) from error
        self._model_id = child.model_id

    async def _converted(self) -> Path:
        """Return the converted network; a process of its own makes it the first time."""
        async with self._converting:
            if self._network is None:
                process = await _run("face.adapters.resnet_onnx", str(self._cache.absolute()))
                try:
                    async with asyncio.timeout(self._limits.seconds_to_start):
                        out, _ = await process.communicate()
                finally:
                    if process.returncode is None:
                        process.kill()
                        await process.wait()
                if process.returncode != 0:
                    raise _ChildLost
                self._network = Path(out.decode().strip())
            return self._network


def _seen(look: asyncio.Future[FrameObservation | PictureFault]) -> None:
    if not look.cancelled():
        look.exception()  # Mark it as seen: the caller may be gone.


async def _run(module: str, *arguments: str) -> asyncio.subprocess.Process:
    """Start one of our modules as a child that speaks through pipes."""
    environment = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
    environment |= dict.fromkeys(_ONE_THREAD, "1")
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        _START,
        module,
        *arguments,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=_ROOT,
        env=environment,
    )
