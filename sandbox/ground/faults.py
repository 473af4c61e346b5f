"""Asking a system to misbehave: the switches, what each does to a request, and the department that hangs."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum

from aiohttp import web

from sandbox.ground.clock import Clock
from sandbox.ground.store import Store

DEPARTMENTS = (
    "public-security",
    "human-resources",
    "housing-fund",
    "disabled-persons",
    "health",
    "education",
    "real-estate",
    "notary",
    "civil-affairs",
    "taxation",
    "medical-insurance",
)
# Who stands behind the ways to be sure who somebody is.
PROVIDERS = ("sms", "mobile-register", "bank-clearing", "payment", "network-identity")
SYSTEMS = (
    "wechat",
    "population-registry",
    *PROVIDERS,
    *DEPARTMENTS,
    "market-regulation",
    "data-quality",
    "object-store",
)

# Where one desk serves many departments, the switch is that of the department: `/department-desk/v1/{department}/…`.
_COMMON_DESK = "department-desk"

DEFAULT_DELAY_MS = 15_000
_LOOK_S = 0.1
_HANG_S = 180.0
_NONSENSE = "<html><head><title>502</title></head><body><h1>系统繁忙</h1><!-- \ufffd\ufffd {]"
_SOAP_FAULT = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    '<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body><soap:Fault>'
    "<faultcode>soap:Server</faultcode><faultstring>try later</faultstring>"
    "</soap:Fault></soap:Body></soap:Envelope>"
)


class Mode(StrEnum):
    """What a system does to the requests it gets, or to the callbacks it owes."""

    OK = "ok"
    SLOW = "slow"
    ERROR = "error"
    GARBAGE = "garbage"
    DROP = "drop"
    ACCEPT_THEN_DROP = "accept_then_drop"
    DUPLICATE_CALLBACK = "duplicate_callback"
    REORDERED_CALLBACK = "reordered_callback"


_CALLBACK_MODES = frozenset({Mode.DUPLICATE_CALLBACK, Mode.REORDERED_CALLBACK})


@dataclass(slots=True)
class _Switch:
    mode: Mode = Mode.OK
    delay_ms: int = DEFAULT_DELAY_MS
    remaining: int | None = None
    touched: bool = False

    @property
    def now(self) -> Mode:
        return Mode.OK if self.remaining == 0 else self.mode


class Faults:
    """The fault switches of all systems, read from memory, written through to the store.

    Invariant: a mode with a count applies to exactly that many requests, then the system is well again.
    """

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._switches = {system: _Switch() for system in SYSTEMS}
        self._hung: set[str] = set()

    async def load(self) -> None:
        """Set the switches as they stood before a restart."""
        for row in await self._store.run(lambda db: db.execute("SELECT * FROM faults").fetchall()):
            if row["system"] in self._switches:
                self._switches[row["system"]] = _Switch(
                    Mode(row["mode"]), row["delay_ms"], row["remaining"], touched=True
                )

    async def set(self, system: str, mode: Mode, *, delay_ms: int | None = None, count: int | None = None) -> None:
        """Turn a switch, until it is turned again or `count` requests have met it."""
        delay = DEFAULT_DELAY_MS if delay_ms is None else delay_ms
        # `ok` ends the hanging of a department that hangs; one in which nobody has hung yet still will.
        released = mode is Mode.OK and (system in self._hung or self._released(system))
        self._hung.discard(system)
        self._switches[system] = _Switch(mode, delay, count, touched=released)
        await self._save(system)

    def shown(self, system: str) -> dict[str, str | int | None]:
        """Tell how a switch stands: `count` is what is left of it."""
        switch = self._switches[system]
        return {"system": system, "mode": switch.now, "delay_ms": switch.delay_ms, "count": switch.remaining}

    async def meet(self, system: str) -> tuple[Mode, float]:
        """Tell what happens to the request at hand, and after how many seconds; uses one of the count up."""
        switch = self._switches[system]
        if switch.now is Mode.OK or switch.now in _CALLBACK_MODES:
            return Mode.OK, 0.0
        return await self._used(system), switch.delay_ms / 1000

    async def meet_callbacks(self, system: str) -> Mode:
        """Tell what happens to the callbacks of the case at hand; uses one of the count up."""
        return await self._used(system) if self._switches[system].now in _CALLBACK_MODES else Mode.OK

    async def hang(self, request: web.Request, department: str) -> bool:
        """Keep a caller waiting until somebody says the department is well, or the caller has left.

        False: the caller left, or waited longer than any caller does. The department hangs until its switch is set to
        `ok` by hand while or after somebody hangs, and again after a later fault.
        """
        if not self._released(department):
            self._hung.add(department)
        until = self._clock.seconds() + _HANG_S
        while not self._released(department):
            if gone(request) or self._clock.seconds() > until:
                return False
            await asyncio.sleep(_LOOK_S)
        return not gone(request)

    def _released(self, department: str) -> bool:
        switch = self._switches[department]
        return switch.touched and switch.mode is Mode.OK

    async def _used(self, system: str) -> Mode:
        switch = self._switches[system]
        mode = switch.now
        if switch.remaining is not None:
            # Before the await: two requests at once must not share the last of the count.
            switch.remaining -= 1
            await self._save(system)
        return mode

    async def _save(self, system: str) -> None:
        switch = self._switches[system]
        row = (system, switch.mode.value, switch.delay_ms, switch.remaining)

        def write(db: sqlite3.Connection) -> None:
            if switch.mode is Mode.OK and not switch.touched:
                db.execute("DELETE FROM faults WHERE system = ?", (system,))
                return
            db.execute("INSERT OR REPLACE INTO faults (system, mode, delay_ms, remaining) VALUES (?, ?, ?, ?)", row)

        await self._store.run(write)


def gone(request: web.Request) -> bool:
    """Tell whether the caller has hung up."""
    return request.transport is None or request.transport.is_closing()


def hang_up(request: web.Request) -> web.Response:
    """Close the connection; the answer returned goes nowhere."""
    if request.transport is not None:
        request.transport.close()
    return web.Response(status=500)


def _system_of(path: str) -> str:
    parts = [*path.lstrip("/").split("/"), "", ""]
    return parts[2] if parts[0] == _COMMON_DESK else parts[0]


def misbehaving(faults: Faults) -> Callable[..., Awaitable[web.StreamResponse]]:
    """Make the middleware that does to a request what the switch of its system says."""

    @web.middleware
    async def misbehave(
        request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        system = _system_of(request.path)
        if system not in SYSTEMS:
            return await handler(request)
        mode, delay_s = await faults.meet(system)
        match mode:
            case Mode.SLOW:
                if not await _waited(request, delay_s):
                    return hang_up(request)
            case Mode.ERROR:
                return _failed(request)
            case Mode.GARBAGE:
                return web.Response(text=_NONSENSE, content_type="text/html")
            case Mode.DROP:
                return hang_up(request)
            case Mode.ACCEPT_THEN_DROP:
                await handler(request)
                return hang_up(request)
        return await handler(request)

    return misbehave


async def _waited(request: web.Request, delay_s: float) -> bool:
    """Wait; false when the caller left meanwhile, for then nothing may be recorded."""
    await request.read()
    while delay_s > 0:
        step = min(delay_s, _LOOK_S)
        await asyncio.sleep(step)
        if gone(request):
            return False
        delay_s -= step
    return True


def _failed(request: web.Request) -> web.Response:
    # A SOAP stack reports its own failure as a fault; every other system shows its web server's bare page.
    if "/soap/" in request.path:
        return web.Response(text=_SOAP_FAULT, status=500, content_type="text/xml", charset="utf-8")
    return web.Response(text="Internal Server Error", status=500, content_type="text/plain")
