"""The words of the lists of a life."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from matters.catalogue.terms.types import STRICT, Offer, Wording
from matters.catalogue.types import Guide, GuideMaterial, Published
from matters.views.types import ApplicationView


@dataclass(frozen=True, slots=True, kw_only=True)
class LifeItem:
    """What comes up at one stage of a life (全生命周期), and the matters that answer to it, by slug."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT

    slug: str
    life_event: str
    title: Wording
    matters: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """One thing that a resident wants (一件事) and the matters it takes, by slug, in the order they are dealt with."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT

    slug: str
    life_event: str
    title: Wording
    matters: tuple[str, ...]
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LifeLists:
    """Both lists, in the order of a life; a catalogue may come without them."""

    items: tuple[LifeItem, ...] = ()
    bundles: tuple[Bundle, ...] = ()


NO_LISTS: Final = LifeLists()


@dataclass(frozen=True, slots=True)
class Shown:
    """An entry of a list with those of its matters that are published now."""

    entry: LifeItem | Bundle
    matters: tuple[Published, ...]

    @property
    def handled(self) -> tuple[Published, ...]:
        """Those that can be applied for."""
        return tuple(each for each in self.matters if each.matter.offer is Offer.HANDLING)

    @property
    def groups(self) -> tuple[str, ...]:
        """The groups for which all is that can be applied for, sorted."""
        groups = [set(each.matter.groups) for each in self.handled]
        return tuple(sorted(set.intersection(*groups))) if groups else ()


@dataclass(frozen=True, slots=True)
class CommonMaterial:
    """A material of a bundle, once for all of its matters; `guided` is how it stands where it takes the most trouble.

    `matters` are those that ask for it, by slug.
    """

    kind: str
    guided: GuideMaterial
    matters: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BundleGuide:
    """A bundle made out for one person: a guide for each matter, and what all of them ask for together."""

    shown: Shown
    guides: tuple[Guide, ...]
    materials: tuple[CommonMaterial, ...]

    @property
    def to_bring(self) -> tuple[CommonMaterial, ...]:
        """What this person has to bring, each thing once, after everything the state has already."""
        return tuple(each for each in self.materials if each.guided.must_be_brought)


@dataclass(frozen=True, slots=True)
class Begun:
    """What was begun of a bundle: a draft for each matter, and the matters that known facts rule out."""

    drafts: Sequence[ApplicationView]
    ruled_out: Sequence[Published]
