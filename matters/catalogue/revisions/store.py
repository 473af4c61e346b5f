"""Reading the tables of the dynamic list."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from core.db import as_json, as_moment, as_uuid, fetch, fetch_one
from matters.catalogue.revisions.errors import NoSuchRevision
from matters.catalogue.revisions.types import OperationKind, OperationLine, RevisionState, Row

_ALL: Final = "SELECT * FROM matter_revision WHERE effective_at IS NOT NULL ORDER BY code, version"
_ONE: Final = "SELECT * FROM matter_revision WHERE id = $1"
_OF: Final = "SELECT * FROM matter_revision WHERE code = $1 ORDER BY version"
_MARK: Final = "SELECT count(*) AS n, coalesce(sum(edition), 0) AS editions FROM matter_revision"
_CODES: Final = "SELECT DISTINCT code FROM matter_revision"
_LIST: Final = """
SELECT * FROM matter_revision WHERE ($1 = '' OR state = $1) AND ($2 = '' OR department = $2) AND id > $3
ORDER BY id LIMIT $4
"""
_OPERATIONS: Final = """
SELECT * FROM list_operation WHERE created_at < $1 OR (created_at = $1 AND id < $2)
ORDER BY created_at DESC, id DESC LIMIT $3
"""
_BY_KIND: Final = "SELECT department, kind FROM list_operation"


def row_of(told: Mapping[str, Any]) -> Row:
    """Read a revision's row."""
    return Row(
        id=as_uuid(told["id"]),
        code=told["code"],
        slug=told["slug"],
        department=told["department"],
        version=int(told["version"]),
        state=RevisionState(told["state"]),
        content=as_json(told["content"]),
        edition=int(told["edition"]),
        effective_at=_moment(told["effective_at"]),
        ends_at=_moment(told["ends_at"]),
        created_by=told["created_by"],
        created_at=as_moment(told["created_at"]),
        updated_at=as_moment(told["updated_at"]),
    )


async def read_mark() -> tuple[int, int]:
    """Return what changes with every change of any revision.

    Raises:
        DatabaseUnavailable: the database could not be reached.
    """
    row = await fetch_one(_MARK)
    return (int(row["n"]), int(row["editions"])) if row else (0, 0)


async def read_counting() -> list[Row]:
    """Return all revisions that count, have counted or will, by code and version.

    Raises:
        DatabaseUnavailable: the database could not be reached.
    """
    return [row_of(row) for row in await fetch(_ALL)]


async def read_revision(revision_id: UUID) -> Row:
    """Return one revision.

    Raises:
        NoSuchRevision: there is none.
        DatabaseUnavailable: the database could not be reached.
    """
    row = await fetch_one(_ONE, revision_id)
    if row is None:
        raise NoSuchRevision
    return row_of(row)


async def read_of_code(code: str) -> list[Row]:
    """Return all revisions of one matter, the first first.

    Raises:
        DatabaseUnavailable: the database could not be reached.
    """
    return [row_of(row) for row in await fetch(_OF, code)]


async def read_codes() -> list[str]:
    """Return the codes of all matters that ever had a revision.

    Raises:
        DatabaseUnavailable: the database could not be reached.
    """
    return [str(row["code"]) for row in await fetch(_CODES)]


async def list_rows(*, state: str, department: str, after: UUID, limit: int) -> list[Row]:
    """Return revisions by id, those after one; an empty state or department stands for all.

    Raises:
        DatabaseUnavailable: the database could not be reached.
    """
    return [row_of(row) for row in await fetch(_LIST, state, department, after, limit)]


async def list_operations(*, before: tuple[datetime, UUID], limit: int) -> list[OperationLine]:
    """Return what was done to the list, newest first, what was done before a place.

    Raises:
        DatabaseUnavailable: the database could not be reached.
    """
    return [
        OperationLine(
            id=as_uuid(row["id"]),
            kind=OperationKind(row["kind"]),
            department=row["department"],
            sources=tuple(as_json(row["sources"])),
            targets=tuple(as_json(row["targets"])),
            effective_at=as_moment(row["effective_at"]),
            reason=row["reason"],
            approved_by=row["approved_by"],
            created_at=as_moment(row["created_at"]),
        )
        for row in await fetch(_OPERATIONS, *before, limit)
    ]


async def read_done() -> Sequence[tuple[str, OperationKind]]:
    """Return what was done to which department's part of the list, each operation once.

    Raises:
        DatabaseUnavailable: the database could not be reached.
    """
    return [(str(row["department"]), OperationKind(row["kind"])) for row in await fetch(_BY_KIND)]


def _moment(value: object) -> datetime | None:
    return None if value is None else as_moment(value)
