"""Reading conditions: whether one holds of what is known, and what follows for requirements and materials.

A fact that is not known makes no condition hold. What hangs on it is then open: neither met nor broken.
"""

from collections.abc import Collection, Mapping
from datetime import date
from typing import Final

from matters.catalogue.terms.types import Condition
from matters.catalogue.types import Material, Matter, Required

Known = str | bool | int | date | Collection[str] | None

OPERATORS: Final = frozenset({"is", "is-not", "in", "not-in", "at-least", "below", "holds", "within-months"})
# What a condition of a requirement or a material may ask about, beside the fields of the form.
FACTS: Final = frozenset({"age", "certificate"})
FORM: Final = "form."
_MONTHS_OF_A_YEAR: Final = 12


def holds(condition: Condition, facts: Mapping[str, Known], today: date) -> bool:
    """Tell whether a condition holds; of a fact that is not known, none does."""
    fact, value = facts.get(condition.fact), condition.value
    if fact is None:
        return False
    match condition.op:
        case "is":
            return type(fact) is type(value) and fact == value
        case "is-not":
            return type(fact) is type(value) and fact != value
        case "in":
            return isinstance(value, tuple) and fact in value
        case "not-in":
            return isinstance(value, tuple) and fact not in value
        case "at-least":
            return isinstance(fact, int) and isinstance(value, int) and fact >= value
        case "below":
            return isinstance(fact, int) and isinstance(value, int) and fact < value
        case "holds":
            return isinstance(fact, Collection) and not isinstance(fact, str) and value in fact
        case "within-months":
            return isinstance(fact, date) and isinstance(value, int) and months_back(today, value) < fact <= today
    return False


def months_back(day: date, months: int) -> date:
    """Return the same day so many months earlier; the last day of a shorter month."""
    month = day.year * _MONTHS_OF_A_YEAR + day.month - 1 - months
    year, month = divmod(month, _MONTHS_OF_A_YEAR)
    for last in (day.day, 30, 29, 28):
        try:
            return date(year, month + 1, last)
        except ValueError:
            continue
    raise ValueError("months")


def facts_of(
    form: Mapping[str, object],
    *,
    age: int | None,
    certificates: Collection[str] | None,
) -> dict[str, Known]:
    """Return what conditions may ask about somebody and their form; None stands for what is not known yet."""
    facts: dict[str, Known] = {
        "age": age,
        "certificate": None if certificates is None else frozenset(certificates),
    }
    for name, value in form.items():
        if isinstance(value, str | bool | int):
            facts[FORM + name] = value
        elif isinstance(value, list) and all(isinstance(each, str) for each in value):
            facts[FORM + name] = tuple(value)
    return facts


def required_of(matter: Matter, facts: Mapping[str, Known], today: date) -> tuple[Required, ...]:
    """Return the requirements that concern somebody, each met, broken or open; those that do not are left out."""
    found = []
    for requirement in matter.requirements:
        concerns = _all(requirement.when, facts, today)
        if concerns is False:
            continue
        met = None if concerns is None else _all(requirement.needs, facts, today)
        found.append(Required(requirement, met))
    return tuple(found)


def demanded(matter: Matter, facts: Mapping[str, Known], today: date) -> tuple[Material, ...]:
    """Return the materials that are asked of somebody; one whose condition is not known yet may still be."""
    return tuple(material for material in matter.materials if _all(material.when, facts, today) is not False)


def _all(conditions: Collection[Condition], facts: Mapping[str, Known], today: date) -> bool | None:
    """Tell whether all conditions hold; None while those that do not hang on what is not known."""
    broken = [each for each in conditions if not holds(each, facts, today)]
    if not broken:
        return True
    return False if any(facts.get(each.fact) is not None for each in broken) else None


def asks_about(matter: Matter, fact: str) -> bool:
    """Tell whether any condition of a matter hangs on a fact: what nobody asks about need not be read."""
    conditions = [each for requirement in matter.requirements for each in (*requirement.when, *requirement.needs)]
    conditions += [each for material in matter.materials for each in material.when]
    return any(each.fact == fact for each in conditions)
