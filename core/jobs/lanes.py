"""How many jobs of a process may wait for one outside system, so that one that is slow holds back no other."""

from collections import Counter


class Lanes:
    """Places by lane. A job that finds none waits in its row, not here: it takes up nothing that others need."""

    def __init__(self, places: int) -> None:
        self._places = places
        self._in_use: Counter[str] = Counter()
        self._crowded: set[str] = set()

    @property
    def full(self) -> frozenset[str]:
        """The lanes without a free place."""
        return frozenset(lane for lane, used in self._in_use.items() if used >= self._places)

    def enter(self, lane: str) -> bool:
        """Take a place in a lane; False, and remember that somebody waits, where none is free."""
        if not lane:
            return True
        if self._in_use[lane] >= self._places:
            self._crowded.add(lane)
            return False
        self._in_use[lane] += 1
        return True

    def leave(self, lane: str) -> bool:
        """Give a place back; return whether others may be waiting for it."""
        if not lane:
            return False
        self._in_use[lane] -= 1
        if not self._in_use[lane]:
            del self._in_use[lane]
        return lane in self._crowded

    def clear(self, lane: str) -> None:
        """Note that nobody waits for a lane any more."""
        self._crowded.discard(lane)
