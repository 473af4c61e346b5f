"""A folder as the file store: what the embedded mode uses, and a shared mount may."""

import asyncio
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from matters.errors import FileStoreUnavailable

_NAME: Final = re.compile(r"[0-9a-f]{32}")


class Folder:
    """Keeps each file under two characters of its name, written whole or not at all."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def put(self, name: str, content: bytes) -> None:
        """Keep a file durably.

        Raises:
            FileStoreUnavailable: the disk does not take it.
        """
        place = self._place(name)
        with _as_unavailable():
            await asyncio.to_thread(_write, place, content)

    async def get(self, name: str) -> bytes:
        """Return a file.

        Raises:
            FileStoreUnavailable: it is not there or cannot be read.
        """
        place = self._place(name)
        with _as_unavailable():
            return await asyncio.to_thread(place.read_bytes)

    async def remove(self, name: str) -> None:
        """Forget a file; nothing happens when there is none.

        Raises:
            FileStoreUnavailable: the disk does not answer.
        """
        place = self._place(name)
        with _as_unavailable():
            await asyncio.to_thread(place.unlink, missing_ok=True)

    def _place(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise FileStoreUnavailable
        return self._path / name[:2] / name


@contextmanager
def _as_unavailable() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise FileStoreUnavailable(retry_after=30) from error


def _write(place: Path, content: bytes) -> None:
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = place.with_suffix(".draft")
    file = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(file, "wb") as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
        draft.replace(place)
    except OSError:
        draft.unlink(missing_ok=True)
        raise
