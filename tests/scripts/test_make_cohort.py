"""Synthetic descriptions are like the people's as a crowd, and like nobody's."""

import numpy as np
import pytest

from scripts.make_cohort import PEOPLE_PER_PART, TooFew, _mixture, _shares, synthetic


def crowd(count: int, seed: int = 1) -> np.ndarray:
    """Two groups of people, of whom one lies closer together."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(0, 0.1, (2, 128))
    spread = np.where(np.arange(count) % 3 == 0, 0.02, 0.04)[:, None]
    people: np.ndarray = centres[(np.arange(count) % 3 == 0).astype(int)] + rng.normal(0, 1, (count, 128)) * spread
    return people


def test_the_synthetic_are_spread_as_the_people_are() -> None:
    people = crowd(600)
    made = synthetic(people, np.random.default_rng(2))
    assert made.shape == (3000, 128)
    assert np.allclose(made.mean(0), people.mean(0), atol=0.02)
    assert made.std(0).mean() == pytest.approx(people.std(0).mean(), rel=0.15)


def test_none_of_them_is_somebody() -> None:
    people = crowd(600)
    made = synthetic(people, np.random.default_rng(2))
    between = np.linalg.norm(people[:, None] - people[None], axis=2)
    np.fill_diagonal(between, np.inf)
    to_people = np.linalg.norm(made[:500, None] - people[None], axis=2).min(1)
    # No nearer to a person than people are to one another.
    assert to_people.min() > between.min() * 0.8


def test_no_part_of_the_mixture_rests_on_few_people() -> None:
    people = crowd(300)
    # Somebody who is far from all others would be a part of their own.
    people[0] += 3.0
    weights, means, spreads = _mixture(people, np.random.default_rng(3))
    assert (_shares(people, weights, means, spreads).sum(0) >= PEOPLE_PER_PART * 0.9).all()


def test_few_people_make_no_cohort() -> None:
    with pytest.raises(TooFew):
        synthetic(crowd(99), np.random.default_rng(1))
