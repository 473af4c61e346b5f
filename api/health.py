"""Is this process alive, and is it ready to serve: for supervisors, proxies and people."""

import asyncio
import os
import threading
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sanic import Sanic
from sanic.response import HTTPResponse
from sanic.response import json as json_response

from api.operation import Request
from core.clock import Clock, SystemClock
from core.errors import Problem
from core.log import get_logger
from core.metrics import LOOP_LAG, PART_STATE, exposition

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
    """Asks every part at once, each within two seconds, and remembers since when one is not in order."""

    def __init__(self, parts: Sequence[Part], *, clock: Clock | None = None) -> None:
        self._parts = parts
        self._clock = clock or SystemClock()
        self._since: dict[str, float] = {}
        self._draining = False

    def drain(self) -> None:
        """Say not ready from now on: this process is about to stop."""
        self._draining = True

    async def ready(self) -> tuple[bool, Mapping[str, State]]:
        """Return whether to send work here, and the state of each part."""
        states = await asyncio.gather(*(self._state(part) for part in self._parts))
        found = {part.name: state for part, state in zip(self._parts, states, strict=True)}
        now = self._clock.monotonic()
        for name, state in found.items():
            PART_STATE.labels(name).set(state == "ok")
            if state == "ok":
                self._since.pop(name, None)
            else:
                self._since.setdefault(name, now)
        down = any(part.needed and found[part.name] == "down" for part in self._parts)
        return not down and not self._draining, found

    def ages(self) -> Mapping[str, int]:
        """Return of each part that is not in order for how many seconds that has been seen."""
        now = self._clock.monotonic()
        return {name: round(now - since) for name, since in self._since.items()}

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
            {
                "status": "degraded" if good and degraded else "ready" if good else "not-ready",
                "parts": dict(parts),
                "ages": dict(health.ages()),
            },
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


class Watchdog:
    """Ends the process when its event loop is held for too long: whoever started it starts it again.

    A thread of its own looks, since what holds the loop also holds everything that runs in it. When the thread itself
    was held the machine was, or the whole process, and the loop is given another chance.
    """

    def __init__(self, *, patience_seconds: float, clock: Clock, end: Callable[[], None] | None = None) -> None:
        self._patience = patience_seconds
        self._clock = clock
        self._end = end or (lambda: os._exit(1))
        self._beat = clock.monotonic()
        self._stopped = threading.Event()

    async def beat(self) -> None:
        """Show that the loop goes round, until cancelled."""
        if self._patience <= 0:
            return
        self._beat = self._clock.monotonic()
        thread = threading.Thread(target=self._look, name="watchdog", daemon=True)
        thread.start()
        try:
            while True:
                self._beat = self._clock.monotonic()
                await asyncio.sleep(self._patience / 10)
        finally:
            self._stopped.set()

    def _look(self) -> None:
        every = self._patience / 10
        before = self._clock.monotonic()
        while not self._stopped.wait(every):
            now = self._clock.monotonic()
            was_held = now - before > 2 * every + 0.5
            before = now
            if was_held:
                self._beat = now
            elif now - self._beat > self._patience:
                log.error("the event loop is held; ending", lag_ms=round((now - self._beat) * 1000), pid=os.getpid())
                self._end()
                return
