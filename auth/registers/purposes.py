"""What the purposes of verifiers are called: as their registration says, or as it is usual (`purposes.json`)."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from auth.types import Term

USUAL: Final[Mapping[str, Term]] = {
    code: Term(words["zh"], words["en"])
    for code, words in json.loads(Path(__file__).with_name("purposes.json").read_text(encoding="utf-8")).items()
}
"""Purposes that many verifiers have; a registration may call them otherwise."""


def terms_of(details: Mapping[str, Any]) -> dict[str, Term]:
    """Return what the purposes of a verifier are called, by code; `details` is what the register says of it.

    A code that nobody has given words is told as a registered purpose, so that nobody takes it for a word of theirs.
    """
    told = details.get("purpose_titles", {})
    return {code: _term(code, told.get(code)) for code in details.get("purposes", {})}


def _term(code: str, told: Mapping[str, str] | None) -> Term:
    if told is not None:
        return Term(told["zh"], told["en"])
    if not code.isascii():
        return Term(code, code)
    return USUAL.get(code) or Term(f"已登记的用途（{code}）", f"A registered purpose ({code})")
