"""The lists of a life as they stand now: entries in their order, with what is published of their matters."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from matters.catalogue.catalogue import Catalogue
from matters.catalogue.finding.index import MatterIndex
from matters.catalogue.finding.pinyin import load_pinyin
from matters.catalogue.life.types import Bundle, LifeItem, LifeLists, Shown
from matters.catalogue.terms.types import Wording
from matters.errors import MatterUnknown

# Where a list goes on: how well the last one answered, and its place on the list.
Spot = tuple[int, int]


@dataclass(frozen=True, slots=True)
class _Named:
    """A bundle as it is found: by its title, what people call it, and the titles of its matters."""

    slug: str
    title: Wording
    aliases: tuple[str, ...]
    summary: Wording = field(default=Wording(zh="", en=""))


class LifeViews:
    """Shows the lists. Of a matter that is withdrawn nothing is shown, nor an entry of which nothing is left."""

    def __init__(self, *, catalogue: Catalogue, lists: LifeLists) -> None:
        """Build them over lists that are in order."""
        self._catalogue = catalogue
        self._lists = lists
        self._by_slug = {bundle.slug: bundle for bundle in lists.bundles}
        self._index = MatterIndex([self._named(bundle) for bundle in lists.bundles], load_pinyin())

    @property
    def lists(self) -> LifeLists:
        """Both lists as they were written."""
        return self._lists

    def items(self, *, life_event: str | None, after: Spot | None, limit: int) -> tuple[list[Shown], Spot | None]:
        """Return what comes up in a life, from birth on, and the spot to go on after, if any."""
        ranked = [(0, place, self._show(item)) for place, item in enumerate(self._lists.items)]
        return _page([each for each in ranked if life_event in {None, each[2].entry.life_event}], after, limit)

    def bundles(
        self, *, life_event: str | None, group: str | None, query: str | None, after: Spot | None, limit: int
    ) -> tuple[list[Shown], Spot | None]:
        """Return bundles that fit, the best answer first, then from birth on, and the spot to go on after, if any."""
        asked = query is not None and bool(query.strip())
        scores = self._index.rank(query) if asked and query is not None else {}
        ranked = [
            (scores.get(place, 0), place, self._show(bundle))
            for place, bundle in enumerate(self._lists.bundles)
            if life_event in {None, bundle.life_event} and (not asked or place in scores)
        ]
        fitting = [each for each in ranked if group is None or group in each[2].groups]
        return _page(sorted(fitting, key=lambda each: (-each[0], each[1])), after, limit)

    def find(self, slug: str) -> Shown:
        """Return a bundle.

        Raises:
            MatterUnknown: there is none of this name, or nothing of it is published now.
        """
        bundle = self._by_slug.get(slug)
        shown = None if bundle is None else self._show(bundle)
        if shown is None or not shown.matters:
            raise MatterUnknown
        return shown

    def _show(self, entry: LifeItem | Bundle) -> Shown:
        return Shown(entry, self._catalogue.among(entry.matters))

    def _named(self, bundle: Bundle) -> _Named:
        titles = (each.matter.title.zh for each in self._catalogue.among(bundle.matters))
        return _Named(bundle.slug, bundle.title, (*bundle.aliases, *titles))


def _page(ranked: Sequence[tuple[int, int, Shown]], after: Spot | None, limit: int) -> tuple[list[Shown], Spot | None]:
    start = (1, 0) if after is None else (-after[0], after[1])
    there = [each for each in ranked if each[2].matters and (after is None or (-each[0], each[1]) > start)]
    page = there[:limit]
    return [each for _, _, each in page], page[-1][:2] if len(there) > len(page) else None
