"""Reading the published files: whatever is wrong with one stops the start, with a sentence that says what."""

import json
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal, TypeVar

import msgspec
from pydantic import TypeAdapter, ValidationError

from certificates.definitions import Kinds
from certificates.settings import DEMO_AUTHORITY
from core.settings import UnsafeSettings
from matters.catalogue.expanding import Templates
from matters.catalogue.life.rules import wrong_with as wrong_with_lists
from matters.catalogue.life.types import NO_LISTS, Bundle, LifeItem, LifeLists
from matters.catalogue.lint.checking import Lint, errors_of
from matters.catalogue.lint.types import Defect, Surroundings
from matters.catalogue.sharing.rules import wrong_with
from matters.catalogue.sharing.types import SharingFile
from matters.catalogue.terms.types import Vocabulary
from matters.catalogue.types import CatalogueFile, Published

T = TypeVar("T")

PUBLISHED: Final = Path(__file__).with_name("published")
_VOCABULARY: Final = Path(__file__).with_name("vocabulary.json")
_RESOURCES: Final = Path(__file__).with_name("sharing") / "resources.json"
_FILE: Final = TypeAdapter(CatalogueFile)
_WORDS: Final = TypeAdapter(Vocabulary)
_SHARING: Final = TypeAdapter(SharingFile)
# Beside the departments' files of a catalogue; who has none goes without.
LIFE: Final = "life"
_ITEMS: Final = TypeAdapter(dict[Literal["items"], tuple[LifeItem, ...]])
_BUNDLES: Final = TypeAdapter(dict[Literal["bundles"], tuple[Bundle, ...]])


def load_catalogue(folder: Path = PUBLISHED) -> tuple[Published, ...]:
    """Read every file of a folder, sorted by the matters' codes.

    Raises:
        UnsafeSettings: a file cannot be read, or breaks a rule of the catalogue whose severity is `error`.
    """
    files = read_files(folder)
    if found := errors_of(Lint(load_surroundings()).of_files(files)):
        raise UnsafeSettings("\n".join(f"Catalogue {defect.sentence}" for defect in found))
    return published_in(files)


def published_in(files: Sequence[CatalogueFile]) -> tuple[Published, ...]:
    """Return all matters of files with their departments, sorted by code."""
    published = [
        Published(matter, file.department, file.demonstration, file.notice) for file in files for matter in file.matters
    ]
    return tuple(sorted(published, key=lambda each: each.matter.code))


def read_files(folder: Path = PUBLISHED, *, tell: Callable[[Path], None] = lambda _path: None) -> list[CatalogueFile]:
    """Read every file of a folder, its templates filled in; `tell` hears of each that is read.

    Raises:
        UnsafeSettings: a file cannot be read, or there is none.
    """
    templates = Templates.load()
    files = []
    for path in sorted(folder.glob("*.json")):
        file = read_file(path.read_bytes(), name=path.name, templates=templates)
        if path.stem != file.department.slug:
            raise UnsafeSettings(f"Catalogue {path.name}: the file is named after its department.")
        files.append(file)
        tell(path)
    if not files:
        raise UnsafeSettings(f"There is no catalogue in {folder}.")
    return files


def load_lists(published: Sequence[Published], folder: Path = PUBLISHED) -> LifeLists:
    """Read the lists of a life that a catalogue has: what comes up from birth on, and bundles.

    Raises:
        UnsafeSettings: a file cannot be read, or names what is not published.
    """
    lists = read_lists(folder)
    if found := lint_lists(lists, published):
        raise UnsafeSettings("\n".join(f"Catalogue {defect.sentence}" for defect in found))
    return lists


def lint_lists(lists: LifeLists, published: Sequence[Published]) -> list[Defect]:
    """Return what is wrong with the lists of a life over published matters."""
    events = load_surroundings().life_events
    return sorted(wrong_with_lists(lists, [each.matter for each in published], events))


def read_lists(folder: Path = PUBLISHED) -> LifeLists:
    """Read the lists of a life beside a catalogue's files, without holding them against it.

    Raises:
        UnsafeSettings: a file cannot be read.
    """
    place = folder / LIFE
    if not place.is_dir():
        return NO_LISTS
    items = _read(_ITEMS, _decoded(place / "cycle.json"), f"Catalogue {LIFE}/cycle.json")
    bundles = _read(_BUNDLES, _decoded(place / "bundles.json"), f"Catalogue {LIFE}/bundles.json")
    return LifeLists(items.get("items", ()), bundles.get("bundles", ()))


def _decoded(path: Path) -> object:
    try:
        return msgspec.json.decode(path.read_bytes())
    except (OSError, msgspec.DecodeError) as error:
        raise UnsafeSettings(f"Catalogue {path.parent.name}/{path.name}: it cannot be read as JSON.") from error


def read_file(content: bytes | str, *, name: str, templates: Templates) -> CatalogueFile:
    """Read one department's file.

    Raises:
        UnsafeSettings: it is no JSON, or a member is missing, unknown or of the wrong kind.
    """
    try:
        told = msgspec.json.decode(content)
    except msgspec.DecodeError as error:
        raise UnsafeSettings(f"Catalogue {name}: it is no JSON.") from error
    return _read(_FILE, templates.expand(told) if isinstance(told, dict) else told, f"Catalogue {name}")


@cache
def load_vocabulary() -> Vocabulary:
    """Read the words by which matters are sorted.

    Raises:
        UnsafeSettings: the file cannot be read.
    """
    return _read(_WORDS, json.loads(_VOCABULARY.read_bytes()), "Catalogue vocabulary")


@cache
def load_sharing() -> SharingFile:
    """Read what departments share and withhold.

    Raises:
        UnsafeSettings: the file cannot be read, or breaks a rule.
    """
    file = _read(_SHARING, json.loads(_RESOURCES.read_bytes()), "Sharing catalogue")
    if found := list(wrong_with(file)):
        raise UnsafeSettings("\n".join(f"Sharing catalogue: {sentence}" for sentence in found))
    return file


@cache
def load_surroundings() -> Surroundings:
    """Return what matters may name: kinds of certificates, shared resources, words.

    Raises:
        UnsafeSettings: one of the files cannot be read.
    """
    words, sharing = load_vocabulary(), load_sharing()
    resources: dict[str, set[str]] = {}
    for resource in sharing.resources:
        resources.setdefault(resource.department, set()).add(resource.code)
    return Surroundings(
        kinds={
            kind.slug: {field.name for field in kind.fields}
            for kind in Kinds.load(authority=DEMO_AUTHORITY, type_codes={})
        },
        resources=resources,
        themes={term.slug for term in words.themes},
        groups={term.slug for term in words.groups},
        life_events={term.slug for term in words.life_events},
        methods={term.slug for term in words.methods},
    )


def _read(shape: TypeAdapter[T], told: object, name: str) -> T:
    try:
        return shape.validate_python(told)
    except ValidationError as error:
        first: Any = error.errors(include_url=False, include_input=False)[0]
        place = "/".join(str(part) for part in first["loc"])
        raise UnsafeSettings(f"{name}: {place}: {first['msg']}") from error
