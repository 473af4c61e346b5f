"""Reading a file that was given: by a short address that is signed, runs out, and names nobody."""

import base64
import binascii
import hmac
import struct
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from auth.types import Caller
from core.audit.record import Audit
from core.cache import Limits
from core.clock import Clock
from core.crypto import Vault
from core.db import as_uuid, fetch_one, transaction
from matters.catalogue.catalogue import Catalogue
from matters.errors import FileAddressExpired, NoSuchAttachment
from matters.files.reading import read_kept
from matters.materials.vault import MaterialVault
from matters.ports import FileStore
from matters.settings import MatterSettings

_MARK: Final = "attachment.address"
_HEAD: Final = struct.Struct(">c16sI")
_GIVEN, _KEPT = b"g", b"k"
_OWN: Final = """
SELECT application_id, matter_code, material FROM attachment WHERE id = $1 AND citizen_id = $2
"""
_ANY: Final = "SELECT file_name, media_type FROM attachment WHERE id = $1"


@dataclass(frozen=True, slots=True, repr=False)
class FileAddress:
    """An address under which one file can be read until a moment."""

    token: str
    expires_at: datetime


@dataclass(frozen=True, slots=True, repr=False)
class OpenedFile:
    """A file as it is kept."""

    content: bytes
    media_type: str


class FileAddresses:
    """Gives addresses out to a file's owner, and opens what they name. Nothing about an address is kept."""

    def __init__(
        self,
        *,
        catalogue: Catalogue,
        files: FileStore,
        kept: MaterialVault,
        audit: Audit,
        vault: Vault,
        limits: Limits,
        clock: Clock,
        settings: MatterSettings,
    ) -> None:
        self._catalogue = catalogue
        self._files = files
        self._kept = kept
        self._audit = audit
        self._vault = vault
        self._limits = limits
        self._clock = clock
        self._settings = settings

    async def give(self, caller: Caller, attachment_id: UUID) -> FileAddress:
        """Return an address for a file of the caller's; the ledger tells of it.

        Raises:
            NoSuchAttachment: there is none, it is somebody else's, or the mandate does not cover its matter.
        """
        row = await fetch_one(_OWN, attachment_id, caller.citizen_id)
        if row is None or not caller.covers_matter(row["matter_code"]):
            raise NoSuchAttachment

        async def work() -> None:
            await self._audit.record(
                "matters.file-opened",
                actor=caller.actor,
                subject_id=caller.citizen_id,
                purpose=self._catalogue.of_case(row["matter_code"]).matter.title.zh,
                object_kind="application",
                object_id=as_uuid(row["application_id"]),
                field_names=[row["material"]],
            )

        await transaction(work)
        return self._address(_GIVEN, attachment_id)

    async def give_kept(self, caller: Caller, kept_id: UUID) -> FileAddress:
        """Return an address for something that the caller keeps; the ledger tells of it.

        Raises:
            NoSuchKeptMaterial: there is none, or it is somebody else's.
        """
        kept = await self._kept.owned(caller, kept_id)

        async def work() -> None:
            await self._audit.record(
                "matters.file-opened",
                actor=caller.actor,
                subject_id=caller.citizen_id,
                object_kind="material",
                object_id=kept_id,
                field_names=[kept.kind],
            )

        await transaction(work)
        return self._address(_KEPT, kept_id)

    def _address(self, what: bytes, file_id: UUID) -> FileAddress:
        expires_at = self._clock.now() + timedelta(seconds=self._settings.file_address_seconds)
        head = _HEAD.pack(what, file_id.bytes, int(expires_at.timestamp()))
        name = base64.urlsafe_b64encode(head).decode().rstrip("=")
        return FileAddress(f"{name}.{self._vault.mark(_MARK, name)}", expires_at.replace(microsecond=0))

    async def open(self, token: str, *, address: str) -> OpenedFile:
        """Return the file that an address names, to whoever has it.

        Raises:
            FileAddressExpired: it has run out, is none of ours, or its file is gone.
            FileStoreUnavailable: the file cannot be read now.
            TooManyRequests: too many tries from this address.
        """
        await self._limits.hit_address("matters.file", self._settings.file_limit, address)
        named = self._named(token)
        if named is None:
            raise FileAddressExpired
        what, file_id = named
        if what == _KEPT:
            kept = await self._kept.read(file_id)
            if kept is None:
                raise FileAddressExpired
            return OpenedFile(kept[1], kept[0].media_type)
        row = await fetch_one(_ANY, file_id)
        if row is None:
            raise FileAddressExpired
        return OpenedFile(await read_kept(self._files, self._vault, file_id, row["file_name"]), row["media_type"])

    def _named(self, token: str) -> tuple[bytes, UUID] | None:
        name, _, mark = token.partition(".")
        if not hmac.compare_digest(self._vault.mark(_MARK, name).encode(), mark.encode()):
            return None
        try:
            what, raw, end = _HEAD.unpack(base64.urlsafe_b64decode(name + "=" * (-len(name) % 4)))
        except (ValueError, binascii.Error, struct.error):
            return None
        return (what, UUID(bytes=raw)) if self._clock.now() < datetime.fromtimestamp(end, UTC) else None
