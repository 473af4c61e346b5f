"""Reading the table of routes: whatever is wrong with it stops the start, with a sentence that says what."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from pydantic import TypeAdapter, ValidationError

from core.settings import UnsafeSettings
from matters.catalogue.types import Published
from matters.routing.rules import wrong_with
from matters.routing.types import RoutingTable

TABLE: Final = Path(__file__).with_name("table.json")
_TABLE: Final = TypeAdapter(RoutingTable)


def load_table(published: Sequence[Published], path: Path = TABLE) -> RoutingTable:
    """Read the table of routes and hold it against the catalogue.

    Raises:
        UnsafeSettings: it cannot be read, or names what there is not.
    """
    try:
        table = _TABLE.validate_python(json.loads(path.read_bytes()))
    except (OSError, ValueError, ValidationError) as error:
        raise UnsafeSettings(f"The table of routes {path.name} cannot be read: {error}") from error
    matters = frozenset(each.matter.slug for each in published)
    departments = frozenset(each.department.slug for each in published)
    if found := list(wrong_with(table, matters, departments)):
        raise UnsafeSettings("\n".join(f"The table of routes: {sentence}" for sentence in found))
    return table
