"""The words of sharing: elements of data, resources made of them, and what is withheld with its reason."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar

from matters.catalogue.terms.types import STRICT, Wording


class Sharing(StrEnum):
    """On what terms a resource is shared between departments (无条件共享, 有条件共享)."""

    UNCONDITIONAL = "unconditional"
    CONDITIONAL = "conditional"


class ElementType(StrEnum):
    """What a value of an element is."""

    TEXT = "text"
    CODE = "code"
    DATE = "date"
    NUMBER = "number"
    TRUTH = "truth"
    IMAGE = "image"


@dataclass(frozen=True, slots=True, kw_only=True)
class Element:
    """An entry of the data dictionary. `length`: characters at most, 0 where that says nothing."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT

    name: str
    title: Wording
    type: ElementType
    length: int
    personal: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """What a department shares. `open` resources are published for everybody; they hold nothing personal."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT

    department: str
    code: str
    title: Wording
    level: Sharing
    elements: tuple[str, ...]
    updated: str
    open: bool
    condition: Wording | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Withheld:
    """What a department does not share, and why (负面清单)."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT

    department: str
    code: str
    title: Wording
    reason: Wording


@dataclass(frozen=True, slots=True, kw_only=True)
class SharingFile:
    """All of it, as it is published."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT

    demonstration: bool
    notice: Wording
    elements: tuple[Element, ...]
    resources: tuple[Resource, ...]
    withheld: tuple[Withheld, ...]
