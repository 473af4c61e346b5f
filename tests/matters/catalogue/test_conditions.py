"""Conditions: whether they hold, and the rules by age and type of the shipped matters, case by case."""

from collections.abc import Collection, Mapping
from datetime import date
from types import MappingProxyType
from typing import Any

import pytest

from matters.catalogue.conditions.rules import Known, asks_about, demanded, facts_of, holds, required_of
from matters.catalogue.terms.types import Condition
from matters.catalogue.types import Matter
from tests.fakes.shipped import shipped_matters

TODAY = date(2026, 3, 10)
MATTERS = {each.matter.slug: each.matter for each in shipped_matters()}


@pytest.mark.parametrize(
    ("op", "value", "fact", "expected"),
    [
        ("is", "a", "a", True), ("is", "a", "b", False), ("is", True, 1, False), ("is", 1, True, False),
        ("is-not", "a", "b", True), ("is-not", "a", "a", False), ("is-not", "a", None, False),
        ("in", ("a", "b"), "b", True), ("in", ("a", "b"), "c", False), ("in", "ab", "a", False),
        ("not-in", ("a",), "b", True), ("not-in", ("a",), "a", False), ("not-in", ("a",), None, False),
        ("at-least", 16, 16, True), ("at-least", 16, 15, False), ("at-least", 16, "16", False),
        ("below", 16, 15, True), ("below", 16, 16, False), ("below", 16, None, False),
        ("holds", "passport", frozenset({"passport"}), True), ("holds", "passport", frozenset(), False),
        ("holds", "pass", "passport", False),
        ("within-months", 24, date(2024, 3, 11), True), ("within-months", 24, date(2024, 3, 10), False),
        ("within-months", 24, date(2026, 3, 11), False), ("wish", 1, 1, False),
    ],
)  # fmt: skip
def test_a_condition_holds_or_does_not(op: str, value: Any, fact: Known, expected: bool) -> None:
    assert holds(Condition(fact="f", op=op, value=value), {"f": fact}, TODAY) is expected


def facts(
    age: int | None = 30, held: Collection[str] | None = (), form: Mapping[str, object] = MappingProxyType({})
) -> dict[str, Known]:
    return facts_of(form, age=age, certificates=held)


def broken(matter: Matter, known: dict[str, Known]) -> set[str]:
    return {each.requirement.name for each in required_of(matter, known, TODAY) if each.met is False}


def materials(matter: Matter, known: dict[str, Known]) -> set[str]:
    return {each.code for each in demanded(matter, known, TODAY)}


@pytest.mark.parametrize(
    ("age", "asked"),
    [
        (15, {"identity", "household-book", "guardian-consent", "reused-photo"}),
        (16, {"identity", "reused-photo"}),
        (60, {"identity", "reused-photo"}),
        (0, {"identity", "household-book", "guardian-consent", "reused-photo"}),
        # Nobody knows yet how old: then it may be asked for.
        (None, {"identity", "household-book", "guardian-consent", "reused-photo"}),
    ],
)
def test_under_16_a_household_book_and_a_guardian_come_along(age: int | None, asked: set[str]) -> None:
    assert materials(MATTERS["passport-application"], facts(age)) == asked


@pytest.mark.parametrize(
    ("here", "kind", "rules"),
    [
        (True, "individual", set()), (True, "business", set()), (True, "group", set()),
        (False, "group", set()), (False, "individual", {"elsewhere-group-only"}),
        (False, "family", {"elsewhere-group-only"}), (False, "business", {"elsewhere-group-only"}),
        # What is not said yet breaks nothing.
        (None, "individual", set()), (False, None, set()),
    ],
)  # fmt: skip
def test_away_from_home_only_group_endorsements_for_hong_kong_and_macau(
    here: bool | None, kind: str | None, rules: set[str]
) -> None:
    form = {name: value for name, value in (("household_here", here), ("kind", kind)) if value is not None}
    assert broken(MATTERS["hk-macau-endorsement"], facts(held={"hk-macau-permit"}, form=form)) == rules


@pytest.mark.parametrize(
    ("here", "kind", "rules"),
    [
        (True, "individual", set()), (True, "settlement", set()), (False, "group", set()), (False, "business", set()),
        (False, "individual", {"elsewhere-not-individual"}), (False, "settlement", {"elsewhere-not-individual"}),
    ],
)  # fmt: skip
def test_away_from_home_neither_individual_travel_nor_settling_in_taiwan(
    here: bool, kind: str, rules: set[str]
) -> None:
    assert broken(MATTERS["taiwan-endorsement"], facts(form={"household_here": here, "kind": kind})) == rules


@pytest.mark.parametrize(
    ("vehicle", "rules"),
    [
        ("small-car", set()), ("truck", set()), ("motorcycle", set()),
        ("school-bus", {"no-bus-or-coach"}), ("large-coach", {"no-bus-or-coach"}), (None, set()),
    ],
)  # fmt: skip
def test_school_buses_and_coaches_are_inspected_at_home(vehicle: str | None, rules: set[str]) -> None:
    form = {} if vehicle is None else {"vehicle_type": vehicle}
    assert broken(MATTERS["vehicle-inspection-elsewhere"], facts(form=form)) == rules


@pytest.mark.parametrize(("fen", "rules"), [(0, set()), (20_000, set()), (20_001, {"fine-within-limit"})])
def test_a_fine_of_200_yuan_is_decided_here_and_one_fen_more_is_not(fen: int, rules: set[str]) -> None:
    assert broken(MATTERS["camera-fine"], facts(form={"fine_fen": fen})) == rules


@pytest.mark.parametrize(
    ("slug", "age", "is_old_enough"),
    [
        ("elder-allowance", 69, False), ("elder-allowance", 70, True), ("elder-card", 59, False),
        ("elder-card", 60, True), ("elder-care-subsidy", 60, True), ("flexible-insurance", 15, False),
        ("flexible-insurance", 16, True),
    ],
)  # fmt: skip
def test_some_matters_begin_with_an_age(slug: str, age: int, is_old_enough: bool) -> None:
    assert (not broken(MATTERS[slug], facts(age))) is is_old_enough


def test_some_matters_need_a_certificate_and_nothing_is_said_while_the_wallet_is_not_known() -> None:
    subsidy = MATTERS["disabled-living-subsidy"]
    assert broken(subsidy, facts()) == {"certificate-held"}
    assert broken(subsidy, facts(held={"disability-certificate"})) == set()
    open_ones = required_of(subsidy, facts(held=None), TODAY)
    assert [each.met for each in open_ones] == [None]


@pytest.mark.parametrize(("reason", "asked"), [("cloned-plate", True), ("wrong-record", False), (None, True)])
def test_pictures_of_the_vehicle_are_asked_for_a_cloned_plate_alone(reason: str | None, asked: bool) -> None:
    form = {} if reason is None else {"reason": reason}
    assert ("plate-evidence" in materials(MATTERS["wrong-fine-appeal"], facts(form=form))) is asked


def test_nobodys_age_is_read_where_nothing_hangs_on_it() -> None:
    assert asks_about(MATTERS["passport-application"], "age")
    assert not asks_about(MATTERS["residence-permit-endorsement"], "age")


def test_facts_are_what_conditions_can_ask_about() -> None:
    known = facts_of({"a": "x", "b": True, "c": 3, "d": ["x", "y"], "e": {"f": 1}, "g": 1.5}, age=3, certificates=None)
    assert known == {
        "age": 3, "certificate": None, "form.a": "x", "form.b": True, "form.c": 3, "form.d": ("x", "y"),
    }  # fmt: skip
