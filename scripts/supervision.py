"""Keep a few programs running: start, watch, start again, stop without leaving anything behind.

A server that is killed is back within seconds, one that is alive and answers nothing is killed and started again, and
when the supervisor itself vanishes, what it started goes with it.
"""

import asyncio
import contextlib
import ctypes
import os
import signal
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path

KEPT_LOG_BYTES = 10_000_000
# From <linux/prctl.h>: the signal that a process gets when its parent dies.
PR_SET_PDEATHSIG = 1


class FailedToStart(Exception):
    """A program ended by itself before it was ever ready; the message says with what, and shows its last lines."""


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How long is waited for what, in seconds."""

    ready: float = 120.0
    drain: float = 20.0
    first_pause: float = 0.2
    longest_pause: float = 10.0
    probe_every: float = 2.0
    probe_timeout: float = 3.0
    # So many probes without an answer in a row, and the program counts as hung.
    probes: int = 5


@dataclass(frozen=True, kw_only=True)
class Program:
    """What to run, and where it says that it is ready and alive."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(repr=False)
    log: Path
    ready: str
    alive: str


def answers(url: str, within: float) -> bool:
    """Tell whether `url` answers 200 within so many seconds."""
    try:
        with urllib.request.urlopen(url, timeout=within) as answer:  # noqa: S310 — our own loopback address
            return bool(answer.status == HTTPStatus.OK)
    except (OSError, urllib.error.HTTPError, ValueError):
        return False


def last_lines(log: Path, *, since: int = 0, count: int = 25) -> str:
    """Return the end of what a log file got since it was so many bytes long."""
    try:
        written = log.read_bytes()[since:]
    except FileNotFoundError:
        return ""
    return "\n".join(written.decode(errors="replace").splitlines()[-count:])


class Keeper:
    """Keeps one program running until told to stop. It leads a process group of its own, which ends with it."""

    def __init__(self, program: Program, *, patience: Patience, tell: Callable[[str], None]) -> None:
        """Take a program; `tell` gets a sentence whenever something is done about it."""
        self.program = program
        self.starts = 0
        self._patience = patience
        self._tell = tell
        self._process: asyncio.subprocess.Process | None = None
        self._was_ready = asyncio.Event()
        self._serves = False
        self._log_begins = 0
        self._told_to_stop = asyncio.Event()

    @property
    def pid(self) -> int | None:
        """The running process, if there is one."""
        return None if self._process is None else self._process.pid

    async def keep(self) -> None:
        """Run the program, again and again, until `stop` is called.

        Raises:
            FailedToStart: it ended by itself before it was ready for the first time.
        """
        # Pauses grow only while the program does not even come to serve.
        pause = self._patience.first_pause
        while not self._told_to_stop.is_set():
            process = await self._start()
            watch = asyncio.ensure_future(self._watch(process))
            try:
                code = await process.wait()
            finally:
                watch.cancel()
            # What it started and left behind, a face worker perhaps, goes with it.
            self._end_group(process.pid, signal.SIGKILL)
            if self._told_to_stop.is_set():
                return
            if not self._was_ready.is_set():
                raise FailedToStart(self._epitaph(code))
            if self._serves:
                pause = self._patience.first_pause
            self._tell(f"{self.program.name} ended ({_how(code)}); starting it again in {pause:.1f} s")
            await asyncio.sleep(pause)
            pause = min(pause * 2, self._patience.longest_pause)

    async def ready(self) -> None:
        """Wait until the program has answered at its ready address.

        Raises:
            FailedToStart: it did not within the patience there is.
        """
        try:
            await asyncio.wait_for(self._was_ready.wait(), self._patience.ready)
        except TimeoutError as error:
            message = f"{self.program.name} was not ready after {self._patience.ready:.0f} s.\n\n{self._end_of_log()}"
            raise FailedToStart(message) from error

    async def stop(self) -> None:
        """Ask the program to finish what it is doing and end; after the patience for that, end it."""
        self._told_to_stop.set()
        process = self._process
        if process is None or process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), self._patience.drain)
        except TimeoutError:
            self._tell(f"{self.program.name} did not finish within {self._patience.drain:.0f} s; ending it")
        self.kill()

    def kill(self) -> None:
        """End the program and everything it started, now."""
        self._told_to_stop.set()
        if self._process is not None:
            self._end_group(self._process.pid, signal.SIGKILL)

    async def _start(self) -> asyncio.subprocess.Process:
        self.program.log.parent.mkdir(parents=True, exist_ok=True)
        _rotate(self.program.log)
        parent = os.getpid()
        with self.program.log.open("ab") as log:
            self._log_begins = log.tell()
            self._process = await asyncio.create_subprocess_exec(
                *self.program.command,
                env=dict(self.program.environment),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # A session of its own: Ctrl-C reaches the supervisor alone, which then ends things in their order.
                start_new_session=True,
                preexec_fn=lambda: _die_with(parent),
            )
        self.starts += 1
        self._serves = False
        return self._process

    async def _watch(self, process: asyncio.subprocess.Process) -> None:
        patience = self._patience
        # Ready the first time; from then on alive is enough, since others may be what it is not ready for.
        url = self.program.alive if self._was_ready.is_set() else self.program.ready
        # It is another process: there is no event to wait for, only an address to ask.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience.ready):
                while not await asyncio.to_thread(answers, url, patience.probe_timeout):  # noqa: ASYNC110
                    await asyncio.sleep(0.1)
                self._serves = True
                self._was_ready.set()
        silent = 0
        while silent < patience.probes:
            await asyncio.sleep(patience.probe_every)
            alive = await asyncio.to_thread(answers, self.program.alive, patience.probe_timeout)
            silent = 0 if alive else silent + 1
        self._tell(f"{self.program.name} is alive but answers nothing; ending it")
        self._end_group(process.pid, signal.SIGKILL)

    @staticmethod
    def _end_group(leader: int, sign: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(leader, sign)

    def _epitaph(self, code: int) -> str:
        return f"{self.program.name} could not start ({_how(code)}).\n\n{self._end_of_log()}"

    def _end_of_log(self) -> str:
        lines = last_lines(self.program.log, since=self._log_begins)
        return f"{lines}\n\nThe whole of it: {self.program.log}"


def _how(code: int) -> str:
    return signal.Signals(-code).name if code < 0 else f"exit code {code}"


def _rotate(log: Path) -> None:
    if log.exists() and log.stat().st_size > KEPT_LOG_BYTES:
        log.replace(log.with_suffix(".1.log"))


def _die_with(parent: int) -> None:
    """Between fork and exec: have the kernel end this process when the supervisor vanishes, even by SIGKILL."""
    if sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        os._exit(1)
