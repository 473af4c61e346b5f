"""The chain of audit lines: pure functions of values, so that a verifier needs no database."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final

GENESIS: Final = "0" * 64
_COLUMNS: Final = (
    "id", "at", "actor_kind", "actor_id", "subject_id", "on_behalf_of", "action", "purpose", "object_kind", "object_id",
    "field_names", "outcome", "request_id",
)  # fmt: skip


def canonical(line: Mapping[str, Any]) -> bytes:
    """Return the one byte form of a line: JSON with fixed keys in a fixed order, times in UTC with microseconds."""
    return json.dumps(
        [None if line[column] is None else line[column] for column in _COLUMNS],
        ensure_ascii=False,
        separators=(",", ":"),
    ).encode()


def link(previous: str, seq: int, line: Mapping[str, Any]) -> str:
    """Return the hash of a line at its place: SHA-256 over the previous hash, the place and the line."""
    return hashlib.sha256(previous.encode() + b"|" + str(seq).encode() + b"|" + canonical(line)).hexdigest()
