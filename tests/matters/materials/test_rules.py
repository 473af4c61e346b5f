"""How a material is satisfied, in the order of least trouble, and what may be demanded."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from matters.catalogue.terms.types import Wording
from matters.catalogue.types import Material, MaterialWay, Way
from matters.materials.rules import (
    as_settled,
    demand_errors,
    demanded_errors,
    lines_of,
    may_upload,
    missing_materials,
    resolve,
    settled_of,
    upload_error,
)
from matters.materials.types import Given, Settled, Spared, Standing
from tests.fakes.shipped import shipped_matters

NOW = datetime(2026, 3, 10, 2, tzinfo=UTC)
EVERYTHING = Standing(
    real_name=True,
    held=frozenset({"residence-permit"}),
    given={"proof": Given("attachment:1", NOW - timedelta(days=10))},
)


def word(text: str) -> Wording:
    return Wording(zh=text, en=text)


def a_way(way: Way, **more: object) -> MaterialWay:
    own: dict[str, object] = {}
    if way is Way.SHARED:
        own["department"] = "public-security"
    if way is Way.CERTIFICATE:
        own["certificate"] = "residence-permit"
    return MaterialWay(way=way, text=word(f"因为{way.value}"), **{**own, **more})  # type: ignore[arg-type]


def a_material(*ways: MaterialWay, necessity: str = "1", code: str = "proof") -> Material:
    return Material(code=code, title=word("证明"), necessity=necessity, form="电子", source="申请人自备", ways=ways)


SIX = tuple(a_way(way) for way in reversed(Way))
SOURCES = {
    Way.SHARED: "department:public-security",
    Way.VERIFIED: "real-name",
    Way.ALREADY_GIVEN: "attachment:1",
    Way.CERTIFICATE: "certificate:residence-permit",
    Way.PROMISE: "",
    Way.UPLOAD: "",
}


@pytest.mark.parametrize("first", range(6))
def test_of_six_ways_the_one_with_the_least_trouble_is_chosen_and_says_why(first: int) -> None:
    order = tuple(Way)
    material = a_material(*(way for way in SIX if order.index(way.way) >= first))
    [resolved] = resolve([material], EVERYTHING, NOW)
    assert resolved.chosen.way is order[first]
    assert resolved.chosen.text.zh == f"因为{order[first].value}"
    assert resolved.source == SOURCES[order[first]]
    assert [way.way for way in resolved.alternatives] == list(order[first + 1 :])


@pytest.mark.parametrize(
    ("standing", "way"),
    [
        (Standing(real_name=False), Way.PROMISE),
        (Standing(real_name=True), Way.VERIFIED),
        (Standing(real_name=False, held=frozenset({"residence-permit"})), Way.CERTIFICATE),
        (Standing(real_name=False, held=frozenset({"passport"})), Way.PROMISE),
        (Standing(real_name=False, given={"proof": Given("attachment:1", NOW)}), Way.ALREADY_GIVEN),
        (Standing(real_name=False, given={"other": Given("attachment:1", NOW)}), Way.PROMISE),
    ],
)
def test_a_way_that_does_not_stand_for_the_person_is_passed_over(standing: Standing, way: Way) -> None:
    [resolved] = resolve([a_material(*(each for each in SIX if each.way is not Way.SHARED))], standing, NOW)
    assert resolved.chosen.way is way


@pytest.mark.parametrize(("days", "way"), [(11, Way.ALREADY_GIVEN), (10, Way.UPLOAD), (None, Way.ALREADY_GIVEN)])
def test_what_was_given_is_good_for_as_long_as_the_matter_says(days: int | None, way: Way) -> None:
    material = a_material(a_way(Way.ALREADY_GIVEN, valid_days=days), a_way(Way.UPLOAD))
    [resolved] = resolve([material], EVERYTHING, NOW)
    assert resolved.chosen.way is way


def test_when_nothing_is_open_the_last_way_says_what_to_do_first() -> None:
    [resolved] = resolve([a_material(a_way(Way.CERTIFICATE))], Standing(real_name=True), NOW)
    assert resolved.chosen.way is Way.CERTIFICATE


@pytest.mark.parametrize("way", list(Way))
def test_only_what_nothing_else_satisfies_can_be_demanded(way: Way) -> None:
    [resolved] = resolve([a_material(a_way(way))], EVERYTHING, NOW)
    errors = demand_errors([resolved], ["proof"])
    assert [error.code for error in errors] == ([] if way is Way.UPLOAD else [f"exempt-{way.value}"])


def test_what_a_promise_covers_may_follow_later_where_the_matter_says_so() -> None:
    [later] = resolve([a_material(a_way(Way.PROMISE), necessity="3")], EVERYTHING, NOW)
    assert demand_errors([later], ["proof"]) == []


def test_what_is_not_published_cannot_be_demanded() -> None:
    [resolved] = resolve([a_material(a_way(Way.UPLOAD))], EVERYTHING, NOW)
    errors = demand_errors([resolved], ["proof", "marriage-certificate"])
    assert [(error.pointer, error.code) for error in errors] == [("/materials/1", "unpublished")]


@pytest.mark.parametrize(
    ("ways", "taken"),
    [
        ((Way.SHARED,), False),
        ((Way.SHARED, Way.CERTIFICATE), False),
        ((Way.VERIFIED, Way.UPLOAD), True),
        ((Way.ALREADY_GIVEN, Way.UPLOAD), True),
        ((Way.CERTIFICATE, Way.UPLOAD), True),
        ((Way.PROMISE, Way.UPLOAD), True),
        ((Way.UPLOAD,), True),
        ((Way.CERTIFICATE,), False),
    ],
)
def test_a_file_is_taken_only_where_the_matter_knows_such_a_way(ways: tuple[Way, ...], taken: bool) -> None:
    [resolved] = resolve([a_material(*(a_way(way) for way in ways))], EVERYTHING, NOW)
    assert may_upload(resolved) is taken


def test_a_file_that_came_counts_as_handed_in_and_what_was_not_given_as_nothing() -> None:
    file = UUID(int=7)
    resolved = resolve(
        [
            a_material(a_way(Way.PROMISE), a_way(Way.UPLOAD)),
            a_material(a_way(Way.VERIFIED), a_way(Way.UPLOAD), code="identity"),
            a_material(a_way(Way.UPLOAD), code="picture", necessity="2"),
            a_material(a_way(Way.UPLOAD), code="later", necessity="3"),
        ],
        EVERYTHING,
        NOW,
    )
    assert settled_of(resolved, {"proof": file, "identity": UUID(int=8)}) == [
        Settled("proof", "1", "upload", f"attachment:{file}"),
        Settled("identity", "1", "verified", "real-name"),
        Settled("picture", "2", "", ""),
        Settled("later", "3", "upload", ""),
    ]


def test_lines_say_what_was_settled_whatever_stands_now() -> None:
    material = a_material(a_way(Way.PROMISE), a_way(Way.UPLOAD))
    [resolved] = as_settled([material], [Settled("proof", "1", "promise", "")])
    [line] = lines_of([resolved], set(), is_draft=False)
    assert (line.way, line.reason.zh, line.handed_in) == ("promise", "因为promise", False)
    [line] = lines_of([resolved], {"proof"}, is_draft=False)
    assert (line.way, line.handed_in) == ("promise", True)
    [line] = lines_of([resolved], {"proof"}, is_draft=True)
    assert (line.way, line.handed_in) == ("upload", True)


def test_what_was_asked_for_has_to_come() -> None:
    assert [error.pointer for error in demanded_errors(["a", "b"], {"b"})] == ["/attachments/a"]


def test_where_nothing_is_asked_for_nothing_is_spared() -> None:
    assert Spared("", 0, 0).rate is None
    assert Spared("", 4, 3).rate == 0.75


def test_a_material_that_only_a_file_satisfies_is_asked_for() -> None:
    matter = next(each.matter for each in shipped_matters() if each.matter.slug == "pension-eligibility")
    unknown = resolve(matter.materials, Standing(real_name=False), NOW)
    assert [error.pointer for error in missing_materials(unknown, frozenset())] == ["/attachments/identity"]
    assert missing_materials(unknown, frozenset({"identity"})) == []
    known = resolve(matter.materials, Standing(real_name=True), NOW)
    assert missing_materials(known, frozenset()) == []


def test_what_was_not_asked_of_somebody_can_neither_be_demanded_nor_handed_in() -> None:
    asked, unasked = a_material(a_way(Way.UPLOAD)), a_material(a_way(Way.UPLOAD), code="of-children")
    settled = settled_of(resolve([asked], EVERYTHING, NOW), {})
    resolved = as_settled([asked, unasked], settled)
    assert [each.material.code for each in resolved] == ["proof"]
    assert [error.code for error in demand_errors(resolved, ["proof", "of-children"])] == ["unpublished"]
    assert upload_error(None, "/material").code == "unasked"
