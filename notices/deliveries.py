"""A notice on its ways out: opened one after the other, or all at once, until one of them does or all have failed."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

from core.clock import Clock
from core.db import Row, as_json, as_uuid, execute, fetch, fetch_one, require_transaction
from core.ids import Ids
from core.jobs.queue import Jobs
from core.log import get_logger
from notices.rules import is_spread
from notices.types import Channel, DeliveryState, Reason, Urgency

log = get_logger(__name__)

SEND: Final = "notices.send"

_OPEN: Final = """
INSERT INTO notice_delivery (id, notice_id, channel, place, state, attempts, reason, number, created_at)
VALUES ($1, $2, $3, $4, 'created', 0, '', '', $5) ON CONFLICT (notice_id, channel) DO NOTHING RETURNING id
"""
_FAIL: Final = """
UPDATE notice_delivery SET state = 'permanent-failure', reason = $2, settled_at = $3
WHERE id = $1 AND state IN ('created', 'sending', 'temporary-failure', 'sent') RETURNING notice_id, channel, place
"""
_GIVE_UP: Final = """
UPDATE notice_delivery SET state = 'temporary-failure', reason = $2, settled_at = $3
WHERE id = $1 AND state = 'sent' RETURNING notice_id, channel, place
"""
# The update takes the notice's lock: of two ways that fail at once, the second sees the first.
_COUNT: Final = """
UPDATE notice SET failures = failures + 1 WHERE id = $1 RETURNING channels, failures, urgency
"""
_UNDELIVERED: Final = """
UPDATE notice SET undelivered_at = $2, undelivered_channel = $3, undelivered_reason = $4 WHERE id = $1
"""


class Deliveries:
    """Opens ways out and closes those that came to nothing; every change is one of the running transaction."""

    def __init__(self, *, jobs: Jobs, clock: Clock, ids: Ids) -> None:
        self._jobs = jobs
        self._clock = clock
        self._ids = ids

    async def begin(self, notice_id: UUID, channels: Sequence[Channel], urgency: Urgency) -> None:
        """Open the first way out of a notice, or all of them when it is urgent.

        Raises:
            OutsideTransaction: no transaction is running.
        """
        for place in range(len(channels) if is_spread(urgency) else min(1, len(channels))):
            await self._open(notice_id, channels[place], place)

    async def again(self, delivery_id: UUID, after: timedelta) -> None:
        """Try a delivery once more after a while.

        Raises:
            OutsideTransaction: no transaction is running.
        """
        await self._jobs.enqueue(SEND, after=after, delivery_id=delivery_id)

    async def fail(self, delivery_id: UUID, reason: Reason) -> bool:
        """Close a delivery that came to nothing and open the next way; return whether it was open.

        Raises:
            OutsideTransaction: no transaction is running.
        """
        require_transaction()
        row = await fetch_one(_FAIL, delivery_id, reason.value, self._clock.now())
        if row is not None:
            await self._go_on(as_uuid(row["notice_id"]), Channel(row["channel"]), int(row["place"]), reason)
        return row is not None

    async def give_up(self, delivery_id: UUID) -> bool:
        """Close a delivery of which nothing was heard any more; it may have arrived, so no other way is opened.

        Raises:
            OutsideTransaction: no transaction is running.
        """
        require_transaction()
        row = await fetch_one(_GIVE_UP, delivery_id, Reason.NO_REPORT.value, self._clock.now())
        if row is not None:
            await self._count(as_uuid(row["notice_id"]), Channel(row["channel"]), Reason.NO_REPORT)
        return row is not None

    async def mark_unreachable(self, notice_id: UUID) -> None:
        """Note that somebody should have been told outside the inbox and nobody knows how.

        Raises:
            OutsideTransaction: no transaction is running.
        """
        require_transaction()
        await execute(_UNDELIVERED, notice_id, self._clock.now(), "", Reason.NO_CHANNEL.value)

    async def _go_on(self, notice_id: UUID, channel: Channel, place: int, reason: Reason) -> None:
        row = await self._count(notice_id, channel, reason)
        channels = [Channel(each) for each in as_json(row["channels"])]
        if place + 1 < len(channels) and not is_spread(Urgency(row["urgency"])):
            await self._open(notice_id, channels[place + 1], place + 1)

    async def _count(self, notice_id: UUID, channel: Channel, reason: Reason) -> Row:
        [row] = await fetch(_COUNT, notice_id)
        # That nobody wants to hear at once of what hardly matters is no operator's concern.
        matters = Urgency(row["urgency"]) is not Urgency.LOW
        if matters and int(row["failures"]) >= len(as_json(row["channels"])):
            await execute(_UNDELIVERED, notice_id, self._clock.now(), channel.value, reason.value)
            log.warning("a notice reached nobody outside the inbox", kind=channel.value, reason=reason.value)
        return row

    async def _open(self, notice_id: UUID, channel: Channel, place: int) -> None:
        delivery_id = self._ids.uuid()
        opened = await fetch(_OPEN, delivery_id, notice_id, channel.value, place, self._clock.now())
        if opened:
            await self._jobs.enqueue(SEND, delivery_id=delivery_id)


# Once here, a channel has the notice; nothing goes back from `delivered`.
STILL_OPEN: Final = frozenset({DeliveryState.CREATED, DeliveryState.SENDING, DeliveryState.TEMPORARY_FAILURE})
