"""Reports of channels: what arrived, what did not, and what nothing was heard of any more."""

from datetime import timedelta
from functools import partial
from typing import Final
from uuid import UUID

from core.clock import Clock
from core.db import as_uuid, execute, fetch, fetch_one, transaction
from core.jobs.queue import Jobs
from core.jobs.runner import Change
from notices.deliveries import Deliveries
from notices.settings import NoticeSettings
from notices.types import Channel, Reason

_BY_NUMBER: Final = "SELECT id FROM notice_delivery WHERE channel = $1 AND number = $2 AND number <> ''"
# A report may be here before our own call has returned.
_ARRIVED: Final = """
UPDATE notice_delivery SET state = 'delivered', reason = '', settled_at = $2
WHERE id = $1 AND (state IN ('sending', 'sent') OR (state = 'temporary-failure' AND reason = 'no-report'))
"""
_SILENT: Final = """
SELECT id FROM notice_delivery WHERE state = 'sent' AND channel = 'sms' AND sent_at < $1 ORDER BY sent_at LIMIT 500
"""
# WeChat tells by its own number, which stands here once our call has returned.
_A_WHILE: Final = timedelta(seconds=5)


class Reports:
    """Takes reports in, in any order and however often they come. What failed is told another way."""

    def __init__(self, *, deliveries: Deliveries, jobs: Jobs, clock: Clock, settings: NoticeSettings) -> None:
        self._deliveries = deliveries
        self._jobs = jobs
        self._clock = clock
        self._silence = timedelta(hours=settings.report_hours)

    async def hear(self, delivery_id: UUID, reason: Reason | None) -> bool:
        """Take in what the provider of short messages reports: arrived, or why not; return whether it changed anything.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        return await transaction(lambda: self._settle(delivery_id, reason))

    async def promise(self, number: str, reason: Reason | None) -> None:
        """Promise to follow what WeChat tells of a message that was sent.

        Raises:
            OutsideTransaction: no transaction is running.
        """
        await self._jobs.enqueue(
            "notices.settle", after=_A_WHILE, number=number, reason="" if reason is None else reason.value
        )

    async def settle(self, number: str, reason: str) -> Change:
        """Give the change that follows what WeChat told of a message (job `notices.settle`)."""

        async def write() -> None:
            row = await fetch_one(_BY_NUMBER, Channel.WECHAT.value, number)
            if row is not None:
                await self._settle(as_uuid(row["id"]), Reason(reason) if reason else None)

        return write

    async def _settle(self, delivery_id: UUID, reason: Reason | None) -> bool:
        if reason is None:
            return await execute(_ARRIVED, delivery_id, self._clock.now()) == 1
        return await self._deliveries.fail(delivery_id, reason)

    async def close_silent(self) -> int:
        """Close short messages of which no report came in time, and return how many there were.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        closed = 0
        for row in await fetch(_SILENT, self._clock.now() - self._silence):
            delivery_id = as_uuid(row["id"])
            closed += await transaction(partial(self._deliveries.give_up, delivery_id))
        return closed
