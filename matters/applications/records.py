"""Reading applications: rows as their owner may see them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from auth.types import Caller, Level
from core.crypto import Vault
from core.db import as_json, as_moment, as_uuid, fetch, fetch_one
from matters.applications.rules import shown
from matters.catalogue.types import Prefill
from matters.errors import NoSuchApplication
from matters.types import AttachmentView, State
from matters.views.types import FormValue

FORM: Final = "application.form"
# What was submitted, as it was then: the form and its sources.
SUBMITTED: Final = "application.submitted"
# How a source of prefilled values is written that is a kind of certificate.
CERTIFICATE: Final = "certificate:"
COMPUTED_SOURCE: Final = "computed"

_COLUMNS: Final = (
    "id, citizen_id, matter_code, matter_version, department, state, version, form_sealed, sources, number, "
    "submitted_at, accepted_at, decided_at, due_at, due_note, created_at, updated_at, expires_at, "
    "unit, region"
)
_MINE: Final = f"SELECT {_COLUMNS} FROM application WHERE id = $1 AND citizen_id = $2"  # noqa: S608 — constant columns
_ANY: Final = f"SELECT {_COLUMNS} FROM application WHERE id = $1"  # noqa: S608 — constant columns
_FILES: Final = """
SELECT id, material, sha256, size, media_type, created_at FROM attachment WHERE application_id = $1 ORDER BY id
"""


@dataclass(frozen=True, slots=True)
class Submitted:
    """What the resident gets for a submission; the query code is shown this once."""

    application_id: UUID
    number: str
    query_code: str
    state: State


@dataclass(frozen=True, slots=True, repr=False)
class Record:
    """An application's row, opened. Prints as its id."""

    id: UUID
    citizen_id: UUID
    matter_code: str
    matter_version: int
    department: str
    state: State
    version: int
    form: Mapping[str, object]
    sources: Mapping[str, Mapping[str, str]]
    number: str | None
    submitted_at: datetime | None
    due_at: datetime | None
    due_note: str
    created_at: datetime
    updated_at: datetime
    expires_at: datetime | None
    unit: str
    region: str

    def __repr__(self) -> str:
        return f"<Record {self.id}>"


async def read_record(vault: Vault, application_id: UUID, citizen_id: UUID | None = None) -> Record:
    """Return an application; with `citizen_id`, only that citizen's own.

    Raises:
        NoSuchApplication: there is none, or it is somebody else's.
        RecordUnreadable: the form does not open.
        DatabaseUnavailable: the database could not be reached.
    """
    row = await (
        fetch_one(_ANY, application_id) if citizen_id is None else fetch_one(_MINE, application_id, citizen_id)
    )
    if row is None:
        raise NoSuchApplication
    row_id = as_uuid(row["id"])
    return Record(
        id=row_id,
        citizen_id=as_uuid(row["citizen_id"]),
        matter_code=row["matter_code"],
        matter_version=int(row["matter_version"]),
        department=row["department"],
        state=State(row["state"]),
        version=int(row["version"]),
        form=json.loads(vault.open(FORM, row_id, row["form_sealed"])),
        sources=as_json(row["sources"]),
        number=row["number"],
        submitted_at=moment(row["submitted_at"]),
        due_at=moment(row["due_at"]),
        due_note=str(row["due_note"]),
        created_at=as_moment(row["created_at"]),
        updated_at=as_moment(row["updated_at"]),
        expires_at=moment(row["expires_at"]) if row["state"] == State.DRAFT.value else None,
        unit=row["unit"],
        region=row["region"],
    )


async def read_own(vault: Vault, application_id: UUID, caller: Caller) -> Record:
    """Return an application of the one for whom the caller acts; one out of the mandate's scope is none.

    Raises:
        NoSuchApplication: there is none, it is somebody else's, or the mandate does not cover its matter.
        RecordUnreadable: the form does not open.
        DatabaseUnavailable: the database could not be reached.
    """
    record = await read_record(vault, application_id, caller.citizen_id)
    if not caller.covers_matter(record.matter_code):
        raise NoSuchApplication
    return record


async def read_files(application_id: UUID) -> list[AttachmentView]:
    """Return the files of an application, oldest first.

    Raises:
        DatabaseUnavailable: the database could not be reached.
    """
    return [attachment_view(row) for row in await fetch(_FILES, application_id)]


def attachment_view(row: Mapping[str, Any]) -> AttachmentView:
    """Return a file's row as its owner sees it."""
    return AttachmentView(
        id=as_uuid(row["id"]),
        material=row["material"],
        sha256=row["sha256"],
        size=int(row["size"]),
        media_type=row["media_type"],
        created_at=as_moment(row["created_at"]),
    )


def moment(value: object) -> datetime | None:
    """Read a time column that may be empty."""
    return None if value is None else as_moment(value)


def form_view(record: Record, prefill: Mapping[str, Prefill], caller: Caller) -> dict[str, FormValue]:
    """Return a form with where each value came from; what is sensitive only in part below `present`.

    Who acts under a mandate gets the sensitive in full only where its source is in the mandate too. Values that were
    typed here are shown as they are: whoever holds the session typed them, and needs to see them.
    """
    view = {}
    for name, value in record.form.items():
        source = record.sources.get(name)
        rule = prefill.get(name)
        if source is not None and source["source"] == COMPUTED_SOURCE:
            view[name] = FormValue(value, COMPUTED_SOURCE, editable=False)
            continue
        if source is None or rule is None:
            view[name] = FormValue(value, "applicant")
            continue
        told, masked = shown(value, full=not rule.sensitive or _may_see(caller, rule.source))
        view[name] = FormValue(
            told,
            source["source"],
            editable=not rule.locked,
            masked=masked,
            as_of=as_moment(source["as_of"]) if "as_of" in source else None,
            certificate=UUID(source["certificate"]) if "certificate" in source else None,
            reported=source.get("report"),
        )
    return view


def _may_see(caller: Caller, source: str) -> bool:
    """Tell whether sensitive values of a source are shown in full."""
    if caller.level is not Level.PRESENT:
        return False
    kind = source.removeprefix(CERTIFICATE)
    return caller.sees_the_person if kind == source else caller.covers_certificate(kind)


def seal_submitted(
    vault: Vault, application_id: UUID, form: Mapping[str, object], sources: Mapping[str, Mapping[str, str]]
) -> bytes:
    """Seal what was submitted for its row."""
    told = {"form": dict(form), "sources": {name: dict(source) for name, source in sources.items()}}
    return vault.seal(SUBMITTED, application_id, json.dumps(told, ensure_ascii=False))


def seal_form(vault: Vault, application_id: UUID, form: Mapping[str, object]) -> bytes:
    """Seal a form for its row."""
    return vault.seal(FORM, application_id, json.dumps(dict(form), ensure_ascii=False))
