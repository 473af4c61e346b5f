"""What is on its way to departments, for figures: what waits, what may be lost, what waits for a person."""

from datetime import datetime
from typing import Final

from core.db import as_moment, fetch
from core.metrics import DELIVERIES, DELIVERY_OLDEST

# What of a case goes out, and how it stands while that is not over. A dossier that is refused has its answer, unless
# the case was accepted meanwhile and goes on.
_OPEN: Final = """
SELECT 'dossier' AS what, state, count(*) AS n, min(created_at) AS earliest FROM delivery
WHERE state IN ('pending', 'sent', 'unknown', 'held') GROUP BY state
UNION ALL
SELECT 'dossier', 'refused', count(*), min(delivery.created_at) FROM delivery
JOIN application ON application.id = delivery.application_id
WHERE delivery.state = 'refused' AND application.state IN ('accepted', 'in_review', 'suspended') HAVING count(*) > 0
UNION ALL
SELECT 'branch', delivery, count(*), min(opened_at) FROM case_branch
WHERE state = 'pending' AND delivery IN ('pending', 'sent', 'unknown', 'refused') GROUP BY delivery
UNION ALL
SELECT 'letter', state, count(*), min(created_at) FROM letter
WHERE state IN ('pending', 'sent', 'unknown', 'refused') GROUP BY state
"""
_WAYS: Final = (
    *(("dossier", state) for state in ("pending", "sent", "unknown", "held", "refused")),
    *((what, state) for what in ("branch", "letter") for state in ("pending", "sent", "unknown", "refused")),
)


async def look_at_deliveries(now: datetime) -> None:
    """Note in the figures how many of each kind are open by state, and for how long the oldest of them.

    Raises:
        DatabaseUnavailable: the database could not be reached.
    """
    rows = {(str(row["what"]), str(row["state"])): row for row in await fetch(_OPEN)}
    for way in _WAYS:
        row = rows.get(way)
        age = (now - as_moment(row["earliest"])).total_seconds() if row else 0.0
        DELIVERIES.labels(*way).set(int(row["n"]) if row else 0)
        DELIVERY_OLDEST.labels(*way).set(max(0.0, age))
