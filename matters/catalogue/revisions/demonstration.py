"""A power list to rehearse with: 1280 matters of 37 departments on two levels, consolidated to 1007.

Made up by rule and the same each time; the operations are those of the list itself and are held against its rules, so
the count is a result and not a table. `python -m scripts.catalogue replay` shows it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from matters.catalogue.revisions.types import Entry, Operation, OperationKind
from matters.catalogue.rules import uscc_check

DEPARTMENTS: Final = 37
MATTERS: Final = 1280
AFTERWARDS: Final = 1007
_CITY, _COUNTY = "3", "4"
_DELEGATED: Final = 2
# How matters of a department are merged (so many into one) and split (one into so many), by turns.
_MERGED: Final = ((4, 3), (6,), (2, 2, 2))
_SPLIT: Final = ((2,), (3,), ())


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """A list as it was, and what is done to it, in order."""

    listed: tuple[Entry, ...]
    operations: tuple[Operation, ...]


def rehearsal() -> Rehearsal:
    """Make the list and its operations."""
    bodies = [_Body.of(number) for number in range(DEPARTMENTS)]
    sizes = _shares(MATTERS)
    lost = _shares(MATTERS - AFTERWARDS)
    listed = [body.entries(size) for body, size in zip(bodies, sizes, strict=True)]
    operations = [
        operation
        for number, (body, entries, fewer) in enumerate(zip(bodies, listed, lost, strict=True))
        for operation in body.operations(entries, fewer, turn=number % len(_MERGED))
    ]
    return Rehearsal(tuple(entry for entries in listed for entry in entries), tuple(operations))


def _shares(whole: int) -> list[int]:
    """Deal something out among the departments, as evenly as it goes."""
    each, rest = divmod(whole, DEPARTMENTS)
    return [each + (number < rest) for number in range(DEPARTMENTS)]


@dataclass(frozen=True, slots=True)
class _Body:
    """One department: its name in addresses, its code, and how its basic codes begin."""

    slug: str
    uscc: str
    field: str

    @classmethod
    def of(cls, number: int) -> "_Body":
        first_17 = f"119999999999{number + 1:05d}"
        return cls(f"department-{number + 1:02d}", first_17 + uscc_check(first_17), f"00{number + 1:04d}")

    def entry(self, number: int, *, level: str, title: str = "") -> Entry:
        code = f"{self.uscc}{level}{self.field}{number:03d}001"
        return Entry(code, self.slug, title or f"演示事项{number:03d}")

    def entries(self, count: int) -> list[Entry]:
        """The last ones are the county's, all others the city's."""
        return [
            self.entry(number, level=_COUNTY if number > count - count // 4 else _CITY)
            for number in range(1, count + 1)
        ]

    def operations(self, entries: list[Entry], fewer: int, *, turn: int) -> Iterator[Operation]:
        """Merge, split, delegate, and cancel what is then still to go."""
        left = iter(entries)
        number = 500
        for several in _MERGED[turn]:
            number += 1
            merged = self.entry(number, level=_CITY, title=f"演示合并事项{number}")
            yield Operation(OperationKind.MERGE, tuple(next(left).code for _ in range(several)), (merged,))
            fewer -= several - 1
        for several in _SPLIT[turn]:
            parts = tuple(
                self.entry(number + part, level=_CITY, title=f"演示拆分事项{number + part}")
                for part in range(1, several + 1)
            )
            yield Operation(OperationKind.SPLIT, (next(left).code,), parts)
            fewer += several - 1
        for _ in range(_DELEGATED):
            entry = next(left)
            lower = Entry(f"{self.uscc}{_COUNTY}{entry.basic_code}", entry.department, entry.title)
            yield Operation(OperationKind.DELEGATE, (entry.code,), (lower,))
        for _ in range(fewer):
            yield Operation(OperationKind.CANCEL, (next(left).code,), ())
