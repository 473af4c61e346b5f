"""`make run` as a newcomer meets it: its lines work as they are printed, it heals, and it leaves nothing behind."""

import asyncio
import contextlib
import json
import os
import shutil
import signal
import socket
import sys
from collections.abc import AsyncIterator, Collection
from pathlib import Path

import pytest

from scripts.supervision import answers
from scripts.welcome import JOURNEY
from tests.architecture.tree import ROOT

UP_SECONDS = 90
BACK_SECONDS = 30


class Running:
    """One `python -m scripts.run` and what it has printed."""

    def __init__(self, process: asyncio.subprocess.Process, ports: tuple[int, int]) -> None:
        self.process = process
        self.portal, self.sandbox = (f"http://127.0.0.1:{port}" for port in ports)
        self.page = ""

    async def read_until(self, words: str) -> None:
        assert self.process.stdout is not None
        async with asyncio.timeout(UP_SECONDS):
            while words not in self.page:
                line = await self.process.stdout.readline()
                assert line, f"ended early: {self.page}"
                self.page += line.decode()

    def children(self) -> dict[int, str]:
        """The programs it looks after, by process."""
        return {pid: command_of(pid) for pid in processes() if parent_of(pid) == self.process.pid}


def processes() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdecimal()]


def parent_of(pid: int) -> int | None:
    """The parent of a process; None for one that is gone or dead."""
    with contextlib.suppress(OSError):
        state, parent = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[:2]
        return int(parent) if state != "Z" else None
    return None


def command_of(pid: int) -> str:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8").replace("\0", " ")
    return ""


def group_members(leaders: Collection[int]) -> list[int]:
    """Every living process in the groups of some leaders."""
    found = []
    for pid in processes():
        with contextlib.suppress(OSError):
            if parent_of(pid) is not None and os.getpgid(pid) in leaders:
                found.append(pid)
    return found


def free_ports() -> tuple[int, int]:
    with socket.socket() as one, socket.socket() as other:
        one.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        return one.getsockname()[1], other.getsockname()[1]


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Running]:
    ports = free_ports()
    words = ["--port", str(ports[0]), "--sandbox-port", str(ports[1]), "--data-dir", str(tmp_path / "data")]
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "scripts.run",
        *words,
        cwd=ROOT,
        env={**os.environ, "COLUMNS": "200"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    run = Running(process, ports)
    try:
        await run.read_until("Ctrl-C stops all")
        yield run
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def shell(script: str) -> list[str]:
    process = await asyncio.create_subprocess_exec(
        "sh", "-c", script, cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, errors = await process.communicate()
    assert not errors, errors.decode()
    return out.decode().splitlines()


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("curl") is None, reason="the lines are for curl, which is not installed")
async def test_the_printed_lines_work_and_nothing_is_left_behind(running: Running) -> None:
    lines = [line for line in running.page.splitlines() if line.startswith(("Z=", "of()", "CODE=", "curl"))]
    steps, operator = lines[:-1], lines[-1]
    assert len(steps) == len(JOURNEY.read_text(encoding="utf-8").split("\n\n")) + 1
    answered = [json.loads(line) for line in await shell("\n".join(steps)) if line]
    assert [answer["level"] for answer in answered[:2]] == ["linked", "real_name"]
    assert answered[2]["outcome"] == "passed"
    assert answered[3]["kind"] == "driving-licence"
    assert answered[4]["outcome"] == "ok"
    assert json.loads((await shell(operator))[0])["operator"]["username"] == "demo"

    portal = next(pid for pid, command in running.children().items() if "api server" in command)
    os.kill(portal, signal.SIGKILL)
    async with asyncio.timeout(BACK_SECONDS):
        while portal in running.children() or not await asyncio.to_thread(answers, f"{running.portal}/health/ready", 1):
            await asyncio.sleep(0.1)

    leaders = running.children()
    assert len(leaders) == 2
    running.process.send_signal(signal.SIGINT)
    async with asyncio.timeout(BACK_SECONDS):
        assert await running.process.wait() == 0
        while group_members(leaders):
            await asyncio.sleep(0.1)
