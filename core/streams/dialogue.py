"""One dialogue over one connection with a system that has a protocol of its own: bounded in time, in no transaction."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final
from urllib.parse import urlsplit

from core.db import forbid_inside_transaction
from core.metrics import OUTSIDE_CALLS
from core.outbound import Unreachable

_ANSWER: Final = 64 * 1024


@asynccontextmanager
async def dialogue(
    partner: str, address: str, *, seconds: float
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """Open a connection to `tcp://host:port` or `unix:///path` for one exchange, and close it after.

    Raises:
        Unreachable: no connection, no answer in time, or one that breaks off or does not end.
        InsideTransaction: a transaction is running, which is a mistake in our code.
    """
    forbid_inside_transaction()
    try:
        async with asyncio.timeout(seconds):
            reader, writer = await _connect(address)
            try:
                yield reader, writer
            finally:
                writer.close()
                with suppress(OSError):
                    await writer.wait_closed()
    except (OSError, TimeoutError, EOFError, asyncio.LimitOverrunError) as error:
        reason = "timeout" if isinstance(error, TimeoutError) else "broken-connection"
        OUTSIDE_CALLS.labels(partner, reason).inc()
        raise Unreachable(partner, reason, ambiguous=True) from error
    OUTSIDE_CALLS.labels(partner, "answered").inc()


async def _connect(address: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    parts = urlsplit(address)
    if parts.scheme == "unix":
        return await asyncio.open_unix_connection(parts.path, limit=_ANSWER)
    return await asyncio.open_connection(parts.hostname, parts.port, limit=_ANSWER)
