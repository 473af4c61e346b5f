"""Taking up again what was given up while an outside system was away, once that system does its work again."""

from collections.abc import Collection
from functools import partial
from typing import Final

from core.clock import Clock
from core.db import after_commit, as_uuid, fetch, transaction
from core.jobs.queue import Carrier
from core.log import get_logger
from core.metrics import JOBS

log = get_logger(__name__)

# A lane in which anything is being tried again has trouble now: nothing more is put into it.
_QUIET: Final = """
SELECT DISTINCT lane FROM job AS given_up
WHERE state = 'buried' AND lane <> '' AND last_error = $1 AND CAST($2 AS TEXT) LIKE '%,' || name || ',%'
  AND NOT EXISTS (
    SELECT 1 FROM job WHERE job.lane = given_up.lane
    AND ((job.state = 'ready' AND job.attempts > 0) OR (job.state = 'running' AND job.attempts > 1)))
ORDER BY lane
"""
_DIG_UP: Final = """
UPDATE job SET state = 'ready', run_at = $5, attempts = attempts - 1
WHERE state = 'buried' AND id IN (
  SELECT id FROM job
  WHERE state = 'buried' AND lane = $3 AND last_error = $1 AND CAST($2 AS TEXT) LIKE '%,' || name || ',%'
  ORDER BY run_at, id LIMIT $4)
RETURNING id, name
"""


class Reviving:
    """Digs up jobs that were buried for one reason, who waits longest first, a small lot of each lane at a time.

    Each gets one try: while a system is away its lot is what finds out; once that went through the next follows. What
    fails for a reason of its own is buried again at once, behind the others, where operators see it. `names` are jobs
    that may be run again at any time, because they see for themselves what may not be done twice.
    """

    def __init__(self, *, names: Collection[str], reason: str, carrier: Carrier, clock: Clock, lot: int = 10) -> None:
        """Build it; `reason` is the code of the problem they were given up for."""
        self._names = f",{','.join(sorted(names))},"
        self._reason = reason
        self._carrier = carrier
        self._clock = clock
        self._lot = lot

    async def look(self) -> int:
        """Dig up one lot in each lane where nothing is in trouble now; return how many jobs those are.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        found = 0
        for row in await fetch(_QUIET, self._reason, self._names):
            lane = str(row["lane"])
            dug = await transaction(lambda lane=lane: self._dig_up(lane))  # type: ignore[misc]
            if dug:
                log.warning("jobs that were given up are tried again", lane=lane, count=dug)
            found += dug
        return found

    async def _dig_up(self, lane: str) -> int:
        rows = await fetch(_DIG_UP, self._reason, self._names, lane, self._lot, self._clock.now())
        for row in rows:
            JOBS.labels(str(row["name"]), "dug-up").inc()
            after_commit(partial(self._carrier.offer, as_uuid(row["id"]), lane))
        return len(rows)
