"""Error rates and thresholds from scores. A lower score is a closer match; at or below a threshold it is accepted."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from face.evaluation import Counted
from face.rules import average
from face.types import Embedding, Standing
from scripts.evaluate_faces.labels import Labels

Floats: TypeAlias = npt.NDArray[np.float64]
Stand: TypeAlias = Callable[[Embedding], Standing]

# A rate below 3/n cannot be shown by n pairs (rule of three).
_SHOWN: Final = 3.0


@dataclass(frozen=True, slots=True)
class Faces:
    """Descriptions, one a row, and how close each is to a cohort, if one is used: mean and deviation."""

    vectors: Floats = field(repr=False)
    standings: Floats | None = field(repr=False)

    @classmethod
    def of(cls, embeddings: Sequence[Embedding], stand: Stand | None) -> "Faces":
        """Return the descriptions with their standings."""
        vectors = np.array(embeddings, np.float64).reshape(len(embeddings), -1)
        if stand is None:
            return cls(vectors, None)
        standings = [stand(embedding) for embedding in embeddings]
        return cls(vectors, np.array([(one.mean, one.deviation) for one in standings]).reshape(-1, 2))

    def at(self, rows: Sequence[int]) -> "Faces":
        """Return some of them."""
        chosen = np.array(rows, np.intp)
        return Faces(self.vectors[chosen], None if self.standings is None else self.standings[chosen])

    def against(self, other: "Faces") -> Floats:
        """Return the score of each with the one in the same row of the other (`face.rules.score`, many at once)."""
        apart: Floats = np.sqrt(((self.vectors - other.vectors) ** 2).sum(1))
        if self.standings is None or other.standings is None:
            return apart
        sides = [(apart - side[:, 0]) / np.maximum(side[:, 1], 1e-6) for side in (self.standings, other.standings)]
        mean: Floats = (sides[0] + sides[1]) / 2
        return mean


@dataclass(frozen=True, slots=True)
class Scores:
    """The scores of pairs of one person and of pairs of different people."""

    genuine: Floats = field(repr=False)
    impostor: Floats = field(repr=False)

    def false_matches(self, accept: float) -> Counted:
        """Count the different people who are taken for the same."""
        return Counted(int((self.impostor <= accept).sum()), len(self.impostor))

    def false_non_matches(self, accept: float) -> Counted:
        """Count the pairs of one person that are not taken for it."""
        return Counted(int((self.genuine > accept).sum()), len(self.genuine))

    def equal_error(self) -> tuple[float, float]:
        """Return the rate at which both errors are the same, and the score there."""
        places = np.sort(np.concatenate([self.genuine, self.impostor]))
        misses = 1 - np.searchsorted(np.sort(self.genuine), places, "right") / len(self.genuine)
        matches = np.searchsorted(np.sort(self.impostor), places, "right") / len(self.impostor)
        at = int(np.argmin(np.abs(misses - matches)))
        return float((misses[at] + matches[at]) / 2), float(places[at])

    def true_matches_at(self, rate: float) -> float | None:
        """Return the share of one person's pairs accepted where so many different people are; None if not shown."""
        if rate * len(self.impostor) < _SHOWN:
            return None
        accept = highest(self.impostor, rate)
        return float((self.genuine <= accept).mean())


def highest(impostor: Floats, rate: float) -> float:
    """Return the highest threshold at which no more than this share of different people is accepted."""
    ordered = np.sort(impostor)
    allowed = int(rate * len(ordered))
    above = ordered[allowed] if allowed < len(ordered) else np.inf
    below = ordered[allowed - 1] if allowed else above - 0.01
    return float((below + min(above, below + 1.0)) / 2)


def of_lists(labels: Labels, embeddings: Mapping[str, Embedding], stand: Stand | None) -> dict[str, Scores]:
    """Score the pairs of every list, one picture with one picture."""
    names = list(labels.person)
    row = {name: at for at, name in enumerate(names)}
    faces = Faces.of([embeddings[name] for name in names], stand)
    found = {}
    for group, pairs in labels.groups.items():
        one, other = ([row[pair.one] for pair in pairs], [row[pair.other] for pair in pairs])
        found[group] = _split(faces.at(one).against(faces.at(other)), [pair.same for pair in pairs])
    return found


def of_averages(
    labels: Labels, embeddings: Mapping[str, Embedding], stand: Stand | None, frames: int
) -> dict[str, Scores]:
    """Score the pairs of every list as a check does: the average of up to so many pictures with one other picture.

    The second of a pair is averaged with further pictures of that person, in the order of their names, as far as there
    are any besides the first.
    """
    of_person: dict[str, list[str]] = {}
    for name in sorted(labels.person):
        of_person.setdefault(labels.person[name], []).append(name)
    found = {}
    for group, pairs in labels.groups.items():
        probes = []
        for pair in pairs:
            further = [name for name in of_person[labels.person[pair.other]] if name not in (pair.one, pair.other)]
            probes.append(average([embeddings[name] for name in [pair.other, *further][:frames]]))
        portraits = Faces.of([embeddings[pair.one] for pair in pairs], stand)
        found[group] = _split(portraits.against(Faces.of(probes, stand)), [pair.same for pair in pairs])
    return found


def of_everybody(labels: Labels, embeddings: Mapping[str, Embedding], stand: Stand | None) -> dict[str, Scores]:
    """Score every picture of a list with every other picture of that list."""
    found = {}
    for group, pairs in labels.groups.items():
        names = sorted({name for pair in pairs for name in (pair.one, pair.other)})
        faces = Faces.of([embeddings[name] for name in names], stand)
        people = np.array([labels.person[name] for name in names])
        genuine, impostor = [], []
        for at in range(len(names) - 1):
            rest = list(range(at + 1, len(names)))
            scores = faces.at([at] * len(rest)).against(faces.at(rest))
            same = people[at + 1 :] == people[at]
            genuine.append(scores[same])
            impostor.append(scores[~same])
        found[group] = Scores(np.concatenate(genuine), np.concatenate(impostor))
    return found


def accept_at(groups: Iterable[Scores], rate: float) -> float:
    """Return the highest threshold at which no group has more false matches than this rate, to three digits."""
    return float(np.floor(min(highest(scores.impostor, rate) for scores in groups) * 1000) / 1000)


def reject_at(groups: Iterable[Scores], rate: float) -> float:
    """Return where, in every group, at most this share of one person's pairs lies beyond, to three digits."""
    return float(np.ceil(max(np.quantile(scores.genuine, 1 - rate) for scores in groups) * 1000) / 1000)


def _split(scores: Floats, same: list[bool]) -> Scores:
    chosen = np.array(same, bool)
    return Scores(scores[chosen], scores[~chosen])
