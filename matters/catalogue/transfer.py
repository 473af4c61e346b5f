"""Taking a catalogue elsewhere and back: JSON, a file for each department, and CSV, a line for each matter."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from core.settings import UnsafeSettings
from matters.catalogue.types import CatalogueFile, Matter

_FILE: Final = TypeAdapter(CatalogueFile)
_HEAD: Final = ("demonstration", "notice", "department")
_COLUMNS: Final = (*_HEAD, *(field.name for field in fields(Matter)))
# GB/T 39046 itself gives these codes ten and twenty-four characters; practice has more, and both are taken.
_CODES: Final = frozenset({"basic_code", "code", "item_code"})
# What a spreadsheet would take for a formula is led in by a sign that it shows as text.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "'")


def as_json(file: CatalogueFile) -> str:
    """Return a department's file with every member written out."""
    return json.dumps(_FILE.dump_python(file, mode="json"), ensure_ascii=False, indent=2) + "\n"


def as_csv(files: Sequence[CatalogueFile]) -> str:
    """Return all matters, a line each. Texts and codes stand as they are, everything else as JSON."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(_COLUMNS)
    for file in files:
        raw = _FILE.dump_python(file, mode="json")
        for matter in raw["matters"]:
            line = {**{name: raw[name] for name in _HEAD}, **matter}
            writer.writerow([_cell(line[name]) for name in _COLUMNS])
    return out.getvalue()


def from_csv(text: str) -> list[CatalogueFile]:
    """Read what `as_csv` wrote, matters in the order of their lines; columns may stand in any order, or be left out.

    Raises:
        UnsafeSettings: a line cannot be read; the message says which and why.
    """
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))
    if strange := sorted(set(reader.fieldnames or ()) - set(_COLUMNS)):
        raise UnsafeSettings(f"CSV: there is no column {', '.join(strange)}.")
    heads: dict[str, dict[str, Any]] = {}
    for number, line in enumerate(reader, 2):
        told = {name: _value(name, cell, number) for name, cell in line.items() if cell}
        head = {name: told.pop(name, None) for name in _HEAD}
        slug = head["department"].get("slug") if isinstance(head["department"], dict) else None
        if slug is None:
            raise UnsafeSettings(f"CSV line {number}: the department is missing.")
        heads.setdefault(slug, {**head, "matters": []})["matters"].append(told)
    return [_read(head, slug) for slug, head in heads.items()]


def _read(raw: Mapping[str, Any], slug: str) -> CatalogueFile:
    try:
        return _FILE.validate_json(json.dumps(raw))
    except ValidationError as error:
        first: Any = error.errors(include_url=False, include_input=False)[0]
        place = "/".join(str(part) for part in first["loc"])
        raise UnsafeSettings(f"CSV, {slug}: {place}: {first['msg']}") from error


def _cell(value: object) -> str:
    text = value if isinstance(value, str) else "" if value is None else json.dumps(value, ensure_ascii=False)
    return f"'{text}" if text.startswith(_FORMULA) else text


def _value(name: str, cell: str | list[str], number: int) -> Any:  # noqa: ANN401 — whatever JSON a cell holds
    if name is None or not isinstance(cell, str):
        raise UnsafeSettings(f"CSV line {number}: there are more cells than columns.")
    text = cell.removeprefix("'")
    if name in _TEXTS:
        return text
    try:
        return json.loads(text)
    except ValueError as error:
        raise UnsafeSettings(f"CSV line {number}: {name} cannot be read.") from error


# Members that are plain texts, or words of a closed list.
_TEXTS: Final = _CODES | {
    "slug", "kind_of_power", "exercised_at", "subject_nature", "case_kind", "online_depth", "range", "level",
    "enquiry_phone", "complaint_phone", "handling", "refreshes_certificate", "offer", "procedure", "ending", "desk",
    "template",
}  # fmt: skip
