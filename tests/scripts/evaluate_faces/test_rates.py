"""Thresholds and rates from scores, and labels from lists."""

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from face import rules
from face.types import Standing
from scripts.evaluate_faces.labels import BadLabels, Labels, read_labels
from scripts.evaluate_faces.rates import Faces, Scores, accept_at, highest, of_averages, of_everybody, of_lists


def scores(genuine: list[float], impostor: list[float]) -> Scores:
    return Scores(np.array(genuine), np.array(impostor))


@given(st.lists(st.floats(0, 1), min_size=20, max_size=200), st.sampled_from([0.0, 0.01, 0.05, 0.2]))
def test_a_threshold_keeps_its_rate(impostor: list[float], rate: float) -> None:
    apart = [value + index * 1e-6 for index, value in enumerate(sorted(impostor))]
    accept = highest(np.array(apart), rate)
    assert sum(value <= accept for value in apart) == int(rate * len(apart))


def test_the_group_it_is_worst_for_sets_the_threshold() -> None:
    near, far = scores([], [0.3 + index / 1000 for index in range(100)]), scores([], [0.7] * 100)
    accept = accept_at([near, far], 0.05)
    assert near.false_matches(accept).errors <= 5
    assert accept < 0.31


def test_equal_error_of_what_does_not_overlap_is_nothing() -> None:
    assert scores([0.1, 0.2], [0.8, 0.9]).equal_error()[0] == 0.0
    assert scores([0.1, 0.8], [0.2, 0.9]).equal_error()[0] == pytest.approx(0.5)


def test_a_rate_that_cannot_be_shown_is_not() -> None:
    many = scores([0.1] * 10, [0.5 + index / 1000 for index in range(300)])
    assert many.true_matches_at(0.01) == 1.0
    assert many.true_matches_at(0.001) is None


@given(st.lists(st.floats(-1, 1), min_size=6, max_size=6))
def test_many_at_once_score_as_the_rules_do(values: list[float]) -> None:
    one, other = tuple(values[:3]), tuple(values[3:])

    def stand(embedding: tuple[float, ...]) -> Standing:
        return Standing(sum(embedding) + 3, 0.5 + abs(embedding[0]))

    for cohort in (None, stand):
        at_once = Faces.of([one], cohort).against(Faces.of([other], cohort))[0]
        assert math.isclose(at_once, rules.score(one, other, cohort), abs_tol=1e-9)


def labels(folder: Path) -> Labels:
    (folder / "pairs_here.csv").write_text(
        "a,b,same\nx/ann/1.jpg,x/ann/2.jpg,1\nx/ann/1.jpg,x/bob/1.jpg,0\nx/ann/2.jpg,x/anne/1.jpg,1\n"
    )
    return read_labels(folder)


def test_folders_that_show_one_person_are_one(tmp_path: Path) -> None:
    read = labels(tmp_path)
    assert read.people() == ["x/ann", "x/bob"]
    assert read.person["x/anne/1.jpg"] == "x/ann"


def test_every_picture_meets_every_other_once(tmp_path: Path) -> None:
    read = labels(tmp_path)
    embeddings = {name: (float(index), 0.0) for index, name in enumerate(sorted(read.person))}
    everybody = of_everybody(read, embeddings, None)["here"]
    assert (len(everybody.genuine), len(everybody.impostor)) == (3, 3)
    lists = of_lists(read, embeddings, None)["here"]
    assert (len(lists.genuine), len(lists.impostor)) == (2, 1)


def test_an_average_never_holds_the_picture_it_is_compared_with(tmp_path: Path) -> None:
    read = labels(tmp_path)
    embeddings = {name: (float(index),) for index, name in enumerate(["x/ann/1.jpg", "x/ann/2.jpg", "x/anne/1.jpg"])}
    averaged = of_averages(read, embeddings | {"x/bob/1.jpg": (9.0,)}, None, 3)["here"]
    # Of 0 against (1 + 2) / 2, and of 1 against (2 + 0) / 2.
    assert list(averaged.genuine) == [1.5, 0.0]
    assert list(averaged.impostor) == [9.0]


def test_halves_share_nobody_and_lack_no_group(tmp_path: Path) -> None:
    lines = [
        f"x/{group}{one}/1.jpg,x/{group}{other}/1.jpg,0" for group in "ab" for one in range(6) for other in range(one)
    ]
    for group in "ab":
        own = [line for line in lines if line.startswith(f"x/{group}")]
        (tmp_path / f"pairs_{group}.csv").write_text("\n".join(["a,b,same", *own]))
    one, other = read_labels(tmp_path).halves(np.random.default_rng(1))
    assert not set(one.people()) & set(other.people())
    assert all(half.groups[group] for half in (one, other) for group in "ab")


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n", "a,b,same\nx,y,yes\n"])
def test_lists_that_say_something_else_are_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(BadLabels):
        read_labels(tmp_path)
    (tmp_path / "pairs_x.csv").write_text(text)
    if text:
        with pytest.raises(BadLabels):
            read_labels(tmp_path)
