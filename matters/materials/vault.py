"""What a resident keeps here to give it again: bound to a purpose, for a while, gone when they say so."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from auth.types import Caller
from core.audit.record import Audit
from core.clock import Clock
from core.crypto import RecordUnreadable, Vault
from core.db import as_moment, as_uuid, execute, fetch, fetch_one, transaction
from core.ids import Ids
from core.jobs.queue import Jobs
from core.log import get_logger
from matters.catalogue.catalogue import Catalogue
from matters.catalogue.types import Material, Matter
from matters.errors import (
    FileStoreUnavailable,
    MaterialInUse,
    MatterUnknown,
    NoSuchAttachment,
    NoSuchKeptMaterial,
    TooManyKept,
)
from matters.files.sealing import CONTENT, KEPT, as_bytes
from matters.materials.retention import Retention
from matters.materials.rules import may_serve
from matters.materials.types import Given, KeptMaterial, Reuse
from matters.ports import FileStore
from matters.settings import MatterSettings

log = get_logger(__name__)

_SOURCE: Final = """
SELECT application_id, matter_code, material, file_name, sha256, size, media_type, created_at FROM attachment
WHERE id = $1 AND citizen_id = $2
"""
_DEPARTMENT: Final = "SELECT department FROM application WHERE id = $1"
_COUNT: Final = "SELECT count(*) AS n FROM kept_material WHERE citizen_id = $1"
_KEEP: Final = """
INSERT INTO kept_material (id, citizen_id, kind, material, matter_code, department, reuse, file_name, sha256, size,
                           media_type, given_at, expires_at, uses, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, 0, $14)
ON CONFLICT (citizen_id, kind, sha256) DO NOTHING RETURNING id
"""
_SAME: Final = """
UPDATE kept_material SET reuse = $4, expires_at = $5 WHERE citizen_id = $1 AND kind = $2 AND sha256 = $3
"""
_FIND_SAME: Final = "SELECT * FROM kept_material WHERE citizen_id = $1 AND kind = $2 AND sha256 = $3"
_OF: Final = "SELECT * FROM kept_material WHERE citizen_id = $1 AND expires_at > $2 ORDER BY given_at DESC, id DESC"
_OWN: Final = "SELECT * FROM kept_material WHERE id = $1 AND citizen_id = $2"
_ANY: Final = "SELECT * FROM kept_material WHERE id = $1"
_WANTED: Final = "SELECT 1 AS found FROM application_material WHERE source = $1"
_FORGET: Final = "DELETE FROM kept_material WHERE id = $1 AND citizen_id = $2 RETURNING file_name"
# What waits to be handed over with an application stays until it was.
_FORGET_DUE: Final = """
DELETE FROM kept_material WHERE expires_at <= $1
AND NOT EXISTS (SELECT 1 FROM application_material WHERE source = 'kept:' || CAST(kept_material.id AS TEXT))
RETURNING file_name
"""
_USED: Final = "UPDATE kept_material SET uses = uses + 1, used_at = $2 WHERE id = $1"
_PURPOSE: Final = "保存材料供以后办事使用"


@dataclass(frozen=True, slots=True)
class _New:
    """Something about to be kept; `name` is where its content lies."""

    id: UUID
    name: str
    kind: str
    reuse: Reuse
    expires_at: datetime


class MaterialVault:
    """Keeps files for their owner, sealed under the owner's own key: with the account they are gone for good."""

    def __init__(
        self,
        *,
        catalogue: Catalogue,
        files: FileStore,
        retention: Retention,
        audit: Audit,
        jobs: Jobs,
        vault: Vault,
        clock: Clock,
        ids: Ids,
        settings: MatterSettings,
    ) -> None:
        self._catalogue = catalogue
        self._files = files
        self._retention = retention
        self._audit = audit
        self._jobs = jobs
        self._vault = vault
        self._clock = clock
        self._ids = ids
        self._settings = settings

    async def keep(self, caller: Caller, attachment_id: UUID, reuse: Reuse) -> KeptMaterial:
        """Keep a copy of a file that was given, to give it again as far as `reuse` says; again it changes that.

        Raises:
            NoSuchAttachment: there is none, or it is somebody else's.
            TooManyKept: as many are kept as may be.
            FileStoreUnavailable: files cannot be read or kept now.
        """
        row = await fetch_one(_SOURCE, attachment_id, caller.citizen_id)
        if row is None:
            raise NoSuchAttachment
        kind = self._kind(row["matter_code"], row["material"])
        new = _New(
            self._ids.uuid(),
            self._ids.uuid().hex,
            kind,
            reuse,
            self._retention.until(kind, as_moment(row["created_at"])),
        )
        await self._files.put(
            new.name, await self._resealed(caller.citizen_id, attachment_id, new.id, row["file_name"])
        )
        try:
            kept = await transaction(lambda: self._write(caller, row, new))
        except Exception:
            await self._files.remove(new.name)
            raise
        if kept.id != new.id:
            await self._files.remove(new.name)
        return kept

    async def _write(self, caller: Caller, row: Mapping[str, Any], new: _New) -> KeptMaterial:
        count = await fetch_one(_COUNT, caller.citizen_id)
        if count and int(count["n"]) >= self._settings.kept_materials:
            raise TooManyKept
        whose = await fetch_one(_DEPARTMENT, as_uuid(row["application_id"]))
        made = await fetch(
            _KEEP,
            new.id,
            caller.citizen_id,
            new.kind,
            row["material"],
            row["matter_code"],
            "" if whose is None else whose["department"],
            new.reuse.value,
            new.name,
            row["sha256"],
            int(row["size"]),
            row["media_type"],
            as_moment(row["created_at"]),
            new.expires_at,
            self._clock.now(),
        )
        if not made:
            await execute(_SAME, caller.citizen_id, new.kind, row["sha256"], new.reuse.value, new.expires_at)
        same = await fetch_one(_FIND_SAME, caller.citizen_id, new.kind, row["sha256"])
        if same is None:
            raise NoSuchKeptMaterial
        await self._tell("matters.material-kept", caller, as_uuid(same["id"]), new.kind, _PURPOSE)
        return self._view(same)

    async def list_of(self, caller: Caller) -> list[KeptMaterial]:
        """Return what the caller keeps, the latest first.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        return [self._view(row) for row in await fetch(_OF, caller.citizen_id, self._clock.now())]

    async def remove(self, caller: Caller, kept_id: UUID) -> None:
        """Forget what the caller keeps; applications that it went along with keep their copy.

        Raises:
            NoSuchKeptMaterial: there is none, or it is somebody else's.
            MaterialInUse: it is being handed over with an application at this moment.
        """

        async def work() -> None:
            row = await fetch_one(_OWN, kept_id, caller.citizen_id)
            if row is None:
                raise NoSuchKeptMaterial
            if await fetch_one(_WANTED, f"kept:{kept_id}"):
                raise MaterialInUse(retry_after=60)
            for gone in await fetch(_FORGET, kept_id, caller.citizen_id):
                await self._jobs.enqueue("matters.remove-file", file_name=gone["file_name"])
            await self._tell("matters.material-forgotten", caller, kept_id, row["kind"], _PURPOSE)

        await transaction(work)

    async def given(self, citizen_id: UUID, matter: Matter, department: str) -> Mapping[str, Given]:
        """Return what a person keeps that may serve this matter, by the code of the material.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        given: dict[str, Given] = {}
        codes: dict[str, list[str]] = {}
        for material in matter.materials:
            codes.setdefault(material.known_as, []).append(material.code)
        for row in await fetch(_OF, citizen_id, self._clock.now()):
            if may_serve(Reuse(row["reuse"]), row["matter_code"], row["department"], matter.code, department):
                for code in codes.get(row["kind"], ()):
                    given.setdefault(code, Given(f"kept:{as_uuid(row['id'])}", as_moment(row["given_at"])))
        return given

    async def read(self, kept_id: UUID) -> tuple[KeptMaterial, bytes] | None:
        """Return a kept file with its content, None when there is none any more.

        Raises:
            FileStoreUnavailable: it cannot be read now.
        """
        row = await fetch_one(_ANY, kept_id)
        if row is None:
            return None
        holder = await self._vault.find_person(as_uuid(row["citizen_id"]))
        sealed = await self._files.get(row["file_name"])
        try:
            text = await asyncio.to_thread(holder.open, KEPT, kept_id, sealed)
        except RecordUnreadable as error:
            log.error("a sealed file does not open", name=KEPT)
            raise FileStoreUnavailable(retry_after=30) from error
        return self._view(row), as_bytes(text)

    async def owned(self, caller: Caller, kept_id: UUID) -> KeptMaterial:
        """Return one thing that the caller keeps.

        Raises:
            NoSuchKeptMaterial: there is none, or it is somebody else's.
        """
        row = await fetch_one(_OWN, kept_id, caller.citizen_id)
        if row is None:
            raise NoSuchKeptMaterial
        return self._view(row)

    async def note_use(self, kept_id: UUID) -> None:
        """Count a use in the running transaction.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        await execute(_USED, kept_id, self._clock.now())

    async def forget_due(self) -> int:
        """Forget what has run out; return how many that were.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """

        async def work() -> int:
            gone = await fetch(_FORGET_DUE, self._clock.now())
            for row in gone:
                await self._jobs.enqueue("matters.remove-file", file_name=row["file_name"])
            return len(gone)

        return await transaction(work)

    async def _resealed(self, citizen_id: UUID, attachment_id: UUID, kept_id: UUID, file_name: str) -> bytes:
        sealed = await self._files.get(file_name)
        holder = await transaction(lambda: self._vault.ensure_person(citizen_id))
        try:
            text = await asyncio.to_thread(self._vault.open, CONTENT, attachment_id, sealed)
        except RecordUnreadable as error:
            log.error("a sealed file does not open", name=CONTENT)
            raise FileStoreUnavailable(retry_after=30) from error
        return await asyncio.to_thread(holder.seal, KEPT, kept_id, text)

    def _kind(self, matter_code: str, code: str) -> str:
        material = self._material(matter_code, code)
        return code if material is None else material.known_as

    def _material(self, matter_code: str, code: str) -> Material | None:
        try:
            matter = self._catalogue.of_case(matter_code).matter
        except MatterUnknown:  # It is offered no more.
            return None
        return next((each for each in matter.materials if each.code == code), None)

    def _view(self, row: Mapping[str, Any]) -> KeptMaterial:
        material = self._material(row["matter_code"], row["material"])
        return KeptMaterial(
            id=as_uuid(row["id"]),
            kind=row["kind"],
            title=row["kind"] if material is None else material.title.zh,
            title_en=row["kind"] if material is None else material.title.en,
            matter=row["matter_code"],
            reuse=Reuse(row["reuse"]),
            sha256=row["sha256"],
            size=int(row["size"]),
            media_type=row["media_type"],
            given_at=as_moment(row["given_at"]),
            expires_at=as_moment(row["expires_at"]),
            uses=int(row["uses"]),
            used_at=None if row["used_at"] is None else as_moment(row["used_at"]),
        )

    async def _tell(self, action: str, caller: Caller, kept_id: UUID, kind: str, purpose: str) -> None:
        await self._audit.record(
            action,
            actor=caller.actor,
            subject_id=caller.citizen_id,
            purpose=purpose,
            object_kind="material",
            object_id=kept_id,
            field_names=[kind],
        )
