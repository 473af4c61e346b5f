"""Any window takes any case (通办): how many cases are taken where they do not belong, and go home by themselves."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from auth.types import StaffScope
from core.db import fetch
from matters.reach import Condition

# Taken elsewhere: neither of the two regions lies in the other.
_COUNT: Final = """
SELECT matter_code, count(*) AS n,
       SUM(CASE WHEN home_region LIKE taken_region || '%' OR taken_region LIKE home_region || '%' THEN 0 ELSE 1 END)
         AS elsewhere
FROM application
WHERE {condition} GROUP BY matter_code
"""


@dataclass(frozen=True, slots=True)
class Share:
    """How many cases windows took, and how many of them belong elsewhere."""

    taken: int = 0
    elsewhere: int = 0

    @property
    def rate(self) -> float | None:
        """The share taken elsewhere (通办率), None of nothing."""
        return self.elsewhere / self.taken if self.taken else None

    def __add__(self, other: "Share") -> "Share":
        return Share(self.taken + other.taken, self.elsewhere + other.elsewhere)


class Elsewhere:
    """Counts cases that windows took for residents, by whether they belong there."""

    async def shares(
        self, *, since: datetime, until: datetime, scopes: Collection[StaffScope]
    ) -> tuple[Share, Mapping[str, Share]]:
        """Return the shares of a time, over all and by matter, as far as one of the scopes reaches.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        condition = Condition()
        condition.add("submitted_at >= {} AND submitted_at < {}", since, until)
        condition.add("taken_region <> '' AND home_region <> ''")
        condition.reach(scopes)
        rows = await fetch(_COUNT.format(condition=condition.text), *condition.values)
        found = {str(row["matter_code"]): Share(int(row["n"]), int(row["elsewhere"])) for row in rows}
        return sum(found.values(), Share()), dict(sorted(found.items()))
