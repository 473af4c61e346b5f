"""Handing over what was kept: with an application goes its own copy, whatever becomes of what the resident keeps."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final
from uuid import UUID

from core.audit.actors import SYSTEM
from core.audit.record import Audit
from core.clock import Clock
from core.crypto import Vault, sha256_hex
from core.db import execute, fetch, fetch_one
from core.ids import Ids
from core.log import get_logger
from matters.applications.records import read_record
from matters.attachments.attachments import INSERT
from matters.catalogue.catalogue import Catalogue
from matters.errors import NoSuchApplication
from matters.files.sealing import CONTENT, as_text
from matters.materials.vault import MaterialVault
from matters.ports import FileStore

log = get_logger(__name__)

_WANTED: Final = "SELECT material FROM application_material WHERE application_id = $1 AND source = $2"
_CAME: Final = "UPDATE application_material SET source = $3 WHERE application_id = $1 AND source = $2"


class Reuses:
    """Copies what was kept into an application that rests on it."""

    def __init__(
        self,
        *,
        catalogue: Catalogue,
        kept: MaterialVault,
        files: FileStore,
        audit: Audit,
        vault: Vault,
        clock: Clock,
        ids: Ids,
    ) -> None:
        self._catalogue = catalogue
        self._kept = kept
        self._files = files
        self._audit = audit
        self._vault = vault
        self._clock = clock
        self._ids = ids

    async def hand_over(self, application_id: str, kept_id: str) -> Callable[[], Awaitable[None]] | None:
        """Copy a kept file into an application (job `matters.hand-over-kept`); again it does nothing.

        Raises:
            FileStoreUnavailable: files cannot be read or kept now; try again later.
        """
        try:
            record = await read_record(self._vault, UUID(application_id))
        except NoSuchApplication:  # It was erased meanwhile.
            return None
        source = f"kept:{kept_id}"
        wanted = await fetch_one(_WANTED, record.id, source)
        if wanted is None:
            return None
        found = await self._kept.read(UUID(kept_id))
        if found is None:
            log.error("what was kept is gone before it was handed over", application_id=application_id)
            return None
        kept, content = found
        attachment_id, name = self._ids.uuid(), self._ids.uuid().hex
        digest = await asyncio.to_thread(sha256_hex, content)
        sealed = await asyncio.to_thread(self._vault.seal, CONTENT, attachment_id, as_text(content))
        await self._files.put(name, sealed)

        async def change() -> None:
            if await execute(_CAME, record.id, source, f"attachment:{attachment_id}") != 1:
                return
            await fetch(
                INSERT,
                attachment_id,
                record.id,
                record.citizen_id,
                record.matter_code,
                wanted["material"],
                name,
                kept.sha256,
                kept.size,
                kept.media_type,
                self._clock.now(),
                digest,
                len(content),
            )
            await self._kept.note_use(kept.id)
            await self._audit.record(
                "matters.material-reused",
                actor=SYSTEM,
                subject_id=record.citizen_id,
                purpose=self._catalogue.of_case(record.matter_code, record.matter_version).matter.title.zh,
                object_kind="application",
                object_id=record.id,
                field_names=[wanted["material"]],
            )

        return change
