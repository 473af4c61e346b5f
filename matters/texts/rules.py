"""Decisions about texts: which of a form were written freely, and what a look at them comes to. Pure functions."""

import re
import unicodedata
from collections.abc import Collection, Mapping
from typing import Any, Final

from matters.forms.rules import COMPUTED
from matters.types import Suggestion, TextVerdict

# A field that only lets certain words through is no free text.
_BOUND: Final = frozenset({"enum", "const", "pattern", "format", COMPUTED})
_NOT_A_LETTER: Final = re.compile(r"[\W_]+")


def free_texts(schema: Mapping[str, Any], form: Mapping[str, object], sources: Collection[str]) -> dict[str, str]:
    """Return what an applicant has written in their own words, by field; `sources` are fields that were filled in."""
    found = {}
    for name, rule in schema["properties"].items():
        value = form.get(name)
        if isinstance(value, str) and value.strip() and name not in sources and not _BOUND & rule.keys():
            found[name] = value
    return found


def changed_texts(texts: Mapping[str, str], submitted: Mapping[str, object]) -> dict[str, str]:
    """Return those of the free texts of a form that are not as they were submitted."""
    return {name: text for name, text in texts.items() if submitted.get(name) != text}


def look_locally(text: str, words: Collection[str]) -> TextVerdict:
    """Return what our own list says of a text; gaps, signs and widths between letters hide nothing."""
    bare = _NOT_A_LETTER.sub("", unicodedata.normalize("NFKC", text)).lower()
    return TextVerdict(Suggestion.REVIEW if any(word in bare for word in words) else Suggestion.PASS)


def worst(verdicts: Collection[TextVerdict]) -> TextVerdict:
    """Return the gravest of several verdicts; of none, that there is nothing against it."""
    order = tuple(Suggestion)
    return max(verdicts, key=lambda each: order.index(each.suggestion), default=TextVerdict(Suggestion.PASS))


def pieces(text: str, size: int) -> list[str]:
    """Return a text in pieces of at most so many characters, each beginning a little before the last one's end."""
    overlap = min(20, size // 4)
    return [text[at : at + size] for at in range(0, max(1, len(text) - overlap), size - overlap)]
