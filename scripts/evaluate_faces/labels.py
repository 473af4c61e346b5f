"""What the labels of a folder say: which pictures show the same person, and which group of people a list stands for.

A folder has one or more `pairs_GROUP.csv` with the columns `a`, `b` (pictures, below the folder) and `same` (1 or 0).
The folder a picture lies in is the person, `lfw/Some_Name/2.jpg`; folders between which a pair says "same" are one
person.
"""

import csv
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np


class BadLabels(Exception):
    """The folder has no lists, or one that cannot be read; the message says which."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two pictures and whether they show one person."""

    one: str
    other: str
    same: bool


@dataclass(frozen=True, slots=True)
class Labels:
    """The lists of a folder: `groups` by name, and the person on each picture."""

    groups: dict[str, list[Pair]]
    person: dict[str, str]

    def people(self) -> list[str]:
        """List everybody, in a fixed order."""
        return sorted(set(self.person.values()))

    def within(self, people: frozenset[str]) -> "Labels":
        """Return what is said about these people alone: pairs of which both are among them."""
        groups = {
            name: [pair for pair in pairs if self.person[pair.one] in people and self.person[pair.other] in people]
            for name, pairs in self.groups.items()
        }
        return Labels(groups, {name: person for name, person in self.person.items() if person in people})

    def seen(self, pictures: frozenset[str]) -> "Labels":
        """Return what is said about these pictures alone."""
        groups = {
            name: [pair for pair in pairs if pair.one in pictures and pair.other in pictures]
            for name, pairs in self.groups.items()
        }
        return Labels(groups, {name: person for name, person in self.person.items() if name in pictures})

    def halves(self, rng: np.random.Generator) -> tuple["Labels", "Labels"]:
        """Deal the people into two halves by chance, each group by itself, so that no half lacks one."""
        of_group: dict[str, str] = {}
        for group, pairs in self.groups.items():
            for pair in pairs:
                for name in (pair.one, pair.other):
                    of_group.setdefault(self.person[name], group)
        chosen: set[str] = set()
        for group in self.groups:
            members = sorted(person for person, own in of_group.items() if own == group)
            chosen |= {members[at] for at in rng.permutation(len(members))[: len(members) // 2]}
        rest = frozenset(self.people()) - chosen
        return self.within(frozenset(chosen)), self.within(rest)


def read_labels(folder: Path) -> Labels:
    """Read all lists of a folder.

    Raises:
        BadLabels: there are none, or one cannot be read.
    """
    groups = {}
    for path in sorted(folder.glob("pairs_*.csv")):
        try:
            with path.open(newline="", encoding="utf-8") as file:
                groups[path.stem.removeprefix("pairs_")] = [
                    Pair(row["a"], row["b"], {"1": True, "0": False}[row["same"]]) for row in csv.DictReader(file)
                ]
        except (OSError, KeyError, UnicodeDecodeError, csv.Error) as error:
            raise BadLabels(f"{path.name}: the columns a, b and same (1 or 0) are needed") from error
    if not groups:
        raise BadLabels(f"{folder.name} has no pairs_*.csv")
    return Labels(groups, _people([pair for pairs in groups.values() for pair in pairs]))


def _people(pairs: list[Pair]) -> dict[str, str]:
    """Return who is on each picture: their folder, or the first of several folders that show one person."""
    first = {str(PurePosixPath(name).parent): "" for pair in pairs for name in (pair.one, pair.other)}

    def lead(folder: str) -> str:
        while first[folder]:
            folder = first[folder]
        return folder

    for pair in pairs:
        one, other = sorted(lead(str(PurePosixPath(name).parent)) for name in (pair.one, pair.other))
        if pair.same and one != other:
            first[other] = one
    return {name: lead(str(PurePosixPath(name).parent)) for pair in pairs for name in (pair.one, pair.other)}
