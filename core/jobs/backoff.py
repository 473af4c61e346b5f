"""How long to wait before the next try: exponential with full jitter, bounded."""

import random

_random = random.SystemRandom()


def pause(attempt: int, *, first: float, longest: float) -> float:
    """Return seconds to wait after the `attempt`-th failure (1, 2, …): between nought and `first` × 2^(attempt − 1)."""
    bound = min(longest, first * 2 ** min(attempt - 1, 30))
    return _random.uniform(bound / 10, bound)
