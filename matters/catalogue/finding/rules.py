"""How well a text answers to what somebody typed: whole, begun, within, or with a slip of the finger."""

import unicodedata
from typing import Final

WHOLE, BEGUN, WITHIN, MISTYPED, PHRASE, NOT = 100, 80, 60, 30, 20, 0
# A title counts more than another name for it, and that more than the summary.
TITLE, ALIAS, SUMMARY = 4, 3, 0
# Slips are forgiven from so many signs on: one, and from the second number on two.
_ONE_SLIP, _TWO_SLIPS = 3, 9
_LETTERS_FOR_A_SLIP: Final = 5


def folded(text: str) -> str:
    """Return a text as it is compared: one width, small letters, nothing but letters and digits."""
    plain = unicodedata.normalize("NFKC", text).casefold().replace("ü", "v")
    return "".join(char for char in plain if char.isalnum())


def words_of(query: str) -> tuple[str, ...]:
    """Return the words of a query, folded; a query of signs alone has none, and single letters say nothing."""
    return tuple(word for each in query.split() if (word := folded(each)) and not (len(word) == 1 and word.isascii()))


def is_spelled(word: str) -> bool:
    """Tell whether a word may be spelled Chinese: letters alone."""
    return word.isascii() and word.isalpha()


def answers(word: str, text: str) -> int:
    """Return how well a folded text answers to a folded word, without slips."""
    if word == text:
        return WHOLE
    if text.startswith(word):
        return BEGUN
    return WITHIN if word in text else NOT


def slips_allowed(word: str) -> int:
    """Return how many slips of the finger are forgiven in a word; short ones would mean anything."""
    least = _LETTERS_FOR_A_SLIP if word.isascii() else _ONE_SLIP
    if len(word) < least:
        return 0
    return 2 if len(word) >= _TWO_SLIPS else 1


def slips(word: str, text: str, *, most: int) -> int | None:
    """Return how few signs must be changed, left out or put in so that `word` stands somewhere in `text`.

    None for more than `most` (Sellers' algorithm; two neighbours in the wrong order are one slip).
    """
    before_last: list[int] | None = None
    last = [0] * (len(text) + 1)
    for row, char in enumerate(word, 1):
        current = [row]
        for column, other in enumerate(text, 1):
            cost = min(last[column] + 1, current[column - 1] + 1, last[column - 1] + (char != other))
            if (
                before_last is not None
                and column > 1
                and char == text[column - 2]
                and word[row - 2] == other
                and char != other
            ):
                cost = min(cost, before_last[column - 2] + 1)
            current.append(cost)
        if min(current) > most:
            return None
        before_last, last = last, current
    found = min(last)
    return found if found <= most else None
