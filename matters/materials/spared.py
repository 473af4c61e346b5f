"""How much people were spared (免交率): materials that the law asks for, and those that nobody had to hand in."""

from collections.abc import Collection
from datetime import datetime
from enum import StrEnum
from typing import Final

from auth.types import StaffScope
from core.db import fetch
from matters.materials.types import Spared
from matters.reach import Condition

_COUNT: Final = """
SELECT part.department, part.matter_code, part.way, count(*) AS n
FROM application_material AS part JOIN application ON application.id = part.application_id
WHERE {condition} GROUP BY part.department, part.matter_code, part.way
"""
_UPLOAD: Final = "upload"


class Grouping(StrEnum):
    """What the counts are told apart by."""

    WAY = "way"
    MATTER = "matter"
    DEPARTMENT = "department"


class SparedMaterials:
    """Counts what was spared. Nothing here is about a person."""

    async def count(
        self, *, since: datetime, until: datetime, by: Grouping, scopes: Collection[StaffScope]
    ) -> tuple[Spared, list[Spared]]:
        """Return the whole and its parts, as far as one of the scopes reaches.

        By way, a part's materials are those satisfied in this way; they are spared all or none.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        parts: dict[str, list[int]] = {}
        whole = [0, 0]
        condition = Condition()
        condition.add("part.created_at >= {} AND part.created_at < {} AND part.way <> ''", since, until)
        condition.reach(scopes, row="part")
        for row in await fetch(_COUNT.format(condition=condition.text), *condition.values):
            keys = {Grouping.WAY: "way", Grouping.MATTER: "matter_code", Grouping.DEPARTMENT: "department"}
            count = int(row["n"])
            spared = 0 if row["way"] == _UPLOAD else count
            for counted in (whole, parts.setdefault(str(row[keys[by]]), [0, 0])):
                counted[0] += count
                counted[1] += spared
        return Spared("", *whole), [Spared(key, *counted) for key, counted in sorted(parts.items())]
