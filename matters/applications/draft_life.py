"""Drafts that nobody goes on with: their owner is told in time, and then they are forgotten."""

from datetime import timedelta
from typing import Final

from core.audit.actors import SYSTEM
from core.audit.record import Audit
from core.clock import Clock
from core.db import as_uuid, execute, fetch, transaction
from core.jobs.queue import Jobs
from matters.applications.forgetting import forget_parts
from matters.catalogue.catalogue import Catalogue
from matters.catalogue.types import Matter
from matters.errors import MatterUnknown
from matters.settings import MatterSettings

_AT_ONCE: Final = 200
_DUE: Final = """
SELECT id, citizen_id, matter_code FROM application
WHERE state = 'draft' AND reminded_at IS NULL AND expires_at <= $1 AND expires_at > $2 ORDER BY expires_at LIMIT $3
"""
# Somebody may go on with it at this moment: then it is due no more.
_REMIND: Final = """
UPDATE application SET reminded_at = $2 WHERE id = $1 AND state = 'draft' AND reminded_at IS NULL AND expires_at <= $3
"""
_EXPIRED: Final = """
SELECT id, citizen_id, matter_code FROM application WHERE state = 'draft' AND expires_at <= $1
ORDER BY expires_at LIMIT $2
"""
_FORGET: Final = "DELETE FROM application WHERE id = $1 AND state = 'draft' AND expires_at <= $2 RETURNING id"


class DraftLife:
    """Looks after drafts by the clock."""

    def __init__(
        self, *, catalogue: Catalogue, audit: Audit, jobs: Jobs, clock: Clock, settings: MatterSettings
    ) -> None:
        self._catalogue = catalogue
        self._audit = audit
        self._jobs = jobs
        self._clock = clock
        self._settings = settings

    async def look(self) -> None:
        """Tell owners of drafts that run out soon, and forget those that have.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        await self.remind()
        await self.forget()

    async def remind(self) -> int:
        """Tell each owner once of a draft that runs out soon; return how many were told.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        now = self._clock.now()
        soon = now + timedelta(days=self._settings.draft_notice_days)
        told = 0
        for row in await fetch(_DUE, soon, now, _AT_ONCE):

            async def work(row: dict[str, object] = row) -> bool:
                if await execute(_REMIND, row["id"], now, soon) != 1:
                    return False
                await self._tell(row, event="matters.draft-expiring")
                return True

            told += await transaction(work)
        return told

    async def forget(self) -> int:
        """Forget drafts that have run out, with their files; return how many those were.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        now = self._clock.now()
        gone = 0
        for row in await fetch(_EXPIRED, now, _AT_ONCE):

            async def work(row: dict[str, object] = row) -> bool:
                application_id = as_uuid(row["id"])
                if not await fetch(_FORGET, application_id, now):
                    return False
                await forget_parts(application_id, self._jobs)
                await self._audit.record(
                    "matters.draft-expired",
                    actor=SYSTEM,
                    subject_id=as_uuid(row["citizen_id"]),
                    object_kind="application",
                    object_id=application_id,
                )
                await self._tell(row, event="matters.draft-expired")
                return True

            gone += await transaction(work)
        return gone

    async def _tell(self, row: dict[str, object], *, event: str) -> None:
        matter = self._matter(str(row["matter_code"]))
        if matter is None:
            return
        await self._jobs.enqueue(
            "notices.tell",
            event=event,
            citizen_id=as_uuid(row["citizen_id"]),
            object_id=as_uuid(row["id"]),
            matter=matter.title.zh,
            matter_en=matter.title.en,
            days=str(self._settings.draft_notice_days),
        )

    def _matter(self, code: str) -> Matter | None:
        try:
            return self._catalogue.find(code).matter
        except MatterUnknown:  # It is offered no more.
            return None
