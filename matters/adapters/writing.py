"""Writing for departments: XML of a namespace, values of a form with what they are, lists of files."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Final
from xml.etree.ElementTree import Element, SubElement, tostring

from matters.types import Dossier, DossierFile

# What is no `Char` of XML 1.0, 2.2.
_UNFIT: Final = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def typed(value: object) -> tuple[str, str]:
    """Return what a form's value is (`text`, `number`, `truth`, `none`, `json`), and its text."""
    match value:
        case None:
            return "none", ""
        case bool():
            return "truth", "true" if value else "false"
        case int():
            return "number", str(value)
        case str():
            return "text", value
        case _:
            return "json", json.dumps(value, ensure_ascii=False)


def add(parent: Element, space: str, name: str, words: str = "") -> Element:
    """Add an element with a text to another one, both of a namespace."""
    child = SubElement(parent, f"{{{space}}}{name}")
    child.text = fitting(words)
    return child


def fitting(words: str) -> str:
    """Return a text as XML 1.0 can carry it: control characters and halves of pairs are let go."""
    return _UNFIT.sub("", words)


def add_case(root: Element, space: str, dossier: Dossier) -> None:
    """Add applicant and form of a dossier, as the pages with XML of this city have them."""
    mobile = dossier.applicant.mobile
    applicant = add(root, space, "Applicant")
    add(applicant, space, "Name", dossier.applicant.name.reveal())
    add(applicant, space, "IdNumber", dossier.applicant.id_number.reveal())
    add(applicant, space, "Mobile", mobile.reveal() if mobile else "")
    add_form(root, space, dossier.form)


def add_form(root: Element, space: str, values: Mapping[str, object]) -> None:
    """Add a form, each value with what it is."""
    form = add(root, space, "Form")
    for name, value in values.items():
        kind, words = typed(value)
        field = add(form, space, "Field", words)
        field.set("name", fitting(name))
        field.set("type", kind)


def add_files(root: Element, space: str, files: Sequence[DossierFile], *, fetched: bool = True) -> None:
    """Add a list of files; with where each is fetched, unless they are brought there."""
    listed = add(root, space, "Files")
    for file in files:
        one = add(listed, space, "File", file.address if fetched else "")
        one.set("material", file.material)
        one.set("name", file.name)
        one.set("mediaType", file.media_type)
        one.set("size", str(file.size))
        one.set("sha256", file.sha256)


def files_of(files: Sequence[DossierFile]) -> list[dict[str, object]]:
    """Return a list of files, as most pages with JSON have it."""
    return [
        {
            "material": file.material,
            "name": file.name,
            "media_type": file.media_type,
            "size": file.size,
            "sha256": file.sha256,
            "url": file.address,
            "expires_at": file.expires_at.isoformat(timespec="seconds"),
        }
        for file in files
    ]


def written(root: Element) -> bytes:
    """Return a document in UTF-8 with its declaration."""
    content: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return content
