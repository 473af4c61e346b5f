"""Is this process alive, and is it ready to serve: for supervisors, proxies and people."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sanic import Sanic
from sanic.response import HTTPResponse
from sanic.response import json as json_response

from api.operation import Request
from core.clock import Clock
from core.errors import Problem
from core.log import get_logger
from core.metrics import LOOP_LAG, exposition

log = get_logger(__name__)

State = Literal["ok", "degraded", "down"]
Look = Callable[[], Awaitable[State]]

_LOOK_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Part:
    """Something that readiness looks at. A `needed` part that is down makes the process not ready."""

    name: str
    look: Look
    needed: bool = False


class Health:
    """Asks every part at once, each within two seconds."""

    def __init__(self, parts: Sequence[Part]) -> None:
        self._parts = parts
        self._draining = False

    def drain(self) -> None:
        """Say not ready from now on: this process is about to stop."""
        self._draining = True

    async def ready(self) -> tuple[bool, Mapping[str, State]]:
        """Return whether to send work here, and the state of each part."""
        states = await asyncio.gather(*(self._state(part) for part in self._parts))
        found = {part.name: state for part, state in zip(self._parts, states, strict=True)}
        down = any(part.needed and found[part.name] == "down" for part in self._parts)
        return not down and not self._draining, found

    async def _state(self, part: Part) -> State:
        try:
            async with asyncio.timeout(_LOOK_SECONDS):
                return await part.look()
        except (Problem, TimeoutError, OSError):
            return "down"


def add_health(app: Sanic[Any, Any], health: Health) -> None:
    """Serve /health/live, /health/ready and /metrics."""

    async def live(_request: Request) -> HTTPResponse:
        return json_response({"status": "alive"}, headers={"Cache-Control": "no-store"})

    async def ready(_request: Request) -> HTTPResponse:
        good, parts = await health.ready()
        degraded = any(state != "ok" for state in parts.values())
        return json_response(
            {"status": "degraded" if good and degraded else "ready" if good else "not-ready", "parts": dict(parts)},
            status=200 if good else 503,
            headers={"Cache-Control": "no-store", **({} if good else {"Retry-After": "2"})},
        )

    async def metrics(_request: Request) -> HTTPResponse:
        return HTTPResponse(exposition(), content_type="text/plain; version=0.0.4; charset=utf-8")

    app.add_route(live, "/health/live", name="live")
    app.add_route(ready, "/health/ready", name="ready")
    app.add_route(metrics, "/metrics", name="metrics")


class LoopWatch:
    """Measures how long the event loop is held."""

    def __init__(self, *, clock: Clock, every_seconds: float = 0.05) -> None:
        self._clock = clock
        self._every = every_seconds

    async def watch(self) -> None:
        """Note the longest hold of the last second, again and again."""
        longest, since = 0.0, self._clock.monotonic()
        while True:
            before = self._clock.monotonic()
            await asyncio.sleep(self._every)
            now = self._clock.monotonic()
            longest = max(longest, now - before - self._every)
            if now - since >= 1.0:
                LOOP_LAG.set(longest)
                longest, since = 0.0, now
