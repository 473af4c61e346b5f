"""What operators see of notices that reached nobody outside the inbox: how many, where, why, and no person."""

from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from core.clock import Clock
from core.db import as_moment, as_uuid, fetch
from core.metrics import NOTICES_UNDELIVERED
from notices.types import Undelivered, UndeliveredCount, Urgency

_LIST: Final = """
SELECT id, event, urgency, undelivered_channel, undelivered_reason, undelivered_at FROM notice
WHERE undelivered_at IS NOT NULL AND (undelivered_at < $1 OR (undelivered_at = $1 AND id < $2))
ORDER BY undelivered_at DESC, id DESC LIMIT $3
"""
_COUNTS: Final = """
SELECT undelivered_channel AS channel, undelivered_reason AS reason, count(*) AS n FROM notice
WHERE undelivered_at >= $1 GROUP BY undelivered_channel, undelivered_reason
ORDER BY undelivered_channel, undelivered_reason
"""
_AFTER_ALL: Final = (datetime(9999, 1, 1, tzinfo=UTC), UUID(int=0))
_DAY: Final = timedelta(days=1)


class UndeliveredNotices:
    """The digest for operators."""

    def __init__(self, *, clock: Clock) -> None:
        self._clock = clock

    async def list_undelivered(
        self, *, before: tuple[datetime, UUID] | None = None, limit: int = 20
    ) -> list[Undelivered]:
        """Return notices that reached nobody outside the inbox, newest first, those before one when given.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        return [
            Undelivered(
                id=as_uuid(row["id"]),
                event=row["event"],
                urgency=Urgency(row["urgency"]),
                channel=row["undelivered_channel"],
                reason=row["undelivered_reason"],
                at=as_moment(row["undelivered_at"]),
            )
            for row in await fetch(_LIST, *(before or _AFTER_ALL), limit)
        ]

    async def counts(self, within: timedelta = _DAY) -> list[UndeliveredCount]:
        """Return how many there were within a while, by channel and reason.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        rows = await fetch(_COUNTS, self._clock.now() - within)
        return [UndeliveredCount(row["channel"], row["reason"], int(row["n"])) for row in rows]

    async def show(self) -> None:
        """Show the last day's counts among the figures, where alarms look (the timetable calls this).

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        counts = await self.counts()
        NOTICES_UNDELIVERED.clear()
        for each in counts:
            NOTICES_UNDELIVERED.labels(each.channel or "none", each.reason).set(each.count)
