import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

from sandbox.ground.clock import Clock
from sandbox.ground.store import Store
from tests.sandbox.conftest import Until
from tests.sandbox.town import Caller, Keys, Portal


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@asynccontextmanager
async def running(folder: Path, port: int, *, pause_ms: int = 20) -> AsyncIterator[asyncio.subprocess.Process]:
    environment = {
        **os.environ,
        "SANDBOX_PORT": str(port),
        "SANDBOX_DATA": str(folder / "sandbox.sqlite3"),
        "SANDBOX_CREDENTIALS": str(folder / "credentials.json"),
        "SANDBOX_PAUSE_MS": str(pause_ms),
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "sandbox", env=environment, stderr=asyncio.subprocess.PIPE
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def answering(caller: Caller) -> None:
    async with asyncio.timeout(20):
        while True:
            try:
                await caller.call("GET", "/sandbox/people")
            except aiohttp.ClientConnectionError:
                await asyncio.sleep(0.05)
            else:
                return


async def test_a_killed_sandbox_comes_back_with_all_it_knew_and_owed(
    tmp_path: Path, keys: Keys, portal: Portal, until: Until
) -> None:
    port = free_port()
    (tmp_path / "credentials.json").write_text(json.dumps(keys.told), encoding="utf-8")
    connector = aiohttp.TCPConnector(force_close=True)
    async with aiohttp.ClientSession(connector=connector) as session:
        caller = Caller(session, f"http://127.0.0.1:{port}", keys, Clock())
        async with running(tmp_path, port, pause_ms=60_000) as process:
            await answering(caller)
            submission = await caller.submission("qumanlin", portal.url)
            answer = (await caller.signed("/public-security/v1/cases", submission)).json
            process.kill()
            await process.wait()
        assert portal.came == []
        await _make_due(tmp_path / "sandbox.sqlite3")
        async with running(tmp_path, port) as process:
            await answering(caller)
            await until(lambda: len(portal.came) == 3)
            assert portal.states == ["accepted", "in_review", "approved"]
            assert portal.bad == []
            assert (await caller.signed("/public-security/v1/cases", submission)).json == answer
            process.send_signal(signal.SIGTERM)
            assert await asyncio.wait_for(process.wait(), 5) == 0


async def _make_due(data: Path) -> None:
    # Instead of waiting for the minute between callbacks.
    store = await Store.open(data)
    await store.run(lambda db: db.execute("UPDATE callbacks SET due_at = 0").rowcount)
    await store.close()


async def test_a_taken_port_is_said_in_a_sentence(tmp_path: Path, keys: Keys) -> None:
    (tmp_path / "credentials.json").write_text(json.dumps(keys.told), encoding="utf-8")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        async with running(tmp_path, taken.getsockname()[1]) as process:
            _, errors = await asyncio.wait_for(process.communicate(), 20)
    assert process.returncode == 1
    assert b"SANDBOX_PORT" in errors
    assert b"Traceback" not in errors
