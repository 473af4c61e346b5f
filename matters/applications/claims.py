"""Taking a dossier up: it is marked as on its way, sent to whoever handles it, and told to the ledger, in one step."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from core.clock import Clock
from core.db import execute, fetch_one, transaction
from core.pii import IdNumber
from matters.applications.records import Record
from matters.catalogue.types import Published
from matters.routing.routing import Routing
from matters.types import DeliveryState

_DELIVERY: Final = "SELECT state, sent_at FROM delivery WHERE application_id = $1"
_CLAIM: Final = """
UPDATE delivery SET state = 'sent', sent_at = $3 WHERE application_id = $1 AND state = $2 AND department = $4
"""
_AREA: Final = 6


@dataclass(frozen=True, slots=True)
class Claimed:
    """A dossier about to be sent. `before`: how the delivery stood; `sent` means that it may have arrived already."""

    before: DeliveryState


class Claims:
    """Takes dossiers up for delivery."""

    def __init__(self, *, routing: Routing, clock: Clock) -> None:
        self._routing = routing
        self._clock = clock

    async def take(
        self,
        record: Record,
        published: Published,
        *,
        number: IdNumber | None = None,
        disclosing: Callable[[], Awaitable[None]] | None = None,
    ) -> Claimed | None:
        """Mark the dossier as on its way, unless its case was moved; None where it is not to be sent.

        From here on a withdrawal comes too late.

        Before the first try the case is routed, by the form or by where the applicant's number was given, and
        `disclosing` tells the ledger: whatever comes of the call, and whoever hears of it first, what may have been
        seen stands there.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        area = number.reveal()[:_AREA] if number is not None else ""

        async def work() -> Claimed | None:
            row = await fetch_one(_DELIVERY, record.id)
            before = DeliveryState(row["state"]) if row else DeliveryState.CANCELLED
            if row is None or before not in {DeliveryState.PENDING, DeliveryState.SENT}:
                return None
            if not await execute(_CLAIM, record.id, before.value, self._clock.now(), record.department):
                return None
            if row["sent_at"] is None:
                await self._routing.send(record.id, published, record.form, area, department=record.department)
                if disclosing is not None:
                    await disclosing()
            return Claimed(before)

        return await transaction(work)

    async def is_on_its_way(self, application_id: UUID) -> bool:
        """Tell whether a dossier is still to be sent, or its answer still to come.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        row = await fetch_one(_DELIVERY, application_id)
        return row is not None and row["state"] in {DeliveryState.PENDING.value, DeliveryState.SENT.value}
