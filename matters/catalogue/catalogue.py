"""What there is: published matters, found by code, theme, group and words."""

from collections.abc import Sequence

from matters.catalogue.rules import matches
from matters.catalogue.types import Published
from matters.errors import MatterUnknown


class Catalogue:
    """All published matters. Immutable: a new catalogue comes with a new start."""

    def __init__(self, published: Sequence[Published]) -> None:
        self._all = tuple(sorted(published, key=lambda each: each.matter.code))
        self._by_name = {each.matter.slug: each for each in self._all} | {each.matter.code: each for each in self._all}

    @property
    def all(self) -> tuple[Published, ...]:
        """Every published matter, by code."""
        return self._all

    def find(self, name: str) -> Published:
        """Return a matter by its implementation code of 31 characters, or by its slug.

        Raises:
            MatterUnknown: nothing published has this name.
        """
        found = self._by_name.get(name)
        if found is None:
            raise MatterUnknown
        return found

    def list_matters(
        self, *, theme: str | None, group: str | None, query: str | None, after: str | None, limit: int
    ) -> tuple[list[Published], str | None]:
        """Return matters that fit, those after a code, and the code to go on after, or None at the end."""
        fitting = [
            each
            for each in self._all
            if (after is None or each.matter.code > after)
            and matches(each.matter, theme=theme, group=group, query=query)
        ]
        page = fitting[:limit]
        return page, page[-1].matter.code if len(fitting) > limit else None
