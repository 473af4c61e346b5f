"""What keeping time has left about a case, for whoever it is about: their export holds it all."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from core.crypto import Vault
from core.db import as_moment, as_uuid, fetch
from matters.extensions.extensions import NOTE as EXTENSION_NOTE
from matters.supervision.orders import ANSWER, INSTRUCTION
from matters.supervision.records import NOTE as RECORD_NOTE

_EXTENSIONS: Final = """
SELECT id, days, reason, state, requested_at, decided_at, note_sealed FROM extension_request WHERE application_id = $1
ORDER BY requested_at
"""
_CARDS: Final = """
SELECT deadline, colour, state, due_at, issued_at, closed_at FROM supervision_card WHERE application_id = $1
ORDER BY issued_at
"""
_ORDERS: Final = """
SELECT id, level, state, reason, issued_at, answered_at, instruction_sealed, answer_sealed FROM supervision_order
WHERE application_id = $1 ORDER BY issued_at
"""
_RECORDS: Final = """
SELECT id, deadline, ground, state, due_at, created_at, note_sealed FROM accountability_record WHERE application_id = $1
ORDER BY created_at
"""
_MARKS: Final = {
    "extensions": {"note_sealed": EXTENSION_NOTE},
    "deadline_cards": {},
    "supervision": {"instruction_sealed": INSTRUCTION, "answer_sealed": ANSWER},
    "accountability": {"note_sealed": RECORD_NOTE},
}
_ALL: Final = {
    "extensions": _EXTENSIONS,
    "deadline_cards": _CARDS,
    "supervision": _ORDERS,
    "accountability": _RECORDS,
}


async def time_kept(vault: Vault, application_id: UUID) -> dict[str, list[dict[str, Any]]]:
    """Return extensions, cards, orders and records of a case with what was written.

    Raises:
        DatabaseUnavailable: the database could not be reached.
        RecordUnreadable: a text does not open.
    """
    return {
        name: [_opened(vault, row, _MARKS[name]) for row in await fetch(sql, application_id)]
        for name, sql in _ALL.items()
    }


def _opened(vault: Vault, row: Mapping[str, Any], marks: Mapping[str, str]) -> dict[str, Any]:
    told: dict[str, Any] = {}
    for name, value in row.items():
        if name in marks:
            told[name.removesuffix("_sealed")] = (
                "" if value is None else vault.open(marks[name], as_uuid(row["id"]), value)
            )
        elif name.endswith("_at"):
            told[name] = None if value is None else as_moment(value).isoformat()
        elif name != "id":
            told[name] = value
    return told
