"""Differences between two versions of a matter, and between two catalogues."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pydantic import TypeAdapter

from matters.catalogue.types import CatalogueFile, Matter

_MATTER: Final = TypeAdapter(Matter)
_SHOWN: Final = 60
# A list of named things is compared by name, so that one more in front does not change all that follow.
_NAMES: Final = ("code", "name", "method")


@dataclass(frozen=True, slots=True)
class Difference:
    """One place that differs. `path` as in `materials/identity/ways/0/text/zh`; a missing side is empty."""

    path: str
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """How two catalogues differ: matters by slug, and what has changed in those that both have."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: Mapping[str, tuple[Difference, ...]]

    @property
    def is_empty(self) -> bool:
        """Whether they say the same."""
        return not (self.added or self.removed or self.changed)


def raw_of(matter: Matter) -> dict[str, Any]:
    """Return a matter as JSON, with every member written out."""
    raw: dict[str, Any] = _MATTER.dump_python(matter, mode="json")
    return raw


def matter_of(raw: object) -> Matter:
    """Read a matter from JSON that `raw_of` wrote.

    Raises:
        ValidationError: it is none.
    """
    return _MATTER.validate_json(json.dumps(raw))


def differences(before: Matter, after: Matter) -> tuple[Difference, ...]:
    """Return where two versions of a matter differ, in the order of their members."""
    return tuple(_compare(raw_of(before), raw_of(after), ""))


def compare(before: Sequence[CatalogueFile], after: Sequence[CatalogueFile]) -> Compared:
    """Return how two catalogues differ."""
    old = {matter.slug: matter for file in before for matter in file.matters}
    new = {matter.slug: matter for file in after for matter in file.matters}
    changed = {slug: differences(old[slug], new[slug]) for slug in sorted(old.keys() & new.keys())}
    return Compared(
        added=tuple(sorted(new.keys() - old.keys())),
        removed=tuple(sorted(old.keys() - new.keys())),
        changed={slug: found for slug, found in changed.items() if found},
    )


def _compare(before: object, after: object, path: str) -> Iterator[Difference]:
    if before == after:
        return
    left, right = _members(before), _members(after)
    if left is None or right is None:
        yield Difference(path, _shown(before), _shown(after))
        return
    for name in (*left, *(name for name in right if name not in left)):
        yield from _compare(left.get(name), right.get(name), f"{path}/{name}" if path else name)


def _members(value: object) -> dict[str, Any] | None:
    if isinstance(value, dict):
        return value
    if isinstance(value, list):
        return {_name(each, place): each for place, each in enumerate(value)}
    return None


def _name(value: object, place: int) -> str:
    if isinstance(value, dict):
        for name in _NAMES:
            if isinstance(value.get(name), str):
                return str(value[name])
    return str(place)


def _shown(value: object) -> str:
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
