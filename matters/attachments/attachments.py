"""Files given with an application: checked by content, sealed, kept behind the file store."""

import asyncio
import hashlib
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from auth.delegation.effects import hold_mandate
from auth.types import Caller
from core.audit.record import Audit
from core.cache import Limits
from core.clock import Clock
from core.crypto import Vault
from core.db import as_uuid, execute, fetch, fetch_one, transaction
from core.ids import Ids
from core.jobs.queue import Jobs
from matters.applications.records import Record, read_own
from matters.applications.rules import material_of, media_type_of
from matters.catalogue.catalogue import Catalogue
from matters.errors import (
    FileRefused,
    MaterialExempt,
    MaterialUnknown,
    NoSuchAttachment,
    StateForbids,
    TooManyFiles,
)
from matters.files.sealing import CONTENT, as_text
from matters.materials.commitments import is_awaited, supply
from matters.materials.resolving import Materials
from matters.materials.rules import may_upload, upload_error
from matters.ports import FileStore, Inspector, Scanner
from matters.settings import MatterSettings
from matters.types import AttachmentView, State

# So many files are hashed and sealed at once: each takes some tens of megabytes for a moment.
_AT_ONCE: Final = 2
_OPEN_TO_FILES: Final = frozenset({State.DRAFT, State.SUPPLEMENT_REQUESTED})

# Takes the application's lock, so that a submission and a file do not pass each other.
_TOUCH: Final = """
UPDATE application SET version = version + 1, updated_at = $2, expires_at = $3, reminded_at = NULL
WHERE id = $1 AND state IN ('draft', 'supplement_requested')
"""
_TOUCH_CASE: Final = """
UPDATE application SET version = version + 1, updated_at = $2
WHERE id = $1 AND state IN ('submitted', 'pre_review', 'accepted', 'in_review', 'suspended', 'approved', 'delivered')
"""
_TOUCH_DRAFT: Final = "UPDATE application SET version = version + 1, updated_at = $2 WHERE id = $1 AND state = 'draft'"
_OWN: Final = """
SELECT application_id, matter_code, material FROM attachment WHERE id = $1 AND citizen_id = $2
"""
_FORGET: Final = "DELETE FROM attachment WHERE id = $1 RETURNING file_name"
_COUNT: Final = "SELECT count(*) AS n FROM attachment WHERE application_id = $1"
INSERT: Final = """
INSERT INTO attachment (id, application_id, citizen_id, matter_code, material, file_name, sha256, size, media_type,
                        created_at, kept_sha256, kept_size)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) RETURNING id
"""


@dataclass(frozen=True, slots=True)
class _Sealed:
    """A file ready to be kept. `sha256` is that of what was given, `kept_sha256` and `kept_size` of what is kept."""

    sha256: str
    kept_sha256: str
    kept_size: int
    content: bytes


class Attachments:
    """Takes files for a draft, or for a supplement that was asked for."""

    def __init__(
        self,
        *,
        catalogue: Catalogue,
        materials: Materials,
        files: FileStore,
        inspector: Inspector,
        scanner: Scanner | None,
        audit: Audit,
        jobs: Jobs,
        vault: Vault,
        limits: Limits,
        clock: Clock,
        ids: Ids,
        settings: MatterSettings,
    ) -> None:
        self._catalogue = catalogue
        self._materials = materials
        self._files = files
        self._inspector = inspector
        self._scanner = scanner
        self._audit = audit
        self._jobs = jobs
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

        Digest and size that are told are those of what was given; a picture is kept as it was made anew.

        Raises:
            NoSuchApplication: there is none, or it is somebody else's.
            StateForbids: files are not taken in this state.
            MaterialUnknown: no material of this matter, or none is named where several may be meant.
            MaterialExempt: the matter knows no file for it, because it is satisfied without.
            FileRefused: no JPEG, PNG or PDF, or none that is sound.
            FileInfected: the scanner knows it for malicious.
            ScannerUnavailable: files are scanned here, and cannot be now.
            TooManyFiles: the application holds as many as it may.
            FileStoreUnavailable: files cannot be kept now.
            TooManyRequests: too many files within the hour.
        """
        await self._limits.hit("matters.upload", self._settings.upload_limit, f"citizen:{caller.citizen_id}")
        record = await read_own(self._vault, application_id, caller)
        # What may follow later does so while the case goes on.
        follows = material is not None and await is_awaited(record.id, material)
        if record.state not in _OPEN_TO_FILES and not follows:
            raise StateForbids(state=record.state.value)
        code = await self._material(caller, record, material, follows=follows)
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
        if self._scanner is not None:
            await self._scanner.scan(content)
        kept = await self._inspector.clean(content, media_type)
        # Hashing and sealing some megabytes would hold the loop for tens of milliseconds.
        async with self._places:
            sealed = await asyncio.to_thread(self._seal, view.id, content, kept)
        # Random, and not the row's id: who reads the database does not know where a file lies elsewhere.
        name = self._ids.uuid().hex
        await self._files.put(name, sealed.content)
        try:
            await transaction(lambda: self._write(caller, record, view, name=name, sealed=sealed))
        except Exception:
            # Only for a failure: when the caller hangs up, the transaction goes on and its row needs the file.
            await self._files.remove(name)
            raise
        return AttachmentView(view.id, code, sealed.sha256, view.size, media_type, view.created_at)

    async def take_back(self, caller: Caller, attachment_id: UUID) -> None:
        """Forget a file that went along with a draft.

        Raises:
            NoSuchAttachment: there is none, it is somebody else's, or the mandate does not cover its matter.
            StateForbids: the application was submitted.
        """
        row = await fetch_one(_OWN, attachment_id, caller.citizen_id)
        if row is None or not caller.covers_matter(row["matter_code"]):
            raise NoSuchAttachment
        application_id = as_uuid(row["application_id"])

        async def work() -> None:
            await hold_mandate(caller, self._clock.now())
            if await execute(_TOUCH_DRAFT, application_id, self._clock.now()) != 1:
                raise StateForbids
            for gone in await fetch(_FORGET, attachment_id):
                await self._jobs.enqueue("matters.remove-file", file_name=gone["file_name"])
            await self._audit.record(
                "matters.file-taken-back",
                actor=caller.actor,
                subject_id=caller.citizen_id,
                purpose=self._catalogue.of_case(row["matter_code"]).matter.title.zh,
                object_kind="application",
                object_id=application_id,
                field_names=[row["material"]],
            )

        await transaction(work)

    async def _material(self, caller: Caller, record: Record, named: str | None, *, follows: bool) -> str:
        matter = self._catalogue.of_case(record.matter_code, record.matter_version).matter
        code, errors = material_of(matter.materials, named)
        if errors:
            raise MaterialUnknown(errors=errors)
        if follows:
            return code
        asked = await self._materials.resolve(caller, matter, record.form)
        resolved = next((each for each in asked if each.material.code == code), None)
        if resolved is None or not may_upload(resolved):
            raise MaterialExempt(errors=[upload_error(resolved, "/material")])
        return code

    def _seal(self, attachment_id: UUID, given: bytes, kept: bytes) -> _Sealed:
        return _Sealed(
            sha256=hashlib.sha256(given).hexdigest(),
            kept_sha256=hashlib.sha256(kept).hexdigest(),
            kept_size=len(kept),
            content=self._vault.seal(CONTENT, attachment_id, as_text(kept)),
        )

    async def _write(self, caller: Caller, record: Record, view: AttachmentView, *, name: str, sealed: _Sealed) -> None:
        await hold_mandate(caller, self._clock.now())
        now = self._clock.now()
        awaited = record.state is not State.DRAFT and await supply(record.id, view.material, self._clock)
        touched = await execute(_TOUCH, record.id, now, now + timedelta(days=self._settings.draft_days))
        if not touched and not (awaited and await execute(_TOUCH_CASE, record.id, now)):
            raise StateForbids
        count = await fetch_one(_COUNT, record.id)
        if count and int(count["n"]) >= self._settings.attachments:
            raise TooManyFiles
        await fetch(
            INSERT,
            view.id,
            record.id,
            caller.citizen_id,
            record.matter_code,
            view.material,
            name,
            sealed.sha256,
            view.size,
            view.media_type,
            view.created_at,
            sealed.kept_sha256,
            sealed.kept_size,
        )
        await self._audit.record(
            "matters.file-given",
            actor=caller.actor,
            subject_id=caller.citizen_id,
            purpose=self._catalogue.of_case(record.matter_code, record.matter_version).matter.title.zh,
            object_kind="application",
            object_id=record.id,
            field_names=[view.material],
        )
