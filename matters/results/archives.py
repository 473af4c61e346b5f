"""Packages for the archive: everything of a case with a signed list, made when it is closed or when staff asks."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any, Final
from uuid import UUID

from auth.types import StaffCaller
from core.audit.record import Audit
from core.clock import Clock
from core.crypto import Vault, sha256_hex
from core.db import as_uuid, fetch, fetch_one, transaction
from core.ids import Ids
from core.jobs.queue import Jobs
from matters.applications.records import SUBMITTED, Record, read_record
from matters.cases.history import History, Line
from matters.errors import StateForbids
from matters.files.sealing import CONTENT, PACKAGE, as_bytes, as_text
from matters.ports import FileStore
from matters.results.documents import DecisionDocuments
from matters.results.packing import KIND, manifest_of, pack
from matters.results.ports import Sealer
from matters.results.types import Package
from matters.texts.written import withheld_in

Change = Callable[[], Awaitable[None]]

_SUBMITTED: Final = "SELECT submitted_sealed FROM application WHERE id = $1"
_FILES: Final = "SELECT id, material, file_name, media_type FROM attachment WHERE application_id = $1 ORDER BY id"
_MATERIALS: Final = """
SELECT material, necessity, way, source FROM application_material WHERE application_id = $1 ORDER BY material
"""
_FIND: Final = "SELECT id, sha256, file_name FROM archive_package WHERE application_id = $1"
_KEEP: Final = """
INSERT INTO archive_package (id, application_id, sha256, file_name, made_at) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT DO NOTHING RETURNING id
"""
_SUFFIXES: Final = {"image/jpeg": "jpg", "image/png": "png", "application/pdf": "pdf"}


class ArchivePackages:
    """Packs cases. What was packed at the closing is kept and handed out as it was."""

    def __init__(
        self,
        *,
        history: History,
        documents: DecisionDocuments,
        files: FileStore,
        sealer: Sealer,
        audit: Audit,
        jobs: Jobs,
        vault: Vault,
        clock: Clock,
        ids: Ids,
    ) -> None:
        self._history = history
        self._documents = documents
        self._files = files
        self._sealer = sealer
        self._audit = audit
        self._jobs = jobs
        self._vault = vault
        self._clock = clock
        self._ids = ids

    async def keep(self, application_id: str) -> Change | None:
        """Pack a closed case for good (job `matters.archive`); again it does nothing.

        Raises:
            FileStoreUnavailable: a file cannot be read or kept now; try again later.
            LayoutFailed: the decision could not be laid out in time; try again later.
        """
        case_id = UUID(application_id)
        if await fetch_one(_FIND, case_id) is not None:
            return None
        record = await read_record(self._vault, case_id)
        package = await self._pack(record)
        row_id, file_name = self._ids.uuid(), self._ids.uuid().hex
        sealed = await asyncio.to_thread(lambda: self._vault.seal(PACKAGE, row_id, as_text(package.content)))
        await self._files.put(file_name, sealed)

        async def work() -> None:
            if not await fetch(_KEEP, row_id, case_id, package.sha256, file_name, self._clock.now()):
                await self._jobs.enqueue("matters.remove-file", file_name=file_name)

        return work

    async def read(self, operator: StaffCaller, application_id: UUID, purpose: str) -> Package:
        """Return the package of a case for staff, which its applicant reads of; one that is not closed is packed now.

        Raises:
            NoSuchApplication: there is none.
            StateForbids: it was not submitted.
            FileStoreUnavailable: a file cannot be read now.
            LayoutFailed: the decision could not be laid out in time.
        """
        record = await read_record(self._vault, application_id)
        if record.number is None:
            raise StateForbids(state=record.state.value)

        async def work() -> None:
            await self._audit.record(
                "matters.archive-read",
                actor=operator.actor,
                subject_id=record.citizen_id,
                purpose=purpose,
                object_kind="application",
                object_id=application_id,
                field_names=["form", "attachments", "history", "decision"],
            )

        # It is told before it is read: what leaves has left, whatever comes of the answer.
        await transaction(work)
        kept = await fetch_one(_FIND, application_id)
        if kept is None:
            return await self._pack(record)
        sealed = await self._files.get(kept["file_name"])
        text = await asyncio.to_thread(lambda: self._vault.open(PACKAGE, as_uuid(kept["id"]), sealed))
        return Package(_name_of(record), kept["sha256"], as_bytes(text))

    async def _pack(self, record: Record) -> Package:
        files = await self._contents(record)
        about = {
            "number": record.number,
            "matter": record.matter_code,
            "matter_version": record.matter_version,
            "department": record.department,
            "state": record.state.value,
            "made_at": self._clock.now().isoformat(),
        }
        manifest = manifest_of(about, files)
        signed = self._sealer.on_data(manifest, KIND)
        content = await asyncio.to_thread(pack, files, manifest, signed)
        return Package(_name_of(record), sha256_hex(content), content)

    async def _contents(self, record: Record) -> dict[str, bytes]:
        row = await fetch_one(_SUBMITTED, record.id)
        submitted = row["submitted_sealed"] if row else None
        form = self._vault.open(SUBMITTED, record.id, submitted) if submitted is not None else "{}"
        lines = await self._history.read(record.id)
        withheld = await withheld_in(record.id)
        files = {
            "form.json": _json(json.loads(form)),
            "history.json": _json([_line(line, withheld=line.id in withheld) for line in lines]),
            "materials.json": _json([dict(each) for each in await fetch(_MATERIALS, record.id)]),
        }
        for place, each in enumerate(await fetch(_FILES, record.id), start=1):
            sealed = await self._files.get(each["file_name"])
            row_id = as_uuid(each["id"])
            text = await asyncio.to_thread(self._vault.open, CONTENT, row_id, sealed)
            suffix = _SUFFIXES.get(each["media_type"], "bin")
            files[f"files/{place:02d}-{each['material']}.{suffix}"] = as_bytes(text)
        paper = await self._documents.standing_paper(record)
        if paper is not None:
            files["decision.pdf"] = paper.pdf
        return files


def _name_of(record: Record) -> str:
    return f"case-{record.number}.zip"


def _json(told: object) -> bytes:
    return json.dumps(told, ensure_ascii=False, indent=2, sort_keys=True).encode()


def _line(line: Line, *, withheld: bool) -> dict[str, Any]:
    """Return an action for the archive: who acted by our ids, what was said, and what the department gave.

    Words that nobody has let on are left out; they stay with the case.
    """
    return {
        "seq": line.action.seq,
        "step": line.action.step.value,
        "at": line.action.at.isoformat(),
        "actor": line.actor.kind.value,
        "actor_id": line.actor.id,
        "department_sequence": line.action.department_sequence,
        "reason": line.action.reason,
        "note": "" if withheld else line.note,
        "result": None if line.result is None else dict(line.result),
        "data": dict(line.data),
    }
