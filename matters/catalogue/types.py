"""The words of the catalogue: a matter with everything a resident may be told and a department may ask.

Codes are those of GB/T 39046-2020 annex A; what each stands for is in `rules.py`. Loaded from JSON as these very
shapes, so an unknown or missing member refuses the file.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar, Final

_STRICT: Final[dict[str, Any]] = {"extra": "forbid"}


class Way(StrEnum):
    """How a material is satisfied, the least trouble first."""

    SHARED = "shared"
    VERIFIED = "verified"
    ALREADY_GIVEN = "already-given"
    CERTIFICATE = "certificate"
    PROMISE = "promise"
    UPLOAD = "upload"


class Handling(StrEnum):
    """Who decides: a department that gets the dossier, or the matter's own rules over its checks (秒批)."""

    DEPARTMENT = "department"
    RULES = "rules"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """A text for residents, Chinese with English beside."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT

    zh: str
    en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MaterialWay:
    """One way to satisfy a material; `certificate` is the kind that does, `department` who shares the data."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT

    way: Way
    text: Wording
    certificate: str | None = None
    department: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """Something that has to be shown. `necessity`: 1 必要, 2 非必要, 3 容缺后补."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT

    code: str
    title: Wording
    necessity: str
    form: str
    source: str
    ways: tuple[MaterialWay, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """How long it may take, in working days; 0 for a matter done at once."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT

    days: int
    unit: str = "working-day"


@dataclass(frozen=True, slots=True, kw_only=True)
class Visits:
    """How often somebody has to come in person, and why."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT

    count: int
    reason: Wording | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherWay:
    """A way without a phone in the hand or a face before it."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT

    method: str
    text: Wording


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Something people ask."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT

    question: Wording
    answer: Wording


@dataclass(frozen=True, slots=True, kw_only=True)
class Prefill:
    """Where a field's value comes from before anybody types: `real-name` or `certificate:<kind>`, and which item of it.

    `locked` fields cannot be changed here; `sensitive` ones are shown in full only to a present caller.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT

    source: str
    item: str
    locked: bool = False
    sensitive: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """A question about one fact of a department's records.

    `is` and `in` compare with `value`; `within-months` asks whether a date lies at most so many months back.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT

    fact: str
    op: str
    value: str | bool | int | tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What holds when all conditions do; the first that fits counts."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT

    when: tuple[Condition, ...]
    outcome: str
    code: str
    text: Wording


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A question to one department's records and how its answer is read. `records` names the port's adapter."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT

    name: str
    records: str
    department: str
    title: Wording
    findings: tuple[Finding, ...]
    otherwise: Wording


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionRule:
    """Decides when `all` or `any` of the checks have an outcome."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT

    name: str
    quantity: str
    outcome: str
    then: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionTable:
    """Rules in order; the first that fits decides, and when none does a person looks.

    The version goes into each decision.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT

    version: str
    rules: tuple[DecisionRule, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Matter:
    """One published matter."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT

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


@dataclass(frozen=True, slots=True, kw_only=True)
class DepartmentEntry:
    """Who publishes: the implementing body of the matters in its file."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT

    slug: str
    name: Wording
    uscc: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueFile:
    """One department's published matters. `demonstration` marks data that no authority has issued."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT

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


@dataclass(frozen=True, slots=True)
class GuideMaterial:
    """A material and how the one who asks satisfies it; `alternatives` are the other ways that stay open."""

    material: Material
    chosen: MaterialWay
    alternatives: tuple[MaterialWay, ...]


@dataclass(frozen=True, slots=True)
class Guide:
    """Everything about a matter, made out for one person."""

    published: Published
    materials: tuple[GuideMaterial, ...]
