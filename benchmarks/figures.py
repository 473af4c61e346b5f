"""Figures of passes and what is made of them: pure functions of numbers."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final, Literal

Side = Literal["ours", "floor"]
SIDES: Final[tuple[Side, Side]] = ("floor", "ours")


def percentile(ordered: Sequence[float], share: float) -> float:
    """Return the smallest value that at least `share` of the values do not exceed; 0.0 for none.

    `ordered` is sorted.
    """
    if not ordered:
        return 0.0
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """What one side did in one round. Times in milliseconds, processor times in microseconds for one request.

    `requests` were answered while the time counted, `answered` in all.
    """

    requests: int
    answered: int
    seconds: float
    p50_ms: float
    p90_ms: float
    p95_ms: float
    p99_ms: float
    server_us: float
    database_us: float
    unexpected: Mapping[str, int]

    @property
    def per_second(self) -> float:
        """Requests answered in a second."""
        return self.requests / self.seconds if self.seconds else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """The medians of a side's rounds, and how far its rounds lie apart."""

    rounds: int
    requests: int
    per_second: float
    lowest: float
    highest: float
    p50_ms: float
    p90_ms: float
    p99_ms: float
    server_us: float
    database_us: float


def summary(passes: Sequence[Pass]) -> Summary:
    """Return the medians over the rounds of one side."""
    rates = [one.per_second for one in passes]
    return Summary(
        rounds=len(passes),
        requests=sum(one.requests for one in passes),
        per_second=median(rates),
        lowest=min(rates),
        highest=max(rates),
        p50_ms=median(one.p50_ms for one in passes),
        p90_ms=median(one.p90_ms for one in passes),
        p99_ms=median(one.p99_ms for one in passes),
        server_us=median(one.server_us for one in passes),
        database_us=median(one.database_us for one in passes),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One operation at one number of connections: ours beside its floor."""

    operation: str
    connections: int
    ours: Summary
    floor: Summary
    # Round by round, so that what slows a whole round down cancels.
    ratio: float

    @property
    def server_ratio(self) -> float:
        """The floor's processor time for a request as a share of ours."""
        return self.floor.server_us / self.ours.server_us if self.ours.server_us else 0.0


def compare(operation: str, connections: int, passes: Mapping[Side, Sequence[Pass]]) -> Comparison:
    """Return an operation's figures; the ratio is the median of the rounds' own ratios of throughput."""
    ratios = [
        ours.per_second / floor.per_second
        for ours, floor in zip(passes["ours"], passes["floor"], strict=True)
        if floor.per_second
    ]
    return Comparison(
        operation=operation,
        connections=connections,
        ours=summary(passes["ours"]),
        floor=summary(passes["floor"]),
        ratio=median(ratios) if ratios else 0.0,
    )


def order(number: int) -> tuple[Side, Side]:
    """Return who goes first in a round: the floor in even rounds, ours in odd ones."""
    return SIDES if number % 2 == 0 else (SIDES[1], SIDES[0])


def rows_for_each(before: Mapping[str, int], after: Mapping[str, int], requests: int) -> dict[str, float]:
    """Return how many rows each table gained for one request; tables that gained none are left out."""
    gained = {table: after[table] - before.get(table, 0) for table in after}
    return {table: count / requests for table, count in sorted(gained.items()) if count and requests}


def differences(
    ours: Mapping[str, float], floor: Mapping[str, float], *, tolerance: float = 0.05
) -> dict[str, tuple[float, float]]:
    """Return the tables in which ours and the floor wrote differently many rows for one request."""
    tables = sorted({*ours, *floor})
    pairs = {table: (ours.get(table, 0.0), floor.get(table, 0.0)) for table in tables}
    return {table: pair for table, pair in pairs.items() if abs(pair[0] - pair[1]) > tolerance}


def spread(values: Iterable[float]) -> tuple[float, float, float]:
    """Return the median, the 99th percentile and the largest of some values; zeros for none."""
    ordered = sorted(values)
    if not ordered:
        return 0.0, 0.0, 0.0
    return median(ordered), percentile(ordered, 0.99), ordered[-1]
