"""What is made of the figures of passes."""

from typing import Any, cast

import pytest

from benchmarks import growth
from benchmarks.figures import Pass, compare, differences, order, percentile, rows_for_each, spread, summary
from benchmarks.store import Store


def one_pass(requests: int, *, seconds: float = 1.0, p50_ms: float = 1.0, server_us: float = 100.0) -> Pass:
    return Pass(
        requests=requests,
        answered=requests,
        seconds=seconds,
        p50_ms=p50_ms,
        p90_ms=p50_ms * 2,
        p95_ms=p50_ms * 2.5,
        p99_ms=p50_ms * 3,
        server_us=server_us,
        database_us=0.0,
        unexpected={},
    )


@pytest.mark.parametrize(("share", "expected"), [(0.0, 1.0), (0.5, 5.0), (0.9, 9.0), (0.99, 10.0), (1.0, 10.0)])
def test_a_percentile_is_the_smallest_value_that_so_many_do_not_exceed(share: float, expected: float) -> None:
    assert percentile([float(value) for value in range(1, 11)], share) == expected


def test_nothing_measured_is_nought_not_an_error() -> None:
    assert percentile([], 0.5) == 0.0
    assert spread([]) == (0.0, 0.0, 0.0)


def test_a_spread_is_median_nearly_longest_and_longest() -> None:
    assert spread([3.0, 1.0, 2.0, 100.0, 2.5]) == (2.5, 100.0, 100.0)


def test_a_pass_that_ended_early_counts_the_time_it_took() -> None:
    assert one_pass(500, seconds=0.5).per_second == 1000.0
    assert one_pass(0, seconds=0.0).per_second == 0.0


def test_a_summary_is_the_median_of_the_rounds_with_their_extremes() -> None:
    rounds = summary([one_pass(100, p50_ms=9.0), one_pass(300, p50_ms=1.0), one_pass(200, p50_ms=2.0)])
    assert (rounds.per_second, rounds.lowest, rounds.highest) == (200.0, 100.0, 300.0)
    assert (rounds.p50_ms, rounds.p99_ms) == (2.0, 6.0)
    assert (rounds.rounds, rounds.requests) == (3, 600)


def test_the_ratio_is_taken_round_by_round_so_that_a_slow_round_slows_both() -> None:
    ours = [one_pass(60), one_pass(6), one_pass(70)]
    floor = [one_pass(100), one_pass(10), one_pass(140)]
    assert compare("login", 32, {"ours": ours, "floor": floor}).ratio == pytest.approx(0.6)


def test_processor_time_is_compared_as_what_the_floor_needs_of_ours() -> None:
    ours, floor = [one_pass(1, server_us=200.0)], [one_pass(1, server_us=150.0)]
    assert compare("login", 1, {"ours": ours, "floor": floor}).server_ratio == pytest.approx(0.75)


def test_who_goes_first_changes_with_every_round() -> None:
    assert [order(number)[0] for number in range(4)] == ["floor", "ours", "floor", "ours"]


def test_rows_are_counted_for_one_request_and_untouched_tables_left_out() -> None:
    before = {"job": 10, "application": 5, "citizen": 7}
    after = {"job": 110, "application": 5, "citizen": 7}
    assert rows_for_each(before, after, 100) == {"job": 1.0}


def test_a_floor_that_writes_less_than_the_product_is_found() -> None:
    assert differences({"job": 1.0, "audit_line": 1.0}, {"audit_line": 0.98}) == {"job": (1.0, 0.0)}
    assert differences({"job": 1.0}, {"job": 1.0}) == {}


async def test_growth_fills_the_table_up_to_each_size_and_compares_the_slow_ends() -> None:
    class Table:
        """Counts its rows."""

        def __init__(self) -> None:
            self.rows = 600

        async def fetch(self, sql: str, *values: object) -> list[dict[str, Any]]:
            if sql.lstrip().startswith("INSERT"):
                self.rows += cast("int", values[0])
            return [{"n": self.rows}]

    table, sizes = Table(), []

    async def rounds() -> list[Pass]:
        sizes.append(table.rows)
        return [one_pass(10, p50_ms=factor * len(sizes)) for factor in (1.0, 2.0, 9.0)]

    told = await growth.figures(cast("Store", table), growth.CERTIFICATES, rounds)
    assert sizes == list(growth.CERTIFICATES.sizes)
    assert (told["small_p95_ms"], told["large_p95_ms"], told["ratio"]) == (5.0, 10.0, 2.0)
