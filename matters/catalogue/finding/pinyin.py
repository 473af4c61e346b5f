"""How Chinese characters are spelled, as far as finding needs it.

GB 2312 orders its 3,755 common characters (rows 16 to 55) by their spelling, so a table of the first character of each
syllable spells them all (`pinyin.json`). Characters with more than one reading, and rarer ones, stand beside it. Tones
are left out; ü is written v, as people type it.
"""

import json
from bisect import bisect_right
from functools import cache
from pathlib import Path
from typing import Final

_TABLE: Final = Path(__file__).with_name("pinyin.json")
_FIRST_ROW, _LAST_ROW = 16, 55
_LEAD, _CELLS = 0xA0, 94
# So many spellings of one text are followed: each character with two readings doubles them.
_VARIANTS: Final = 8


class Pinyin:
    """Spells texts."""

    def __init__(self, syllables: dict[str, str], more: dict[str, list[str]]) -> None:
        """`syllables`: the first character of each, in the order of GB 2312; `more`: all readings of single ones."""
        self._starts = [_place(char) for char in syllables.values()]
        self._syllables = list(syllables)
        self._more = more
        self._known: dict[str, tuple[str, ...]] = {}

    def readings(self, char: str) -> tuple[str, ...]:
        """Return how a character may be spelled; nothing for one that is not known."""
        if char not in self._known:
            found = self._look_up(char)
            if not found:
                return ()
            self._known[char] = found
        return self._known[char]

    def _look_up(self, char: str) -> tuple[str, ...]:
        if char in self._more:
            return tuple(self._more[char])
        place = _place(char)
        return () if place < 0 else (self._syllables[bisect_right(self._starts, place) - 1],)

    def spellings(self, text: str) -> tuple[tuple[str, ...], ...]:
        """Return the ways to spell a text, each as its syllables; letters and digits stand for themselves."""
        ways: list[tuple[str, ...]] = [()]
        for char in text:
            found = self.readings(char) or ((char.lower(),) if char.isalnum() and char.isascii() else ())
            if found:
                kept = found if len(ways) * len(found) <= _VARIANTS else found[:1]
                ways = [(*way, syllable) for way in ways for syllable in kept]
        return tuple(ways)


def _place(char: str) -> int:
    """Return where a character stands among the common ones, or -1."""
    try:
        row, cell = char.encode("gb2312")
    except (UnicodeEncodeError, ValueError):
        return -1
    if not _FIRST_ROW <= row - _LEAD <= _LAST_ROW:
        return -1
    return (row - _LEAD - _FIRST_ROW) * _CELLS + cell - _LEAD - 1


@cache
def load_pinyin() -> Pinyin:
    """Read the table of syllables."""
    told = json.loads(_TABLE.read_bytes())
    return Pinyin(told["syllables"], told["more"])
