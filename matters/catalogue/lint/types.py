"""The words of lint: rules with severities, what breaks them, and what matters are held against."""

from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import StrEnum

from matters.catalogue.types import DepartmentEntry, Matter


class Severity(StrEnum):
    """How bad it is: an error is not published, a warning needs a look, advice may be left."""

    ERROR = "error"
    WARNING = "warning"
    ADVICE = "advice"


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a matter may name. `kinds` are kinds of certificates with their fields; `resources` are by department."""

    kinds: Mapping[str, AbstractSet[str]]
    resources: Mapping[str, AbstractSet[str]]
    themes: AbstractSet[str]
    groups: AbstractSet[str]
    life_events: AbstractSet[str]
    methods: AbstractSet[str]


Broken = Callable[[Matter, DepartmentEntry, Surroundings], Iterable[str]]


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule: its name, how bad it is to break it, what it says, and how it is seen that it is broken."""

    name: str
    severity: Severity
    says: str
    broken: Broken


@dataclass(frozen=True, slots=True, order=True)
class Defect:
    """One thing that is wrong with a matter (or with a department's file, where `matter` is empty)."""

    department: str
    matter: str
    severity: Severity
    rule: str
    text: str

    @property
    def sentence(self) -> str:
        """The whole of it in one line."""
        place = f"{self.department}/{self.matter}" if self.matter else self.department
        return f"{place}: {self.text} [{self.rule}]"
