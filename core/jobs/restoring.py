"""After a restore: jobs that were due when the backup was made may have been done since, and nobody here knows."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final
from uuid import UUID

from core.db import as_json, as_uuid, execute, fetch, require_transaction

# What is due later cannot have been done: nobody was to touch it before.
_DUE: Final = """
SELECT id, payload FROM job WHERE name = $1 AND state IN ('ready', 'running') AND run_at <= $2 ORDER BY id
"""
_CHANGE: Final = "UPDATE job SET payload = $2 WHERE id = $1"


async def jobs_due(name: str, now: datetime) -> list[tuple[UUID, Mapping[str, str]]]:
    """Return the jobs of a name that may have been done since the backup: their ids and payloads, oldest first.

    Raises:
        DatabaseUnavailable: the database could not be reached.
    """
    return [(as_uuid(row["id"]), as_json(row["payload"])) for row in await fetch(_DUE, name, now)]


async def change_payload(job_id: UUID, payload: Mapping[str, str]) -> None:
    """Give a job another payload, in the running transaction.

    Raises:
        OutsideTransaction: no transaction is running.
        DatabaseUnavailable: the database could not be reached.
    """
    require_transaction()
    await execute(_CHANGE, job_id, dict(payload))
