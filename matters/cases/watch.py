"""Deliveries that have not come to their end, for figures: what waits, what may be lost, what waits for a person."""

from datetime import datetime
from typing import Final

from core.db import as_moment, fetch
from core.metrics import DELIVERIES, DELIVERY_OLDEST
from matters.types import DeliveryState

_OPEN: Final = """
SELECT state, count(*) AS n, min(created_at) AS earliest FROM delivery
WHERE state IN ('pending', 'sent', 'unknown', 'held') GROUP BY state
"""
_STATES: Final = (DeliveryState.PENDING, DeliveryState.SENT, DeliveryState.UNKNOWN, DeliveryState.HELD)


async def look_at_deliveries(now: datetime) -> None:
    """Note in the figures how many deliveries are open by state, and for how long the oldest of each.

    Raises:
        DatabaseUnavailable: the database could not be reached.
    """
    rows = {str(row["state"]): row for row in await fetch(_OPEN)}
    for state in _STATES:
        row = rows.get(state.value)
        age = (now - as_moment(row["earliest"])).total_seconds() if row else 0.0
        DELIVERIES.labels(state.value).set(int(row["n"]) if row else 0)
        DELIVERY_OLDEST.labels(state.value).set(max(0.0, age))
