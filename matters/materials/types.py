"""The words of materials: what stands for whom, and what was settled for an application."""

from collections.abc import Collection, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from matters.types import Text


@dataclass(frozen=True, slots=True)
class Given:
    """Something that was given before: `source` says where it is kept, `at` when it was given."""

    source: str
    at: datetime


class Reuse(StrEnum):
    """For what something that was given once may be given again; its owner chooses."""

    SAME_MATTER = "same-matter"
    SAME_DEPARTMENT = "same-department"
    ANY_MATTER = "any-matter"


@dataclass(frozen=True, slots=True)
class KeptMaterial:
    """Something that a resident keeps here; never its content. `uses`: how often it went along with an application."""

    id: UUID
    kind: str
    title: str
    title_en: str
    matter: str
    reuse: Reuse
    sha256: str
    size: int
    media_type: str
    given_at: datetime
    expires_at: datetime
    uses: int
    used_at: datetime | None


@dataclass(frozen=True, slots=True)
class Standing:
    """What stands for one person now.

    `real_name`: their identity is verified; `held`: kinds of certificates in their wallet that are valid; `given`: what
    they gave before, by the code of the material in this matter; `has_broken`: a promise of theirs stands broken.
    """

    real_name: bool
    held: AbstractSet[str] = frozenset()
    given: Mapping[str, Given] = field(default_factory=dict)
    has_broken: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """An application as far as its materials go: `number` is None for a draft, `files` are what came, by material."""

    id: UUID
    number: str | None
    form: Mapping[str, object]
    files: Collection[str]


@dataclass(frozen=True, slots=True)
class Settled:
    """How one material of a submitted application was satisfied. `way` and `necessity` are the catalogue's words.

    `way` is empty for what was asked for, is optional, and was not given.
    """

    material: str
    necessity: str
    way: str
    source: str


@dataclass(frozen=True, slots=True)
class Spared:
    """How many materials were asked for by law, and how many of them nobody had to hand in (免交率)."""

    key: str
    materials: int
    spared: int

    @property
    def rate(self) -> float | None:
        """The share that was spared, None where there was nothing to spare."""
        return self.spared / self.materials if self.materials else None


class CommitmentKind(StrEnum):
    """What is still to be kept: the applicant's word in place of a material, or a file that may come later."""

    PROMISE = "promise"
    DEFERRED = "deferred"


class CommitmentState(StrEnum):
    """What became of it. `mended`: it came after its day; `lifted`: it was called broken, and is so no more."""

    OPEN = "open"
    KEPT = "kept"
    BREACHED = "breached"
    MENDED = "mended"
    LIFTED = "lifted"


@dataclass(frozen=True, slots=True, repr=False)
class Commitment:
    """What was promised or put off. `withheld`: staff is not to read the objection before a person has seen it."""

    material: str
    title: Text
    kind: CommitmentKind
    state: CommitmentState
    due_at: datetime
    reason: str | None
    objection: str | None
    answer: str | None
    withheld: bool = False
