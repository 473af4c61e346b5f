"""Families as the register of kinship tells them, over its page."""

from dataclasses import replace
from datetime import date

import pytest

from sandbox.civil_affairs import CivilAffairs
from sandbox.ground.answers import Json, NotUnderstood
from sandbox.people import People, Person
from tests.sandbox.town import MovableClock


class _Desk:
    """A desk whose handlers are not needed: the work itself is called."""

    def takes(self, work: object) -> object:
        return work


def told(asker: Person, other: Person) -> Json:
    return {
        "request_id": "1",
        "purpose": "核对",
        "asker": {"name": asker.name, "id_number": asker.id_number},
        "other": {"name": other.name, "id_number": other.id_number},
    }


def cast(**records: dict[str, list[str]]) -> dict[str, Person]:
    people = {person.slug: person for person in People.load()}
    return {
        slug: replace(person, records={**person.records, **records.get(slug, {})}) for slug, person in people.items()
    }


class _Years(MovableClock):
    """The real clock with another today."""

    def __init__(self, day: date) -> None:
        super().__init__()
        self._day = day

    def today(self) -> date:
        return self._day


async def answer(people: dict[str, Person], asker: str, other: str, day: date = date(2026, 3, 10)) -> Json:
    register = CivilAffairs(people=People(tuple(people.values())), desk=_Desk(), clock=_Years(day))  # type: ignore[arg-type]
    return await register._kinship(told(people[asker], people[other]))


async def test_a_child_of_age_has_no_guardian() -> None:
    people = cast()
    assert (await answer(people, "huomingzhe", "huoxiaoman"))["guardian"] == "minor"
    grown = await answer(people, "huomingzhe", "huoxiaoman", date(2035, 6, 1))
    assert (grown["relation"], grown["guardian"]) == ("child", "none")


async def test_a_guardian_of_an_adult_need_not_be_kin() -> None:
    people = cast(qumanlin={"wards": ["fenggangyi"]})
    told = await answer(people, "qumanlin", "fenggangyi")
    assert (told["relation"], told["guardian"]) == ("none", "adult")


async def test_who_is_not_in_the_population_registry_is_nobodys_kin() -> None:
    people = cast(hefangzhou={"children": ["huoxiaoman"]})
    assert (await answer(people, "hefangzhou", "huoxiaoman"))["relation"] == "none"


async def test_a_question_without_a_name_is_not_understood() -> None:
    people = cast()
    register = CivilAffairs(people=People(()), desk=_Desk(), clock=MovableClock())  # type: ignore[arg-type]
    question = told(people["huomingzhe"], people["huoxiaoman"])
    question["other"] = {"id_number": people["huoxiaoman"].id_number}
    with pytest.raises(NotUnderstood):
        await register._kinship(question)
