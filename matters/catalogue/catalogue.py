"""What there is: published matters, found by code, theme, group, event of life and words."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from matters.catalogue.finding.index import MatterIndex
from matters.catalogue.finding.pinyin import load_pinyin
from matters.catalogue.terms.types import Offer
from matters.catalogue.types import Matter, Published
from matters.errors import MatterUnknown

# Where a list goes on: how well the last one answered, and its code.
Place = tuple[int, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What to look for: what is left out is open. Words are those people use, also spelled or mistyped."""

    theme: str | None = None
    group: str | None = None
    life_event: str | None = None
    certificate: str | None = None
    offer: Offer | None = None
    query: str | None = None

    def fits(self, matter: Matter) -> bool:
        """Tell whether a matter is sorted where it is looked for; words are no part of it."""
        return (
            self.theme in {None, *matter.themes}
            and self.group in {None, *matter.groups}
            and self.life_event in {None, *matter.life_events}
            and self.certificate in {None, *matter.certificates}
            and self.offer in {None, matter.offer}
        )


@dataclass(frozen=True, slots=True)
class Shelf:
    """Everything published at one time, ready to be found, and the versions that cases may have been begun with."""

    all: tuple[Published, ...]
    by_name: Mapping[str, Published]
    by_version: Mapping[tuple[str, int], Published]
    last: Mapping[str, Published]
    index: MatterIndex

    @classmethod
    def of(cls, published: Iterable[Published], earlier: Iterable[Published] = ()) -> "Shelf":
        """Put matters in order. It takes a while for thousands of them."""
        ordered = tuple(sorted(published, key=lambda each: each.matter.code))
        kept = sorted((*earlier, *ordered), key=lambda each: each.matter.version)
        return cls(
            all=ordered,
            by_name={each.matter.slug: each for each in ordered} | {each.matter.code: each for each in ordered},
            by_version={(each.matter.code, each.matter.version): each for each in kept},
            last={each.matter.code: each for each in kept},
            index=MatterIndex([each.matter for each in ordered], load_pinyin()),
        )


class Catalogue:
    """What is published now. All of it changes at once, when the dynamic list does (`revisions/living.py`)."""

    def __init__(self, published: Sequence[Published]) -> None:
        self._shelf = Shelf.of(published)

    @property
    def all(self) -> tuple[Published, ...]:
        """Every published matter, by code."""
        return self._shelf.all

    def take(self, shelf: Shelf) -> None:
        """Have something else published from now on."""
        self._shelf = shelf

    def find(self, name: str) -> Published:
        """Return a matter by its implementation code of 31 characters, or by its slug.

        Raises:
            MatterUnknown: nothing published now has this name.
        """
        found = self._shelf.by_name.get(name)
        if found is None:
            raise MatterUnknown
        return found

    def among(self, names: Iterable[str]) -> tuple[Published, ...]:
        """Return those that are published now among codes and slugs, in their order."""
        shelf = self._shelf
        return tuple(shelf.by_name[name] for name in names if name in shelf.by_name)

    def of_case(self, code: str, version: int | None = None) -> Published:
        """Return the matter of a case as it was when the case was begun: that holds for it whatever came after.

        Without a version it is the last one that there was, also of a matter that is withdrawn.

        Raises:
            MatterUnknown: there never was such a matter.
        """
        shelf = self._shelf
        kept = None if version is None else shelf.by_version.get((code, version))
        found = kept or shelf.by_name.get(code) or shelf.last.get(code)
        if found is None:
            raise MatterUnknown
        return found

    def is_decided_together(self, code: str, version: int) -> bool:
        """Tell whether several departments decide together about cases of a version of a matter.

        Raises:
            MatterUnknown: there never was such a matter.
        """
        return self.of_case(code, version).matter.parallel is not None

    def list_matters(self, wanted: Wanted, *, after: Place | None, limit: int) -> tuple[list[Published], Place | None]:
        """Return matters that fit, the best answer first and then by code, and the place to go on after, if any."""
        fitting = self._ranked(wanted)
        if after is not None:
            fitting = [(score, each) for score, each in fitting if (-score, each.matter.code) > (-after[0], after[1])]
        page = fitting[:limit]
        more = len(fitting) > len(page)
        return [each for _, each in page], (page[-1][0], page[-1][1].matter.code) if more else None

    def _ranked(self, wanted: Wanted) -> list[tuple[int, Published]]:
        shelf = self._shelf
        if not wanted.query or not wanted.query.strip():
            return [(0, each) for each in shelf.all if wanted.fits(each.matter)]
        scores = shelf.index.rank(wanted.query)
        found = [(score, shelf.all[place]) for place, score in scores.items() if wanted.fits(shelf.all[place].matter)]
        return sorted(found, key=lambda each: (-each[0], each[1].matter.code))
