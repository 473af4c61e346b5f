"""The texts of consents. What was once in force is never changed: a new wording is a new version, and asks again."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

_FILE: Final = Path(__file__).with_name("consents.json")
# The column of the consent has this room.
_LONGEST_PURPOSE: Final = 32


@dataclass(frozen=True, slots=True)
class Wording:
    """The same in both languages."""

    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class ConsentText:
    """One text. `follows` says what a withdrawal means; where none is allowed, `instead` is the address that helps."""

    purpose: str
    version: int
    in_force: bool
    title: Wording
    text: Wording
    plain: str
    may_be_withdrawn: bool
    follows: Wording
    instead: str | None

    @property
    def code(self) -> str:
        """How the text is named where somebody agrees to it: `face@1`."""
        return f"{self.purpose}@{self.version}"

    @property
    def sha256(self) -> str:
        """The digest of all its words, by which a consent proves later what was agreed to."""
        words = [
            self.code,
            self.title.zh,
            self.title.en,
            self.text.zh,
            self.text.en,
            self.plain,
            self.follows.zh,
            self.follows.en,
        ]
        return hashlib.sha256(json.dumps(words, ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()


def read_texts(content: str) -> tuple[ConsentText, ...]:
    """Read a file of texts.

    Raises:
        ValueError: two texts have one version, a purpose has not exactly one in force, or a text says too little.
    """
    texts = tuple(_text(entry) for entry in json.loads(content)["texts"])
    codes = [text.code for text in texts]
    if len(set(codes)) != len(codes):
        raise ValueError("a version of a text stands twice")
    for purpose in {text.purpose for text in texts}:
        if sum(text.in_force for text in texts if text.purpose == purpose) != 1:
            raise ValueError(f"not exactly one text for {purpose} is in force")
        if not 0 < len(purpose) <= _LONGEST_PURPOSE:
            raise ValueError(f"a purpose has 1 to {_LONGEST_PURPOSE} characters")
    for text in texts:
        if not text.may_be_withdrawn and text.instead is None:
            raise ValueError(f"{text.code} cannot be withdrawn and does not say what to do instead")
    return texts


def _text(entry: Mapping[str, Any]) -> ConsentText:
    withdrawal = entry["withdrawal"]
    return ConsentText(
        purpose=entry["purpose"],
        version=entry["version"],
        in_force=entry["in_force"],
        title=Wording(**entry["title"]),
        text=Wording(**entry["text"]),
        plain=entry["plain"],
        may_be_withdrawn=withdrawal["allowed"],
        follows=Wording(withdrawal["zh"], withdrawal["en"]),
        instead=withdrawal["instead"],
    )


TEXTS: Final[Sequence[ConsentText]] = read_texts(_FILE.read_text(encoding="utf-8"))
IN_FORCE: Final[Mapping[str, ConsentText]] = {text.purpose: text for text in TEXTS if text.in_force}


def find_text(purpose: str, version: int) -> ConsentText | None:
    """Return a text of now or of earlier."""
    return next((text for text in TEXTS if (text.purpose, text.version) == (purpose, version)), None)
