"""The words of routing: places, units that handle cases, rules, and the route a case takes."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar

from matters.catalogue.terms.types import STRICT, Wording


class UnitLevel(StrEnum):
    """Where in the administration a unit stands: 市, 区县, 乡镇街道."""

    CITY = "city"
    DISTRICT = "district"
    TOWN = "town"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A region by its code (GB/T 2260 and its continuation) and the names by which addresses call it."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT

    code: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """A window that handles cases of its region; without `departments` those of all (综合窗口)."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT

    code: str
    title: Wording
    region: str
    level: UnitLevel
    departments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Handles:
    """An entry of the list of who handles what (镇办、区办): these matters are a town's or a district's."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT

    level: UnitLevel
    matters: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteRule:
    """Applies where matter, department, region and level fit; an empty part fits everything.

    `regions` fit by prefix. Without `units` the case goes to a unit of its region on the level of its matter.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT

    name: str
    matters: tuple[str, ...] = ()
    departments: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    levels: tuple[UnitLevel, ...] = ()
    units: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Pull:
    """Before this matter's dossiers go out, `records` are asked at the place that `field` of the form names."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT

    matter: str
    field: str
    records: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Return:
    """What is decided about this matter goes back to `registry`, for the place that `field` of the form names."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT

    matter: str
    field: str
    registry: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutingTable:
    """All of it. `region_fields` are the fields of forms that say where a case belongs, the first that does counts."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT

    demonstration: bool
    version: str
    region_fields: tuple[str, ...]
    places: tuple[Place, ...]
    units: tuple[Unit, ...]
    handles: tuple[Handles, ...]
    rules: tuple[RouteRule, ...]
    fallback: str
    pulls: tuple[Pull, ...] = ()
    returns: tuple[Return, ...] = ()

    def unit(self, code: str) -> Unit | None:
        """Return a unit by its code, None where there is none any more."""
        return next((unit for unit in self.units if unit.code == code), None)


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked about a case: its matter (slug), the department, where it belongs (empty: not known), the level."""

    matter: str
    department: str
    region: str
    level: UnitLevel


@dataclass(frozen=True, slots=True)
class Chosen:
    """A rule and the units that are equally right by it."""

    rule: str
    units: tuple[Unit, ...]


@dataclass(frozen=True, slots=True)
class Route:
    """Who gets a case, by which rule of which table. `home` is where the case belongs, empty where nobody knows."""

    unit: Unit
    home: str
    rule: str
    version: str
