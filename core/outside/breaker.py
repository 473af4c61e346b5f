"""Holding calls back while an outside system fails."""

from collections import deque
from enum import Enum

from core.clock import Clock
from core.settings import OutboundSettings


class Passage(Enum):
    """How a call got past the breaker."""

    FREE = "free"
    PROBE = "probe"


class Breaker:
    """Holds calls back while a system fails: opens at a share of failures, then lets one probe through at a time.

    Only the probe speaks for an open breaker: calls let through before it opened end late and say nothing new.
    """

    def __init__(self, settings: OutboundSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._calls: deque[tuple[float, bool]] = deque()
        self._failures = 0
        self._open_until = 0.0
        self._is_open = False
        self._probing = False

    @property
    def is_open(self) -> bool:
        """Whether calls are held back now."""
        return self._is_open

    def enter(self) -> Passage | None:
        """Return how a call may go out, or None; every call let through must be reported or abandoned."""
        if not self._is_open:
            return Passage.FREE
        if self._probing or self._clock.monotonic() < self._open_until:
            return None
        self._probing = True
        return Passage.PROBE

    def report(self, passage: Passage, *, good: bool) -> None:
        """Tell how a call let through has ended."""
        now = self._clock.monotonic()
        if passage is Passage.PROBE:
            self._probing = False
            if good:
                self._is_open = False
                self._calls.clear()
                self._failures = 0
            else:
                self._open_until = now + self._settings.breaker_open_seconds
            return
        if self._is_open:
            return
        self._calls.append((now, good))
        self._failures += not good
        while self._calls and self._calls[0][0] < now - self._settings.breaker_window_seconds:
            self._failures -= not self._calls.popleft()[1]
        if (
            len(self._calls) >= self._settings.breaker_minimum
            and self._failures >= len(self._calls) * self._settings.breaker_share
        ):
            self._is_open = True
            self._open_until = now + self._settings.breaker_open_seconds

    def abandon(self, passage: Passage) -> None:
        """Give a probe's place back when its call was cancelled and says nothing about the system."""
        if passage is Passage.PROBE:
            self._probing = False
