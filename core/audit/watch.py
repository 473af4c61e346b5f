"""How old the tail of the audit is that no seal covers yet: it proves nothing until then."""

from datetime import UTC, datetime, timedelta
from typing import Final

from core.db import as_moment, fetch_one
from core.metrics import AUDIT_TAIL

_LAST: Final = """
SELECT a.at FROM audit_link l JOIN audit_line a ON a.id = l.line_id ORDER BY l.seq DESC LIMIT 1
"""
_TAIL: Final = """
SELECT min(a.at) AS earliest FROM audit_line a LEFT JOIN audit_link l ON l.line_id = a.id
WHERE a.at > $1 AND l.line_id IS NULL
"""
# The sealer's own window: a line cannot turn up later than this behind the head (`core/audit/seal.py`).
_LATEST: Final = timedelta(minutes=10)


async def look_at_tail(now: datetime) -> float:
    """Return for how many seconds the oldest line without a seal has been waiting, and note it in the figures.

    Raises:
        DatabaseUnavailable: the database could not be reached.
    """
    last = await fetch_one(_LAST)
    since = as_moment(last["at"]) - _LATEST if last else datetime.min.replace(tzinfo=UTC)
    row = await fetch_one(_TAIL, since)
    earliest = row["earliest"] if row else None
    seconds = max(0.0, (now - as_moment(earliest)).total_seconds()) if earliest else 0.0
    AUDIT_TAIL.set(seconds)
    return seconds
