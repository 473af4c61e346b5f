r"""A virus scanner that speaks ClamAV's INSTREAM (clamd's protocol): the file goes over, a verdict comes back.

`zINSTREAM\0`, then chunks of a length in four bytes (network order) and so many bytes, then a length of zero; the
answer ends in a zero byte: `stream: OK`, `stream: <name> FOUND`, or `… ERROR`.
"""

import asyncio
from contextlib import suppress
from typing import Final

from core.log import get_logger
from core.outbound import unavailable_as
from core.streams.dialogue import dialogue
from matters.errors import FileInfected, ScannerUnavailable

log = get_logger(__name__)

_CHUNK: Final = 64 * 1024
_PARTNER: Final = "virus-scanner"


class ClamAv:
    """Asks a running clamd. Nothing of a file is written down, not even its name."""

    def __init__(self, *, address: str, timeout_seconds: float) -> None:
        self._address = address
        self._seconds = timeout_seconds

    async def scan(self, content: bytes) -> None:
        """See that the scanner knows nothing bad of a file.

        Raises:
            FileInfected: it names what it found.
            ScannerUnavailable: no answer in time, or one that the protocol does not have.
        """
        with unavailable_as(ScannerUnavailable):
            async with dialogue(_PARTNER, self._address, seconds=self._seconds) as (reader, writer):
                with suppress(ConnectionError):
                    # It may have seen enough and hang up while we still write: its answer counts.
                    await _send(writer, content)
                answer = (await reader.readuntil(b"\0"))[:-1].decode("utf-8", "replace").strip()
        verdict = answer.removeprefix("stream: ")
        if verdict == "OK":
            return
        if verdict.endswith(" FOUND"):
            log.warning("a file was refused by the virus scanner", partner=_PARTNER, found=verdict[:-6][:80])
            raise FileInfected
        log.error("the virus scanner does not scan", partner=_PARTNER, answer=verdict[:80])
        raise ScannerUnavailable(retry_after=30)


async def _send(writer: asyncio.StreamWriter, content: bytes) -> None:
    writer.write(b"zINSTREAM\0")
    for at in range(0, len(content), _CHUNK):
        chunk = content[at : at + _CHUNK]
        writer.write(len(chunk).to_bytes(4, "big") + chunk)
        await writer.drain()
    writer.write((0).to_bytes(4, "big"))
    await writer.drain()
