"""What operators see of jobs, and the one thing they do with buried ones: send them again."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from core.audit.actors import Actor
from core.audit.record import Audit
from core.db import as_moment, as_uuid, fetch, fetch_one, transaction
from core.jobs.queue import Carrier
from core.jobs.runner import JobRunner

_BURIED = """
SELECT id, name, attempts, last_error, created_at FROM job WHERE state = 'buried' AND id > $1 ORDER BY id LIMIT $2
"""
_LANE = "SELECT lane FROM job WHERE id = $1"
_FIRST = UUID(int=0)


@dataclass(frozen=True, slots=True)
class BuriedJob:
    """A job that was given up. `last_error` is a code or the name of an exception, never its text."""

    id: UUID
    name: str
    attempts: int
    last_error: str
    created_at: datetime


class JobDesk:
    """Buried jobs, for operators."""

    def __init__(self, *, runner: JobRunner, carrier: Carrier, audit: Audit) -> None:
        self._runner = runner
        self._carrier = carrier
        self._audit = audit

    async def list_buried(self, *, after: UUID | None, limit: int) -> list[BuriedJob]:
        """Return buried jobs, the oldest first, those after one when it is given.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        rows = await fetch(_BURIED, after or _FIRST, limit)
        return [
            BuriedJob(
                id=as_uuid(row["id"]),
                name=row["name"],
                attempts=int(row["attempts"]),
                last_error=row["last_error"],
                created_at=as_moment(row["created_at"]),
            )
            for row in rows
        ]

    async def resend(self, actor: Actor, job_id: UUID) -> bool:
        """Dig a buried job up and send it on its way; return whether there was one. Written into the audit.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """

        async def work() -> dict[str, Any] | None:
            if not await self._runner.resend(job_id):
                return None
            await self._audit.record("core.job-resent", actor=actor, object_kind="job", object_id=job_id)
            return await fetch_one(_LANE, job_id)

        resent = await transaction(work)
        if resent is not None:
            self._carrier.offer(job_id, str(resent["lane"]))
        return resent is not None
