"""The supervisor behind `make run`, on small real programs."""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from scripts.supervision import FailedToStart, Keeper, Patience, Program, answers

SERVER = """
import http.server, subprocess, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers()
    def log_message(self, *_): pass
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
open(sys.argv[2], "a").write(f"{child.pid}\\n")
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""
QUICK = Patience(ready=10, drain=3, first_pause=0.05, probe_every=0.1, probe_timeout=0.3, probes=3)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def serving(folder: Path) -> Program:
    port = free_port()
    url = f"http://127.0.0.1:{port}/"
    return Program(
        name="server",
        command=[sys.executable, "-c", SERVER, str(port), str(folder / "grandchildren")],
        environment=os.environ,
        log=folder / "server.log",
        ready=url,
        alive=url,
    )


def failing(folder: Path, words: str) -> Program:
    return Program(
        name="server",
        command=[sys.executable, "-c", f"raise SystemExit({words!r})"],
        environment=os.environ,
        log=folder / "server.log",
        ready="http://127.0.0.1:1/",
        alive="http://127.0.0.1:1/",
    )


def alive(pid: int) -> bool:
    with contextlib.suppress(OSError):
        return "Z" not in Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]
    return False


async def until(condition: Callable[[], bool], *, within: float = 5.0) -> None:
    async with asyncio.timeout(within):
        while not condition():
            await asyncio.sleep(0.02)


@contextlib.asynccontextmanager
async def kept(program: Program) -> AsyncIterator[Keeper]:
    keeper = Keeper(program, patience=QUICK, tell=lambda _: None)
    keeping = asyncio.ensure_future(keeper.keep())
    try:
        await keeper.ready()
        yield keeper
    finally:
        await keeper.stop()
        await keeping


async def test_a_killed_program_is_back_within_five_seconds(tmp_path: Path) -> None:
    async with kept(serving(tmp_path)) as keeper:
        for starts in (2, 3):
            assert keeper.pid is not None
            os.kill(keeper.pid, signal.SIGKILL)
            async with asyncio.timeout(5):
                while keeper.starts < starts:
                    await asyncio.sleep(0.02)
            async with asyncio.timeout(5):
                while not await asyncio.to_thread(answers, keeper.program.alive, 0.5):
                    await asyncio.sleep(0.02)


async def test_a_program_that_is_alive_but_answers_nothing_is_replaced(tmp_path: Path) -> None:
    async with kept(serving(tmp_path)) as keeper:
        assert keeper.pid is not None
        os.kill(keeper.pid, signal.SIGSTOP)
        await until(lambda: keeper.starts == 2)


async def test_stopping_leaves_no_process_behind(tmp_path: Path) -> None:
    async with kept(serving(tmp_path)) as keeper:
        leader = keeper.pid
    started = [int(line) for line in (tmp_path / "grandchildren").read_text(encoding="ascii").split()]
    assert started
    assert leader is not None
    await until(lambda: not any(alive(pid) for pid in [leader, *started]))


async def test_a_program_that_cannot_start_is_shown_with_its_last_words(tmp_path: Path) -> None:
    keeper = Keeper(failing(tmp_path, "the data folder is in use"), patience=QUICK, tell=lambda _: None)
    with pytest.raises(FailedToStart, match="the data folder is in use"):
        await keeper.keep()
    assert keeper.starts == 1


async def test_a_program_goes_when_its_supervisor_is_killed(tmp_path: Path) -> None:
    program = serving(tmp_path)
    supervisor = (
        "import asyncio, sys; from pathlib import Path\n"
        "from scripts.supervision import Keeper, Patience, Program\n"
        f"p = Program(name='s', command={list(program.command)!r}, environment={{}}, log=Path({str(program.log)!r}),"
        f" ready={program.ready!r}, alive={program.alive!r})\n"
        "k = Keeper(p, patience=Patience(), tell=print)\n"
        "async def main():\n"
        "    asyncio.ensure_future(k.keep()); await k.ready(); print(k.pid, flush=True); await asyncio.sleep(600)\n"
        "asyncio.run(main())\n"
    )
    with subprocess.Popen([sys.executable, "-c", supervisor], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        pid = int(await asyncio.to_thread(process.stdout.readline))
        assert alive(pid)
        process.kill()
        await until(lambda: not alive(pid))
    for grandchild in (tmp_path / "grandchildren").read_text(encoding="ascii").split():
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(grandchild), signal.SIGKILL)
