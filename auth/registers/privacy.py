"""The registers of data protection: assessments, processing, breaches, filings. Written once, carried on, exported."""

import csv
import io
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from auth.registers.errors import NoSuchParty
from auth.registers.types import PrivacyRecordView, RecordKind
from auth.types import StaffCaller
from core.audit.record import Audit
from core.clock import Clock
from core.db import as_json, as_moment, as_uuid, fetch, fetch_one, transaction
from core.ids import Ids

_WRITE: Final = """
INSERT INTO privacy_record (id, kind, title, content, follows_id, written_by, written_at)
VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id
"""
_ONE: Final = "SELECT * FROM privacy_record WHERE id = $1"
_LIST: Final = """
SELECT * FROM privacy_record WHERE kind = $1 AND (written_at < $2 OR (written_at = $2 AND id < $3))
ORDER BY written_at DESC, id DESC LIMIT $4
"""
_ALL: Final = "SELECT * FROM privacy_record WHERE kind = $1 ORDER BY written_at, id LIMIT $2"
_KINDS: Final = "SELECT kind, count(*) AS n FROM privacy_record GROUP BY kind"
_PEOPLE: Final = "SELECT count(*) AS n FROM citizen WHERE id_number_hash IS NOT NULL"
_MOST: Final = 10_000
# A cell that begins like this is a formula to a spreadsheet.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


class PrivacyRecords:
    """What the law wants written down about the handling of personal data."""

    def __init__(self, *, audit: Audit, clock: Clock, ids: Ids) -> None:
        self._audit = audit
        self._clock = clock
        self._ids = ids

    async def write(
        self,
        caller: StaffCaller,
        kind: RecordKind,
        title: str,
        content: Mapping[str, str],
        *,
        follows_id: UUID | None,
    ) -> PrivacyRecordView:
        """Write an entry; one that `follows_id` carries an earlier one of the same kind on.

        Raises:
            NoSuchParty: there is no such earlier one.
        """
        record_id, now = self._ids.uuid(), self._clock.now()

        async def work() -> None:
            if follows_id is not None:
                row = await fetch_one(_ONE, follows_id)
                if row is None or row["kind"] != kind:
                    raise NoSuchParty
            await fetch(_WRITE, record_id, kind.value, title, dict(content), follows_id, caller.operator_id, now)
            await self._audit.record(
                "auth.privacy-record-written",
                actor=caller.actor,
                object_kind="privacy-record",
                object_id=record_id,
                outcome=kind.value,
            )

        await transaction(work)
        return PrivacyRecordView(record_id, kind, title, dict(content), follows_id, caller.operator_id, now)

    async def list_records(
        self, kind: RecordKind, *, before: tuple[datetime, UUID], limit: int
    ) -> list[PrivacyRecordView]:
        """Return entries of a register, newest first, those before a place.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        return [_view(row) for row in await fetch(_LIST, kind.value, *before, limit)]

    async def export(self, caller: StaffCaller, kind: RecordKind) -> str:
        """Return a whole register as CSV, oldest first; 10,000 entries at most.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        views = [_view(row) for row in await fetch(_ALL, kind.value, _MOST)]
        await transaction(
            lambda: self._audit.record(
                "auth.privacy-records-exported", actor=caller.actor, object_kind="privacy-record", outcome=kind.value
            )
        )
        names = sorted({name for view in views for name in view.content})
        out = io.StringIO()
        writer = csv.writer(out)
        writer.writerow(["id", "kind", "written_at", "written_by", "follows_id", "title", *names])
        for view in views:
            cells = [
                view.id,
                view.kind,
                view.written_at.isoformat(),
                view.written_by,
                view.follows_id or "",
                view.title,
            ]
            writer.writerow([_plain(str(cell)) for cell in [*cells, *(view.content.get(name, "") for name in names)]])
        return out.getvalue()

    async def counters(self) -> Mapping[str, int]:
        """Return what filings with the authorities rest on: people under their real name, and entries by register.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        people = await fetch_one(_PEOPLE)
        entries = {row["kind"]: int(row["n"]) for row in await fetch(_KINDS)}
        return {
            "people": 0 if people is None else int(people["n"]),
            **{kind.value: entries.get(kind.value, 0) for kind in RecordKind},
        }


def _plain(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def _view(row: Mapping[str, Any]) -> PrivacyRecordView:
    return PrivacyRecordView(
        id=as_uuid(row["id"]),
        kind=RecordKind(row["kind"]),
        title=row["title"],
        content=as_json(row["content"]),
        follows_id=None if row["follows_id"] is None else as_uuid(row["follows_id"]),
        written_by=as_uuid(row["written_by"]),
        written_at=as_moment(row["written_at"]),
    )
