"""The load generator: a process of its own that keeps so many connections busy and notes how long each answer took.

It is told what to do in JSON lines on standard input and answers in JSON lines. The requests are ready-made bytes, so
that it costs a small part of what any server costs: about 15 µs for a request.
"""

import asyncio
import itertools
import json
import math
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, cast

import msgspec
import uvloop

from benchmarks.figures import Pass, percentile
from benchmarks.machine import CannotMeasure, module, processor_seconds
from benchmarks.wire import end_of_message, status_of

_SAMPLE_BYTES: Final = 600
_PATIENCE_SECONDS: Final = 20.0


class Supply:
    """Requests to send: again and again from the first, or each once."""

    def __init__(self, requests: Sequence[bytes], *, again: bool) -> None:
        self._requests: Iterator[bytes] = itertools.cycle(requests) if again else iter(requests)
        self._left: float = math.inf

    def allow(self, most: int | None) -> None:
        """Give out so many more requests at most; without a number, as many as there are."""
        self._left = math.inf if most is None else most

    def take(self) -> bytes | None:
        """Return the next request, or None when all are used up."""
        if self._left <= 0:
            return None
        self._left -= 1
        return next(self._requests, None)


@dataclass(slots=True)
class Round:
    """One pass over the connections: what counts lies between `begins` and `ends`, on this process's clock."""

    supply: Supply
    begins: float
    ends: float
    expected: int
    answered: int = 0
    took: list[float] = field(default_factory=list)
    unexpected: Counter[str] = field(default_factory=Counter)
    sample: str = ""
    last: float = 0.0

    def note(self, status: int, sent: float, now: float, data: bytes) -> None:
        """Count one answer."""
        if status != self.expected:
            self.unexpected[str(status)] += 1
            self.sample = self.sample or data[-_SAMPLE_BYTES:].decode(errors="replace")
            return
        self.answered += 1
        if self.begins <= now <= self.ends:
            self.took.append(now - sent)
            self.last = now


class Connection(asyncio.Protocol):
    """One caller: sends, waits for the whole answer, sends the next."""

    def __init__(self, this_round: Round) -> None:
        self._round = this_round
        self._transport: asyncio.Transport | None = None
        self._data = b""
        self._sent = 0.0
        self.is_over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        # uvloop's transports are such, and do not say so.
        self._transport = cast("asyncio.Transport", transport)
        self._send()

    def data_received(self, data: bytes) -> None:
        """Take in a part of an answer."""
        self._data = self._data + data if self._data else data
        message = end_of_message(self._data)
        if message is None:
            return
        now = time.perf_counter()
        self._round.note(status_of(self._data), self._sent, now, self._data)
        self._data = b""
        self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        """Note that the server hung up, if it was not us."""
        if not self.is_over.done():
            self._round.unexpected[type(exc).__name__ if exc else "hung up"] += 1
            self.is_over.set_result(None)

    def _send(self) -> None:
        request = self._round.supply.take() if time.perf_counter() < self._round.ends else None
        if self._transport is None or request is None:
            if not self.is_over.done():
                self.is_over.set_result(None)
            if self._transport is not None:
                self._transport.close()
            return
        self._sent = time.perf_counter()
        self._transport.write(request)


async def run_pass(told: Mapping[str, Any], supply: Supply) -> dict[str, Any]:
    """Run one pass and return its figures."""
    loop = asyncio.get_running_loop()
    supply.allow(told["most"])
    begins = time.perf_counter() + told["warm_seconds"]
    this_round = Round(supply, begins, begins + told["seconds"], told["expected"])
    watched: Mapping[str, Sequence[int]] = told["watch"]
    before: dict[str, float] = {}
    after: dict[str, float] = {}

    def look(into: dict[str, float]) -> None:
        into.update({name: processor_seconds(pids) for name, pids in watched.items()})

    loop.call_later(told["warm_seconds"], look, before)
    ending = loop.call_later(told["warm_seconds"] + told["seconds"], look, after)
    connections = []
    for _ in range(told["connections"]):
        _, connection = await loop.create_connection(lambda: Connection(this_round), "127.0.0.1", told["port"])
        connections.append(connection.is_over)
    await asyncio.wait(connections, timeout=told["warm_seconds"] + told["seconds"] + _PATIENCE_SECONDS)
    if not after:
        # The requests were used up before the time was.
        ending.cancel()
        look(after)
    end = min(this_round.ends, this_round.last) if time.perf_counter() < this_round.ends else this_round.ends
    took = sorted(this_round.took)
    count = len(took)
    return {
        "requests": count,
        "answered": this_round.answered,
        "seconds": max(0.0, end - this_round.begins),
        "p50_ms": percentile(took, 0.50) * 1000,
        "p90_ms": percentile(took, 0.90) * 1000,
        "p95_ms": percentile(took, 0.95) * 1000,
        "p99_ms": percentile(took, 0.99) * 1000,
        "used": {name: (after[name] - before.get(name, 0.0)) / count * 1e6 if count else 0.0 for name in watched},
        "unexpected": dict(this_round.unexpected),
        "sample": this_round.sample,
    }


async def serve() -> None:
    """Do what standard input says until it ends."""
    loop = asyncio.get_running_loop()
    supplies: dict[str, Supply] = {}
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        told = json.loads(line)
        if "load" in told:
            content = await asyncio.to_thread(Path(told["load"]).read_bytes)
            requests = msgspec.msgpack.decode(content, type=list[bytes])
            supplies[told["name"]] = Supply(requests, again=told["again"])
            figures: dict[str, Any] = {}
        else:
            figures = await run_pass(told, supplies[told["name"]])
        sys.stdout.write(json.dumps(figures) + "\n")
        sys.stdout.flush()


class Generator:
    """The generator's process, as the measurement speaks to it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start the process, on the processors of whoever calls."""
        self._process = await asyncio.create_subprocess_exec(
            *module("benchmarks.load"), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
        )

    async def stop(self) -> None:
        """End it."""
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
            await self._process.wait()

    async def load(self, name: str, requests: Sequence[bytes], *, again: bool) -> None:
        """Hand over requests under a name; with `again` they begin anew after the last."""
        file = self._folder / f"{name.replace(' ', '-')}.requests"
        file.write_bytes(msgspec.msgpack.encode(list(requests)))
        await self._ask({"load": str(file), "name": name, "again": again})

    async def run(
        self,
        name: str,
        *,
        port: int,
        connections: int,
        seconds: float,
        warm_seconds: float,
        expected: int,
        most: int | None,
        server: Sequence[int],
        database: Sequence[int],
    ) -> tuple[Pass, str]:
        """Run one pass of at most so many requests; return its figures and what an unexpected answer said.

        Raises:
            CannotMeasure: the generator has ended.
        """
        told = await self._ask(
            {
                "name": name,
                "port": port,
                "connections": connections,
                "seconds": seconds,
                "warm_seconds": warm_seconds,
                "expected": expected,
                "most": most,
                "watch": {"server": list(server), "database": list(database)},
            },
        )
        used = told.pop("used")
        sample = told.pop("sample")
        return Pass(**told, server_us=used["server"], database_us=used["database"]), sample

    async def _ask(self, question: Mapping[str, Any]) -> dict[str, Any]:
        process = self._process
        if process is None or process.stdin is None or process.stdout is None:
            raise CannotMeasure("the load generator was not started")
        process.stdin.write(json.dumps(question).encode() + b"\n")
        await process.stdin.drain()
        line = await process.stdout.readline()
        if not line:
            raise CannotMeasure("the load generator ended")
        told: dict[str, Any] = json.loads(line)
        return told


if __name__ == "__main__":
    uvloop.run(serve())
