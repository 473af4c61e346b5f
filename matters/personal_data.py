"""What matters store about a person: their applications with forms, files, history, ratings, and the way they took."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from auth.rights.keeping import Keeping
from auth.types import Erasure, Kept, Outlook, Plain, Section, Stop
from core.audit.actors import SYSTEM
from core.crypto import Vault
from core.db import as_json, as_moment, as_uuid, execute, fetch, require_transaction
from core.jobs.queue import Jobs
from matters.applications.forgetting import FILES, PARTS, forget_parts
from matters.applications.records import read_files, read_record
from matters.cases.history import Entry, History, Line
from matters.cases.rules import EDGES
from matters.catalogue.catalogue import Catalogue
from matters.errors import MatterUnknown
from matters.materials.commitments import ANSWER, OBJECTION, REASON
from matters.ports import FileStore
from matters.ratings.ratings import TEXT
from matters.ratings.tickets import NOTE
from matters.results.deliveries import PLACE
from matters.supervision.telling import time_kept
from matters.types import State, Step

_WHAT: Final = "applications"
# From these on a department does nothing more that the applicant waits for.
_ENDED: Final = frozenset(
    {State.APPROVED, State.REJECTED, State.NOT_ACCEPTED, State.DELIVERED, *(s for s in EDGES if not EDGES[s])}
)
_ALL: Final = """
SELECT id, matter_code, matter_version, department, state, number, decided_at, updated_at, created_at FROM application
WHERE citizen_id = $1 ORDER BY id
"""
_DELIVERY: Final = """
SELECT state, failures, receipt_number, sent_at, settled_at FROM delivery WHERE application_id = $1
"""
_RATING: Final = """
SELECT rating.id, rating.occasion, rating.level, rating.reasons, rating.dimensions, rating.text_sealed, rating.source,
       rating.created_at, rating_ticket.id AS ticket_id, rating_ticket.state AS ticket, rating_ticket.note_sealed
FROM rating LEFT JOIN rating_ticket ON rating_ticket.rating_id = rating.id
WHERE rating.application_id = $1 ORDER BY rating.occasion
"""
_MATERIALS: Final = """
SELECT material, necessity, way, source FROM application_material WHERE application_id = $1 ORDER BY material
"""
_BRANCHES: Final = """
SELECT name, department, state, delivery, receipt_number, limit_days, opened_at, due_at, due_note, settled_at
FROM case_branch WHERE application_id = $1 ORDER BY name
"""
_LETTERS: Final = """
SELECT kind, branch, department, state, reason, created_at, sent_at, settled_at FROM letter
WHERE application_id = $1 ORDER BY created_at, id
"""
_COMMITMENTS: Final = """
SELECT id, material, kind, state, due_at, made_at, settled_at, reason_sealed, objection_sealed, objected_at,
       answer_sealed, reviewed_at
FROM commitment WHERE application_id = $1 ORDER BY material
"""
_DECISIONS: Final = """
SELECT number, outcome, sha256, decided_at, made_at FROM decision_document WHERE application_id = $1 ORDER BY seq
"""
_PACKAGES: Final = "SELECT sha256, made_at FROM archive_package WHERE application_id = $1"
_RESULT: Final = """
SELECT id, way, place_sealed, state, chosen_at, created_at FROM result_delivery WHERE application_id = $1
"""
_KEPT: Final = """
SELECT CAST(id AS TEXT) AS id, kind, matter_code, reuse, sha256, size, media_type, given_at, expires_at, uses, used_at
FROM kept_material WHERE citizen_id = $1 ORDER BY given_at, id
"""
_FORGET_KEPT: Final = "DELETE FROM kept_material WHERE citizen_id = $1 RETURNING file_name"
_TEXTS: Final = """
SELECT about, state, source, label, decided_at, created_at FROM text_check WHERE application_id = $1
ORDER BY created_at, id
"""
_EVENTS: Final = """
SELECT event_id, sequence, received_at FROM department_event
WHERE application_id = $1 OR application_id IN (SELECT id FROM case_branch WHERE application_id = $1)
UNION ALL SELECT event_id, sequence, received_at FROM department_event_clash
WHERE application_id = $1 OR application_id IN (SELECT id FROM case_branch WHERE application_id = $1)
ORDER BY sequence, event_id
"""
# An application that is being submitted at this moment is waited for, and is then no draft any more.
_FORGET_DRAFTS: Final = "DELETE FROM application WHERE citizen_id = $1 AND number IS NULL RETURNING id"
_FORGET_ONE: Final = "DELETE FROM application WHERE id = $1 AND state = $2 RETURNING id"
_CANCEL: Final = """
UPDATE delivery SET state = 'cancelled', settled_at = $2
WHERE state IN ('pending', 'held') AND application_id IN (SELECT id FROM application WHERE citizen_id = $1)
RETURNING application_id
"""
# It may have arrived, and can be sent again by nobody: an operator asks the department.
_LEAVE_OPEN: Final = """
UPDATE delivery SET state = 'unknown'
WHERE state = 'sent' AND application_id IN (SELECT id FROM application WHERE citizen_id = $1)
"""
_OWNS: Final = "SELECT id FROM application WHERE id = $1 AND citizen_id = $2"


class MatterData:
    """What matters store about people. What was submitted is kept as long as its archive asks for, drafts are not."""

    def __init__(
        self,
        *,
        catalogue: Catalogue,
        history: History,
        files: FileStore,
        vault: Vault,
        jobs: Jobs,
        keeping: Keeping,
    ) -> None:
        self._catalogue = catalogue
        self._history = history
        self._files = files
        self._vault = vault
        self._jobs = jobs
        self._keeping = keeping

    async def export(self, citizen_id: UUID) -> Sequence[Section]:
        """Return every application with its form, history and rating, and every file by name and digest.

        Raises:
            RecordUnreadable: something sealed does not open.
            DatabaseUnavailable: the database could not be reached.
        """
        applications: list[dict[str, Plain]] = []
        files: list[dict[str, Plain]] = []
        for row in await fetch(_ALL, citizen_id):
            application_id = as_uuid(row["id"])
            applications.append(await self._application(application_id, row))
            files += [
                {
                    "id": str(file.id),
                    "application_id": str(application_id),
                    "material": file.material,
                    "sha256": file.sha256,
                    "bytes": file.size,
                    "media_type": file.media_type,
                    "created_at": file.created_at.isoformat(),
                }
                for file in await read_files(application_id)
            ]
        tables = ("application", *PARTS, *(table for table in FILES if table != "attachment"))
        kept = [_moments(row) for row in await fetch(_KEPT, citizen_id)]
        return [
            Section("applications", "办件", "Applications", tables, applications),
            Section("attachments", "上传的材料", "Files given", ("attachment",), files),
            Section("kept-materials", "我保存的材料", "Materials I keep", ("kept_material",), kept),
        ]

    async def foresee(self, citizen_id: UUID, now: datetime) -> Outlook:
        """Return the applications that are under way, and until when the submitted ones are kept.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        rows = await fetch(_ALL, citizen_id)
        stops = tuple(self._stop(row) for row in rows if State(row["state"]) not in _ENDED)
        del now
        return Outlook(stops, self._kept(rows))

    async def erase(self, citizen_id: UUID, now: datetime) -> Erasure:
        """Erase drafts and what need not be kept any more; withdraw what no department has.

        Raises:
            OutsideTransaction: no transaction is running.
            DatabaseUnavailable: the database could not be reached.
        """
        require_transaction()
        for row in await fetch(_CANCEL, citizen_id, now):
            entry = Entry(step=Step.WITHDRAWN, actor=SYSTEM, reason="account-closed")
            await self._history.append(as_uuid(row["application_id"]), entry, strict=False)
        await execute(_LEAVE_OPEN, citizen_id)
        gone = [as_uuid(row["id"]) for row in await fetch(_FORGET_DRAFTS, citizen_id)]
        due = self._keeping.due_before(_WHAT, now)
        rows = await fetch(_ALL, citizen_id)
        for row in rows:
            ended_at = _ended_at(row)
            if due is not None and ended_at is not None and ended_at <= due:
                gone += [as_uuid(each["id"]) for each in await fetch(_FORGET_ONE, as_uuid(row["id"]), row["state"])]
        erased = {"application": len(gone), "kept_material": 0, **dict.fromkeys((*PARTS, *FILES), 0)}
        for kept in await fetch(_FORGET_KEPT, citizen_id):
            erased["kept_material"] += 1
            await self._jobs.enqueue("matters.remove-file", file_name=kept["file_name"])
        for application_id in gone:
            for table, count in (await forget_parts(application_id, self._jobs)).items():
                erased[table] += count
        return Erasure(erased, self._kept([row for row in rows if as_uuid(row["id"]) not in gone]))

    async def remove_file(self, file_name: str) -> None:
        """Remove a file whose row is gone (job `matters.remove-file`); again it does nothing.

        Raises:
            FileStoreUnavailable: the store does not answer; try again later.
        """
        await self._files.remove(file_name)

    async def owns(self, citizen_id: UUID, application_id: UUID) -> bool:
        """Tell whether an application is a person's.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        return bool(await fetch(_OWNS, application_id, citizen_id))

    def _stop(self, row: Mapping[str, Any]) -> Stop:
        return Stop("application", as_uuid(row["id"]), *self._titles(str(row["matter_code"])))

    def _titles(self, code: str) -> tuple[str, str]:
        """Return the titles of a matter in both languages."""
        try:
            title = self._catalogue.of_case(code).matter.title
        except MatterUnknown:  # It is offered no more; its code still tells the applicant something.
            return code, code
        return title.zh, title.en

    def _kept(self, rows: Sequence[Mapping[str, Any]]) -> tuple[Kept, ...]:
        """Return one entry for each date, and one without for what goes on at a department."""
        kept = {self._keeping.kept(_WHAT, since=_ended_at(row)): None for row in rows if row["number"] is not None}
        return tuple(kept)

    async def _application(self, application_id: UUID, row: Mapping[str, Any]) -> dict[str, Plain]:
        record = await read_record(self._vault, application_id)
        return {
            "id": str(application_id),
            "number": record.number,
            "matter": record.matter_code,
            "matter_title": self._titles(record.matter_code)[0],
            "matter_version": int(row["matter_version"]),
            "department": record.department,
            "state": record.state.value,
            "form": _plain(record.form),
            "sources": _plain(record.sources),
            "created_at": record.created_at.isoformat(),
            "submitted_at": None if record.submitted_at is None else record.submitted_at.isoformat(),
            "due_at": None if record.due_at is None else record.due_at.isoformat(),
            "materials": [dict(each) for each in await fetch(_MATERIALS, application_id)],
            "text_checks": [_moments(each) for each in await fetch(_TEXTS, application_id)],
            "history": [_line(line) for line in await self._history.read(application_id)],
            "delivery": [_moments(each) for each in await fetch(_DELIVERY, application_id)],
            "department_news": [_moments(each) for each in await fetch(_EVENTS, application_id)],
            "letters": [_moments(each) for each in await fetch(_LETTERS, application_id)],
            "branches": [_moments(each) for each in await fetch(_BRANCHES, application_id)],
            "commitments": [self._commitment(each) for each in await fetch(_COMMITMENTS, application_id)],
            "decisions": [_moments(each) for each in await fetch(_DECISIONS, application_id)],
            "archive_packages": [_moments(each) for each in await fetch(_PACKAGES, application_id)],
            "result_delivery": [self._result_delivery(each) for each in await fetch(_RESULT, application_id)],
            **await time_kept(self._vault, application_id),
            "ratings": [self._rating(each) for each in await fetch(_RATING, application_id)],
        }

    def _commitment(self, row: Mapping[str, Any]) -> dict[str, Plain]:
        texts = {"reason": REASON, "objection": OBJECTION, "answer": ANSWER}
        told = {name: value for name, value in row.items() if name != "id" and not name.endswith("_sealed")}
        opened = {
            name: None
            if row[f"{name}_sealed"] is None
            else self._vault.open(bound_to, as_uuid(row["id"]), row[f"{name}_sealed"])
            for name, bound_to in texts.items()
        }
        return {**_moments(told), **opened}

    def _result_delivery(self, row: Mapping[str, Any]) -> dict[str, Plain]:
        sealed = row["place_sealed"]
        place = None if sealed is None else json.loads(self._vault.open(PLACE, as_uuid(row["id"]), sealed))
        told = {name: value for name, value in row.items() if name not in {"id", "place_sealed"}}
        return {**_moments(told), "place": place}

    def _rating(self, row: Mapping[str, Any]) -> dict[str, Plain]:
        sealed, note = row["text_sealed"], row["note_sealed"]
        return {
            "occasion": int(row["occasion"]),
            "level": row["level"],
            "dimensions": as_json(row["dimensions"]),
            "followed_up": row["ticket"],
            "answer": None if note is None else self._vault.open(NOTE, as_uuid(row["ticket_id"]), note),
            "reasons": as_json(row["reasons"]),
            "text": None if sealed is None else self._vault.open(TEXT, as_uuid(row["id"]), sealed),
            "source": row["source"],
            "created_at": as_moment(row["created_at"]).isoformat(),
        }


def _ended_at(row: Mapping[str, Any]) -> datetime | None:
    """Return when a case ended; None while it has not."""
    if State(row["state"]) not in _ENDED:
        return None
    return as_moment(row["decided_at"] or row["updated_at"])


def _line(line: Line) -> dict[str, Plain]:
    return {
        "at": line.action.at.isoformat(),
        "step": line.action.step.value,
        "actor": line.actor.kind.value,
        "reason": line.action.reason,
        "note": line.note,
        "result": None if line.result is None else _plain(line.result),
        "data": _plain(line.data),
    }


def _moments(row: Mapping[str, Any]) -> dict[str, Plain]:
    return {
        name: as_moment(value).isoformat() if name.endswith("_at") and value is not None else value
        for name, value in row.items()
    }


def _plain(value: Mapping[str, Any]) -> dict[str, Plain]:
    return {str(key): each for key, each in value.items()}
