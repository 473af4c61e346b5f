"""Ratings for others: as lines to be uploaded, in either direction of counting, and as rates with and without defaults.

Nothing in them is about a person: whose case it was and what was written stay here (rater's data goes to nobody).
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from auth.types import StaffScope
from core.db import as_json, as_moment, as_uuid, fetch
from matters.ratings.rules import rates_of
from matters.ratings.types import Dimension, Rates, RatingLine, RatingSource
from matters.reach import Condition
from matters.types import Satisfaction

_PAGE: Final = """
SELECT rating.id, rating.level, rating.source, rating.occasion, rating.reasons, rating.dimensions, rating.channel,
       rating.created_at, application.number, application.matter_code, application.department, application.limit_days,
       application.accepted_at
FROM rating JOIN application ON application.id = rating.application_id
WHERE rating.created_at >= $1 AND rating.created_at < $2
  AND (rating.created_at > $3 OR (rating.created_at = $3 AND rating.id > $4))
ORDER BY rating.created_at, rating.id LIMIT $5
"""
_COUNT: Final = """
SELECT application.matter_code, rating.level, rating.source, count(*) AS n
FROM rating JOIN application ON application.id = rating.application_id
WHERE {condition}
GROUP BY application.matter_code, rating.level, rating.source
"""
_FIRST: Final = UUID(int=0)


class RatingFigures:
    """Reads ratings for those who count and upload them."""

    async def page(
        self, *, since: datetime, until: datetime, after: tuple[datetime, UUID] | None, limit: int
    ) -> list[RatingLine]:
        """Return ratings of a time in the order they came, those after one when it is given.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        last_at, last_id = after or (since, _FIRST)
        return [_line(row) for row in await fetch(_PAGE, since, until, last_at, last_id, limit)]

    async def rates(
        self, *, since: datetime, until: datetime, scopes: Collection[StaffScope]
    ) -> tuple[Rates, Mapping[str, Rates]]:
        """Return the rates of a time, over all and by matter, as far as one of the scopes reaches.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        parts: dict[str, list[tuple[Satisfaction, RatingSource, int]]] = {}
        condition = Condition()
        condition.add("rating.created_at >= {} AND rating.created_at < {}", since, until)
        condition.reach(scopes)
        for row in await fetch(_COUNT.format(condition=condition.text), *condition.values):
            counted = (Satisfaction(row["level"]), RatingSource(row["source"]), int(row["n"]))
            parts.setdefault(row["matter_code"], []).append(counted)
        whole = rates_of(each for counted in parts.values() for each in counted)
        return whole, {matter: rates_of(counted) for matter, counted in sorted(parts.items())}


def _line(row: Mapping[str, Any]) -> RatingLine:
    dimensions: Mapping[str, str] = as_json(row["dimensions"])
    return RatingLine(
        id=as_uuid(row["id"]),
        number=str(row["number"]),
        matter=row["matter_code"],
        department=row["department"],
        channel=row["channel"],
        level=Satisfaction(row["level"]),
        source=RatingSource(row["source"]),
        occasion=int(row["occasion"]),
        reasons=as_json(row["reasons"]),
        dimensions={Dimension(name): Satisfaction(level) for name, level in dimensions.items()},
        promised_days=int(row["limit_days"]),
        accepted_at=None if row["accepted_at"] is None else as_moment(row["accepted_at"]),
        rated_at=as_moment(row["created_at"]),
    )
