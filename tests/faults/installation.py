"""Installations that may be damaged: a town with generous limits, a Redis of its own, and a look at its processes."""

import asyncio
import os
import shutil
import signal
import socket
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import DEVNULL, Popen
from typing import Final

import aiohttp

from tests.journeys.town import Town, free_port

# What is tried here is what happens when something breaks, not how often one person may ask.
GENEROUS: Final[Mapping[str, str]] = {
    "ZHIJIAN_AUTH__LIMITS__LOGIN_ALL": "1000000/second",
    "ZHIJIAN_AUTH__LIMITS__LOGIN_ADDRESS": "1000000/minute",
    "ZHIJIAN_AUTH__LIMITS__LOGIN_ACCOUNT": "1000000/minute",
    "ZHIJIAN_AUTH__LIMITS__IDENTITY_ACCOUNT": "1000000/minute",
    "ZHIJIAN_AUTH__LIMITS__IDENTITY_NUMBER": "1000000/minute",
    "ZHIJIAN_AUTH__LIMITS__STAFF_ADDRESS": "1000000/minute",
    "ZHIJIAN_AUTH__SESSIONS__GRACE_SECONDS": "60",
    "ZHIJIAN_AUTH__LEVELS__PRESENT_MINUTES": "60",
    "ZHIJIAN_AUTH__LEVELS__ELDER_PRESENT_MINUTES": "120",
    "ZHIJIAN_FACE__ATTEMPTS": "20",
    "ZHIJIAN_FACE__ELDER_ATTEMPTS": "20",
    "ZHIJIAN_CERTIFICATES__FETCH_LIMIT": "1000000/minute",
    "ZHIJIAN_CERTIFICATES__SHOW_LIMIT": "1000000/minute",
    "ZHIJIAN_CERTIFICATES__VERIFY_LIMIT": "1000000/minute",
    "ZHIJIAN_CERTIFICATES__VERIFY_FAILED_LIMIT": "1000000/hour",
    "ZHIJIAN_MATTERS__SUBMISSIONS_PER_HOUR": "1000000",
    "ZHIJIAN_MATTERS__START_LIMIT": "1000000/hour",
    "ZHIJIAN_MATTERS__UPLOAD_LIMIT": "1000000/hour",
    "ZHIJIAN_MATTERS__CHECK_LIMIT": "1000000/minute",
    "ZHIJIAN_MATTERS__QUERY_LIMIT": "1000000/hour",
    "ZHIJIAN_MATTERS__QUERY_ADDRESS_LIMIT": "1000000/minute",
    "ZHIJIAN_MATTERS__CALLBACK_LIMIT": "1000000/second",
    # A worker that was killed keeps its jobs for this long, and no wait between tries is long.
    "ZHIJIAN_JOBS__LEASE_SECONDS": "6",
    "ZHIJIAN_JOBS__SWEEP_SECONDS": "0.5",
    "ZHIJIAN_JOBS__FIRST_PAUSE_SECONDS": "0.2",
    "ZHIJIAN_JOBS__LONGEST_PAUSE_SECONDS": "2",
    "ZHIJIAN_OUTBOUND__BREAKER_OPEN_SECONDS": "1",
    # Children start when the first face comes: most of these processes never see one.
    "ZHIJIAN_FACE__LOCAL_ENGINE__WARM": "off",
}


@dataclass
class PrivateRedis:
    """A Redis that keeps nothing on disk and that a test may kill."""

    port: int = field(default_factory=free_port)
    process: "Popen[bytes] | None" = None

    @property
    def url(self) -> str:
        """Where it is."""
        return f"redis://127.0.0.1:{self.port}/0"

    @staticmethod
    def is_possible() -> bool:
        """Whether this machine has one."""
        return shutil.which("redis-server") is not None

    def start(self) -> None:
        """Start it and wait until it listens."""
        command = ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        self.process = Popen(command, stdin=DEVNULL, stdout=DEVNULL, stderr=DEVNULL)
        until = time.monotonic() + 10
        while not _listens(self.port):
            if time.monotonic() > until:
                raise TimeoutError("redis-server did not start")
            time.sleep(0.02)

    def kill(self) -> None:
        """Kill it; what it held is gone."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def left_of(session: int) -> list[str]:
    """Return what still runs of the processes that one of ours began; each of ours leads a session of its own."""
    return [" ".join(command) for member, command in _processes() if member == session and command]


def _processes() -> Iterator[tuple[int, list[str]]]:
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            # After the name, which may hold anything: state, parent, group, session.
            state, _, _, session = (folder / "stat").read_text().rpartition(")")[2].split()[:4]
            command = (folder / "cmdline").read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue
        if state != "Z":
            yield int(session), [part for part in command if part]


async def nothing_left_of(session: int, *, seconds: float = 5) -> list[str]:
    """Wait until nothing runs any more of what a process began; return what still does after so long."""
    until = time.monotonic() + seconds
    while (left := left_of(session)) and time.monotonic() < until:
        await asyncio.sleep(0.05)
    return left


async def terminate(town: Town, role: str) -> tuple[int, int]:
    """Tell a process to end and wait for it; return its exit code and the session it led."""
    process = town.processes.pop(role)
    process.send_signal(signal.SIGTERM)
    code = await asyncio.to_thread(process.wait, 30)
    return code, process.pid


async def answers(address: str, *, seconds: float = 2) -> int:
    """Return the status that an address answers with; 0 when it does not."""
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=seconds)) as session,
            session.get(address) as reply,
        ):
            return reply.status
    except (aiohttp.ClientError, TimeoutError, OSError):
        return 0


async def ready(town: Town, *, seconds: float = 40) -> None:
    """Wait until the portal is ready."""
    async with asyncio.timeout(seconds):
        while await answers(f"{town.portal}/health/ready") != 200:
            _see_that_all_run(town)
            await asyncio.sleep(0.05)


def _see_that_all_run(town: Town) -> None:
    for name, process in town.processes.items():
        if process.poll() is not None:
            raise RuntimeError(f"{name} ended with {process.returncode}: {town.log_of(name)[-2000:]}")


async def working(town: Town, *, after: int, seconds: float = 40) -> None:
    """Wait until a worker that was started has said that it works; `after` is how long its log was before."""
    log = town.data / "logs" / "worker.log"
    async with asyncio.timeout(seconds):
        while b'"working"' not in log.read_bytes()[after:]:
            _see_that_all_run(town)
            await asyncio.sleep(0.05)


def log_length(town: Town, name: str) -> int:
    """Return how much a process has written."""
    log = town.data / "logs" / f"{name}.log"
    return log.stat().st_size if log.exists() else 0


def services_are_meant() -> bool:
    """Whether this run is on PostgreSQL and Redis."""
    return bool(os.environ.get("ZHIJIAN_TEST_DATABASE_URL"))
