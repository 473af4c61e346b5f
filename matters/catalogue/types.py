"""The words of the catalogue: a matter with everything a resident may be told and a department may ask.

Codes are those of GB/T 39046-2020 annex A; what each stands for is in `rules.py`. Loaded from JSON as these very
shapes, so an unknown or missing member refuses the file.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar, Final

from matters.catalogue.terms.types import (
    STRICT,
    Condition,
    Ending,
    Fee,
    Former,
    Offer,
    Parallel,
    Procedure,
    Requirement,
    SpecialProcedure,
    Wording,
)


class Way(StrEnum):
    """How a material is satisfied, the least trouble first."""

    SHARED = "shared"
    VERIFIED = "verified"
    ALREADY_GIVEN = "already-given"
    CERTIFICATE = "certificate"
    PROMISE = "promise"
    UPLOAD = "upload"


# Who takes dossiers for departments that have no system of their own (docs/departments/department-desk.md).
COMMON_DESK: Final = "department-desk"


class Handling(StrEnum):
    """Who decides: a department that gets the dossier, or the matter's own rules over its checks (秒批).

    `none`: nothing is decided, because nothing is asked for (queries and information).
    """

    DEPARTMENT = "department"
    RULES = "rules"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class MaterialWay:
    """One way to satisfy a material; `certificate` is the kind that does, `department` who shares the data.

    `resource` names what is shared: an entry of that department in the sharing catalogue. `valid_days`: what was given
    before is good for so long; None is as long as it is kept.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT

    way: Way
    text: Wording
    certificate: str | None = None
    department: str | None = None
    resource: str | None = None
    valid_days: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """Something that has to be shown. `necessity`: 1 必要, 2 非必要, 3 容缺后补.

    It is asked for when all conditions of `when` hold; none stands for always. `copies` 0: nothing on paper. `kind` is
    what it is in every matter that asks for it, so that what was kept of one serves another; empty: the code.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT

    code: str
    title: Wording
    necessity: str
    form: str
    source: str
    ways: tuple[MaterialWay, ...]
    when: tuple[Condition, ...] = ()
    format: str = ""
    copies: int = 0
    standard: Wording | None = None
    basis: Wording | None = None
    kind: str = ""

    @property
    def known_as(self) -> str:
        """What it is in every matter."""
        return self.kind or self.code


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """How long it may take, in working days, or in hours of the day (`unit` `hour`); 0 of both is at once."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT

    days: int = 0
    unit: str = "working-day"
    hours: int = 0

    @property
    def is_at_once(self) -> bool:
        """Whether nobody has to wait."""
        return not self.days and not self.hours


@dataclass(frozen=True, slots=True, kw_only=True)
class Visits:
    """How often somebody has to come in person, and why."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT

    count: int
    reason: Wording | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherWay:
    """A way without a phone in the hand or a face before it."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT

    method: str
    text: Wording


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Something people ask."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT

    question: Wording
    answer: Wording


@dataclass(frozen=True, slots=True, kw_only=True)
class Prefill:
    """Where a field's value comes from before anybody types: `real-name` or `certificate:<kind>`, and which item of it.

    `locked` fields cannot be changed here; `sensitive` ones are shown in full only to a present caller.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT

    source: str
    item: str
    locked: bool = False
    sensitive: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What holds when all conditions do; the first that fits counts."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT

    when: tuple[Condition, ...]
    outcome: str
    code: str
    text: Wording


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A question to one department's records and how its answer is read. `records` names the port's adapter."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT

    name: str
    records: str
    department: str
    title: Wording
    findings: tuple[Finding, ...]
    otherwise: Wording


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionRule:
    """Decides when `all` or `any` of the checks have an outcome."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT

    name: str
    quantity: str
    outcome: str
    then: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionTable:
    """Rules in order; the first that fits decides, and when none does a person looks.

    The version goes into each decision.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT

    version: str
    rules: tuple[DecisionRule, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Matter:
    """One published matter.

    `desk` names who takes its dossiers where that is not the department's own system; `template` is what it was made
    from. `former` is how it was before, `involved` are the other departments that take part.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT

    slug: str
    version: int
    basic_code: str
    code: str
    item_code: str
    title: Wording
    aliases: tuple[str, ...]
    summary: Wording
    kind_of_power: str
    exercised_at: str
    subject_nature: str
    serves: tuple[str, ...]
    channels: tuple[str, ...]
    case_kind: str
    online_depth: str
    range: str
    themes: tuple[str, ...]
    groups: tuple[str, ...]
    level: str
    basis: tuple[Wording, ...]
    conditions: tuple[Wording, ...]
    materials: tuple[Material, ...]
    steps: tuple[Wording, ...]
    charged: bool
    result: Wording
    legal_limit: Limit
    promised_limit: Limit
    visits: Visits
    enquiry_phone: str
    complaint_phone: str
    other_ways: tuple[OtherWay, ...]
    questions: tuple[Question, ...]
    form: Mapping[str, Any]
    prefill: Mapping[str, Prefill]
    handling: Handling
    checks: tuple[Check, ...] = ()
    decision: DecisionTable | None = None
    refreshes_certificate: str | None = None
    offer: Offer = Offer.HANDLING
    procedure: Procedure | None = None
    ending: Ending | None = None
    desk: str = ""
    template: str = ""
    certificates: tuple[str, ...] = ()
    life_events: tuple[str, ...] = ()
    involved: tuple[str, ...] = ()
    former: Former | None = None
    fees: tuple[Fee, ...] = ()
    pays_online: bool = False
    books: bool = False
    special_procedures: tuple[SpecialProcedure, ...] = ()
    requirements: tuple[Requirement, ...] = ()
    parallel: Parallel | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DepartmentEntry:
    """Who publishes: the implementing body of the matters in its file; templated matters have its phones."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT

    slug: str
    name: Wording
    uscc: str
    enquiry_phone: str = ""
    complaint_phone: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueFile:
    """One department's published matters. `demonstration` marks data that no authority has issued."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT

    demonstration: bool
    notice: Wording
    department: DepartmentEntry
    matters: tuple[Matter, ...]


@dataclass(frozen=True, slots=True)
class Published:
    """A matter with the department that publishes it."""

    matter: Matter
    department: DepartmentEntry
    demonstration: bool
    notice: Wording

    @property
    def desk(self) -> str:
        """Who takes its dossiers: the department's own system unless the matter names another."""
        return self.matter.desk or self.department.slug

    @property
    def lane(self) -> str:
        """In which lane its deliveries wait: a department behind a common desk has one of its own."""
        return self.lane_for(self.department.slug)

    def desk_for(self, department: str) -> str:
        """Return who takes a case's dossier; one that was moved goes to the desk that serves all departments."""
        return self.desk if department == self.department.slug else COMMON_DESK

    def lane_for(self, department: str) -> str:
        """Return in which lane a case's delivery waits that a department has, after it was moved there or before."""
        return f"{self.desk_for(department)}/{department}"


@dataclass(frozen=True, slots=True)
class GuideMaterial:
    """A material and how the one who asks satisfies it; `alternatives` are the other ways that stay open.

    `source` is where it comes from then: the department, the kind of certificate, or what was given before.
    """

    material: Material
    chosen: MaterialWay
    alternatives: tuple[MaterialWay, ...]
    source: str = ""

    @property
    def must_be_brought(self) -> bool:
        """Whether it is necessary, and nothing but a file satisfies it."""
        return self.material.necessity == "1" and self.chosen.way is Way.UPLOAD


@dataclass(frozen=True, slots=True)
class Required:
    """A requirement as it stands for somebody: met, broken, or None while a fact it hangs on is not known."""

    requirement: Requirement
    met: bool | None


@dataclass(frozen=True, slots=True)
class Guide:
    """Everything about a matter, made out for one person."""

    published: Published
    materials: tuple[GuideMaterial, ...]
    requirements: tuple[Required, ...] = ()

    @property
    def to_bring(self) -> tuple[GuideMaterial, ...]:
        """What this person has to bring after everything the state has already: necessary, and only by a file."""
        return tuple(each for each in self.materials if each.must_be_brought)
