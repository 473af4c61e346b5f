"""Decisions about the lists of a life: whether they are in order, and what the matters of a bundle ask for together."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Final

from matters.catalogue.life.types import Bundle, CommonMaterial, LifeItem, LifeLists
from matters.catalogue.lint.types import Defect, Severity
from matters.catalogue.terms.types import Offer
from matters.catalogue.types import Guide, GuideMaterial, Matter, Way

# Where a defect stands when it is no department's.
LISTS: Final = "life"
# One matter alone is no bundle.
_FEWEST: Final = 2
_TROUBLE: Final = tuple(Way)


def wrong_with(lists: LifeLists, matters: Iterable[Matter], life_events: Collection[str]) -> Iterator[Defect]:
    """Return what is wrong with lists that stand over these matters; all of it keeps them from being published."""
    known = {matter.slug: matter for matter in matters}
    yield from _wrong_with_all(lists.items, known.keys(), life_events)
    yield from _wrong_with_all(lists.bundles, known.keys(), life_events)
    for bundle in lists.bundles:
        if len(bundle.matters) < _FEWEST:
            yield _defect(bundle, "bundle-of-several", "a bundle takes several matters.")
        if not any(known[slug].offer is Offer.HANDLING for slug in bundle.matters if slug in known):
            yield _defect(bundle, "bundle-applied-for", "nothing of the bundle can be applied for.")


def _wrong_with_all(
    entries: Sequence[LifeItem | Bundle], known: Collection[str], life_events: Collection[str]
) -> Iterator[Defect]:
    seen: set[str] = set()
    for entry in entries:
        if entry.slug in seen:
            yield _defect(entry, "doubled", f"the slug {entry.slug} stands twice.")
        seen.add(entry.slug)
        if entry.life_event not in life_events:
            yield _defect(entry, "life-event", f"{entry.life_event} is no event of life.")
        if not entry.matters or len(set(entry.matters)) < len(entry.matters):
            yield _defect(entry, "life-matters", "it names no matter, or one twice.")
        for slug in entry.matters:
            if slug not in known:
                yield _defect(entry, "life-matters", f"{slug} is no published matter.")


def _defect(entry: LifeItem | Bundle, rule: str, text: str) -> Defect:
    return Defect(LISTS, entry.slug, Severity.ERROR, rule, text)


def common_materials(guides: Sequence[Guide]) -> tuple[CommonMaterial, ...]:
    """Return what several matters ask for, each material once, in the order in which it first comes up.

    A material is the same where its kind is. What one of the matters needs a file for has to be brought, whatever the
    others know.
    """
    by_kind: dict[str, list[tuple[str, GuideMaterial]]] = {}
    for guide in guides:
        for each in guide.materials:
            by_kind.setdefault(each.material.known_as, []).append((guide.published.matter.slug, each))
    return tuple(
        CommonMaterial(
            kind, max((each for _, each in asked), key=_trouble), tuple(dict.fromkeys(slug for slug, _ in asked))
        )
        for kind, asked in by_kind.items()
    )


def _trouble(each: GuideMaterial) -> tuple[bool, int]:
    return each.must_be_brought, _TROUBLE.index(each.chosen.way)
