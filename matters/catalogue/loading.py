"""Reading the published files: whatever is wrong with one stops the start, with a sentence that says what."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError
from pydantic import TypeAdapter, ValidationError

from core.settings import UnsafeSettings
from matters.catalogue.rules import findings_of
from matters.catalogue.types import CatalogueFile, Published

PUBLISHED: Final = Path(__file__).with_name("published")
_FILE: Final = TypeAdapter(CatalogueFile)


def load_catalogue(folder: Path = PUBLISHED) -> tuple[Published, ...]:
    """Read every file of a folder, sorted by the matters' codes.

    Raises:
        UnsafeSettings: a file cannot be read, or breaks a rule of the catalogue.
    """
    published: list[Published] = []
    for path in sorted(folder.glob("*.json")):
        published += _read(path)
    if not published:
        raise UnsafeSettings(f"There is no catalogue in {folder}.")
    for name in ("code", "slug"):
        values = [getattr(each.matter, name) for each in published]
        if doubled := sorted({value for value in values if values.count(value) > 1}):
            raise UnsafeSettings(f"Catalogue: the {name} {', '.join(doubled)} stands twice.")
    return tuple(sorted(published, key=lambda each: each.matter.code))


def _read(path: Path) -> list[Published]:
    try:
        file = _FILE.validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = "/".join(str(part) for part in first["loc"])
        raise UnsafeSettings(f"Catalogue {path.name}: {place}: {first['msg']}") from error
    found = findings_of(file) + _schemas(file)
    if path.stem != file.department.slug:
        found.append("the file is named after its department.")
    if found:
        raise UnsafeSettings("\n".join(f"Catalogue {path.name}: {finding}" for finding in found))
    return [Published(matter, file.department, file.demonstration, file.notice) for matter in file.matters]


def _schemas(file: CatalogueFile) -> list[str]:
    found = []
    for matter in file.matters:
        try:
            Draft202012Validator.check_schema(_plain(matter.form))
        except SchemaError as error:
            found.append(f"{matter.slug}: the form is no JSON Schema 2020-12 ({error.message[:80]}).")
    return found


def _plain(schema: Mapping[str, Any]) -> dict[str, Any]:
    plain: dict[str, Any] = json.loads(json.dumps(schema))
    return plain
