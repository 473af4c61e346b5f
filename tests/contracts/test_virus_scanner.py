"""The scanner's adapter against a small server that speaks INSTREAM as clamd does."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from matters.adapters.clamav import ClamAv
from matters.errors import FileInfected, ScannerUnavailable
from tests.matters.conftest import EICAR

LARGEST = 200_000


@dataclass
class Clamd:
    """Reads chunks until one of length zero and says what it knows; `behaves` otherwise when told so."""

    behaves: str = "well"
    commands: list[bytes] = field(default_factory=list)
    scanned: list[bytes] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            self.commands.append(await reader.readuntil(b"\0"))
            content = b""
            while size := int.from_bytes(await reader.readexactly(4), "big"):
                content += await reader.readexactly(size)
                if len(content) > LARGEST:
                    writer.write(b"INSTREAM size limit exceeded. ERROR\0")
                    return
            self.scanned.append(content)
            if self.behaves == "silent":
                await asyncio.sleep(5)
            elif self.behaves == "babbles":
                writer.write(b"x" * 20_000)
            elif self.behaves == "hangs up":
                return
            elif EICAR in content:
                writer.write(b"stream: Eicar-Test-Signature FOUND\0")
            else:
                writer.write(b"stream: OK\0")
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()


@asynccontextmanager
async def listening(clamd: Clamd, path: Path | None = None) -> AsyncIterator[str]:
    if path is not None:
        server = await asyncio.start_unix_server(clamd.serve, path)
        address = f"unix://{path}"
    else:
        server = await asyncio.start_server(clamd.serve, "127.0.0.1", 0)
        address = f"tcp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield address


@pytest.mark.parametrize("by_path", [False, True])
async def test_good_files_pass_and_known_ones_do_not(tmp_path: Path, by_path: bool) -> None:
    clamd = Clamd()
    async with listening(clamd, tmp_path / "clamd.sock" if by_path else None) as address:
        scanner = ClamAv(address=address, timeout_seconds=5)
        await scanner.scan(b"")
        await scanner.scan(b"a lease" * 10_000)
        with pytest.raises(FileInfected):
            await scanner.scan(b"%PDF-1.7" + EICAR)
    assert clamd.commands == [b"zINSTREAM\0"] * 3
    assert clamd.scanned[1] == b"a lease" * 10_000


@pytest.mark.parametrize("behaves", ["silent", "babbles", "hangs up"])
async def test_no_verdict_is_no_pass(behaves: str) -> None:
    async with listening(Clamd(behaves)) as address:
        with pytest.raises(ScannerUnavailable):
            await ClamAv(address=address, timeout_seconds=0.5).scan(b"a lease")


async def test_what_is_larger_than_the_scanner_takes_is_not_taken() -> None:
    async with listening(Clamd()) as address:
        with pytest.raises(ScannerUnavailable):
            await ClamAv(address=address, timeout_seconds=5).scan(bytes(LARGEST * 40))


async def test_nobody_there_is_no_pass() -> None:
    with pytest.raises(ScannerUnavailable):
        await ClamAv(address="tcp://127.0.0.1:1", timeout_seconds=1).scan(b"a lease")
