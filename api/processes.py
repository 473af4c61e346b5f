"""The processes: a portal that serves, a worker that works on jobs, or both in one server.

One process serves on its own: Sanic does not replace killed workers, so whoever started this process must
(`scripts.run`, compose, Kubernetes), by asking /health/live (docs/decisions/0011).
"""

import asyncio
import gc
import signal
from contextlib import suppress
from typing import Any

import uvloop
from sanic import Sanic

from api.app import Lines, create_app
from api.docs import add_docs
from api.health import Health, Look, LoopWatch, Part, State, Watchdog, add_health
from api.openapi import document
from api.protocol import StrictProtocol
from api.routes import ROUTES
from api.wiring.services import Services
from api.wiring.settings import Settings
from core.backup.under_way import require_none_under_way
from core.db import connection, fetch
from core.log import get_logger
from core.server_lock import ServerLock
from core.settings import UnsafeSettings

log = get_logger(__name__)

VERSION = "0.1.0"
# The outside systems without which something cannot be done: one held back is shown, and stops nothing else.
PARTNERS = (
    "wechat",
    "sms",
    "population-registry",
    "public-security",
    "human-resources",
    "housing-fund",
    "disabled-persons",
    "health",
    "data-quality",
    "education",
    "real-estate",
    "taxation",
    "notary",
    "department-desk",
    "civil-affairs",
    "market-regulation",
    "mobile-register",
    "bank-clearing",
    "payment",
    "network-identity",
    "object-store",
)


def _settle_memory() -> None:
    """Let the collector pass over what lives as long as the process, and look less often at what lives a request."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 50)


def _refuse_sqlite(settings: Settings, role: str) -> None:
    if settings.is_sqlite:
        raise UnsafeSettings(
            f"A separate {role} needs PostgreSQL (ZHIJIAN_DATABASE_URL): with SQLite one server does everything. "
            "Start it with `python -m api server`.",
        )


def run_portal(settings: Settings, *, with_worker: bool) -> None:
    """Serve until SIGTERM or SIGINT; with a worker inside when `with_worker`.

    Raises:
        UnsafeSettings: another server uses this SQLite file, a lone portal is to use SQLite, or a restore is under way.
    """
    require_none_under_way(settings.data_dir)
    lock: ServerLock | None = None
    if settings.is_sqlite:
        if not with_worker:
            _refuse_sqlite(settings, "portal")
        lock = ServerLock.of_database(settings.effective_database_url)
        lock.take()
    services = Services.build(settings)
    lines = Lines(log=settings.log_requests)
    app = build_app(settings, services, lines=lines)
    watchdog = Watchdog(patience_seconds=settings.loop_patience_seconds, clock=services.clock)
    health = add_readiness(app, services)

    @app.before_server_start
    async def start(_app: Sanic[Any, Any]) -> None:
        await services.open(serve=True, work=with_worker)
        _settle_memory()
        app.ctx.watches = [
            asyncio.create_task(LoopWatch(clock=services.clock).watch()),
            asyncio.create_task(watchdog.beat()),
        ]

    @app.before_server_stop
    async def drain(_app: Sanic[Any, Any]) -> None:
        # Not ready from now on, and every answer is its connection's last; proxies see it while requests still come.
        health.drain()
        lines.last = True
        await asyncio.sleep(settings.effective_drain_seconds)

    @app.after_server_stop
    async def stop(_app: Sanic[Any, Any]) -> None:
        for watch in app.ctx.watches:
            watch.cancel()
            with suppress(asyncio.CancelledError):
                await watch
        await services.close()

    log.info("serving", address=f"{settings.host}:{settings.port}", mode=settings.env.value)
    try:
        app.run(
            host=settings.host,
            port=settings.port,
            protocol=StrictProtocol,
            single_process=True,
            motd=False,
            access_log=False,
            debug=False,
        )
    finally:
        if lock is not None:
            lock.release()


def build_app(
    settings: Settings, services: Services, *, lines: Lines | None = None, name: str = "zhijian"
) -> Sanic[Any, Any]:
    """Return the application with all routes, its document and the page for it."""
    app = create_app(
        services,
        ROUTES,
        clock=services.clock,
        ids=services.ids,
        trusted_proxies=settings.trusted_proxies,
        menu=services.menu,
        lines=lines,
        heard=services.matters.exchange.watch.heard,
        name=name,
    )
    add_docs(app, lambda: document(ROUTES, version=VERSION))
    return app


def add_readiness(app: Sanic[Any, Any], services: Services) -> Health:
    """Serve health and metrics, looking at every part this process needs."""

    async def database() -> State:
        await fetch("SELECT 1")
        return "ok"

    async def cache() -> State:
        await services.cache.ping()
        return "ok"

    async def broker() -> State:
        return "degraded" if services.ground.carrier.is_away else "ok"

    def outside(partner: str) -> Look:
        names = services.matters.behind.get(partner, (partner,))

        async def look() -> State:
            return "degraded" if any(map(services.ground.outbound.is_held_back, names)) else "ok"

        return look

    health = Health(
        [
            Part("database", database, needed=True),
            Part("redis", cache),
            Part("broker", broker),
            Part("jobs", services.watch.jobs),
            Part("audit", services.watch.audit),
            Part("calendar", services.watch.calendar),
            Part("face", services.face_engine_state),
            *(Part(partner, outside(partner)) for partner in PARTNERS),
        ],
        clock=services.clock,
    )
    add_health(app, health)
    return health


def run_worker(settings: Settings) -> None:
    """Work on jobs until SIGTERM or SIGINT.

    Raises:
        UnsafeSettings: the database is SQLite, which one server uses alone, or a restore is under way.
    """
    _refuse_sqlite(settings, "worker")
    require_none_under_way(settings.data_dir)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_work(settings, Services.build(settings)))


async def _work(settings: Settings, services: Services) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await services.open(serve=False, work=True)
    watchdog = Watchdog(patience_seconds=settings.loop_patience_seconds, clock=services.clock)
    beat = asyncio.create_task(watchdog.beat())
    log.info("working", mode=services.settings.env.value, system=connection().capabilities.dialect)
    try:
        await stop.wait()
    finally:
        beat.cancel()
        await services.close()
