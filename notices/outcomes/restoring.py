"""After a restore: whom somebody may have told since the backup is not told again but in the inbox."""

from typing import Final
from uuid import UUID

from core.clock import Clock
from core.db import execute, require_transaction
from core.jobs.restoring import change_payload, jobs_due
from notices.deliveries import SEND
from notices.telling import MAY_BE_TOLD, TELL

# Taken for handed over: if no report comes, operators see it as they see every other of which nothing was heard.
_MAY_HAVE_GONE: Final = """
UPDATE notice_delivery SET state = 'sent', reason = 'restored', sent_at = $2
WHERE id = $1 AND state IN ('created', 'sending', 'temporary-failure')
"""


class RestoredNotices:
    """The notices of a database that was restored."""

    def __init__(self, *, clock: Clock) -> None:
        self._clock = clock

    async def mark(self) -> int:
        """Mark every notice that may have gone out since the backup, and return how many those are.

        They are in the inbox, or will be; no channel brings them again.

        Raises:
            OutsideTransaction: no transaction is running.
            DatabaseUnavailable: the database could not be reached.
        """
        require_transaction()
        now, marked = self._clock.now(), 0
        for _, payload in await jobs_due(SEND, now):
            marked += await execute(_MAY_HAVE_GONE, UUID(payload["delivery_id"]), now)
        promised = await jobs_due(TELL, now)
        for job_id, payload in promised:
            await change_payload(job_id, {**payload, MAY_BE_TOLD: "yes"})
        return marked + len(promised)
