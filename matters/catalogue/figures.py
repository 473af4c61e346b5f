"""The promises of the catalogue as numbers, recomputed from what is published: `scripts/catalogue.py` shows them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from matters.catalogue.life.types import NO_LISTS, LifeLists
from matters.catalogue.terms.types import Offer, Vocabulary
from matters.catalogue.types import Matter, Published, Way

# "From four or more visits to one."
_MANY_VISITS: Final = 4
_NOTARY: Final = "notary"
_HOUR: Final = "hour"


@dataclass(frozen=True, slots=True, kw_only=True)
class DepartmentFigures:
    """One department's part. Sums are over what it handles; days are working days, those of an hour count as none."""

    department: str
    matters: int
    handled: int
    without_visit: int
    legal_days: int
    promised_days: int
    materials: int
    spared_materials: int

    @property
    def days_saved(self) -> float:
        """How much shorter the promise is than the law allows, 0 to 1 (压缩率)."""
        return 1 - self.promised_days / self.legal_days if self.legal_days else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """All of it. `kinds` and `zones` are those that some matter is about."""

    matters: int
    handled: int
    queries: int
    explained: int
    without_visit: int
    from_many_visits_to_one: int
    kinds: tuple[str, ...]
    zones: tuple[str, ...]
    deep: int
    by_template: int
    notary_without_visit: int
    notary_within_an_hour: int
    materials_cut: float
    days_saved: float
    departments: tuple[DepartmentFigures, ...]
    life_items: int = 0
    bundles: int = 0


def figures_of(published: Sequence[Published], vocabulary: Vocabulary, lists: LifeLists = NO_LISTS) -> Figures:
    """Count a catalogue, and the lists of a life over it as far as something of an entry is published.

    Zero-visit matters are counted among those that are handled: nobody ever had to come for a query. What goes deep is
    handled and was written for itself, not from a template.
    """
    matters = [each.matter for each in published]
    slugs = {matter.slug for matter in matters}
    handled = [matter for matter in matters if matter.offer is Offer.HANDLING]
    notary = [each.matter for each in published if each.department.slug == _NOTARY and each.matter in handled]
    zones = {term.slug for term in vocabulary.groups if term.zone}
    by_department: dict[str, list[Matter]] = {}
    for each in published:
        by_department.setdefault(each.department.slug, []).append(each.matter)
    departments = tuple(_of_department(slug, by_department[slug]) for slug in sorted(by_department))
    return Figures(
        matters=len(matters),
        handled=len(handled),
        queries=sum(matter.offer is Offer.QUERY for matter in matters),
        explained=sum(matter.offer is Offer.INFORMATION for matter in matters),
        without_visit=sum(not matter.visits.count for matter in handled),
        from_many_visits_to_one=sum(
            matter.visits.count == 1 and matter.former is not None and matter.former.visits >= _MANY_VISITS
            for matter in handled
        ),
        kinds=tuple(sorted({kind for matter in matters for kind in matter.certificates})),
        zones=tuple(sorted({group for matter in matters for group in matter.groups} & zones)),
        deep=sum(not matter.template for matter in handled),
        by_template=sum(bool(matter.template) for matter in handled),
        notary_without_visit=sum(not matter.visits.count for matter in notary),
        notary_within_an_hour=sum(matter.promised_limit.unit == _HOUR for matter in notary),
        materials_cut=_cut(handled),
        days_saved=_saved(departments),
        departments=departments,
        life_items=sum(not slugs.isdisjoint(each.matters) for each in lists.items),
        bundles=sum(not slugs.isdisjoint(each.matters) for each in lists.bundles),
    )


def _of_department(slug: str, matters: Sequence[Matter]) -> DepartmentFigures:
    handled = [matter for matter in matters if matter.offer is Offer.HANDLING]
    return DepartmentFigures(
        department=slug,
        matters=len(matters),
        handled=len(handled),
        without_visit=sum(not matter.visits.count for matter in handled),
        legal_days=sum(matter.legal_limit.days for matter in handled),
        promised_days=sum(matter.promised_limit.days for matter in handled),
        materials=sum(len(matter.materials) for matter in handled),
        spared_materials=sum(_spared(matter) for matter in handled),
    )


def _spared(matter: Matter) -> int:
    """Return how many materials need not be brought by somebody the state knows: not only a file satisfies them."""
    return sum(any(way.way is not Way.UPLOAD for way in material.ways) for material in matter.materials)


def _cut(handled: Sequence[Matter]) -> float:
    """Return how much less people bring than before, 0 to 1."""
    reformed = [matter for matter in handled if matter.former is not None]
    before = sum(matter.former.materials for matter in reformed if matter.former is not None)
    now = sum(len(matter.materials) - _spared(matter) for matter in reformed)
    return 1 - now / before if before else 0.0


def _saved(departments: Sequence[DepartmentFigures]) -> float:
    legal = sum(each.legal_days for each in departments)
    return 1 - sum(each.promised_days for each in departments) / legal if legal else 0.0
