"""Levels in numbers, in both directions of counting; which ratings are good."""

import pytest

from matters.ratings.rules import dimension_errors, level_of, number_of, rates_of
from matters.ratings.types import Dimension, Direction, RatingSource
from matters.types import Satisfaction

# GB/T 39046-2020: 1 is best. The national upload: 5 is best, below 3 is bad.
VECTORS = [
    (Satisfaction.VERY_SATISFIED, 1, 5),
    (Satisfaction.SATISFIED, 2, 4),
    (Satisfaction.BASICALLY_SATISFIED, 3, 3),
    (Satisfaction.DISSATISFIED, 4, 2),
    (Satisfaction.VERY_DISSATISFIED, 5, 1),
]


@pytest.mark.parametrize(("level", "standard", "national"), VECTORS)
def test_levels_are_told_in_both_directions(level: Satisfaction, standard: int, national: int) -> None:
    assert number_of(level, Direction.GBT_39046) == standard
    assert number_of(level, Direction.NATIONAL) == national
    assert level_of(standard, Direction.GBT_39046) is level_of(national, Direction.NATIONAL) is level
    assert level.is_bad == (national < 3)


@pytest.mark.parametrize("number", [0, 6, -1])
def test_no_level_has_another_number(number: int) -> None:
    for direction in Direction:
        with pytest.raises(ValueError, match="level"):
            level_of(number, direction)


def test_each_way_has_its_dimensions() -> None:
    assert dimension_errors([Dimension.GUIDE, Dimension.PLATFORM], "mobile") == []
    assert dimension_errors([Dimension.SKILL, Dimension.ATTITUDE], "counter") == []
    assert [error.pointer for error in dimension_errors([Dimension.SKILL], "mobile")] == ["/dimensions/skill"]
    assert [error.pointer for error in dimension_errors([Dimension.GUIDE], "counter")] == ["/dimensions/guide"]


def test_rates_are_told_with_and_without_what_nobody_said() -> None:
    rates = rates_of(
        [
            (Satisfaction.VERY_SATISFIED, RatingSource.CITIZEN, 2),
            (Satisfaction.DISSATISFIED, RatingSource.CITIZEN, 2),
            (Satisfaction.BASICALLY_SATISFIED, RatingSource.DEFAULT, 6),
        ]
    )
    assert (rates.ratings, rates.good, rates.rate) == (10, 8, 0.8)
    assert (rates.given, rates.given_good, rates.given_rate) == (4, 2, 0.5)
    assert rates_of([]).rate is None
    assert rates_of([]).given_rate is None
