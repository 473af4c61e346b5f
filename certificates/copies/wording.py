"""What stands on a copy in place of what an issuer writes: words for codes, a line for each row, and the time here."""

import unicodedata
from typing import Final

from auth.registers.purposes import USUAL
from auth.rights.wording import moment
from certificates.types import FieldDefinition, FieldType, Value

_NOTHING: Final = "—"
# Of Unicode's categories: separators, punctuation, and what is not seen at all.
_NO_WORDS: Final = frozenset("ZPC")


def printed(field: FieldDefinition, value: Value) -> str:
    """Return a field's value as people read it: one line, or one for each row after a line break."""
    if value is None or value == []:
        return _NOTHING
    if isinstance(value, list):
        return "".join(f"\n{_row(field, row)}" for row in value)
    if word := field.word_of(value):
        return word.zh
    return moment(str(value)) if field.type is FieldType.MOMENT else str(value)


def _row(field: FieldDefinition, row: dict[str, str | int | None]) -> str:
    return "，".join(f"{each.title}：{printed(each, row.get(each.name))}" for each in field.columns)


def said(purpose: str) -> str:
    """Return a purpose as it stands on paper: the words for a usual code (`check-in`), else what was written."""
    usual = USUAL.get(purpose)
    return purpose if usual is None else usual.zh


def same_purpose(one: str, other: str) -> bool:
    """Tell whether two purposes are the same but for blanks, punctuation and how wide their characters are."""
    return _bare(said(one)) == _bare(said(other))


def _bare(purpose: str) -> str:
    text = unicodedata.normalize("NFKC", purpose)
    return "".join(each for each in text if unicodedata.category(each)[0] not in _NO_WORDS)
