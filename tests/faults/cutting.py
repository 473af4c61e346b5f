"""A wire between the product and its database that is cut after so many bytes of what passes over it."""

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from urllib.parse import urlsplit, urlunsplit

_CHUNK: Final = 65536


class Wire:
    """Carries connections on; counts the bytes of both ways, and cuts the connection that carries a given one.

    It runs in a thread of its own, so that nothing a test does holds it up.
    """

    def __init__(self, host: str, port: int) -> None:
        self._behind = (host, port)
        self._loop = asyncio.new_event_loop()
        self._up = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._left: int | None = None
        self.port = 0
        self.passed = 0
        self.cuts = 0

    def open(self) -> None:
        """Begin to carry."""
        self._thread.start()
        self._up.wait(10)

    def close(self) -> None:
        """Carry nothing any more."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def cut_after(self, count: int) -> None:
        """Cut whatever connection carries the byte with this number, counted from now: that one does not arrive."""
        self._left = count

    @property
    def is_armed(self) -> bool:
        """Whether that byte is still to come."""
        return self._left is not None

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._carry, "127.0.0.1", 0))
        self.port = server.sockets[0].getsockname()[1]
        self._up.set()
        self._loop.run_forever()
        server.close()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0.05))
        self._loop.close()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(*self._behind)
        ends = (writer, back)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pass_on(reader, back, ends))
                group.create_task(self._pass_on(there, writer, ends))
        except* (OSError, ConnectionError):
            pass
        finally:
            for end in ends:
                end.close()

    async def _pass_on(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, ends: tuple[asyncio.StreamWriter, ...]
    ) -> None:
        while data := await reader.read(_CHUNK):
            self.passed += len(data)
            if self._left is not None and self._left <= len(data):
                # What came before the byte still arrives; then both ends are gone, without a goodbye.
                kept, self._left = data[: self._left], None
                self.cuts += 1
                writer.write(kept)
                with contextlib.suppress(OSError):
                    await asyncio.wait_for(writer.drain(), 1)
                for end in ends:
                    end.transport.abort()
                return
            if self._left is not None:
                self._left -= len(data)
            writer.write(data)
            await writer.drain()
        with contextlib.suppress(OSError):
            writer.write_eof()


@contextmanager
def wire_to(address: str) -> Iterator[tuple[Wire, str]]:
    """Open a wire to a database; return it and the address that leads over it."""
    parts = urlsplit(address)
    wire = Wire(parts.hostname or "127.0.0.1", parts.port or 5432)
    wire.open()
    who = f"{parts.netloc.rpartition('@')[0]}@" if "@" in parts.netloc else ""
    try:
        yield wire, urlunsplit(parts._replace(netloc=f"{who}127.0.0.1:{wire.port}"))
    finally:
        wire.close()
