"""Reading the lines that concern one person: who used my data."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from core.db import as_json, as_moment, as_uuid, fetch, fetch_one


@dataclass(frozen=True, slots=True)
class LedgerLine:
    """One use of somebody's data, or an attempt; names of fields, no values."""

    id: UUID
    at: datetime
    actor_kind: str
    actor_id: str
    action: str
    purpose: str
    object_kind: str
    object_id: str
    field_names: tuple[str, ...]
    outcome: str
    on_behalf_of: UUID | None = None


_PAGE = """
SELECT id, at, actor_kind, actor_id, action, purpose, object_kind, object_id, field_names, outcome, on_behalf_of
FROM audit_line WHERE subject_id = $1 AND (at < $2 OR (at = $2 AND id < $3)) ORDER BY at DESC, id DESC LIMIT $4
"""
_ONE = """
SELECT id, at, actor_kind, actor_id, action, purpose, object_kind, object_id, field_names, outcome, on_behalf_of
FROM audit_line WHERE id = $1 AND subject_id = $2
"""
_FIRST = """
SELECT id, at, actor_kind, actor_id, action, purpose, object_kind, object_id, field_names, outcome, on_behalf_of
FROM audit_line WHERE subject_id = $1 ORDER BY at DESC, id DESC LIMIT $2
"""


async def lines_of(subject_id: UUID, *, before: tuple[datetime, UUID] | None, limit: int) -> list[LedgerLine]:
    """Return the newest lines about a person, at most `limit`, those before a line when one is given.

    Raises:
        DatabaseUnavailable: the database could not be reached.
    """
    rows = await (fetch(_PAGE, subject_id, *before, limit) if before else fetch(_FIRST, subject_id, limit))
    return [_line(row) for row in rows]


async def find_line(subject_id: UUID, line_id: UUID) -> LedgerLine | None:
    """Return one line about a person, or None when there is none of this id.

    Raises:
        DatabaseUnavailable: the database could not be reached.
    """
    row = await fetch_one(_ONE, line_id, subject_id)
    return None if row is None else _line(row)


def _line(row: Mapping[str, Any]) -> LedgerLine:
    return LedgerLine(
        id=as_uuid(row["id"]),
        at=as_moment(row["at"]),
        actor_kind=row["actor_kind"],
        actor_id=row["actor_id"],
        action=row["action"],
        purpose=row["purpose"],
        object_kind=row["object_kind"],
        object_id=row["object_id"],
        field_names=tuple(as_json(row["field_names"])),
        outcome=row["outcome"],
        on_behalf_of=None if row["on_behalf_of"] is None else as_uuid(row["on_behalf_of"]),
    )
