"""A face node: the engine on a machine of its own, for portals alone.

It has two doors. At one, portals come with a certificate (mutual TLS, `docs/decisions/`) and nobody else gets as far
as to say a word; at the other, `/health/*` and `/metrics` answer supervisors as every process of ours does. It knows
no database, no Redis and no key but that of its own certificate.
"""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Coroutine
from http import HTTPStatus
from typing import Any, Final
from uuid import UUID

import msgspec
import uvloop
from sanic import Sanic
from sanic.response import HTTPResponse, empty
from sanic.server import AsyncioServer

from api.bodies import FORM_BYTES, Bodies
from api.health import Health, LoopWatch, Part, State, Watchdog, add_health
from api.operation import Request
from api.problems import Overloaded, TooLarge
from api.protocol import QuietApp, StrictProtocol
from api.wiring.engines import local_engine
from api.wiring.settings import Settings
from core.clock import Clock, SystemClock
from core.errors import Problem
from core.log import get_logger
from core.settings import UnsafeSettings
from core.signers.mutual_tls import server_context
from face.errors import EngineBusy, EngineOvertime, EngineUnavailable, PictureUnusable
from face.nodes.node import FaceNode, NoSuchPlace
from face.nodes.words import CONDITION, LOOKS, PLACES, Looked, PlaceWanted, Trouble, unpacked
from face.ports import FaceEngine

log = get_logger(__name__)

_MOST_PICTURES: Final = 48
# What a portal takes from a resident, and the lengths before the pictures.
_MOST_BYTES: Final = FORM_BYTES + 4096
_RETRY_AFTER: Final = 2
_STOP_SECONDS: Final = 15.0

Handler = Callable[..., Coroutine[Any, Any, HTTPResponse]]


def run_face_node(settings: Settings) -> None:
    """Serve portals until SIGTERM or SIGINT.

    Raises:
        UnsafeSettings: the certificate is missing, or the operator's network is not the one named.
    """
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(settings))


async def _serve(settings: Settings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if settings.face.tls_folder is None:
        raise UnsafeSettings("A face node needs ZHIJIAN_FACE__TLS_FOLDER: it lets in portals with a certificate only.")
    door = server_context(settings.face.tls_folder)
    clock = SystemClock()
    engine = local_engine(settings.face, cache=settings.data_dir / "models", clock=clock)
    node = FaceNode(engine=engine, clock=clock)
    health = Health([Part("face", _state_of(engine))], clock=clock)
    probes = _app("zhijian-face-probes")
    add_health(probes, health)
    servers = [
        await start(node_app(node), settings.face.node_host, settings.face.node_port, ssl=door),
        await start(probes, settings.host, settings.port),
    ]
    watches = [asyncio.create_task(each) for each in _watches(settings, clock)]
    warming = asyncio.create_task(_warm(engine))
    log.info("serving", port=settings.face.node_port, mode=settings.env.value, role="face")
    try:
        await stop.wait()
        health.drain()
        await asyncio.sleep(settings.effective_drain_seconds)
    finally:
        for task in (*watches, warming):
            task.cancel()
        await asyncio.gather(*watches, warming, return_exceptions=True)
        for server in servers:
            await end(server)
        await engine.close()


def _watches(settings: Settings, clock: Clock) -> list[Any]:
    watchdog = Watchdog(patience_seconds=settings.loop_patience_seconds, clock=clock)
    return [LoopWatch(clock=clock).watch(), watchdog.beat()]


async def _warm(engine: FaceEngine) -> None:
    try:
        await engine.warm_up()
    except Problem as problem:
        log.warning("face engine not warm", code=problem.code)


def _state_of(engine: FaceEngine) -> Callable[[], Awaitable[State]]:
    async def look() -> State:
        return "ok" if await engine.is_whole() else "degraded"

    return look


async def start(app: Sanic[Any, Any], host: str, port: int, **how: Any) -> AsyncioServer:  # noqa: ANN401 — as Sanic
    """Serve an application in this loop.

    Raises:
        OSError: the port is taken.
    """
    made = await app.create_server(
        host=host, port=port, protocol=StrictProtocol, return_asyncio_server=True, access_log=False, **how
    )
    if made is None:
        raise OSError(f"nothing listens on port {port}")
    server: Any = made  # Sanic says no types of what it returns.
    await server.startup()
    await server.before_start()
    await server.start_serving()
    return made


async def end(server: AsyncioServer) -> None:
    """Take no more connections, and let what is being answered come to its end."""
    closing: Any = server.close()  # type: ignore[no-untyped-call]
    for connection in list(server.connections):
        connection.close_if_idle()
    until = asyncio.get_running_loop().time() + _STOP_SECONDS
    while server.connections and asyncio.get_running_loop().time() < until:  # noqa: ASYNC110 — Sanic sets no event
        await asyncio.sleep(0.05)
    for connection in list(server.connections):
        connection.close()
    if closing is not None:
        await closing


def node_app(node: FaceNode, *, name: str = "zhijian-face") -> Sanic[Any, Any]:
    """Return what portals talk to. Only to be served where certificates are asked for."""
    app = _app(name)
    bodies = Bodies()

    async def lend(request: Request, place: UUID) -> HTTPResponse:
        wanted = msgspec.json.decode(request.body, type=PlaceWanted)
        return _told(await node.lend(place, logged_in=wanted.logged_in))

    async def look(request: Request, place: UUID) -> HTTPResponse:
        size = await bodies.read(request, _MOST_BYTES)
        try:
            pictures = unpacked(request.body, at_most=_MOST_PICTURES)
            return _told(Looked(await node.look_at(place, pictures)))
        finally:
            bodies.let_go(size)

    async def take_back(_request: Request, place: UUID) -> HTTPResponse:
        await node.take_back(place)
        return empty()

    async def condition(_request: Request) -> HTTPResponse:
        return _told(await node.condition())

    app.add_route(_or_trouble(lend), f"{PLACES}/<place:uuid>", methods=["PUT"], name="lend")
    app.add_route(_or_trouble(look), f"{PLACES}/<place:uuid>/{LOOKS}", methods=["POST"], name="look", stream=True)
    app.add_route(_or_trouble(take_back), f"{PLACES}/<place:uuid>", methods=["DELETE"], name="take_back")
    app.add_route(_or_trouble(condition), CONDITION, methods=["GET"], name="condition")
    return app


def _app(name: str) -> Sanic[Any, Any]:
    app = QuietApp(name, configure_logging=False)
    app.config.update(
        {
            "REQUEST_MAX_SIZE": _MOST_BYTES,
            "REQUEST_TIMEOUT": 10,
            "RESPONSE_TIMEOUT": 30,
            "KEEP_ALIVE_TIMEOUT": 30,
            "ACCESS_LOG": False,
            "FALLBACK_ERROR_FORMAT": "json",
            "TOUCHUP": False,
            "MOTD": False,
        },
    )
    return app


def _or_trouble(handler: Handler) -> Handler:
    """Return a handler that tells what it cannot do in words that a portal understands."""

    async def handle(request: Request, **path: Any) -> HTTPResponse:  # noqa: ANN401 — typed by the route
        try:
            return await handler(request, **path)
        except PictureUnusable as error:
            return _told(Trouble("unusable", fault=error.fault, index=error.index), HTTPStatus.UNPROCESSABLE_ENTITY)
        except EngineBusy as error:
            return _away("busy", error)
        except EngineOvertime as error:
            return _away("overtime", error)
        except EngineUnavailable as error:
            return _away("unavailable", error)
        except TooLarge:
            return _told(Trouble("malformed"), HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        except Overloaded as error:
            return _away("busy", error)
        except NoSuchPlace:
            return _told(Trouble("no-place"), HTTPStatus.NOT_FOUND)
        except (msgspec.MsgspecError, ValueError):
            return _told(Trouble("malformed"), HTTPStatus.BAD_REQUEST)

    return handle


def _away(trouble: Any, error: Problem) -> HTTPResponse:  # noqa: ANN401 — one of the words of `Trouble`
    seconds = error.extras.retry_after or _RETRY_AFTER
    told = _told(Trouble(trouble, retry_after=seconds), HTTPStatus.SERVICE_UNAVAILABLE)
    told.headers["Retry-After"] = str(seconds)
    return told


def _told(words: msgspec.Struct, status: int = HTTPStatus.OK) -> HTTPResponse:
    return HTTPResponse(msgspec.json.encode(words), status=int(status), content_type="application/json")
