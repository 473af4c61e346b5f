"""Reading lines of the audit by who, what and when, each with whether the chain still holds it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ed25519

from core.audit.chain import GENESIS, link
from core.audit.seal import plain_line
from core.audit.watch import look_at_tail
from core.db import as_json, as_moment, as_uuid, fetch, fetch_one


class Hold(StrEnum):
    """How a line stands in the chain."""

    SEALED = "sealed"
    UNSEALED = "unsealed"
    BROKEN = "broken"  # What stands there is not what was sealed.


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the audit; `seq` is its place in the chain, None while it has none."""

    id: UUID
    at: datetime
    actor_kind: str
    actor_id: str
    subject_id: UUID | None
    on_behalf_of: UUID | None
    action: str
    purpose: str
    object_kind: str
    object_id: str
    field_names: tuple[str, ...]
    outcome: str
    request_id: str
    seq: int | None
    hold: Hold


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which lines: from `since` until before `until`; empty words and None stand for all."""

    since: datetime
    until: datetime
    actor_id: str = ""
    actor_kind: str = ""
    action: str = ""
    outcome: str = ""
    subject_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class ChainState:
    """How the chain stands: what the newest signed head covers, and for how long the oldest line after it waits."""

    seq: int
    hash: str
    at: datetime | None
    is_signed: bool
    unsealed_seconds: float


# One statement for each way in, so that each has its index: the rest is looked at line by line.
_READ: Final = """
SELECT a.*, l.seq AS link_seq, l.hash AS link_hash, p.hash AS previous_hash
FROM audit_line a LEFT JOIN audit_link l ON l.line_id = a.id LEFT JOIN audit_link p ON p.seq = l.seq - 1
WHERE a.at >= $1 AND a.at < $2 AND (a.at < $3 OR (a.at = $3 AND a.id < $4))
      AND ($5 = '' OR a.action = $5) AND ($6 = '' OR a.outcome = $6) AND ($7 = '' OR a.actor_kind = $7)
"""
_LAST: Final = " ORDER BY a.at DESC, a.id DESC LIMIT $8"
_BY_TIME: Final = _READ + _LAST
_BY_SUBJECT: Final = _READ + " AND a.subject_id = $9" + _LAST
# What one resident did is about that resident: it is asked for by the person, and never by the actor alone.
_BY_ACTOR: Final = _READ + " AND a.actor_kind <> 'citizen' AND a.actor_id = $9" + _LAST
_BY_OPERATOR: Final = _READ + " AND a.actor_kind = 'operator' AND a.actor_id = $9" + _LAST
_BY_BOTH: Final = _READ + " AND a.subject_id = $9 AND a.actor_id = $10" + _LAST
_HEAD: Final = "SELECT seq, hash, signature, at FROM audit_head ORDER BY seq DESC LIMIT 1"


async def read_lines(wanted: Wanted, *, before: tuple[datetime, UUID], limit: int) -> list[Line]:
    """Return the newest lines that are wanted, at most `limit`, those before a place.

    Raises:
        DatabaseUnavailable: the database could not be reached.
    """
    kind = wanted.actor_kind
    values = (wanted.since, wanted.until, *before, wanted.action, wanted.outcome, kind, limit)
    if wanted.subject_id is not None:
        own = (wanted.subject_id, wanted.actor_id) if wanted.actor_id else (wanted.subject_id,)
        rows = await fetch(_BY_BOTH if wanted.actor_id else _BY_SUBJECT, *values, *own)
    elif wanted.actor_id:
        rows = await fetch(_BY_OPERATOR if kind == "operator" else _BY_ACTOR, *values, wanted.actor_id)
    else:
        rows = await fetch(_BY_TIME, *values)
    return [_line(row) for row in rows]


async def chain_state(key: ed25519.Ed25519PublicKey, now: datetime) -> ChainState:
    """Return how the newest signed head stands; the whole chain is verified by a command (`scripts.verify_audit`).

    Raises:
        DatabaseUnavailable: the database could not be reached.
    """
    waiting = await look_at_tail(now)
    head = await fetch_one(_HEAD)
    if head is None:
        return ChainState(0, GENESIS, None, is_signed=True, unsealed_seconds=waiting)
    return ChainState(
        seq=int(head["seq"]),
        hash=head["hash"],
        at=as_moment(head["at"]),
        is_signed=_is_signed(key, int(head["seq"]), head["hash"], head["signature"]),
        unsealed_seconds=waiting,
    )


def _is_signed(key: ed25519.Ed25519PublicKey, seq: int, claimed: str, signature: str) -> bool:
    try:
        key.verify(bytes.fromhex(signature), f"{seq}|{claimed}".encode())
    except (InvalidSignature, ValueError):
        return False
    return True


def _line(row: Mapping[str, Any]) -> Line:
    place = None if row["link_seq"] is None else int(row["link_seq"])
    return Line(
        id=as_uuid(row["id"]),
        at=as_moment(row["at"]),
        actor_kind=row["actor_kind"],
        actor_id=row["actor_id"],
        subject_id=None if row["subject_id"] is None else as_uuid(row["subject_id"]),
        on_behalf_of=None if row["on_behalf_of"] is None else as_uuid(row["on_behalf_of"]),
        action=row["action"],
        purpose=row["purpose"],
        object_kind=row["object_kind"],
        object_id=row["object_id"],
        field_names=tuple(as_json(row["field_names"])),
        outcome=row["outcome"],
        request_id=row["request_id"],
        seq=place,
        hold=_hold(row, place),
    )


def _hold(row: Mapping[str, Any], place: int | None) -> Hold:
    if place is None:
        return Hold.UNSEALED
    previous = GENESIS if place == 1 else row["previous_hash"]
    if previous is None or link(previous, place, plain_line(dict(row))) != row["link_hash"]:
        return Hold.BROKEN
    return Hold.SEALED
