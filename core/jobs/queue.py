"""Writing a job: `enqueue` puts a row into the running transaction; after the commit its id goes to the carrier."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Protocol
from uuid import UUID

from core.clock import Clock
from core.db import after_commit, as_json, as_uuid, fetch, fetch_one, later, require_transaction
from core.ids import Ids
from core.log import current_request_id

_INSERT = """
INSERT INTO job (id, name, payload, state, run_at, attempts, last_error, request_id, created_at, lane)
VALUES ($1, $2, $3, 'ready', $4, 0, '', $5, $6, $7) RETURNING id
"""

_BURIED = "SELECT id, payload FROM job WHERE name = $1 AND state = 'buried' ORDER BY id LIMIT $2"
_DIG_UP = """
UPDATE job SET state = 'ready', run_at = $3, attempts = 0
WHERE state = 'buried' AND id IN (
  SELECT id FROM job WHERE name = $1 AND state = 'buried' AND CAST(payload AS TEXT) LIKE '%"' || $2 || '"%'
  ORDER BY id LIMIT 1)
RETURNING id, lane
"""


class Carrier(Protocol):
    """Takes a job's id to whoever works on it. The row is the truth; a lost id is found by the sweeper."""

    def offer(self, job_id: UUID, lane: str = "") -> None:
        """Send the id on its way, with the lane it waits in, without waiting or failing."""
        ...


class Jobs:
    """The queue, as use cases see it."""

    def __init__(self, *, clock: Clock, ids: Ids, carrier: Carrier) -> None:
        self._clock = clock
        self._ids = ids
        self._carrier = carrier

    async def enqueue(
        self, name: str, *, after: timedelta = timedelta(), lane: str = "", **payload: UUID | str
    ) -> UUID:
        """Promise that the job `name` runs, at the earliest after a pause. `payload` holds ids, no personal data.

        `lane` names the outside system the job waits for (at most 48 ASCII characters, no comma): one that is slow
        holds back the jobs of its own lane and no others.

        Raises:
            OutsideTransaction: no transaction is running.
        """
        require_transaction()
        job_id = self._ids.uuid()
        now = self._clock.now()
        await later(
            _INSERT,
            job_id,
            name,
            {key: str(value) for key, value in payload.items()},
            now + after,
            current_request_id(),
            now,
            lane,
        )
        if not after:
            after_commit(self._offer(job_id, lane))
        return job_id

    async def list_buried(self, name: str, *, at_most: int = 10_000) -> list[tuple[UUID, Mapping[str, str]]]:
        """Return the jobs of a name that were given up, with their payloads, the oldest first.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        return [(as_uuid(row["id"]), as_json(row["payload"])) for row in await fetch(_BURIED, name, at_most)]

    async def dig_up(self, name: str, about: UUID) -> bool:
        """Let the job of a name that was given up and whose payload has `about` run again; return whether there is one.

        Raises:
            OutsideTransaction: no transaction is running.
        """
        require_transaction()
        dug = await fetch_one(_DIG_UP, name, str(about), self._clock.now())
        if dug is None:
            return False
        after_commit(self._offer(as_uuid(dug["id"]), str(dug["lane"])))
        return True

    def _offer(self, job_id: UUID, lane: str) -> Callable[[], None]:
        return lambda: self._carrier.offer(job_id, lane)
