"""A certificate's history: a line for each change, written in its transaction, and the holder told of what matters."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from certificates.records import Record
from certificates.rules import code_of
from certificates.types import Change, Kind, Source, State
from core.clock import Clock
from core.db import as_moment, as_uuid, fetch, fetch_one, require_transaction
from core.ids import Ids
from core.jobs.queue import Jobs

_ADD: Final = """
INSERT INTO certificate_event (id, certificate_id, citizen_id, at, source, state_before, state, code, version, reason,
                               department, event_id)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT DO NOTHING RETURNING id
"""
_KNOWN: Final = "SELECT code, version FROM certificate_event WHERE department = $1 AND event_id = $2"
_OF: Final = """
SELECT id, at, source, state_before, state, code, version, reason FROM certificate_event
WHERE certificate_id = $1 AND citizen_id = $2 AND id > $3 ORDER BY id LIMIT $4
"""
# What the holder is told of; that a last day has come is the reminders' to say.
_TOLD: Final[Mapping[State, tuple[str, str]]] = {
    State.ACTIVE: ("恢复有效", "in force again"),
    State.FROZEN: ("已冻结", "frozen"),
    State.REVOKED: ("已撤销", "revoked"),
    State.CANCELLED: ("已注销", "cancelled"),
    State.MOVED: ("已转出", "moved away"),
}


class History:
    """Appends, and never changes. What was added by an issuer's own event id is added once."""

    def __init__(self, *, jobs: Jobs, clock: Clock, ids: Ids) -> None:
        self._jobs = jobs
        self._clock = clock
        self._ids = ids

    async def add(
        self,
        kind: Kind,
        now: Record,
        *,
        before: Record | None,
        source: Source,
        reason: str,
        code: str = "",
        event_id: str | None = None,
    ) -> None:
        """Write what has become of a certificate, in the running transaction; the holder is told of a new state.

        `code` is the issuer's own where it told one, `before` None for a new certificate.

        Raises:
            OutsideTransaction: no transaction is running.
            DatabaseUnavailable: the database could not be reached.
        """
        require_transaction()
        state, earlier = now.content.state, None if before is None else before.content.state
        await fetch(
            _ADD,
            self._ids.uuid(),
            now.id,
            now.citizen_id,
            self._clock.now(),
            source.value,
            "" if earlier is None else earlier.value,
            state.value,
            code or code_of(state),
            now.content.version,
            reason,
            kind.issuer,
            event_id,
        )
        if earlier is not None and earlier is not state and state in _TOLD:
            word, word_en = _TOLD[state]
            await self._jobs.enqueue(
                "notices.tell",
                event="certificates.state-changed",
                citizen_id=now.citizen_id,
                object_id=now.id,
                certificate=kind.title,
                certificate_en=kind.title_en,
                state=word,
                state_en=word_en,
            )

    async def find_told(self, department: str, event_id: str) -> tuple[str, int] | None:
        """Return code and version of what an issuer told under an event id of its own, or None.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        row = await fetch_one(_KNOWN, department, event_id)
        return None if row is None else (row["code"], int(row["version"]))

    async def list_of(self, certificate_id: UUID, citizen_id: UUID, *, after: UUID | None, limit: int) -> list[Change]:
        """Return what became of a certificate, oldest first; nothing of somebody else's.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        rows = await fetch(_OF, certificate_id, citizen_id, after or UUID(int=0), limit)
        return [_change(row) for row in rows]


def _change(row: Mapping[str, Any]) -> Change:
    return Change(
        id=as_uuid(row["id"]),
        at=as_moment(row["at"]),
        source=Source(row["source"]),
        state_before=State(row["state_before"]) if row["state_before"] else None,
        state=State(row["state"]),
        code=row["code"],
        version=int(row["version"]),
        reason=row["reason"],
    )
