"""Reading a file of an application as it is kept."""

import asyncio
from uuid import UUID

from core.crypto import RecordUnreadable, Vault
from core.log import get_logger
from matters.errors import FileStoreUnavailable
from matters.files.sealing import CONTENT, as_bytes
from matters.ports import FileStore

log = get_logger(__name__)


async def read_kept(files: FileStore, vault: Vault, attachment_id: UUID, file_name: str) -> bytes:
    """Return the content of an attachment, whose sealed file lies under `file_name`.

    Raises:
        FileStoreUnavailable: it cannot be read now, or does not open.
    """
    sealed = await files.get(file_name)
    try:
        return as_bytes(await asyncio.to_thread(vault.open, CONTENT, attachment_id, sealed))
    except RecordUnreadable as error:
        log.error("a sealed file does not open", name=CONTENT)
        raise FileStoreUnavailable(retry_after=30) from error
