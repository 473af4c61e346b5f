"""A face node served in this process, behind its real door on loopback."""

import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from api.face_node import end, node_app, start
from core.clock import Clock, SystemClock
from core.ids import RandomIds
from core.outbound import Outbound, Partner
from core.settings import OutboundSettings
from core.signers.mutual_tls import client_context, make_identities, server_context
from face.adapters.face_nodes import FaceNodes, is_answer
from face.nodes.node import FaceNode
from face.ports import FaceEngine
from tests.journeys.town import free_port

HOST = "localhost"
_names = itertools.count(1)


def identities(folder: Path) -> Path:
    """Make certificates for the portals and for a node on this machine, unless they are there."""
    if not folder.exists():
        make_identities(folder, [HOST], now=datetime.now(UTC), days=2)
    return folder


@asynccontextmanager
async def node_of(engine: FaceEngine, folder: Path, *, clock: Clock | None = None) -> AsyncIterator[Partner]:
    """Serve an engine; give its address and how portals reach it."""
    tls = identities(folder)
    node = FaceNode(engine=engine, clock=clock or SystemClock())
    number, port = next(_names), free_port()
    server = await start(node_app(node, name=f"node-{number}"), "127.0.0.1", port, ssl=server_context(tls / HOST))
    try:
        yield Partner(
            f"face-node-{number}",
            f"https://{HOST}:{port}",
            10.0,
            attempts=1,
            is_answer=is_answer,
            tls=client_context(tls / "portal"),
        )
    finally:
        await end(server)


@asynccontextmanager
async def portal_to(*nodes: Partner) -> AsyncIterator[FaceNodes]:
    """Make the engine that a portal sees in these nodes."""
    outbound = Outbound(OutboundSettings(), clock=SystemClock(), production=False)
    await outbound.open()
    engine = FaceNodes(outbound=outbound, nodes=nodes, clock=SystemClock(), ids=RandomIds())
    try:
        yield engine
    finally:
        await engine.close()
        await outbound.close()
