"""What is known of somebody when a matter is made out for them: what its conditions may ask about."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date
from typing import Final

from auth.types import Caller, Level, ReadPurpose
from core.clock import Clock, china_date
from core.errors import Alternative, FieldError
from matters.catalogue.conditions.rules import Known, asks_about, demanded, facts_of, required_of
from matters.catalogue.types import Material, Matter, Required
from matters.errors import RequirementUnmet
from matters.ports import Holdings, People

NOTHING_YET: Final[Mapping[str, object]] = {}


@dataclass(frozen=True, slots=True)
class Standpoint:
    """One person before one matter. `held`: kinds of valid certificates; None while it is not known who they are."""

    matter: Matter
    held: AbstractSet[str] | None
    facts: Mapping[str, Known]
    today: date

    @property
    def asked(self) -> tuple[Material, ...]:
        """The materials that are asked of them; one whose condition is not known yet may still be."""
        return demanded(self.matter, self.facts, self.today)

    @property
    def required(self) -> tuple[Required, ...]:
        """The requirements that concern them, each met, broken or open."""
        return required_of(self.matter, self.facts, self.today)

    def require_met(self) -> None:
        """Refuse what could never be granted; what is not known yet is let pass.

        Raises:
            RequirementUnmet: a requirement is broken; the other ways that stay open come along.
        """
        broken = [each for each in self.required if each.met is False]
        if broken:
            raise RequirementUnmet(errors=[_told(each) for each in broken], alternatives=_ways_out(self.matter, broken))


class Knowing:
    """Reads what the conditions of a matter ask about, and nothing that they do not."""

    def __init__(self, *, holdings: Holdings, people: People, clock: Clock) -> None:
        self._holdings = holdings
        self._people = people
        self._clock = clock

    async def of(self, caller: Caller, matter: Matter, form: Mapping[str, object] = NOTHING_YET) -> Standpoint:
        """Return where a caller stands, with this form.

        A mandate for the matter takes along what the matter itself asks about: also that a certificate is held which is
        not in the mandate.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        if caller.level.rank < Level.REAL_NAME.rank:
            return self._standpoint(matter, None, None, form)
        held = await self._holdings.kinds_in_force(caller.citizen_id)
        age = None
        if asks_about(matter, "age"):
            person = await self._people.person_of(caller.citizen_id, ReadPurpose.APPLICATION)
            age = person.id_number.age_on(self._today())
        return self._standpoint(matter, held, age, form)

    async def require_met(self, caller: Caller, matter: Matter, form: Mapping[str, object]) -> None:
        """Refuse what could never be granted to a caller; of a matter without requirements nothing is read.

        Raises:
            RequirementUnmet: a requirement is broken; the other ways that stay open come along.
            DatabaseUnavailable: the database could not be reached.
        """
        if matter.requirements:
            (await self.of(caller, matter, form)).require_met()

    def of_anybody(self, matter: Matter) -> Standpoint:
        """Return where somebody stands of whom nothing is known."""
        return self._standpoint(matter, None, None, NOTHING_YET)

    def _standpoint(
        self, matter: Matter, held: AbstractSet[str] | None, age: int | None, form: Mapping[str, object]
    ) -> Standpoint:
        return Standpoint(matter, held, facts_of(form, age=age, certificates=held), self._today())

    def _today(self) -> date:
        return china_date(self._clock.now())


def _told(broken: Required) -> FieldError:
    requirement = broken.requirement
    named = next((each.fact for each in requirement.needs if each.fact.startswith("form.")), "")
    pointer = "/form/" + named.removeprefix("form.") if named else "/matter"
    return FieldError(pointer, requirement.name, requirement.text.zh, requirement.text.en)


def _ways_out(matter: Matter, broken: list[Required]) -> list[Alternative]:
    methods = {method for each in broken for method in each.requirement.methods}
    return [Alternative(way.method, way.text.zh, way.text.en) for way in matter.other_ways if way.method in methods]
