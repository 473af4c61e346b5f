"""What operators reach, as conditions in SQL: a list is cut to it before it is cut into pages."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from auth.types import EVERYWHERE, StaffScope


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

    def reach(self, scopes: Collection[StaffScope]) -> None:
        """Keep to what one of the scopes covers: region (of the body that carries the matter out), department, matter.

        What `StaffScope.covers` says of one case, this says of a table.
        """
        if EVERYWHERE in scopes:
            return
        ways = []
        for scope in scopes:
            parts = []
            if scope.region:
                # A region of more digits than a code tells holds none of them, as in `covers`.
                digits = f"substr(substr(application.matter_code, 3, 6), 1, {len(scope.region)})"
                parts.append(f"{digits} = {self.place(scope.region)}")
            if scope.department:
                parts.append(f"application.department = {self.place(scope.department)}")
            if scope.matter:
                parts.append(f"application.matter_code = {self.place(scope.matter)}")
            ways.append(f"({' AND '.join(parts)})")
        self._parts.append(f"({' OR '.join(ways)})" if ways else "1 = 0")
