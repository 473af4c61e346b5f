"""The small service behind the real edge, on a real socket, and a caller that can send anything."""

import asyncio
import itertools
import json
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from sanic import Sanic

from api.app import AT_ONCE, create_app
from api.docs import add_docs
from api.health import Health, Part, State, add_health
from api.idempotency import Idempotency
from api.openapi import document
from api.operation import Routes
from api.protocol import StrictProtocol
from core.db import fetch
from core.signers.http_signature import SignatureChecker
from tests.api.service import GROUPS, KEYS, PUBLIC_URL, FakeSessions, FakeStaffSessions, Services, Shelf
from tests.conftest import Ground
from tests.fakes.ways import usual_menu

_names = itertools.count(1)


@dataclass
class Told:
    """An answer as it came over the socket."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """The problem's code; it must be a whole problem document with nothing inside that does not belong there."""
        assert self.headers["content-type"].startswith("application/problem+json")
        problem = self.json
        assert {"type", "title", "status", "code", "instance", "retryable"} <= set(problem)
        assert problem["status"] == self.status
        assert problem["type"] == f"urn:zhijian:problem:{problem['code']}"
        if "idempotent-replayed" not in self.headers:
            assert problem["instance"] == self.headers["x-request-id"]
        assert problem["retryable"] is (self.status in {408, 429, 503} or problem["code"].endswith("in-progress"))
        assert b"Traceback" not in self.body
        return str(problem["code"])

    @property
    def pointers(self) -> list[str]:
        return [error["pointer"] for error in self.json["errors"]]


@dataclass
class Edge:
    """The running service."""

    port: int
    app: Sanic[Any, Any]
    services: Services
    ground: Ground

    @property
    def shelf(self) -> Shelf:
        return self.services.shelf

    async def send(self, raw: bytes, *, within: float = 5) -> Told | None:
        """Send bytes on a connection of their own; None when it was closed without an answer."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, limit=2**24)
        try:
            async with asyncio.timeout(within):
                writer.write(raw)
                return await read_answer(reader)
        finally:
            writer.close()

    async def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        token: str | None = "alice-real_name",
        raw: bytes | None = None,
        **headers: str,
    ) -> Told:
        """Send a request in good order, with what is given changed."""
        told = await self.send(self.request(method, path, body, token=token, raw=raw, **headers))
        assert told is not None
        return told

    def request(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        token: str | None = "alice-real_name",
        raw: bytes | None = None,
        **headers: str,
    ) -> bytes:
        content = raw if raw is not None else b"" if body is None else json.dumps(body).encode()
        lines = {"Host": f"127.0.0.1:{self.port}", "Connection": "close"}
        if token is not None:
            lines["Authorization"] = f"Bearer {token}"
        if body is not None or raw is not None:
            lines["Content-Type"] = "application/json"
            lines["Content-Length"] = str(len(content))
        lines |= {name.replace("_", "-"): value for name, value in headers.items()}
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items() if value)
        return f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + content

    async def rows(self) -> tuple[int, int]:
        """How many things were written, and how many were counted: the same, or something is half."""
        rows = await fetch("SELECT name, value FROM counter")
        counted = sum(int(row["value"]) for row in rows if row["name"] == "sum")
        return sum(row["name"] != "sum" for row in rows), counted

    async def is_well(self) -> bool:
        told = await self.send(self.request("GET", "/health/live", token=None), within=1)
        return told is not None and told.status == 200


async def read_answer(reader: asyncio.StreamReader) -> Told | None:
    """Read one answer by the rules of HTTP."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionResetError):
        return None
    first, *lines = head.decode().rstrip("\r\n").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    size = int(headers.get("content-length", "0"))
    return Told(int(first.split()[1]), headers, await reader.readexactly(size))


@asynccontextmanager
async def open_edge(
    ground: Ground,
    groups: Sequence[Routes] = GROUPS,
    *,
    trusted_proxies: int = 0,
    at_once: int = AT_ONCE,
    protocol: type[StrictProtocol] = StrictProtocol,
    **config: float,
) -> AsyncIterator[Edge]:
    """Serve in the test's own loop, on a port of its own."""
    services = Services(
        sessions=FakeSessions(),
        staff_sessions=FakeStaffSessions(),
        signatures=SignatureChecker(KEYS, clock=ground.clock),
        public_url=PUBLIC_URL,
        idempotency=Idempotency(vault=ground.vault, clock=ground.clock, ids=ground.ids),
        shelf=Shelf(),
    )
    app = create_app(
        services,
        groups,
        clock=ground.clock,
        ids=ground.ids,
        trusted_proxies=trusted_proxies,
        at_once=at_once,
        menu=usual_menu(),
        name=f"edge-{next(_names)}",
    )
    app.config.update(config)
    add_docs(app, lambda: document(groups, version="0"))

    async def database() -> State:
        await fetch("SELECT 1")
        return "ok"

    add_health(app, Health([Part("database", database, needed=True)]))
    # Sanic takes port 0 for its default; a socket of our own gets a free one.
    sock = socket.create_server(("127.0.0.1", 0))
    server = await app.create_server(sock=sock, protocol=protocol, return_asyncio_server=True, access_log=False)
    assert server is not None
    await server.startup()  # type: ignore[no-untyped-call]
    await server.before_start()  # type: ignore[no-untyped-call]
    await server.start_serving()  # type: ignore[no-untyped-call]
    try:
        yield Edge(sock.getsockname()[1], app, services, ground)
    finally:
        services.shelf.go_on.set()
        await server.before_stop()  # type: ignore[no-untyped-call]
        await server.close()  # type: ignore[no-untyped-call]
        for connection in list(server.connections):
            connection.close(timeout=0)
        await asyncio.sleep(0)
        await server.after_stop()  # type: ignore[no-untyped-call]
        Sanic.unregister_app(app)
