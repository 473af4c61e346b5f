"""What may be claimed from what was counted."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from face.evaluation import SHIPPED, Counted, NotEvaluated, read_evaluation


def test_no_error_among_n_shows_three_in_n() -> None:
    assert Counted(0, 3000).at_most() == pytest.approx(0.001)
    assert Counted(0, 0).at_most() == 1.0


def test_the_interval_is_wilsons() -> None:
    # 8 of 2,519, by hand.
    low, high = Counted(8, 2519).interval()
    assert low == pytest.approx(0.00161, abs=1e-5)
    assert high == pytest.approx(0.00626, abs=1e-5)


@given(st.integers(1, 100_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_a_claim_is_never_below_what_was_seen(counts: tuple[int, int]) -> None:
    counted = Counted(*counts)
    low, high = counted.interval()
    assert 0.0 <= low <= counted.rate + 1e-12
    assert counted.rate - 1e-12 <= high <= 1.0
    assert counted.rate <= counted.at_most() + 1e-12 <= 1.0 + 1e-12


def test_what_is_shipped_supports_what_is_claimed_by_default() -> None:
    evaluation = read_evaluation(SHIPPED)
    assert evaluation.point("").supported_rate() <= 0.01
    assert {"lfw", "east_asian"} <= evaluation.point("").groups.keys()


def test_a_file_that_is_no_evaluation_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "evaluated.json"
    path.write_text('{"model_id": "x", "data": "", "points": [], "more": 1}')
    with pytest.raises(NotEvaluated):
        read_evaluation(path)
