"""What it costs to count an exchange with an outside system, and how many rows a flush writes at 250 a second."""

import time
from datetime import UTC, datetime
from typing import Final

from core.ids import RandomIds
from matters.exchange.counting import ExchangeCounts
from matters.exchange.reading import counted_as, load_resources
from matters.exchange.settings import ExchangeSettings

# 20 million a day are 231 a second.
A_SECOND: Final = 250
MOST_MICROSECONDS: Final = 40.0
_EXCHANGES: Final = 100_000
_PARTNERS: Final = 12
_NOW: Final = datetime(2026, 3, 10, 2, 0, tzinfo=UTC)


class _Clock:
    """Stands still: reading the time is not what is measured."""

    def now(self) -> datetime:
        return _NOW

    def monotonic(self) -> float:
        return 0.0


def figures() -> dict[str, float]:
    """Count so many exchanges with twelve partners; return microseconds for each, and the share of a core that is."""
    settings = ExchangeSettings()
    counts = ExchangeCounts(resources=counted_as(load_resources()), clock=_Clock(), ids=RandomIds(), settings=settings)
    begun = time.perf_counter()
    for number in range(_EXCHANGES):
        counts.passed(f"partner-{number % _PARTNERS}", "POST", "/v1/checks/degree", "200", 0.05)
    each = (time.perf_counter() - begun) / _EXCHANGES * 1_000_000
    return {
        "microseconds": each,
        "core": each * A_SECOND / 1_000_000,
        "a_second": A_SECOND,
        "in_memory": A_SECOND * settings.flush_seconds,
    }
