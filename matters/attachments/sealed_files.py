"""Sealing files anew when the data key changes: they lie in the file store, not in a column."""

import asyncio
from typing import Final
from uuid import UUID

from core.crypto import RecordUnreadable, Vault, data_key_of
from core.db import as_uuid, fetch
from core.log import get_logger
from core.rekeying.passes import Batch
from matters.files.sealing import CONTENT
from matters.ports import FileStore

log = get_logger(__name__)

# A file may have some megabytes, and one call of the timetable is to be short.
_AT_ONCE: Final = 10


class SealedFiles:
    """Brings the files of the store to the current data key, a few at a time."""

    def __init__(self, name: str = CONTENT, *, files: FileStore, vault: Vault) -> None:
        """Build it for the files of one table; `name` is what their seals are bound to: `table.content`."""
        table = name.partition(".")[0]
        self.name = name
        self._find = f"SELECT id, file_name FROM {table} WHERE id > $1 AND file_name IS NOT NULL ORDER BY id LIMIT $2"  # noqa: S608 — a table of ours
        self._files = files
        self._vault = vault

    async def batch(self, after: UUID, limit: int) -> Batch:
        """Seal a few files anew; each is replaced as a whole.

        Raises:
            FileStoreUnavailable: the file store does not answer; go on from the same place later.
        """
        rows = await fetch(self._find, after, min(limit, _AT_ONCE))
        rewritten = failed = 0
        for row in rows:
            row_id, name = as_uuid(row["id"]), str(row["file_name"])
            content = await self._files.get(name)
            if data_key_of(content) == self._vault.data_keys.current:
                continue
            try:
                anew = await asyncio.to_thread(self._seal_anew, row_id, content)
            except RecordUnreadable:
                log.error("a sealed file does not open", name=self.name)
                failed += 1
                continue
            await self._files.put(name, anew)
            rewritten += 1
        last = as_uuid(rows[-1]["id"]) if len(rows) == min(limit, _AT_ONCE) else None
        return Batch(last, len(rows), rewritten, failed)

    def _seal_anew(self, row_id: UUID, content: bytes) -> bytes:
        return self._vault.seal(self.name, row_id, self._vault.open(self.name, row_id, content))
