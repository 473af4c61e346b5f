"""The sealer: gives unlinked lines their place in the chain and signs its head.

One sealer at a time: on PostgreSQL an advisory lock inside the transaction sees to it, on SQLite there is one process.
A chain head locked in every transaction was measured to halve throughput (docs/decisions/0009).
"""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from core.audit.chain import GENESIS, link
from core.clock import Clock
from core.crypto import KeyRing
from core.db import as_json, as_moment, as_uuid, fetch, fetch_one, is_postgres, transaction
from core.metrics import AUDIT_UNSEALED

_LOCK = 0x7A686A_01  # Any constant that only the sealer uses.
# A transaction lasts seconds at most, so a line cannot turn up later than this behind the head.
LATEST: Final = timedelta(minutes=10)
_LAST = """
SELECT l.seq, l.hash, a.at FROM audit_link l LEFT JOIN audit_line a ON a.id = l.line_id ORDER BY l.seq DESC LIMIT 1
"""
_UNLINKED = """
SELECT a.* FROM audit_line a LEFT JOIN audit_link l ON l.line_id = a.id
WHERE a.at > $1 AND l.line_id IS NULL ORDER BY a.at, a.id LIMIT $2
"""


def plain_line(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row of `audit_line` in the words of the chain, the same from both databases."""
    return {
        **row,
        "id": str(as_uuid(row["id"])),
        "at": as_moment(row["at"]).isoformat(timespec="microseconds"),
        "subject_id": None if row["subject_id"] is None else str(as_uuid(row["subject_id"])),
        "on_behalf_of": None if row["on_behalf_of"] is None else str(as_uuid(row["on_behalf_of"])),
        "field_names": as_json(row["field_names"]),
    }


class Sealer:
    """Links what is unlinked; called once a second by the timetable."""

    def __init__(self, *, ring: KeyRing, clock: Clock) -> None:
        self._ring = ring
        self._clock = clock

    async def seal_all(self, *, at_most: int = 200, batches: int = 50) -> int:
        """Seal batch after batch until nothing is left, at the most so many batches; return how many were linked.

        A backlog is caught up in seconds, while every batch stays a short transaction of its own.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        linked = 0
        for _ in range(batches):
            batch = await self.seal(at_most=at_most)
            linked += batch
            if batch < at_most:
                break
        return linked

    async def seal(self, *, at_most: int = 200) -> int:
        """Link up to `at_most` lines, sign the new head, and return how many were linked.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """

        async def work() -> int:
            if is_postgres():
                got = await fetch_one("SELECT pg_try_advisory_xact_lock($1) AS got", _LOCK)
                if not got or not got["got"]:
                    return 0
            last = await fetch_one(_LAST)
            seq, previous = (int(last["seq"]), str(last["hash"])) if last else (0, GENESIS)
            # Counted from the newest line that is linked, not from the clock: a long backlog keeps its place.
            since = as_moment(last["at"]) - LATEST if last and last["at"] else datetime.min.replace(tzinfo=UTC)
            rows = await fetch(_UNLINKED, since, at_most)
            if not rows:
                return 0
            now = self._clock.now()
            for row in rows:
                seq += 1
                previous = link(previous, seq, plain_line(row))
                await fetch(
                    "INSERT INTO audit_link (seq, line_id, hash, sealed_at) VALUES ($1, $2, $3, $4) RETURNING seq",
                    seq,
                    row["id"],
                    previous,
                    now,
                )
            signature = self._ring.audit.sign(f"{seq}|{previous}".encode()).hex()
            await fetch(
                "INSERT INTO audit_head (seq, hash, signature, at) VALUES ($1, $2, $3, $4) RETURNING seq",
                seq,
                previous,
                signature,
                now,
            )
            return len(rows)

        linked = await transaction(work)
        AUDIT_UNSEALED.set(0 if linked < at_most else at_most)
        return linked
