"""The words that the catalogue's own words are made of: texts, conditions, what a matter is and what it once cost."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar, Final

STRICT: Final[dict[str, Any]] = {"extra": "forbid"}


class Offer(StrEnum):
    """What a resident gets: something is handled, something of theirs is looked up, or something is explained."""

    HANDLING = "handling"
    QUERY = "query"
    INFORMATION = "information"


class Procedure(StrEnum):
    """How it is dealt with: decided in one go (即审即办), or looked at first and approved then (前审后批)."""

    AT_ONCE = "at-once"
    REVIEWED = "reviewed"


class Ending(StrEnum):
    """With what a case ends: a certificate (出证办结), a document of decision, an entry in a register, or money."""

    CERTIFICATE = "certificate"
    DOCUMENT = "document"
    RECORD = "record"
    BENEFIT = "benefit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """A text for residents, Chinese with English beside."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT

    zh: str
    en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """A question about one fact.

    In checks it is a fact of a department's records; in requirements and materials `age` (whole years),
    `certificate` (held kinds) or `form.<field>`. `is`, `is-not`, `in` and `not-in` compare with `value`, `at-least` and
    `below` count, `holds` asks whether a list has `value` in it, `within-months` whether a date lies at most so many
    months back.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT

    fact: str
    op: str
    value: str | bool | int | tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SpecialProcedure:
    """Time that is not counted, told beforehand. `kind`: 1 延长审批, 2 听证, 检测, 专家评审 and the like."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT

    kind: str
    title: Wording
    days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Fee:
    """What is charged, in fen, and on what ground."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT

    title: Wording
    fen: int
    basis: Wording


@dataclass(frozen=True, slots=True, kw_only=True)
class Former:
    """What the matter cost people before: visits, materials, working days and departments to go to."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT

    visits: int
    materials: int
    days: int
    departments: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """Who may apply, as far as it can be known beforehand: it is met when all conditions of `needs` hold.

    It is asked when all of `when` hold; none stands for always. `methods` are the other ways that stay open to whoever
    does not meet it.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT

    name: str
    needs: tuple[Condition, ...]
    text: Wording
    when: tuple[Condition, ...] = ()
    methods: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """A word of a vocabulary. `zone`: a group with a zone of its own."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT

    slug: str
    title: Wording
    zone: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """The words by which matters are sorted: themes, groups, events of a life, and ways without this app."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT

    themes: tuple[Term, ...]
    groups: tuple[Term, ...]
    life_events: tuple[Term, ...]
    methods: tuple[Term, ...]


class Join(StrEnum):
    """When several departments together approve: all of them, any one, or so many (`quorum`)."""

    ALL = "all"
    ANY = "any"
    QUORUM = "quorum"


@dataclass(frozen=True, slots=True, kw_only=True)
class BranchRule:
    """One department's part in a matter of several. `days` are the working days it promises.

    `desk` names who takes its dossier. `veto`: nothing is approved against this department, nor before it has spoken.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT

    name: str
    title: Wording
    department: str
    days: int
    veto: bool = False
    desk: str = "department-desk"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parallel:
    """Several departments look at it at the same time (并联审批), and together they decide.

    `refuses_early`: it is refused as soon as it cannot be approved any more; otherwise when all have answered.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT

    join: Join
    branches: tuple[BranchRule, ...]
    quorum: int = 0
    refuses_early: bool = True
