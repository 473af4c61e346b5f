"""An index over published matters: what somebody types is answered best first, within milliseconds.

Each matter is known by its title and other names, spelled out and by first letters too. A word that nothing answers to
may be mistyped: then names that share enough with it are looked at sign by sign.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from heapq import nsmallest
from operator import add
from typing import Final, Protocol

from matters.catalogue.finding.pinyin import Pinyin
from matters.catalogue.finding.rules import (
    ALIAS,
    MISTYPED,
    NOT,
    PHRASE,
    SUMMARY,
    TITLE,
    answers,
    folded,
    is_spelled,
    slips,
    slips_allowed,
    words_of,
)
from matters.catalogue.terms.types import Wording

# So many of the most alike names are looked at for slips; what they share is counted over the rarest signs.
_ALIKE: Final = 60
_COUNTED: Final = 4_000
# A slip spoils so many pairs of signs at most: two that change places stand in three.
_PAIRS_OF_A_SLIP: Final = 3
# A word with characters of several readings is looked at for slips in so many of its spellings.
_SPELLED_MISTYPED: Final = 2
# Of several words in one, so many pairs of signs have to be a matter's, and such a share of all.
_FEWEST_PAIRS: Final = 2
_SHARE_OF_PAIRS: Final = 0.3
# So many first letters mean something.
_FEWEST_LETTERS: Final = 2


class Named(Protocol):
    """What can be found by its names: a matter, or a bundle of several."""

    @property
    def slug(self) -> str:
        """Its name for machines."""
        ...

    @property
    def title(self) -> Wording:
        """Its title."""
        ...

    @property
    def aliases(self) -> tuple[str, ...]:
        """What people call it."""
        ...

    @property
    def summary(self) -> Wording:
        """What it is, in a sentence; empty where there is none."""
        ...


@dataclass(frozen=True, slots=True)
class _Name:
    """One name of a matter as it is compared, and how much it counts."""

    matter: int
    text: str
    weight: int


class MatterIndex:
    """Answers queries over a fixed list of matters; a new list is a new index."""

    def __init__(self, matters: Sequence[Named], pinyin: Pinyin) -> None:
        self._pinyin = pinyin
        self._names: list[_Name] = []
        self._spelled: list[_Name] = []
        self._by_gram: defaultdict[str, list[int]] = defaultdict(list)
        self._by_spelled_gram: defaultdict[str, list[int]] = defaultdict(list)
        for place, each in enumerate(matters):
            self._learn(place, each)

    def rank(self, query: str) -> dict[int, int]:
        """Return the places of all matters that answer to a query, each with how well; every word has to be answered.

        A query without any word is answered by none.
        """
        words = words_of(query)
        if not words:
            return {}
        found: dict[int, int] | None = None
        for word in words:
            scores = self._scores(word)
            found = (
                scores
                if found is None
                else {place: found[place] + score for place, score in scores.items() if place in found}
            )
        return found or {}

    def _scores(self, word: str) -> dict[int, int]:
        scores: dict[int, int] = {}
        self._exact(word, self._names, self._by_gram, scores)
        if is_spelled(word):
            self._exact(word, self._spelled, self._by_spelled_gram, scores)
        if scores:
            return scores
        self._mistyped(word, self._names, self._by_gram, scores)
        spellings = self._spellings_of(word)
        if not is_spelled(word):
            # People who type Chinese choose a wrong character of the right sound.
            for spelled in spellings:
                self._exact(spelled, self._spelled, self._by_spelled_gram, scores, at_most=MISTYPED)
        if not scores:
            for spelled in spellings[:_SPELLED_MISTYPED]:
                self._mistyped(spelled, self._spelled, self._by_spelled_gram, scores)
        if not scores and not word.isascii():
            self._phrase(word, scores)
        return scores

    def _phrase(self, phrase: str, scores: dict[int, int]) -> None:
        """Take several words that were written as one: the more of its pairs of signs stand in a matter's names."""
        grams = list(dict.fromkeys(_grams(phrase)))
        shared: Counter[int] = Counter()
        liked: Counter[int] = Counter()
        for gram in grams:
            weights: dict[int, int] = {}
            for number in self._by_gram.get(gram, ()):
                name = self._names[number]
                weights[name.matter] = max(weights.get(name.matter, 0), name.weight)
            shared.update(weights.keys())
            liked.update(weights)
        fewest = max(_FEWEST_PAIRS, len(grams) * _SHARE_OF_PAIRS)
        for matter, count in shared.items():
            if count >= fewest:
                scores[matter] = PHRASE * count // len(grams) + liked[matter] // len(grams)

    def _spellings_of(self, word: str) -> list[str]:
        return [word] if is_spelled(word) else ["".join(way) for way in self._pinyin.spellings(word)]

    def _learn(self, place: int, matter: Named) -> None:
        own = [(matter.title.zh, TITLE), (matter.title.en, TITLE), (matter.slug, TITLE)]
        own += [(alias, ALIAS) for alias in matter.aliases]
        for text, weight in (*own, (matter.summary.zh, SUMMARY)):
            self._add(self._names, self._by_gram, _Name(place, folded(text), weight))
        for text, weight in own:
            if text.isascii():
                continue
            spelled = set()
            for way in self._pinyin.spellings(text):
                spelled.add("".join(way))
                if len(way) >= _FEWEST_LETTERS:
                    spelled.add("".join(syllable[0] for syllable in way))
            for each in spelled:
                self._add(self._spelled, self._by_spelled_gram, _Name(place, each, weight))

    @staticmethod
    def _add(names: list[_Name], by_gram: defaultdict[str, list[int]], name: _Name) -> None:
        if not name.text:
            return
        number = len(names)
        names.append(name)
        for gram in _kept_under(name.text):
            by_gram[gram].append(number)

    @staticmethod
    def _exact(
        word: str,
        names: Sequence[_Name],
        by_gram: dict[str, list[int]],
        scores: dict[int, int],
        *,
        at_most: int | None = None,
    ) -> None:
        # Whatever holds the word holds its rarest pair of signs.
        lists = [by_gram.get(gram, []) for gram in _grams(word)]
        for number in min(lists, key=len):
            name = names[number]
            score = answers(word, name.text)
            if score is not NOT:
                better = (score if at_most is None else at_most) + name.weight
                scores[name.matter] = max(scores.get(name.matter, 0), better)

    @staticmethod
    def _mistyped(word: str, names: Sequence[_Name], by_gram: dict[str, list[int]], scores: dict[int, int]) -> None:
        most = slips_allowed(word)
        if not most:
            return
        alike: Counter[int] = Counter()
        # In one order everywhere: a list goes on at another process as it began.
        shared = list(_alike(word))
        needed = len(shared) - most * (_PAIRS_OF_A_SLIP if word.isascii() else 1)
        for _, _, numbers in sorted((len(kept := by_gram.get(gram, [])), gram, kept) for gram in shared):
            alike.update(numbers)
            if alike.total() > _COUNTED:
                break
        for number, _ in nsmallest(_ALIKE, alike.items(), key=lambda each: (-each[1], each[0])):
            name = names[number]
            if sum(gram in name.text for gram in shared) < needed:
                continue
            found = slips(word, name.text, most=most)
            if found is not None:
                score = MISTYPED - 10 * found + name.weight
                scores[name.matter] = max(scores.get(name.matter, 0), score)


def _grams(text: str) -> Iterable[str]:
    """Return by what a text is looked up: the pairs of neighbouring signs, or the sign where there is but one."""
    return set(map(add, text, text[1:])) or (text,)


def _kept_under(text: str) -> Iterable[str]:
    """Return under what a text is kept: its pairs, and of Chinese each sign, for short and mistyped queries."""
    return _grams(text) if text.isascii() else {*_grams(text), *text}


def _alike(word: str) -> Iterable[str]:
    """Return what a mistyped word still shares: letters by pairs; of Chinese each character counts."""
    return _grams(word) if word.isascii() else dict.fromkeys(word)
