"""One child process of the local engine, seen from outside: started, given pictures, killed when it fails."""

import asyncio
import os
import resource
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from core.log import get_logger
from face.adapters.engine_worker import LENGTH, Ready, Seen, Setup, Unusable
from face.types import FrameObservation, PictureFault

log = get_logger(__name__)

_ROOT: Final = Path(__file__).resolve().parents[2]
# Everything a child gets of our environment: no key, no password, no address.
_ENVIRONMENT: Final = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "TZ")
_ONE_THREAD: Final = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
# uvloop's children inherit whatever may be inherited, and Sanic's listening socket may: a child would hold the port
# after we are gone. So all but the standard streams is closed before anything is loaded.
_START: Final = (
    "import os, runpy, sys; os.closerange(3, os.sysconf('SC_OPEN_MAX')); sys.argv = sys.argv[1:]; "
    "runpy.run_module(sys.argv[0], run_name='__main__', alter_sys=True)"
)
_PAGE: Final = resource.getpagesize()

_answers: Final[msgspec.json.Decoder[Ready | Seen | Unusable]] = msgspec.json.Decoder(Ready | Seen | Unusable)


class ChildLost(Exception):
    """The child died, hung, did not start, or said something that is no answer."""


class Child:
    """A process that looks at one picture at a time. `ended` is called when one that was ready has come to its end."""

    def __init__(
        self, *, seconds_per_frame: float, seconds_to_start: float, most_bytes: int, ended: Callable[["Child"], None]
    ) -> None:
        self._seconds_per_frame = seconds_per_frame
        self._seconds_to_start = seconds_to_start
        self._most_bytes = most_bytes
        self._ended = ended
        self._process: asyncio.subprocess.Process | None = None
        self._watch: asyncio.Future[int] | None = None
        self._is_stopped = False
        self._starting = asyncio.Lock()
        self.model_id = ""

    @property
    def is_ready(self) -> bool:
        """Whether a picture would be looked at at once."""
        runs = self._process is not None and self._process.returncode is None
        return runs and self._watch is not None and not self._watch.done()

    @property
    def pid(self) -> int | None:
        """The process, while there is one."""
        return self._process.pid if self._process else None

    async def start(self, setup: Setup) -> None:
        """Start the process, unless it is ready, and wait until its models are loaded.

        Raises:
            ChildLost: it does not come so far.
            OSError: no process can be started.
        """
        async with self._starting:
            if self.is_ready:
                return
            await self._kill()
            if self._is_stopped:
                raise ChildLost
            self._process = process = await run_module(
                "face.adapters.engine_worker", msgspec.json.encode(setup).decode()
            )
            try:
                async with asyncio.timeout(self._seconds_to_start):
                    ready = await self._answer(process)
            except BaseException as error:
                await self._kill()
                if isinstance(error, TimeoutError):
                    raise ChildLost from error
                raise
            if not isinstance(ready, Ready):
                await self._kill()
                raise ChildLost
            self.model_id = ready.model_id
            self._watch = asyncio.ensure_future(process.wait())
            self._watch.add_done_callback(self._tell)

    async def look_at(self, picture: bytes) -> FrameObservation | PictureFault:
        """Hand over one picture and wait for what is on it; a child that grew over its memory is ended afterwards.

        Raises:
            ChildLost: it died or hung over the picture, and was killed.
        """
        process = self._process
        if process is None:
            raise ChildLost
        try:
            async with asyncio.timeout(self._seconds_per_frame):
                answer = await self._exchange(process, picture)
        except (TimeoutError, OSError, ChildLost) as error:
            reason = "hung" if isinstance(error, TimeoutError) else "died"
            log.warning("face worker lost", reason=reason, pid=process.pid)
            await self._kill()
            raise ChildLost from error
        if self.held_bytes() > self._most_bytes:
            log.info("face worker over its memory", pid=process.pid)
            await self._kill()
        return answer.observation if isinstance(answer, Seen) else answer.fault

    async def stop(self) -> None:
        """Kill the process, if there is one, for good."""
        self._is_stopped = True
        await self._kill()

    def held_bytes(self) -> int:
        """Return how much memory the process holds; 0 when there is none."""
        with suppress(OSError):
            return int(Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * _PAGE
        return 0

    def _tell(self, _: asyncio.Future[int]) -> None:
        if not self._is_stopped:
            self._ended(self)

    async def _kill(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()

    async def _exchange(self, process: asyncio.subprocess.Process, picture: bytes) -> Seen | Unusable:
        if process.stdin is None:
            raise ChildLost
        process.stdin.write(LENGTH.pack(len(picture)))
        process.stdin.write(picture)
        await process.stdin.drain()
        answer = await self._answer(process)
        if isinstance(answer, Ready):
            raise ChildLost
        return answer

    @staticmethod
    async def _answer(process: asyncio.subprocess.Process) -> Ready | Seen | Unusable:
        if process.stdout is None:
            raise ChildLost
        try:
            (size,) = LENGTH.unpack(await process.stdout.readexactly(LENGTH.size))
            return _answers.decode(await process.stdout.readexactly(size))
        except (asyncio.IncompleteReadError, msgspec.MsgspecError) as error:
            raise ChildLost from error


async def run_module(module: str, *arguments: str) -> asyncio.subprocess.Process:
    """Start one of our modules as a child that speaks through pipes.

    Raises:
        OSError: no process can be started.
    """
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
