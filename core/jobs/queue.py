"""Writing a job: `enqueue` puts a row into the running transaction; after the commit its id goes to the carrier."""

from collections.abc import Callable
from datetime import timedelta
from typing import Protocol
from uuid import UUID

from core.clock import Clock
from core.db import after_commit, later, require_transaction
from core.ids import Ids
from core.log import current_request_id

_INSERT = """
INSERT INTO job (id, name, payload, state, run_at, attempts, last_error, request_id, created_at)
VALUES ($1, $2, $3, 'ready', $4, 0, '', $5, $6) RETURNING id
"""


class Carrier(Protocol):
    """Takes a job's id to whoever works on it. The row is the truth; a lost id is found by the sweeper."""

    def offer(self, job_id: UUID) -> None:
        """Send the id on its way without waiting or failing."""
        ...


class Jobs:
    """The queue, as use cases see it."""

    def __init__(self, *, clock: Clock, ids: Ids, carrier: Carrier) -> None:
        self._clock = clock
        self._ids = ids
        self._carrier = carrier

    async def enqueue(self, name: str, *, after: timedelta = timedelta(), **payload: UUID | str) -> UUID:
        """Promise that the job `name` runs, at the earliest after a pause. `payload` holds ids, no personal data.

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
        )
        if not after:
            after_commit(self._offer(job_id))
        return job_id

    def _offer(self, job_id: UUID) -> Callable[[], None]:
        return lambda: self._carrier.offer(job_id)
