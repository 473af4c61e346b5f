"""The files of a case for the department that decides it: listed with its dossier, fetched at short addresses."""

import base64
import binascii
import hmac
import struct
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from core.audit.actors import Actor
from core.audit.record import Audit
from core.cache import Limits
from core.clock import Clock
from core.crypto import Vault
from core.db import as_moment, as_uuid, fetch, fetch_one
from matters.cases.rules import is_open
from matters.catalogue.catalogue import Catalogue
from matters.errors import FileAddressExpired, FileStoreUnavailable, NoSuchApplication
from matters.files.reading import read_kept
from matters.ports import FileStore
from matters.settings import MatterSettings
from matters.types import DossierFile, State

_MARK: Final = "attachment.department-address"
_FIRST: Final = datetime.min.replace(tzinfo=UTC)
_HEAD: Final = struct.Struct(">16sI")
# Whose case it is now, by its number, or by the reference of a branch that has not been settled.
_CASE: Final = """
SELECT id, citizen_id, matter_code, matter_version, state FROM application WHERE number = $1 AND department = $2
UNION ALL
SELECT application.id, application.citizen_id, application.matter_code, application.matter_version, application.state
FROM case_branch JOIN application ON application.id = case_branch.application_id
WHERE case_branch.reference = $1 AND case_branch.department = $2 AND case_branch.state = 'pending'
"""
_FILES: Final = """
SELECT id, material, media_type, kept_size, kept_sha256, created_at FROM attachment
WHERE application_id = $1 ORDER BY id
"""
_FILE: Final = "SELECT material, file_name, media_type FROM attachment WHERE id = $1 AND application_id = $2"
_NAME: Final = "SELECT file_name FROM attachment WHERE id = $1"
_COMING: Final = "SELECT 1 AS found FROM application_material WHERE application_id = $1 AND source LIKE 'kept:%'"


@dataclass(frozen=True, slots=True, repr=False)
class FetchedFile:
    """A file as a department gets it, and what the ledger tells of that. Prints as its material."""

    content: bytes
    media_type: str
    material: str
    application_id: UUID
    citizen_id: UUID
    purpose: str

    def __repr__(self) -> str:
        return f"<FetchedFile {self.material}>"


class CaseFiles:
    """Lists a case's files for its department, and hands them out while the case is open and that department's.

    An address is bound to one file, case and department, runs out, and opens for nobody but that department by its
    signature. Nothing about an address is kept.
    """

    def __init__(
        self,
        *,
        catalogue: Catalogue,
        files: FileStore,
        audit: Audit,
        vault: Vault,
        limits: Limits,
        clock: Clock,
        public_url: str,
        settings: MatterSettings,
    ) -> None:
        self._catalogue = catalogue
        self._files = files
        self._audit = audit
        self._vault = vault
        self._limits = limits
        self._clock = clock
        self._public_url = public_url
        self._settings = settings

    async def of(
        self, application_id: UUID, *, department: str, reference: str, since: datetime = _FIRST
    ) -> tuple[DossierFile, ...]:
        """List the files that go with a dossier, or with a supplement: those that came `since` it was asked for.

        Raises:
            FileStoreUnavailable: one is still being copied from what the applicant keeps; try again later.
        """
        if await fetch_one(_COMING, application_id) is not None:
            raise FileStoreUnavailable(retry_after=2)
        return await self._listed(application_id, department, reference, since)

    async def let_in(self, department: str) -> None:
        """Count a request of a department.

        Raises:
            TooManyRequests: more than it may send.
        """
        await self._limits.hit("matters.case-file", self._settings.case_file_limit, f"department:{department}")

    async def listed(self, department: str, reference: str) -> tuple[DossierFile, ...]:
        """List the files of a case with fresh addresses, those of supplements among them.

        Raises:
            NoSuchApplication: there is no such case, it has ended, or it is another department's.
        """
        case = await self._case(department, reference)
        if case is None:
            raise NoSuchApplication
        return await self._listed(as_uuid(case["id"]), department, reference, _FIRST)

    async def fetch(self, department: str, reference: str, token: str) -> FetchedFile:
        """Return the file that an address names, as it is kept. Whoever hands it out says so by `tell`.

        Raises:
            FileAddressExpired: it has run out, is none of this case and department, the case has ended, or the file is
                gone.
            FileStoreUnavailable: the file cannot be read now.
        """
        file_id = self._named(department, reference, token)
        case = None if file_id is None else await self._case(department, reference)
        row = None if case is None else await fetch_one(_FILE, file_id, as_uuid(case["id"]))
        if file_id is None or case is None or row is None:
            raise FileAddressExpired
        return FetchedFile(
            content=await read_kept(self._files, self._vault, file_id, str(row["file_name"])),
            media_type=str(row["media_type"]),
            material=str(row["material"]),
            application_id=as_uuid(case["id"]),
            citizen_id=as_uuid(case["citizen_id"]),
            purpose=self._catalogue.of_case(case["matter_code"], int(case["matter_version"])).matter.title.zh,
        )

    async def tell(self, department: str, fetched: FetchedFile) -> None:
        """Write into the ledger that a department gets a file.

        Raises:
            OutsideTransaction: no transaction is running.
        """
        await self._audit.record(
            "matters.file-opened",
            actor=Actor.department(department),
            subject_id=fetched.citizen_id,
            purpose=fetched.purpose,
            object_kind="application",
            object_id=fetched.application_id,
            field_names=[fetched.material],
        )

    async def read(self, file_id: UUID) -> bytes:
        """Return the content of a file that goes with a dossier, for a department that files are brought to.

        Raises:
            FileStoreUnavailable: it is gone, or cannot be read now.
        """
        row = await fetch_one(_NAME, file_id)
        if row is None:
            raise FileStoreUnavailable(retry_after=30)
        return await read_kept(self._files, self._vault, file_id, str(row["file_name"]))

    async def _case(self, department: str, reference: str) -> dict[str, Any] | None:
        row = await fetch_one(_CASE, reference, department)
        return row if row is not None and is_open(State(row["state"])) else None

    async def _listed(
        self, application_id: UUID, department: str, reference: str, since: datetime
    ) -> tuple[DossierFile, ...]:
        ends = self._clock.now() + timedelta(seconds=self._settings.case_file_seconds)
        under = f"{self._public_url}/v1/departments/{department}/cases/{reference}/files"
        return tuple(
            DossierFile(
                id=as_uuid(row["id"]),
                material=str(row["material"]),
                name=f"{row['material']}-{number}.{str(row['media_type']).rpartition('/')[2]}",
                media_type=str(row["media_type"]),
                size=int(row["kept_size"]),
                sha256=str(row["kept_sha256"]),
                address=f"{under}/{self._token(department, reference, as_uuid(row['id']), ends)}",
                expires_at=ends.replace(microsecond=0),
            )
            for number, row in enumerate(await fetch(_FILES, application_id), 1)
            if as_moment(row["created_at"]) >= since
        )

    def _token(self, department: str, reference: str, file_id: UUID, ends: datetime) -> str:
        head = _HEAD.pack(file_id.bytes, int(ends.timestamp()))
        name = base64.urlsafe_b64encode(head).decode().rstrip("=")
        return f"{name}.{self._mark(department, reference, name)}"

    def _mark(self, department: str, reference: str, name: str) -> str:
        return self._vault.mark(_MARK, f"{department}|{reference}|{name}")

    def _named(self, department: str, reference: str, token: str) -> UUID | None:
        name, _, mark = token.partition(".")
        if not hmac.compare_digest(self._mark(department, reference, name).encode(), mark.encode()):
            return None
        try:
            raw, ends = _HEAD.unpack(base64.urlsafe_b64decode(name + "=" * (-len(name) % 4)))
        except (ValueError, binascii.Error, struct.error):
            return None
        return UUID(bytes=raw) if self._clock.now() < datetime.fromtimestamp(ends, UTC) else None
