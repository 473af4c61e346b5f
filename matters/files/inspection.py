"""Having files opened by processes of their own: a hostile one takes down what opens it, and nothing else."""

import asyncio
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from core.log import get_logger
from matters.errors import FileRefused, FileStoreUnavailable
from matters.files.inspector import HEAD, Given, Looked

log = get_logger(__name__)

_ROOT: Final = Path(__file__).resolve().parents[2]
# Everything a process gets of our environment: no key, no password, no address.
_ENVIRONMENT: Final = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "TZ")
# All but the standard streams is closed before anything is loaded: a listening socket must not be held by a child.
_START: Final = (
    "import os, runpy, sys; os.closerange(3, os.sysconf('SC_OPEN_MAX')); "
    "runpy.run_module('matters.files.inspector', run_name='__main__', alter_sys=True)"
)
_SECONDS: Final = 30.0
# After so many files a process is replaced, whatever it may have gathered.
_FILES: Final = 500


class _Lost(Exception):
    """A process died or hung over a file."""


class _Opener:
    """One process, which opens one file at a time."""

    def __init__(self) -> None:
        self._process: asyncio.subprocess.Process | None = None
        self._opened = 0

    async def open(self, given: Given) -> bytes | None:
        """Hand a file over and return what is kept of it.

        Raises:
            _Lost: the process came to its end over it.
            OSError: no process can be started.
        """
        if self._process is None or self._process.returncode is not None or self._opened >= _FILES:
            await self.stop()
            self._process, self._opened = await _start(), 0
        self._opened += 1
        try:
            async with asyncio.timeout(_SECONDS):
                return await _exchange(self._process, given)
        except BaseException as error:
            # Also when the caller hangs up: the next file must not get this one's answer.
            await self.stop()
            if isinstance(error, TimeoutError | OSError | asyncio.IncompleteReadError | msgspec.MsgspecError):
                raise _Lost from error
            raise

    async def stop(self) -> None:
        """Kill the process, if there is one."""
        process, self._process = self._process, None
        if process is not None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()


class Inspection:
    """Opens files: at most `processes` at a time, each in a process that is started when it is first needed."""

    def __init__(self, *, processes: int = 2) -> None:
        self._openers = [_Opener() for _ in range(processes)]
        self._free: asyncio.Queue[_Opener] = asyncio.Queue()
        for opener in self._openers:
            self._free.put_nowait(opener)

    async def clean(self, content: bytes, media_type: str) -> bytes:
        """Return a file as it is kept: a picture made anew from its pixels, a PDF that was looked through.

        Raises:
            FileRefused: it is not what it says, holds what is not taken, or cost the process that opened it its life.
            FileStoreUnavailable: no process can be started.
        """
        opener = await self._free.get()
        try:
            kept = await opener.open(Given(media_type, content))
        except _Lost as error:
            log.warning("a file ended the process that opened it", media_type=media_type)
            raise FileRefused from error
        except OSError as error:
            raise FileStoreUnavailable(retry_after=10) from error
        finally:
            self._free.put_nowait(opener)
        if kept is None:
            raise FileRefused
        return kept

    async def close(self) -> None:
        """End the processes."""
        for opener in self._openers:
            await opener.stop()


async def _start() -> asyncio.subprocess.Process:
    environment = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        _START,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        # A library may complain of a file by showing it: nobody reads that.
        stderr=asyncio.subprocess.DEVNULL,
        cwd=_ROOT,
        env=environment,
        limit=1 << 24,
    )


async def _exchange(process: asyncio.subprocess.Process, given: Given) -> bytes | None:
    if process.stdin is None or process.stdout is None:
        raise OSError
    question = msgspec.msgpack.encode(given)
    process.stdin.write(len(question).to_bytes(HEAD, "big") + question)
    await process.stdin.drain()
    size = int.from_bytes(await process.stdout.readexactly(HEAD), "big")
    return msgspec.msgpack.decode(await process.stdout.readexactly(size), type=Looked).content
