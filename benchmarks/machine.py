"""The machine under the measurement: its processors, processes started and ended, processor time read from /proc."""

import asyncio
import contextlib
import os
import platform
import signal
import socket
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import aiohttp

ROOT: Final = Path(__file__).resolve().parents[1]
_NANOSECONDS: Final = 1_000_000_000


class CannotMeasure(Exception):
    """Something that the measurement needs did not start or did not answer; the message says what."""


@dataclass(frozen=True, slots=True)
class Cores:
    """Which processors serve and which load: apart, where there are two."""

    serving: frozenset[int]
    loading: frozenset[int]

    @classmethod
    def of_this_machine(cls) -> "Cores":
        """Return the first processor for the server and the second for everything else."""
        ours = sorted(os.sched_getaffinity(0))
        if len(ours) == 1:
            return cls(frozenset(ours), frozenset(ours))
        return cls(frozenset(ours[:1]), frozenset(ours[1:2]))

    @property
    def are_apart(self) -> bool:
        """Whether the server has its processor for itself."""
        return self.serving != self.loading


def pin(pid: int, cores: frozenset[int]) -> None:
    """Keep a process, and what it starts later, on some processors; one that has ended or is not ours stays."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.sched_setaffinity(pid, cores)


def most_bytes(pid: int | None) -> int:
    """Return the most memory that a process has held so far; 0 when there is none."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return 0


def processor_seconds(pids: Iterable[int]) -> float:
    """Return the processor time that processes have used so far, all their threads together."""
    total = 0
    for pid in pids:
        for schedstat in Path(f"/proc/{pid}/task").glob("*/schedstat"):
            with contextlib.suppress(OSError):
                total += int(schedstat.read_text().split()[0])
    return total / _NANOSECONDS


def family_of(pid: int) -> list[int]:
    """Return a process, its threads, and all that it started."""
    found = []
    for task in Path(f"/proc/{pid}/task").glob("[0-9]*"):
        found.append(int(task.name))
        with contextlib.suppress(OSError):
            for child in (task / "children").read_text().split():
                found += family_of(int(child))
    return found


def free_port() -> int:
    """Return a port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def described(cores: Cores) -> dict[str, str]:
    """Return what has to be known about the machine to compare figures."""
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    return {
        "processor": model,
        "processors": str(os.cpu_count()),
        "pinned": "server on one, everything else on another" if cores.are_apart else "no: there is one processor",
        "python": platform.python_version(),
        "kernel": platform.release(),
        "load_before": " ".join(f"{value:.2f}" for value in os.getloadavg()),
    }


@dataclass(slots=True)
class Program:
    """A process of the measurement, its words in a file of its own."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    cores: frozenset[int]
    _process: asyncio.subprocess.Process | None = field(default=None, init=False)

    @property
    def pid(self) -> int:
        """Its number."""
        if self._process is None:
            raise CannotMeasure(f"{self.name} was not started")
        return self._process.pid

    async def start(self) -> None:
        """Start it on its processors."""
        with self.log.open("ab") as words:
            self._process = await asyncio.create_subprocess_exec(
                *self.command,
                cwd=ROOT,
                env=dict(self.environment),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=words,
                stderr=words,
            )
        pin(self._process.pid, self.cores)

    async def ready(self, url: str, *, within: float = 60.0) -> None:
        """Wait until an address of it answers with 200.

        Raises:
            CannotMeasure: it ended, or does not answer in time; its last words are in the message.
        """
        until = time.monotonic() + within
        async with aiohttp.ClientSession() as session:
            while time.monotonic() < until:
                if self._process is None or self._process.returncode is not None:
                    break
                with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                    async with session.get(url, timeout=aiohttp.ClientTimeout(total=2)) as response:
                        if response.status == 200:
                            return
                await asyncio.sleep(0.1)
        raise CannotMeasure(f"{self.name} does not answer. Its last words:\n{self.last_words()}")

    async def finish(self) -> None:
        """Wait for the end of a command.

        Raises:
            CannotMeasure: it failed.
        """
        if self._process is None or await self._process.wait():
            raise CannotMeasure(f"{self.name} failed. Its last words:\n{self.last_words()}")

    async def stop(self) -> None:
        """End it, by force when it does not end within ten seconds."""
        process, self._process = self._process, None
        if process is None or process.returncode is not None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(10):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()

    def last_words(self) -> str:
        """Return the end of what it has written."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-15:])


def module(name: str, *arguments: str) -> list[str]:
    """Return the command that runs a module of this tree."""
    return [sys.executable, "-m", name, *arguments]
