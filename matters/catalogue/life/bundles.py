"""One thing that takes several matters (一件事): one view of it, what to bring once, and all drafts in one go."""

from collections.abc import Collection

from auth.errors import MandateMissing
from auth.types import Caller
from matters.catalogue.guides import Guides
from matters.catalogue.life.rules import common_materials
from matters.catalogue.life.types import Begun, BundleGuide, Shown
from matters.catalogue.life.views import LifeViews
from matters.catalogue.ports import DraftDesk
from matters.catalogue.types import Guide, Published
from matters.errors import NothingToApplyFor, RequirementUnmet
from matters.views.types import ApplicationView


class Bundles:
    """Makes bundles out for people, and begins them. Each matter stays a case of its own, with its own department."""

    def __init__(self, *, views: LifeViews, guides: Guides, drafts: DraftDesk) -> None:
        self._views = views
        self._guides = guides
        self._drafts = drafts

    async def open(self, caller: Caller, slug: str) -> BundleGuide:
        """Return a bundle for this caller: what all of its matters ask for, after what the state has already.

        Raises:
            MatterUnknown: there is no such bundle.
            MandateMissing: the mandate does not cover all of its matters.
            DatabaseUnavailable: the database could not be reached.
        """
        shown = self._views.find(slug)
        return _made_out(shown, [await self._guides.open(caller, each.matter.code) for each in shown.matters])

    async def for_anybody(self, slug: str) -> BundleGuide:
        """Return a bundle for somebody of whom nothing is known.

        Raises:
            MatterUnknown: there is no such bundle.
        """
        shown = self._views.find(slug)
        return _made_out(shown, [await self._guides.for_anybody(each.matter.code) for each in shown.matters])

    async def begin(self, caller: Caller, slug: str, wanted: Collection[str] | None = None) -> Begun:
        """Make a draft for each matter of a bundle that can be applied for, or for those `wanted` by slug or code.

        Matters that known facts rule out are left out and named, as long as one remains. It calls nobody outside: it
        runs within the edge's transaction, all of it or nothing.

        Raises:
            MatterUnknown: there is no such bundle.
            MandateMissing: the mandate does not cover one of the matters, has ended or is used up.
            NothingToApplyFor: none of what is wanted can be applied for in this bundle.
            RequirementUnmet: what is known already rules out all of it.
            LevelTooLow: no real name is bound.
            TooManyRequests: too many drafts.
        """
        chosen = [
            each
            for each in self._views.find(slug).handled
            if wanted is None or {each.matter.slug, each.matter.code} & set(wanted)
        ]
        if not chosen:
            raise NothingToApplyFor
        if not all(caller.covers_matter(each.matter.code) for each in chosen):
            raise MandateMissing
        drafts: list[ApplicationView] = []
        ruled_out: list[Published] = []
        for each in chosen:
            try:
                drafts.append(await self._drafts.start(caller, each.matter.code, {}))
            except RequirementUnmet:
                if each is chosen[-1] and not drafts:
                    raise
                ruled_out.append(each)
        return Begun(drafts, ruled_out)


def _made_out(shown: Shown, guides: list[Guide]) -> BundleGuide:
    return BundleGuide(shown, tuple(guides), common_materials(guides))
