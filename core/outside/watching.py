"""Who watches what passes through the door out, and on whose behalf a call is made."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final, Protocol


class Watcher(Protocol):
    """Hears of every call and every turn of a breaker. Neither waits nor fails, and keeps nothing of what was said."""

    def passed(self, partner: str, method: str, path: str, outcome: str, seconds: float) -> None:
        """Hear how a call ended, retries included.

        `outcome` is the answer's status, or the reason there was none (`timeout`, `held-back`, …).
        """
        ...

    def turned(self, partner: str, *, held_back: bool) -> None:
        """Hear that calls to a system are held back from now on, or let through again."""
        ...


@dataclass(frozen=True, slots=True)
class Concern:
    """On whose behalf a call is made: the matter's code, and the department or part of ours that uses the answer."""

    matter: str = ""
    consumer: str = ""


_NOTHING: Final = Concern()
_concern: Final[ContextVar[Concern]] = ContextVar("concern", default=_NOTHING)


@contextmanager
def on_behalf_of(*, matter: str, consumer: str) -> Iterator[None]:
    """Say for all calls made inside on whose behalf they are made; tasks begun inside say so too."""
    token = _concern.set(Concern(matter, consumer))
    try:
        yield
    finally:
        _concern.reset(token)


def current_concern() -> Concern:
    """Return on whose behalf calls are made now."""
    return _concern.get()
