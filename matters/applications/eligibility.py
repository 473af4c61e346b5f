"""Checks at several departments at once: before applying, to explain; when deciding, to decide by rules."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from auth.delegation.effects import require_unused
from auth.errors import MandateMissing
from auth.types import Caller, Person, ReadPurpose
from core.audit.actors import SYSTEM, Actor
from core.audit.record import Audit
from core.cache import Limits
from core.clock import Clock, china_date
from core.crypto import Vault
from core.db import in_one_statement
from core.outside.watching import on_behalf_of
from matters.cases.rules import Decision, Read, decide, read_check
from matters.catalogue.catalogue import Catalogue
from matters.catalogue.types import Check, DecisionTable, Matter
from matters.errors import DepartmentUnavailable, NotCheckable
from matters.ports import People, Records
from matters.settings import MatterSettings
from matters.types import Applicant, Branch, Fact, Outcome, State, Text

# A line of the ledger of this object kind names the departments that were asked, joined by commas.
ASKED: Final = "departments"
_FACTS: Final = "case_action.facts"
# What each of them gets to see of the applicant.
_SHOWN: Final = ("name", "id_number")
_AWAY: Final = Read(
    Outcome.UNAVAILABLE,
    "department-unavailable",
    Text("部门系统暂时没有响应，请稍后再查", "The department's system does not answer now; please try later"),
)


@dataclass(frozen=True, slots=True)
class Checked:
    """One check with what it came to."""

    check: Check
    read: Read

    @property
    def branch(self) -> Branch:
        """The department's part, as it is kept with a decision: no facts, only what they came to."""
        return Branch(self.check.name, self.check.department, self.read.outcome.value, self.read.code)


@dataclass(frozen=True, slots=True)
class Examined:
    """All checks of a matter for one person. `decision` is None when a department did not answer.

    `facts` is all that they answered, written in one form: of it only a keyed digest is kept with a decision.
    """

    matter: Matter
    checks: tuple[Checked, ...]
    decision: Decision | None
    facts: str = field(default="", repr=False)

    @property
    def outcome(self) -> str:
        """`eligible`, `not_eligible`, `unclear` (a person would look), or `unavailable`."""
        if self.decision is None:
            return "unavailable"
        if self.decision.state is None:
            return "unclear"
        return "eligible" if self.decision.state is State.APPROVED else "not_eligible"


class Eligibility:
    """Asks the records of departments, all at the same time. Keeps nothing but the lines of the ledger."""

    def __init__(
        self,
        *,
        catalogue: Catalogue,
        people: People,
        records: Mapping[str, Records],
        audit: Audit,
        limits: Limits,
        clock: Clock,
        settings: MatterSettings,
    ) -> None:
        self._catalogue = catalogue
        self._people = people
        self._records = records
        self._audit = audit
        self._limits = limits
        self._clock = clock
        self._settings = settings
        named = {check.records for each in catalogue.all for check in each.matter.checks}
        if missing := sorted(named - records.keys()):
            raise ValueError(f"the catalogue names records that nobody answers for: {', '.join(missing)}")

    async def check(self, caller: Caller, name: str) -> Examined:
        """Tell the caller beforehand how a matter would be decided, and why.

        Raises:
            MatterUnknown: nothing published has this name.
            MandateMissing: the mandate does not cover this matter, or is used up.
            NotCheckable: a department decides this matter, not rules.
            LevelTooLow: no real name is bound.
            TooManyRequests: checked too often.
        """
        matter = self._catalogue.find(name).matter
        if not caller.covers_matter(matter.code):
            raise MandateMissing
        require_unused(caller)
        if matter.decision is None:
            raise NotCheckable
        # Side by side: neither waits for the other's way to its store, and reading in vain does no harm.
        person, _ = await asyncio.gather(
            self._people.person_of(caller.citizen_id, ReadPurpose.DECISION),
            self._limits.hit_here("matters.check", self._settings.check_limit, f"citizen:{caller.citizen_id}"),
        )
        return await self.examine(matter, matter.decision, person, actor=caller.actor)

    async def examine(self, matter: Matter, table: DecisionTable, person: Person, *, actor: Actor = SYSTEM) -> Examined:
        """Ask all departments at once; the line in the ledger is written while they answer.

        A department that does not answer is one check `unavailable`, and there is no decision.

        Raises:
            DatabaseUnavailable: the ledger could not be written.
        """
        applicant = Applicant(person.name, person.id_number, person.mobile)
        purpose = f"资格核验：{matter.title.zh}"
        asking = [self._ask(check, applicant, purpose) for check in matter.checks]
        with on_behalf_of(matter=matter.code, consumer=self._catalogue.of_case(matter.code).department.slug):
            answers, _ = await asyncio.gather(
                asyncio.gather(*asking), self._note(person.citizen_id, matter, actor, purpose)
            )
        checks = self._read(matter.checks, answers)
        outcomes = [each.read.outcome for each in checks]
        decision = None if Outcome.UNAVAILABLE in outcomes else decide(table, outcomes)
        return Examined(matter, checks, decision, _written(matter.checks, answers))

    async def _ask(self, check: Check, applicant: Applicant, purpose: str) -> Mapping[str, Fact] | None:
        try:
            return await self._records[check.records].ask(applicant, purpose=purpose)
        except DepartmentUnavailable:
            return None

    def _read(self, checks: Sequence[Check], answers: Sequence[Mapping[str, Fact] | None]) -> tuple[Checked, ...]:
        today = china_date(self._clock.now())
        return tuple(
            Checked(check, _AWAY if facts is None else read_check(check, facts, today))
            for check, facts in zip(checks, answers, strict=True)
        )

    async def _note(self, citizen_id: UUID, matter: Matter, actor: Actor, purpose: str) -> None:
        async def work() -> None:
            await self._audit.record(
                "matters.checked",
                actor=actor,
                subject_id=citizen_id,
                purpose=purpose,
                object_kind=ASKED,
                object_id=",".join(check.department for check in matter.checks),
                field_names=_SHOWN,
            )

        await in_one_statement(work)


def facts_digest(vault: Vault, examined: Examined) -> str:
    """Return a keyed digest of what a decision rests on: the same facts have the same, and it tells none of them."""
    return vault.mark(_FACTS, examined.facts)


def _written(checks: Sequence[Check], answers: Sequence[Mapping[str, Fact] | None]) -> str:
    told = {check.name: facts for check, facts in zip(checks, answers, strict=True)}
    return json.dumps(told, ensure_ascii=False, sort_keys=True, default=str)
