"""Fakes of the ground: a clock that stands still, ids in a row, a carrier that only notes."""

import itertools
from datetime import UTC, datetime, timedelta
from uuid import UUID


class FixedClock:
    """Stands still until it is moved."""

    def __init__(self, now: datetime = datetime(2026, 3, 10, 2, 0, tzinfo=UTC)) -> None:
        self._now = now
        self._monotonic = 1000.0

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._monotonic

    def move(self, by: timedelta) -> None:
        """Let time pass."""
        self._now += by
        self._monotonic += by.total_seconds()

    def set(self, moment: datetime) -> None:
        """Go to a moment."""
        self.move(moment - self._now)


class FixedIds:
    """Counts: the first id ends in 1, the second in 2."""

    def __init__(self) -> None:
        self._next = itertools.count(1)

    def uuid(self) -> UUID:
        return UUID(int=(0x7 << 76) | (0x2 << 62) | next(self._next))

    def token(self, size: int) -> str:
        return f"token-{next(self._next):06d}-".ljust(max(size * 4 // 3, 16), "x")

    def digits(self, count: int) -> str:
        return str(next(self._next)).rjust(count, "7")[-count:]


class NotingCarrier:
    """Carries nothing; remembers what was offered."""

    def __init__(self) -> None:
        self.offered: list[UUID] = []

    def offer(self, job_id: UUID, lane: str = "") -> None:
        self.offered.append(job_id)
