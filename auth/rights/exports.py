"""Exports: all that is stored about a person, put together by a job, fetched by them alone, gone after a week."""

import base64
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from math import ceil
from typing import Any, Final
from uuid import UUID

from auth.errors import AccountClosed
from auth.ports import PersonalData
from auth.records import HOLD_ACTIVE
from auth.rights.document import pdf_of
from auth.rights.errors import ExportExpired, ExportNotReady, ExportTooSoon, NoSuchExport
from auth.rights.types import ExportFile, ExportFormat, ExportState, ExportView
from auth.settings import RightsSettings
from auth.types import Caller, Section, Term
from core.audit.actors import SYSTEM
from core.audit.record import Audit
from core.clock import Clock, china_date
from core.crypto import Vault
from core.db import as_moment, as_uuid, execute, fetch, fetch_one, transaction
from core.ids import Ids
from core.jobs.queue import Jobs

Change = Callable[[], Awaitable[None]]

_JSON: Final = "data_export.json"
_PDF: Final = "data_export.pdf"
_DAY: Final = timedelta(days=1)

_RECENT: Final = """
SELECT count(*) AS n, min(requested_at) AS earliest FROM data_export WHERE citizen_id = $1 AND requested_at > $2
"""
_ADD: Final = """
INSERT INTO data_export (id, citizen_id, state, requested_at, expires_at, downloads)
VALUES ($1, $2, 'requested', $3, $4, 0) RETURNING id
"""
_VIEW: Final = "id, state, requested_at, ready_at, expires_at, downloads"
_LIST: Final = f"""
SELECT {_VIEW} FROM data_export WHERE citizen_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3
"""  # noqa: S608 — constant columns
_MINE: Final = f"SELECT {_VIEW} FROM data_export WHERE id = $1 AND citizen_id = $2"  # noqa: S608 — constant columns
_FILE: Final[Mapping[ExportFormat, str]] = {
    ExportFormat.JSON: "SELECT json_sealed AS sealed, requested_at FROM data_export WHERE id = $1",
    ExportFormat.PDF: "SELECT pdf_sealed AS sealed, requested_at FROM data_export WHERE id = $1",
}
_WANTED: Final = "SELECT citizen_id, requested_at FROM data_export WHERE id = $1 AND state = 'requested'"
_READY: Final = """
UPDATE data_export SET state = 'ready', ready_at = $2, expires_at = $3, json_sealed = $4, pdf_sealed = $5
WHERE id = $1 AND state = 'requested'
"""
_FETCHED: Final = """
UPDATE data_export SET downloads = downloads + 1 WHERE id = $1 AND state = 'ready' AND expires_at > $2
"""
_FORGET: Final = "DELETE FROM data_export WHERE expires_at <= $1"
_AFTER_ALL: Final = UUID(int=(1 << 128) - 1)


class Exports:
    """Gives people their data. The files rest sealed under the person's own key; each fetching is in the ledger."""

    def __init__(
        self,
        *,
        sources: Sequence[PersonalData],
        vault: Vault,
        audit: Audit,
        jobs: Jobs,
        clock: Clock,
        ids: Ids,
        settings: RightsSettings,
        lay_out: Callable[[str], Awaitable[bytes]] = pdf_of,
    ) -> None:
        self._sources = sources
        self._vault = vault
        self._audit = audit
        self._jobs = jobs
        self._clock = clock
        self._ids = ids
        self._settings = settings
        self._lay_out = lay_out

    async def request(self, caller: Caller) -> ExportView:
        """Promise an export; it is counted in the database, so a wiped cache gives nobody a second one.

        Raises:
            ExportTooSoon: there was one within the last day.
            AccountClosed: the account is closed.
            DatabaseUnavailable: the database could not be reached.
        """
        export_id = self._ids.uuid()

        async def work() -> ExportView:
            # Two requests at once wait here for each other: the second counts the first.
            if await execute(HOLD_ACTIVE, caller.citizen_id) != 1:
                raise AccountClosed
            now = self._clock.now()
            row = await fetch_one(_RECENT, caller.citizen_id, now - _DAY)
            if row is not None and int(row["n"]) >= self._settings.exports_per_day:
                again = as_moment(row["earliest"]) + _DAY
                raise ExportTooSoon(retry_after=max(1, ceil((again - now).total_seconds())))
            expires_at = now + timedelta(days=self._settings.export_days)
            await fetch(_ADD, export_id, caller.citizen_id, now, expires_at)
            await self._jobs.enqueue("auth.build-export", export_id=export_id)
            await self._tell(caller, "auth.export-requested", export_id)
            return ExportView(export_id, ExportState.REQUESTED, now, None, None, 0)

        return await transaction(work)

    async def list_exports(self, caller: Caller, *, before: UUID | None = None, limit: int = 20) -> list[ExportView]:
        """Return the caller's exports, newest first, those before one when it is given.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        return [_view(row) for row in await fetch(_LIST, caller.citizen_id, before or _AFTER_ALL, limit)]

    async def get(self, caller: Caller, export_id: UUID) -> ExportView:
        """Return one of the caller's exports.

        Raises:
            NoSuchExport: there is none, or it is somebody else's.
        """
        row = await fetch_one(_MINE, export_id, caller.citizen_id)
        if row is None:
            raise NoSuchExport
        return _view(row)

    async def fetch_file(self, caller: Caller, export_id: UUID, form: ExportFormat) -> ExportFile:
        """Open an export's file for the person it is about; the ledger says so.

        Raises:
            NoSuchExport: there is none, or it is somebody else's.
            ExportNotReady: it is still being put together.
            ExportExpired: its time is over.
            RecordUnreadable: it does not open any more.
        """
        view = await self.get(caller, export_id)
        if view.state is not ExportState.READY:
            raise ExportNotReady

        async def work() -> dict[str, Any]:
            if await execute(_FETCHED, export_id, self._clock.now()) != 1:
                raise ExportExpired
            row = await fetch_one(_FILE[form], export_id)
            if row is None:
                raise NoSuchExport
            await self._tell(caller, "auth.export-fetched", export_id, outcome=form.value)
            return row

        row = await transaction(work)
        person = await self._vault.find_person(caller.citizen_id)
        name = f"zhijian-{china_date(as_moment(row['requested_at'])).isoformat()}.{form.value}"
        if form is ExportFormat.JSON:
            content = person.open(_JSON, export_id, row["sealed"]).encode()
            return ExportFile(name, "application/json; charset=utf-8", content)
        return ExportFile(name, "application/pdf", base64.b64decode(person.open(_PDF, export_id, row["sealed"])))

    async def build(self, export_id: str) -> Change | None:
        """Put an export together (job `auth.build-export`) and return the change that keeps it.

        Raises:
            RecordUnreadable: something stored about the person does not open; an operator has to look.
            DatabaseUnavailable: the database could not be reached.
        """
        row_id = UUID(export_id)
        row = await fetch_one(_WANTED, row_id)
        if row is None:
            return None
        citizen_id = as_uuid(row["citizen_id"])
        sections = [section for source in self._sources for section in await source.export(citizen_id)]
        sections.sort(key=lambda section: section.name != "identity")  # Who it is about comes first.
        content = _document(citizen_id, self._clock.now().isoformat(), sections)
        pdf = await self._lay_out(content)
        person = await self._vault.find_person(citizen_id)
        sealed = person.seal(_JSON, row_id, content), person.seal(_PDF, row_id, base64.b64encode(pdf).decode())

        async def change() -> None:
            now = self._clock.now()
            expires_at = now + timedelta(days=self._settings.export_days)
            # Nothing is kept for an account that was closed meanwhile: its row is gone.
            if await execute(_READY, row_id, now, expires_at, *sealed):
                await self._audit.record(
                    "auth.export-built",
                    actor=SYSTEM,
                    subject_id=citizen_id,
                    object_kind="export",
                    object_id=row_id,
                    field_names=[section.name for section in sections],
                )

        return change

    async def tidy(self) -> int:
        """Delete the exports whose time is over, and return how many went.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        return await transaction(lambda: execute(_FORGET, self._clock.now()))

    async def _tell(self, caller: Caller, action: str, export_id: UUID, *, outcome: str = "ok") -> None:
        await self._audit.record(
            action,
            actor=caller.actor,
            subject_id=caller.citizen_id,
            object_kind="export",
            object_id=export_id,
            outcome=outcome,
        )


def _view(row: Mapping[str, Any]) -> ExportView:
    state = ExportState(row["state"])
    return ExportView(
        id=as_uuid(row["id"]),
        state=state,
        requested_at=as_moment(row["requested_at"]),
        ready_at=None if row["ready_at"] is None else as_moment(row["ready_at"]),
        expires_at=as_moment(row["expires_at"]) if state is ExportState.READY else None,
        downloads=int(row["downloads"]),
    )


def _document(citizen_id: UUID, made_at: str, sections: Sequence[Section]) -> str:
    """Return the export as JSON: the one form from which the other is laid out."""
    return json.dumps(
        {
            "service": "指尖办事",
            "citizen_id": str(citizen_id),
            "made_at": made_at,
            "sections": [
                {
                    "name": section.name,
                    "title": section.title,
                    "title_en": section.title_en,
                    "tables": list(section.tables),
                    "rows": list(section.rows),
                    **({"terms": _terms(section.terms)} if section.terms else {}),
                }
                for section in sections
            ],
        },
        ensure_ascii=False,
        indent=1,
    )


def _terms(terms: Mapping[str, Term]) -> dict[str, Any]:
    return {
        name: {"zh": term.zh, "en": term.en, **({"inside": _terms(term.inside)} if term.inside else {})}
        for name, term in terms.items()
    }
