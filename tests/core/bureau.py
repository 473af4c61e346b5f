"""An outside system on a loopback port: it answers from a script and remembers what it was asked."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Bureau:
    """Gives the answers in turn, the last one again and again."""

    answers: list[Answer]
    address: str = ""
    heard: list[web.Request] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.heard.append(request)
        self.bodies.append(await request.read())
        answer = self.answers[min(len(self.heard), len(self.answers)) - 1]
        return await answer(request)


@asynccontextmanager
async def open_bureau(*answers: Answer) -> AsyncIterator[Bureau]:
    bureau = Bureau(list(answers))
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", bureau.handle)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    bureau.address = f"http://{host}:{port}/base"
    try:
        yield bureau
    finally:
        await runner.cleanup()


@asynccontextmanager
async def open_raw(answer: bytes) -> AsyncIterator[str]:
    """A server that sends these bytes whatever it is asked, and hangs up."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(answer)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()[:2]
    try:
        yield f"http://{host}:{port}"
    finally:
        server.close()
        await server.wait_closed()


def closed_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def says(status: int = 200, text: str = '{"code": "0000"}', **headers: str) -> Answer:
    async def answer(_request: web.Request) -> web.StreamResponse:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return web.Response(status=status, text=text, headers=named, content_type="application/json")

    return answer


def sleeps(seconds: float) -> Answer:
    async def answer(_request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(seconds)
        return web.Response(text="{}")

    return answer


def hangs_up() -> Answer:
    """Take the request and close the connection without a word."""

    async def answer(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.close()
        return web.Response()

    return answer


def pours(size: int) -> Answer:
    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(size // 65_536 + 1):
            await response.write(b"x" * 65_536)
        return response

    return answer
