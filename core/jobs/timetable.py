"""What happens by the clock: each entry runs again and again in its own loop, and one failing stops no other."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from core.errors import Problem
from core.log import get_logger

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Entry:
    """Something to do every so many seconds."""

    name: str
    every_seconds: float
    work: Callable[[], Awaitable[object]]


class Timetable:
    """Runs entries until it is stopped."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self._entries = entries
        self._loops: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin all loops."""
        self._loops = [asyncio.create_task(self._loop(entry)) for entry in self._entries]

    async def stop(self) -> None:
        """End all loops between two runs of their work, at the latest at its next await."""
        for loop in self._loops:
            loop.cancel()
        for loop in self._loops:
            with suppress(asyncio.CancelledError):
                await loop
        self._loops = []

    async def _loop(self, entry: Entry) -> None:
        while True:
            try:
                await entry.work()
            except Problem as problem:
                log.warning("timetable entry failed", name=entry.name, code=problem.code)
            except Exception as error:
                # The loop must outlive any one run: the same role as the job runner.
                log.error("timetable entry failed", name=entry.name, exc_info=error)
            await asyncio.sleep(entry.every_seconds)
