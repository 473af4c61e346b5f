"""How long is measured, how often, and with how many connections."""

from dataclasses import dataclass
from typing import Final

# How many requests are sent to see which rows they write.
WATCHED: Final = 100


@dataclass(frozen=True, slots=True)
class Pace:
    """How many requests a second may use up, by many connections and by one, where each can be sent only once.

    They are made beforehand; a pass that has sent its share of them ends early.
    """

    many: int
    alone: int


SUBMISSIONS: Final = Pace(900, 500)
# More than any side can answer: a share that is used up while caches come up leaves nothing to count.
SCANS: Final = Pace(6000, 3000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Loop:
    """A closed loop: so many connections, each sending its next request when the answer is there."""

    connections: int
    rounds: int
    seconds: float
    # The first part of each pass is not counted: caches, prepared statements and connections come up in it.
    warm_seconds: float = 0.3

    def share(self, pace: Pace) -> int:
        """Return how many requests a side may use up in one round."""
        return round((pace.alone if self.connections == 1 else pace.many) * (self.seconds + self.warm_seconds))


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One whole measurement. `once` are the loops for requests that can be sent only once."""

    name: str
    loops: tuple[Loop, ...]
    once: tuple[Loop, ...]
    residents: int
    face_repeats: int

    def loops_of(self, *, again: bool) -> tuple[Loop, ...]:
        """Return the loops for requests that may be sent again and again, or for those that may not."""
        return self.loops if again else self.once

    def needed(self, pace: Pace) -> int:
        """Return how many requests each side needs that are sent only once."""
        return WATCHED + sum(loop.rounds * loop.share(pace) for loop in self.once)


# A second of each pass says the same as thirty, but the neighbours on a shared machine do not: rounds are many.
QUICK: Final = Plan(
    name="quick",
    loops=(
        Loop(connections=1, rounds=3, seconds=1.0),
        Loop(connections=32, rounds=5, seconds=1.5),
    ),
    once=(
        Loop(connections=1, rounds=3, seconds=0.6, warm_seconds=0.1),
        Loop(connections=32, rounds=5, seconds=0.7, warm_seconds=0.2),
    ),
    residents=200,
    face_repeats=30,
)
NIGHTLY: Final = Plan(
    name="nightly",
    loops=(
        Loop(connections=1, rounds=7, seconds=3.0),
        Loop(connections=8, rounds=7, seconds=4.0),
        Loop(connections=32, rounds=9, seconds=6.0),
        Loop(connections=128, rounds=5, seconds=6.0),
    ),
    once=(
        Loop(connections=1, rounds=7, seconds=2.0),
        Loop(connections=8, rounds=7, seconds=2.0),
        Loop(connections=32, rounds=9, seconds=3.0),
        Loop(connections=128, rounds=5, seconds=3.0),
    ),
    residents=2000,
    face_repeats=300,
)
