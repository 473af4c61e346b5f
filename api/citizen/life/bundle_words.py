"""What comes up in a life, as it is shown: entries of the list, bundles, and a bundle made out for whoever asks."""

from typing import Annotated, Final

from pydantic import StringConstraints

from api.citizen.application_words import ApplicationOut
from api.citizen.matter_words import MatterOut, RequirementOut, Word, word
from api.operation import Out, Page, PageQuery, bad_cursor, decode_cursor, encode_cursor
from matters.catalogue.life.types import Begun, BundleGuide, CommonMaterial, Shown
from matters.catalogue.life.views import LifeViews, Spot
from matters.catalogue.types import Guide, Way

_DIGITS: Final = 6


class LifeQuery(PageQuery):
    """Of which event of life; all unless told otherwise."""

    life_event: Word | None = None


class BundlesQuery(LifeQuery):
    """Of which event of life, for which group, and words, also spelled or mistyped."""

    group: Word | None = None
    query: Annotated[str, StringConstraints(max_length=64)] | None = None


class LifeItemOut(Out):
    """What comes up at one stage of a life, and the matters that answer to it."""

    id: str
    life_event: str
    title: str
    matters: list[MatterOut]

    @classmethod
    def of(cls, shown: Shown, *, english: bool) -> "LifeItemOut":
        """Return an entry in the words of the caller's language."""
        return cls(
            id=shown.entry.slug,
            life_event=shown.entry.life_event,
            title=word(shown.entry.title, english=english),
            matters=[MatterOut.of(each, english=english) for each in shown.matters],
        )


class BundleOut(LifeItemOut):
    """One thing that a resident wants, and the matters it takes, in the order they are dealt with.

    `groups`: those for which all is that can be applied for. `visits` is the sum over the matters, `promised_days` the
    longest of their promises in working days: they run side by side.
    """

    groups: list[str]
    visits: int
    promised_days: int

    @classmethod
    def of(cls, shown: Shown, *, english: bool) -> "BundleOut":
        """Return a bundle in the words of the caller's language."""
        matters = [each.matter for each in shown.handled]
        return cls(
            **LifeItemOut.of(shown, english=english).model_dump(),
            groups=list(shown.groups),
            visits=sum(matter.visits.count for matter in matters),
            promised_days=max((matter.promised_limit.days for matter in matters), default=0),
        )


class CommonMaterialOut(Out):
    """A material, once for all matters of a bundle that ask for it (`matters`, by slug), as it stands for the caller.

    `kind` is what it is in every matter; `way` how it is satisfied where that takes the most trouble.
    """

    kind: str
    title: str
    way: Way
    text: str
    matters: list[str]

    @classmethod
    def of(cls, each: CommonMaterial, *, english: bool) -> "CommonMaterialOut":
        """Return a material in the words of the caller's language."""
        return cls(
            kind=each.kind,
            title=word(each.guided.material.title, english=english),
            way=each.guided.chosen.way,
            text=word(each.guided.chosen.text, english=english),
            matters=list(each.matters),
        )


class PartOut(Out):
    """What one matter of a bundle requires of the caller, and what it leaves to bring (`to_bring`, by kind)."""

    matter: str
    slug: str
    requirements: list[RequirementOut]
    to_bring: list[str]

    @classmethod
    def of(cls, guide: Guide, *, english: bool) -> "PartOut":
        """Return one matter's part in the words of the caller's language."""
        return cls(
            matter=guide.published.matter.code,
            slug=guide.published.matter.slug,
            requirements=[RequirementOut.of(each, english=english) for each in guide.requirements],
            to_bring=[each.material.known_as for each in guide.to_bring],
        )


class BundleGuideOut(BundleOut):
    """A bundle in one view: `materials` of all its matters, each once, and `to_bring`, the kinds left to bring."""

    materials: list[CommonMaterialOut]
    to_bring: list[str]
    parts: list[PartOut]

    @classmethod
    def made_out(cls, guide: BundleGuide, *, english: bool) -> "BundleGuideOut":
        """Return a bundle in the words of the caller's language."""
        return cls(
            **BundleOut.of(guide.shown, english=english).model_dump(),
            materials=[CommonMaterialOut.of(each, english=english) for each in guide.materials],
            to_bring=[each.kind for each in guide.to_bring],
            parts=[PartOut.of(each, english=english) for each in guide.guides],
        )


class BegunOut(Out):
    """The drafts that were begun, and the matters (by code) that what is known already rules out."""

    applications: list[ApplicationOut]
    ruled_out: list[str]

    @classmethod
    def of(cls, begun: Begun, *, english: bool) -> "BegunOut":
        """Return what was begun in the words of the caller's language."""
        return cls(
            applications=[ApplicationOut.of(view, english=english) for view in begun.drafts],
            ruled_out=[each.matter.code for each in begun.ruled_out],
        )


def items_page(views: LifeViews, query: LifeQuery, *, english: bool) -> Page[LifeItemOut]:
    """Return one page of what comes up in a life."""
    shown, spot = views.items(life_event=query.life_event, after=_spot(query.cursor), limit=query.limit)
    return Page[LifeItemOut](items=[LifeItemOut.of(each, english=english) for each in shown], next_cursor=_cursor(spot))


def bundles_page(views: LifeViews, query: BundlesQuery, *, english: bool) -> Page[BundleOut]:
    """Return one page of bundles, the best answer first."""
    shown, spot = views.bundles(
        life_event=query.life_event,
        group=query.group,
        query=query.query,
        after=_spot(query.cursor),
        limit=query.limit,
    )
    return Page[BundleOut](items=[BundleOut.of(each, english=english) for each in shown], next_cursor=_cursor(spot))


def _cursor(spot: Spot | None) -> str | None:
    return None if spot is None else encode_cursor([str(part) for part in spot])


def _spot(cursor: str | None) -> Spot | None:
    parts = decode_cursor(cursor, parts=2)
    if parts is None:
        return None
    if not all(part.isascii() and part.isdigit() and len(part) <= _DIGITS for part in parts):
        raise bad_cursor()
    return int(parts[0]), int(parts[1])
