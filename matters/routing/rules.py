"""Decisions about routes: where a case belongs, which units fit, and who of equals gets it. Pure functions."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Final

from matters.routing.types import Asked, Chosen, Place, RoutingTable, Unit, UnitLevel

FALLBACK: Final = "fallback"
# How many digits a region's code may have: province, city, county, town, village.
LENGTHS: Final = frozenset({2, 4, 6, 9, 12})
# An area code at the head of a citizen's number.
_AREA: Final = 6


def region_named(places: tuple[Place, ...], text: str) -> str:
    """Return the code of the smallest place that an address names, empty where it names none.

    A place counts only if the address names none that contradicts it: of two districts nobody knows which.
    """
    found = sorted({place.code for place in places if any(name in text for name in place.names)}, key=len)
    if not found or any(not found[-1].startswith(code) for code in found):
        return ""
    return found[-1]


def region_of(table: RoutingTable, form: Mapping[str, object], area: str) -> str:
    """Return where a case belongs: by its form, else by the area where the applicant's number was given (`area`)."""
    for field in table.region_fields:
        value = form.get(field)
        if isinstance(value, str) and (named := region_named(table.places, value)):
            return named
    return home_of(table, area)


def home_of(table: RoutingTable, area: str) -> str:
    """Return the smallest known region that an area code lies in, empty where none is known."""
    known = (place.code for place in table.places if area[:_AREA].startswith(place.code))
    return max(known, key=len, default="")


def level_of(table: RoutingTable, matter: str) -> UnitLevel:
    """Return who handles a matter by the list; what is not on it is the city's."""
    return next((entry.level for entry in table.handles if matter in entry.matters), UnitLevel.CITY)


def choose(table: RoutingTable, asked: Asked) -> Chosen:
    """Return the units of the first rule that fits and has any, or the desk for what fits nowhere."""
    for rule in table.rules:
        fits = (
            (not rule.matters or asked.matter in rule.matters)
            and (not rule.departments or asked.department in rule.departments)
            and (not rule.levels or asked.level in rule.levels)
            and (not rule.regions or any(asked.region.startswith(region) for region in rule.regions))
        )
        if not fits:
            continue
        if rule.units:
            units = tuple(unit for unit in table.units if unit.code in rule.units)
        else:
            units = tuple(unit for unit in table.units if _handles(unit, asked))
        if units:
            return Chosen(rule.name, units)
    return Chosen(FALLBACK, tuple(unit for unit in table.units if unit.code == table.fallback))


def _handles(unit: Unit, asked: Asked) -> bool:
    return (
        unit.level is asked.level
        and bool(asked.region)
        and asked.region.startswith(unit.region)
        and (not unit.departments or asked.department in unit.departments)
    )


def least_loaded(units: tuple[Unit, ...], load: Mapping[str, int]) -> Unit:
    """Return the unit with the fewest open cases; of equals the one whose code comes first.

    Raises:
        ValueError: there is none.
    """
    return min(units, key=lambda unit: (load.get(unit.code, 0), unit.code))


def wrong_with(table: RoutingTable, matters: frozenset[str], departments: frozenset[str]) -> Iterator[str]:
    """Yield one sentence for each thing that is wrong with a table; none for a good one."""
    if not table.version:
        yield "it has no version."
    if table.unit(table.fallback) is None:
        yield f"{table.fallback}: the desk for what fits nowhere is no unit."
    yield from _doubled("unit", [unit.code for unit in table.units])
    yield from _doubled("place", [place.code for place in table.places])
    yield from _doubled("rule", [FALLBACK, *(rule.name for rule in table.rules)])
    yield from _doubled(
        "matter in the list of who handles what", [each for part in table.handles for each in part.matters]
    )
    regions = {place.code for place in table.places}
    codes = {unit.code for unit in table.units}
    for code in sorted(regions | {region for rule in table.rules for region in rule.regions}):
        if len(code) not in LENGTHS or not code.isascii() or not code.isdigit():
            yield f"{code}: this is no region's code."
    for unit in table.units:
        yield from _unknown(f"{unit.code}: no such place", [unit.region], regions)
        yield from _unknown(f"{unit.code}: no such department", unit.departments, departments)
    for rule in table.rules:
        yield from _unknown(f"rule {rule.name}: no such unit", rule.units, codes)
        yield from _unknown(f"rule {rule.name}: no such matter", rule.matters, matters)
        yield from _unknown(f"rule {rule.name}: no such department", rule.departments, departments)
    yield from _unknown("what is pulled: no such matter", [pull.matter for pull in table.pulls], matters)
    yield from _unknown("what is returned: no such matter", [each.matter for each in table.returns], matters)
    for part in table.handles:
        yield from _unknown("who handles what: no such matter", part.matters, matters)


def _doubled(what: str, names: Sequence[str]) -> Iterator[str]:
    for name, count in Counter(names).items():
        if count > 1:
            yield f"{name}: this {what} stands twice."


def _unknown(sentence: str, names: Iterable[str], known: Collection[str]) -> Iterator[str]:
    if missing := sorted(set(names) - set(known)):
        yield f"{sentence}: {', '.join(missing)}."
