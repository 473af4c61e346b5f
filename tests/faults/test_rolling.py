"""Portals are replaced one after another behind a proxy, twenty times, and no resident sees a failure of it."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

import aiohttp
import pytest
from aiohttp import web

from tests.faults.conftest import Found
from tests.faults.installation import answers, services_are_meant
from tests.faults.neighbours import Neighbours
from tests.journeys.resident import Resident
from tests.journeys.town import PYTHON, Town, free_port

pytestmark = [
    pytest.mark.slow,
    pytest.mark.xdist_group("rolling"),
    pytest.mark.skipif(not services_are_meant(), reason="two portals at once need PostgreSQL"),
]

RESTARTS: Final = 20
# Longer than the proxy takes to see that a portal is not ready.
DRAIN_SECONDS: Final = 1.0
LOOK_SECONDS: Final = 0.1
HOP_BY_HOP: Final = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length", "host"})


@pytest.fixture(scope="module")
def town(found: Found) -> Town:
    return found({"ZHIJIAN_DRAIN_SECONDS": str(DRAIN_SECONDS), "ZHIJIAN_FACE__LOCAL_ENGINE__WARM": "off"})


@dataclass
class Proxy:
    """Sends each request to the next portal that says it is ready, over connections that it keeps; never twice."""

    session: aiohttp.ClientSession
    portals: list[int] = field(default_factory=list)
    turn: int = 0
    broken: list[str] = field(default_factory=list)
    served: dict[int, int] = field(default_factory=dict)
    ready: set[int] = field(default_factory=set)

    async def watch(self) -> None:
        """Ask every portal again and again whether it is ready."""
        while True:
            for port in list(self.portals):
                is_ready = await answers(f"http://127.0.0.1:{port}/health/ready", seconds=2) == 200
                (self.ready.add if is_ready else self.ready.discard)(port)
            await asyncio.sleep(LOOK_SECONDS)

    async def forward(self, request: web.Request) -> web.Response:
        """Pass one request on; what fails on the way is a failure that a resident sees."""
        able = [port for port in self.portals if port in self.ready]
        if not able:
            self.broken.append("no portal is ready")
            return web.Response(status=502)
        self.turn += 1
        port = able[self.turn % len(able)]
        headers = {name: value for name, value in request.headers.items() if name.lower() not in HOP_BY_HOP}
        try:
            async with self.session.request(
                request.method, f"http://127.0.0.1:{port}{request.path_qs}", headers=headers,
                data=await request.read() or None,
            ) as reply:  # fmt: skip
                body = await reply.read()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            self.broken.append(f"{request.method} {request.path} at {port}: {type(error).__name__}")
            return web.Response(status=502)
        self.served[port] = self.served.get(port, 0) + 1
        kept = {name: value for name, value in reply.headers.items() if name.lower() not in HOP_BY_HOP}
        return web.Response(status=reply.status, headers=kept, body=body)


@asynccontextmanager
async def a_proxy() -> AsyncIterator[tuple[Proxy, str]]:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=20)) as session:
        proxy = Proxy(session)
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", proxy.forward)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        port = free_port()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        watch = asyncio.create_task(proxy.watch())
        try:
            yield proxy, f"http://127.0.0.1:{port}"
        finally:
            watch.cancel()
            await runner.cleanup()


def begin(town: Town, port: int) -> None:
    town._spawn(f"portal-{port}", [PYTHON, "-m", "api", "portal"], {**town.environment(), "ZHIJIAN_PORT": str(port)})


async def taken_in(proxy: Proxy, port: int, *, seconds: float = 60) -> None:
    proxy.portals.append(port)
    async with asyncio.timeout(seconds):
        while port not in proxy.ready:
            await asyncio.sleep(0.02)


async def end(town: Town, proxy: Proxy, port: int) -> None:
    """Tell a portal to stop, as a deployment does: it goes away by itself, and the proxy sees it."""
    process = town.processes.pop(f"portal-{port}")
    process.send_signal(signal.SIGTERM)
    assert await asyncio.to_thread(process.wait, 30) == 0
    proxy.portals.remove(port)
    proxy.ready.discard(port)
    assert town.errors_of(f"portal-{port}") == []


@dataclass
class Load:
    """What residents do all the while, and what came of it."""

    asked: int = 0
    failed: list[str] = field(default_factory=list)

    async def read(self, who: Resident, stop: asyncio.Event) -> None:
        """Read again and again."""
        while not stop.is_set():
            for path in ("/v1/citizen/me", "/v1/citizen/certificates", "/v1/citizen/applications"):
                reply = await who.ask("GET", path)
                self.note(path, reply.status, 200)
            await asyncio.sleep(0.1)

    async def log_in(self, who: Resident, stop: asyncio.Event) -> None:
        """Log in again and again: a POST that a proxy must not send twice."""
        while not stop.is_set():
            self.note("log-in", (await who.log_in()).status, 201)
            await asyncio.sleep(0.1)

    def note(self, what: str, status: int, wanted: int) -> None:
        self.asked += 1
        if status != wanted:
            self.failed.append(f"{what}: {status}")


async def test_twenty_restarts_behind_a_proxy_fail_no_request(town: Town, neighbours: Neighbours) -> None:
    known = await neighbours.named("huomingzhe")
    async with a_proxy() as (proxy, address):
        for _ in range(2):
            port = free_port()
            begin(town, port)
            await taken_in(proxy, port)
        load, stop = Load(), asyncio.Event()
        reader = Resident(neighbours.session, address, town.sandbox, "huomingzhe", device=known.device)
        reader.access_token = known.access_token
        newcomers = [Resident(neighbours.session, address, town.sandbox, "stranger") for _ in range(2)]
        people = [
            *(asyncio.create_task(load.read(reader, stop)) for _ in range(3)),
            *(asyncio.create_task(load.log_in(who, stop)) for who in newcomers),
        ]
        following = free_port()
        begin(town, following)
        for restart in range(RESTARTS):
            new, following = following, free_port()
            if restart < RESTARTS - 1:
                # The next one starts while this one is taken in: what is tried is the change, not Python's imports.
                begin(town, following)
            old = proxy.portals[0]
            await taken_in(proxy, new)
            await end(town, proxy, old)
        stop.set()
        await asyncio.gather(*people)
    assert proxy.broken == []
    assert load.failed == []
    assert load.asked > 500
    assert len(proxy.served) == RESTARTS + 2
