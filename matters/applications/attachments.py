"""Files given with an application: checked by content, sealed, kept behind the file store."""

import asyncio
import base64
import hashlib
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from auth.delegation.effects import hold_mandate
from auth.types import Caller
from core.audit.record import Audit
from core.cache import Limits
from core.clock import Clock
from core.crypto import Vault
from core.db import execute, fetch, fetch_one, transaction
from core.ids import Ids
from matters.applications.pictures import is_sound
from matters.applications.records import Record, read_own
from matters.applications.rules import material_of, media_type_of
from matters.catalogue.catalogue import Catalogue
from matters.errors import FileRefused, MaterialUnknown, StateForbids, TooManyFiles
from matters.ports import FileStore
from matters.settings import MatterSettings
from matters.types import AttachmentView, State

CONTENT: Final = "attachment.content"
# So many pictures are decoded at once: each may take some tens of megabytes.
_AT_ONCE: Final = 2
_OPEN_TO_FILES: Final = frozenset({State.DRAFT, State.SUPPLEMENT_REQUESTED})

# Takes the application's lock, so that a submission and a file do not pass each other.
_TOUCH: Final = """
UPDATE application SET version = version + 1, updated_at = $2
WHERE id = $1 AND state IN ('draft', 'supplement_requested')
"""
_COUNT: Final = "SELECT count(*) AS n FROM attachment WHERE application_id = $1"
_INSERT: Final = """
INSERT INTO attachment (id, application_id, citizen_id, matter_code, material, file_name, sha256, size, media_type,
                        created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) RETURNING id
"""


@dataclass(frozen=True, slots=True)
class _Sealed:
    """A file ready to be kept."""

    sha256: str
    content: bytes


class Attachments:
    """Takes files for a draft, or for a supplement that was asked for."""

    def __init__(
        self,
        *,
        catalogue: Catalogue,
        files: FileStore,
        audit: Audit,
        vault: Vault,
        limits: Limits,
        clock: Clock,
        ids: Ids,
        settings: MatterSettings,
    ) -> None:
        self._catalogue = catalogue
        self._files = files
        self._audit = audit
        self._vault = vault
        self._limits = limits
        self._clock = clock
        self._ids = ids
        self._settings = settings
        self._places = asyncio.Semaphore(_AT_ONCE)

    @property
    def largest(self) -> int:
        """The most bytes a file may have."""
        return self._settings.attachment_bytes

    async def add(self, caller: Caller, application_id: UUID, material: str | None, content: bytes) -> AttachmentView:
        """Keep a file for a material of an application; where only one can be meant it need not be named.

        Raises:
            NoSuchApplication: there is none, or it is somebody else's.
            StateForbids: files are not taken in this state.
            MaterialUnknown: no material of this matter, or none is named where several may be meant.
            FileRefused: no JPEG, PNG or PDF, or a picture that does not decode.
            TooManyFiles: the application holds as many as it may.
            FileStoreUnavailable: files cannot be kept now.
            TooManyRequests: too many files within the hour.
        """
        await self._limits.hit("matters.upload", self._settings.upload_limit, f"citizen:{caller.citizen_id}")
        record = await read_own(self._vault, application_id, caller)
        if record.state not in _OPEN_TO_FILES:
            raise StateForbids(state=record.state.value)
        code, errors = material_of(self._catalogue.find(record.matter_code).matter.materials, material)
        if errors:
            raise MaterialUnknown(errors=errors)
        media_type = media_type_of(content)
        if media_type is None:
            raise FileRefused
        view = AttachmentView(
            id=self._ids.uuid(),
            material=code,
            sha256="",
            size=len(content),
            media_type=media_type,
            created_at=self._clock.now(),
        )
        # Decoding, hashing and sealing some megabytes would hold the loop for tens of milliseconds.
        async with self._places:
            if not await asyncio.to_thread(is_sound, content, media_type):
                raise FileRefused
            sealed = await asyncio.to_thread(self._seal, view.id, content)
        # Random, and not the row's id: who reads the database does not know where a file lies elsewhere.
        name = self._ids.uuid().hex
        await self._files.put(name, sealed.content)
        try:
            await transaction(lambda: self._write(caller, record, view, name=name, sha256=sealed.sha256))
        except Exception:
            # Only for a failure: when the caller hangs up, the transaction goes on and its row needs the file.
            await self._files.remove(name)
            raise
        return AttachmentView(view.id, code, sealed.sha256, view.size, media_type, view.created_at)

    def _seal(self, attachment_id: UUID, content: bytes) -> _Sealed:
        text = base64.b64encode(content).decode("ascii")
        return _Sealed(hashlib.sha256(content).hexdigest(), self._vault.seal(CONTENT, attachment_id, text))

    async def _write(self, caller: Caller, record: Record, view: AttachmentView, *, name: str, sha256: str) -> None:
        await hold_mandate(caller, self._clock.now())
        if await execute(_TOUCH, record.id, self._clock.now()) != 1:
            raise StateForbids
        count = await fetch_one(_COUNT, record.id)
        if count and int(count["n"]) >= self._settings.attachments:
            raise TooManyFiles
        await fetch(
            _INSERT,
            view.id,
            record.id,
            caller.citizen_id,
            record.matter_code,
            view.material,
            name,
            sha256,
            view.size,
            view.media_type,
            view.created_at,
        )
        await self._audit.record(
            "matters.file-given",
            actor=caller.actor,
            subject_id=caller.citizen_id,
            purpose=self._catalogue.find(record.matter_code).matter.title.zh,
            object_kind="application",
            object_id=record.id,
            field_names=[view.material],
        )
