"""Templates are data too: what many matters have in common stands once, and each says what is its own.

A matter of a file may name a `template`, whose members it takes over unless it has its own, and name materials of the
common list instead of writing them out. Codes follow from the department's, the level and the basic code. Texts of a
template may hold `{department}`, `{title}`, `{enquiry_phone}` and `{complaint_phone}`. What comes out is a matter like
any other, and is checked like any other.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from core.settings import UnsafeSettings

TEMPLATES: Final = Path(__file__).with_name("templates")
_MATERIALS: Final = "materials.json"
_FIRST_ITEM: Final = "01"

Raw = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Templates:
    """What matters may be made from: parts of matters by name, and whole materials by code."""

    matters: Mapping[str, Raw]
    materials: Mapping[str, Raw]

    @classmethod
    def load(cls, folder: Path = TEMPLATES) -> "Templates":
        """Read the templates of a folder.

        Raises:
            UnsafeSettings: a file cannot be read, or is not named after what is in it.
        """
        matters: dict[str, Raw] = {}
        materials: Mapping[str, Raw] = {}
        for path in sorted(folder.glob("*.json")):
            try:
                told = json.loads(path.read_bytes())
                if path.name == _MATERIALS:
                    materials = dict(told["materials"])
                    wrong = any(code != material["code"] for code, material in materials.items())
                else:
                    matters[path.stem] = told["matter"]
                    wrong = told["slug"] != path.stem
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise UnsafeSettings(f"Template {path.name} cannot be read: {type(error).__name__}") from error
            if wrong:
                raise UnsafeSettings(f"Template {path.name}: it is not named after what is in it.")
        return cls(matters, materials)

    def expand(self, file: Raw) -> Raw:
        """Return a file with all its matters written out.

        Raises:
            UnsafeSettings: a template or a material that there is not.
        """
        department = file.get("department")
        matters = file.get("matters")
        if not isinstance(department, dict) or not isinstance(matters, list):
            return file
        written = [self._matter(each, department) if isinstance(each, dict) else each for each in matters]
        return {**file, "matters": written}

    def _matter(self, told: Raw, department: Raw) -> Raw:
        if name := told.get("template"):
            if name not in self.matters:
                raise UnsafeSettings(f"Catalogue: {told.get('slug')} names the template {name}, which there is not.")
            title = told.get("title")
            words = _Words.of(department, title if isinstance(title, dict) else {})
            given = {member: part for member, part in self.matters[name].items() if member not in told}
            told = {**_filled(given, words), **told}
        materials = told.get("materials")
        if isinstance(materials, list):
            told = {**told, "materials": [self._material(each, told.get("slug")) for each in materials]}
        return {**_codes(told, department), **told}

    def _material(self, told: object, slug: object) -> object:
        if not isinstance(told, str):
            return told
        if told not in self.materials:
            raise UnsafeSettings(f"Catalogue: {slug} names the material {told}, which is not on the common list.")
        return self.materials[told]


@dataclass(frozen=True, slots=True)
class _Words:
    """What the words in braces stand for, in both languages."""

    zh: Mapping[str, str]
    en: Mapping[str, str]

    @classmethod
    def of(cls, department: Raw, title: Raw) -> "_Words":
        names = department.get("name")
        shared = {name: str(department.get(name, "")) for name in ("enquiry_phone", "complaint_phone")}
        return cls(
            *(
                {**shared, "department": str((names or {}).get(language, "")), "title": str(title.get(language, ""))}
                for language in ("zh", "en")
            )
        )


def _codes(told: Raw, department: Raw) -> Raw:
    """Return the codes of 31 and 33 characters where the matter does not write them out."""
    parts = (department.get("uscc"), told.get("exercised_at"), told.get("basic_code"))
    if not all(isinstance(part, str) for part in parts):
        return {}
    code = told.get("code", "".join(str(part) for part in parts))
    return {"code": code, "item_code": f"{code}{_FIRST_ITEM}"}


def _filled(value: Any, words: _Words) -> Any:  # noqa: ANN401 — any JSON in, the same shape out
    if isinstance(value, dict):
        if value.keys() == {"zh", "en"}:
            return {"zh": _put(value["zh"], words.zh), "en": _put(value["en"], words.en)}
        return {name: _filled(each, words) for name, each in value.items()}
    if isinstance(value, list):
        return [_filled(each, words) for each in value]
    return _put(value, words.zh)


def _put(value: Any, words: Mapping[str, str]) -> Any:  # noqa: ANN401 — what is no text stays as it is
    if not isinstance(value, str) or "{" not in value:
        return value
    for name, word in words.items():
        value = value.replace("{" + name + "}", word)
    return value
