"""Work queues: the cases that an operator's grants reach, the longest waiting first."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from auth.types import StaffScope
from core.db import as_moment, as_uuid, fetch
from matters.catalogue.catalogue import Catalogue
from matters.handling.rules import QUEUES
from matters.handling.types import CaseLine, Queue
from matters.reach import Condition
from matters.types import State, Text

_LIST: Final = """
SELECT id, number, matter_code, department, region, state, submitted_at, due_at FROM application
WHERE {condition} ORDER BY submitted_at, id LIMIT $1
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """Which cases: what is left out is open. `due_before`: those that are due, and before this."""

    queue: Queue = Queue.ALL
    state: State | None = None
    department: str = ""
    matter: str = ""
    due_before: datetime | None = None


class Queues:
    """Lists cases for staff."""

    def __init__(self, *, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    async def list_cases(
        self, sought: Sought, scopes: Collection[StaffScope], *, after: tuple[datetime, UUID] | None, limit: int
    ) -> list[CaseLine]:
        """Return submitted cases that one of the scopes reaches, by the time of submission, those after a place.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        condition = Condition(limit)
        condition.add("application.submitted_at IS NOT NULL")
        states = QUEUES[sought.queue] & (frozenset(State) if sought.state is None else {sought.state})
        condition.among("application.state", sorted(states))
        if sought.department:
            condition.add("application.department = {}", sought.department)
        if sought.matter:
            condition.add("application.matter_code = {}", self._code(sought.matter))
        if sought.due_before is not None:
            condition.add("application.due_at < {}", sought.due_before)
        if after is not None:
            condition.after("application.submitted_at", *after)
        condition.reach(scopes)
        rows = await fetch(_LIST.format(condition=condition.text), *condition.values)
        return [line_of(row, self._catalogue) for row in rows]

    def _code(self, matter: str) -> str:
        """Return the code of a matter that is named by its slug or its code."""
        return next((each.matter.code for each in self._catalogue.all if each.matter.slug == matter), matter)


def line_of(row: Mapping[str, Any], catalogue: Catalogue) -> CaseLine:
    """Read a row as a line of a queue."""
    code = str(row["matter_code"])
    title = catalogue.of_case(code).matter.title
    return CaseLine(
        id=as_uuid(row["id"]),
        number=str(row["number"]),
        matter=code,
        title=Text(title.zh, title.en),
        department=str(row["department"]),
        region=str(row["region"]),
        state=State(row["state"]),
        submitted_at=as_moment(row["submitted_at"]),
        due_at=None if row["due_at"] is None else as_moment(row["due_at"]),
    )
