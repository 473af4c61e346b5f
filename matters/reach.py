"""Which applications operators reach: of one case by its scope, of lists in SQL, cut before they are cut into pages.

The region of a case is that of the unit it was routed to. Before its dossier goes out it has none, and only grants
that are not limited to a region reach it.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from auth.types import EVERYWHERE, StaffScope


class Reached(Protocol):
    """Something about an application that says where it belongs."""

    @property
    def region(self) -> str:
        """The region of the unit that handles it, empty before it is routed."""
        ...

    @property
    def department(self) -> str:
        """The slug of the department concerned."""
        ...

    @property
    def matter(self) -> str:
        """The matter's code."""
        ...


def scope_of(about: Reached) -> StaffScope:
    """Return what something concerns, so that grants can be held against it."""
    return StaffScope(region=about.region, department=about.department, matter=about.matter)


class Condition:
    """Conditions put together with their values; every text here is ours, every value a parameter."""

    def __init__(self, *first: object) -> None:
        self.values: list[object] = list(first)
        self._parts: list[str] = []

    @property
    def text(self) -> str:
        """The whole condition."""
        return " AND ".join(self._parts) or "1 = 1"

    def place(self, value: object) -> str:
        """Take a value in; return how it is written."""
        self.values.append(value)
        return f"${len(self.values)}"

    def add(self, text: str, *values: object) -> None:
        """Add a condition; each `{}` in it stands for a value."""
        self._parts.append(text.format(*(self.place(value) for value in values)))

    def among(self, column: str, values: Sequence[str]) -> None:
        """Let a column have one of these values alone."""
        self._parts.append(f"{column} IN ({', '.join(self.place(value) for value in values)})" if values else "1 = 0")

    def after(self, column: str, at: datetime, last: UUID, *, row: str = "application.id") -> None:
        """Keep to what comes after a place in a list that is sorted by a time and an id, the case's or a `row`'s."""
        time = self.place(at)
        self.add(f"({column} > {time} OR ({column} = {time} AND {row} > {{}}))", last)

    def reach(self, scopes: Collection[StaffScope], *, row: str = "application") -> None:
        """Keep to what one of the scopes covers; `row` is the table whose department and matter count.

        What `StaffScope.covers` says of one case, this says of a table. The region is the application's in any case.
        """
        if EVERYWHERE in scopes:
            return
        ways = []
        for scope in scopes:
            parts = []
            if scope.region:
                # A region of more digits than the case's holds none of them, as in `covers`.
                parts.append(f"substr(application.region, 1, {len(scope.region)}) = {self.place(scope.region)}")
            if scope.department:
                parts.append(f"{row}.department = {self.place(scope.department)}")
            if scope.matter:
                parts.append(f"{row}.matter_code = {self.place(scope.matter)}")
            ways.append(f"({' AND '.join(parts)})")
        self._parts.append(f"({' OR '.join(ways)})" if ways else "1 = 0")
