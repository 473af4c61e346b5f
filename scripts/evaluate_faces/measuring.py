"""From what the engine saw to what may be said about it: thresholds, rates, how they hold on other people."""

from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np

from api.wiring.engines import cohort_of
from face.evaluation import Counted, Group, Point
from face.types import Embedding, Method
from scripts.evaluate_faces.labels import Labels
from scripts.evaluate_faces.rates import (
    Scores,
    Stand,
    accept_at,
    of_averages,
    of_everybody,
    of_lists,
    reject_at,
)
from scripts.make_cohort import FEWEST, synthetic

# Of one person's pairs so many may lie beyond the threshold that says "another person".
_BEYOND: Final = 0.01
RATES: Final = (1e-2, 1e-3, 1e-4)
DEALS: Final = 20


@dataclass(frozen=True, slots=True)
class Listing:
    """What one group's pairs say about one method."""

    at_point: Group
    averaged: Group
    equal_error: float
    true_matches: tuple[float | None, ...]
    everybody: Scores


@dataclass(frozen=True, slots=True)
class Measured:
    """One method: where its thresholds lie, and what follows."""

    point: Point
    groups: dict[str, Listing]


@dataclass(frozen=True, slots=True)
class Deal:
    """Thresholds from one half of the people, tried on the other half: error rates of each deal, by group."""

    method: Method
    false_matches: dict[str, tuple[float, ...]]
    false_non_matches: dict[str, tuple[float, ...]]
    trials: dict[str, tuple[Counted, Counted]]


def measure(
    labels: Labels, embeddings: dict[str, Embedding], *, rate: float, frames: int, stand: Stand | None, cohort: str
) -> Measured:
    """Place the thresholds of a method so that no group has more false matches than `rate`, and count what follows.

    Both ways of comparing have to hold: one picture with one, and the average of some with one, as in a check.
    """
    single, averaged = of_lists(labels, embeddings, stand), of_averages(labels, embeddings, stand, frames)
    accept = accept_at([*single.values(), *averaged.values()], rate)
    method = Method.RAW if stand is None else Method.AS_NORM
    everybody = of_everybody(labels, embeddings, stand)
    groups = {
        name: Listing(
            at_point=_group(scores, accept),
            averaged=_group(averaged[name], accept),
            equal_error=everybody[name].equal_error()[0],
            true_matches=tuple(everybody[name].true_matches_at(rate) for rate in RATES),
            everybody=everybody[name],
        )
        for name, scores in single.items()
    }
    point = Point(
        threshold_id=f"{method}{accept:+.3f}" + (f"-{cohort[:8]}" if cohort else ""),
        method=method,
        cohort=cohort,
        accept=accept,
        reject=max(accept, reject_at(averaged.values(), _BEYOND)),
        groups={name: _worse(listing.at_point, listing.averaged) for name, listing in groups.items()},
    )
    return Measured(point, groups)


def deal(labels: Labels, embeddings: dict[str, Embedding], *, rate: float, frames: int, method: Method) -> Deal:
    """Deal the people into halves some times: thresholds (and a cohort) from one half, errors on the other.

    Nobody on whom the errors are counted had a part in the thresholds or in the cohort.
    """
    rng = np.random.default_rng(1)
    false_matches: dict[str, list[float]] = {name: [] for name in labels.groups}
    false_non_matches: dict[str, list[float]] = {name: [] for name in labels.groups}
    last: dict[str, tuple[Counted, Counted]] = {}
    for _ in range(DEALS):
        known, other = labels.halves(rng)
        stand = None if method is Method.RAW else _stand_among(known, embeddings, rng)
        placed = [
            *of_lists(known, embeddings, stand).values(),
            *of_averages(known, embeddings, stand, frames).values(),
        ]
        accept = accept_at(placed, rate)
        for name, scores in of_averages(other, embeddings, stand, frames).items():
            matches, misses = scores.false_matches(accept), scores.false_non_matches(accept)
            false_matches[name].append(matches.rate)
            false_non_matches[name].append(misses.rate)
            last[name] = (matches, misses)
    return Deal(
        method,
        {name: tuple(rates) for name, rates in false_matches.items()},
        {name: tuple(rates) for name, rates in false_non_matches.items()},
        last,
    )


def can_deal(labels: Labels) -> bool:
    """Say whether half of the people are enough for a cohort."""
    return len(labels.people()) >= 2 * FEWEST


def _stand_among(labels: Labels, embeddings: dict[str, Embedding], rng: np.random.Generator) -> Stand:
    """Return a cohort of these people, made as `scripts.make_cohort` makes one."""
    of_person: dict[str, list[Embedding]] = {}
    for name, person in labels.person.items():
        of_person.setdefault(person, []).append(embeddings[name])
    people = np.array([np.mean(of_person[person], axis=0) for person in sorted(of_person)])
    return cache(cohort_of(synthetic(people, rng)).standing)


def _group(scores: Scores, accept: float) -> Group:
    return Group(scores.false_matches(accept), scores.false_non_matches(accept))


def _worse(one: Group, other: Group) -> Group:
    """Return what was worse of each kind of error: claims rest on that."""
    return Group(
        max(one.false_matches, other.false_matches, key=lambda counted: counted.rate),
        max(one.false_non_matches, other.false_non_matches, key=lambda counted: counted.rate),
    )
