"""Decisions about ratings: what is complete, in which numbers levels are told, which ratings are good."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from core.errors import FieldError
from matters.ratings.types import Dimension, Direction, Rates, RatingSource
from matters.types import Satisfaction

# GB/T 39046-2020 counts from the best down, the national upload from the worst up; inside there are words only.
_BEST_FIRST: Final = tuple(Satisfaction)
_ONLINE: Final = frozenset(
    {Dimension.OVERALL, Dimension.EFFICIENCY, Dimension.GUIDE, Dimension.CONVENIENCE, Dimension.PLATFORM}
)
_COUNTER: Final = frozenset({Dimension.OVERALL, Dimension.EFFICIENCY, Dimension.SKILL, Dimension.ATTITUDE})
DIMENSIONS: Final[Mapping[str, frozenset[Dimension]]] = MappingProxyType({"mobile": _ONLINE, "counter": _COUNTER})
# What the national system calls the ways by which people come (`pf`).
CHANNELS: Final[Mapping[str, str]] = MappingProxyType({"mobile": "3", "counter": "1"})


def number_of(level: Satisfaction, direction: Direction) -> int:
    """Return a level's number: 1 to 5 from the best in GB/T 39046, 5 to 1 from the best in the national upload."""
    place = _BEST_FIRST.index(level)
    return place + 1 if direction is Direction.GBT_39046 else len(_BEST_FIRST) - place


def level_of(number: int, direction: Direction) -> Satisfaction:
    """Return the level that a number stands for.

    Raises:
        ValueError: no level has this number.
    """
    for level in _BEST_FIRST:
        if number_of(level, direction) == number:
            return level
    raise ValueError("level")


def dimension_errors(dimensions: Iterable[Dimension], channel: str) -> list[FieldError]:
    """Return which dimensions are none of the way by which the application came."""
    known = DIMENSIONS.get(channel, _ONLINE | _COUNTER)
    return [
        FieldError(f"/dimensions/{each.value}", "unknown", "这种办理方式没有这一项", "This way has no such dimension")
        for each in dimensions
        if each not in known
    ]


def rates_of(counted: Iterable[tuple[Satisfaction, RatingSource, int]]) -> Rates:
    """Return the rates of ratings that were counted by level and source."""
    ratings = good = given = given_good = 0
    for level, source, count in counted:
        fine = 0 if level.is_bad else count
        ratings, good = ratings + count, good + fine
        if source is RatingSource.CITIZEN:
            given, given_good = given + count, given_good + fine
    return Rates(ratings, good, given, given_good)
