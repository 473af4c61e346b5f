import re
from datetime import date

import pytest

from sandbox.people import People, certificate, dated, later

TODAY = date(2026, 3, 31)


def test_numbers_and_mobiles_are_what_they_should_be() -> None:
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    people = list(People.load())
    assert len(people) == 12
    for person in people:
        total = sum(int(digit) * weight for digit, weight in zip(person.id_number, weights, strict=False))
        assert person.id_number[17] == "10X98765432"[total % 11]
        # An area code that was never given to anybody.
        assert person.id_number.startswith("999999")
        assert re.fullmatch(r"199000000\d\d", person.mobile)
        assert all(person.story[language] for language in ("zh", "en"))


def test_a_person_prints_as_a_slug() -> None:
    person = People.load().find("huomingzhe")
    assert person is not None
    assert repr(person) == "Person(huomingzhe)"


def test_somebody_the_registry_does_not_know_is_not_found_by_number() -> None:
    people = People.load()
    stranger = people.find("hefangzhou")
    assert stranger is not None
    assert people.find_by_number(stranger.id_number) is None
    assert people.find_named("999999198503122179", "霍明哲") is people.find("huomingzhe")
    assert people.find_named("999999198503122179", "霍明") is None


@pytest.mark.parametrize(
    ("told", "wanted"),
    [
        ("@+20d", "2026-04-20"),
        ("@-1m", "2026-02-28"),
        ("@+12d-2y", "2024-04-12"),
        ("@-1y", "2025-03-31"),
        ("@06-30", "2025-06-30"),
        ("@03-31", "2026-03-31"),
        ("2026-01-01", "2026-01-01"),
        ("@", "@"),
        (7, 7),
        (None, None),
        (["@+1d", {"a": "@+1d"}], ["2026-04-01", {"a": "2026-04-01"}]),
    ],
)
def test_relative_dates_are_made_real(told: object, wanted: object) -> None:
    assert dated(told, TODAY) == wanted


def test_the_last_of_a_month_stays_the_last() -> None:
    assert later(date(2026, 1, 31), months=1) == date(2026, 2, 28)
    assert later(date(2024, 2, 29), years=1) == date(2025, 2, 28)
    assert later(date(2026, 12, 31), months=-1) == date(2026, 11, 30)
    assert later(date(2026, 11, 30), months=1) == date(2026, 12, 30)


def test_the_cast_holds_what_the_stories_say() -> None:
    people = {person.slug: person for person in People.load()}
    assert set(people["huomingzhe"].certificates) == {
        "driving-licence",
        "vehicle-licence",
        "social-security-card",
        "housing-fund",
        "passport",
        "hk-macau-permit",
    }
    for slug in ("wanqiushi", "zhuangjiheng", "qumanlin", "wujinglan"):
        permit = certificate(people[slug], "residence-permit", today=TODAY, opened_on=TODAY)
        assert permit is not None
        due_on = date.fromisoformat(permit["fields"]["endorsed_until"])
        assert TODAY < due_on <= later(TODAY, months=1)
    lapsing = certificate(people["wujinglan"], "residence-permit", today=TODAY, opened_on=TODAY)
    assert lapsing is not None
    assert lapsing["valid_until"] == "2026-04-20"
    assert people["zhouqiangshan"].certificates["driving-licence"]["fields"]["points"] == 12
    assert (
        people["fenggangyi"].certificates["disability-certificate"]["number"] == people["fenggangyi"].id_number + "42"
    )
    assert [person.slug for person in people.values() if person.draws_pension] == ["pangxiuying"]
    assert [person.slug for person in people.values() if person.portrait == "b"] == ["lieyunqi"]


def test_a_record_that_moves_with_the_day_gets_a_version_a_day() -> None:
    people = People.load()
    migrant, driver = people.find("wujinglan"), people.find("huomingzhe")
    assert migrant is not None
    assert driver is not None
    tomorrow = later(TODAY, days=1)
    moved = certificate(migrant, "residence-permit", today=tomorrow, opened_on=TODAY)
    fixed = certificate(driver, "driving-licence", today=tomorrow, opened_on=TODAY)
    assert moved is not None
    assert fixed is not None
    assert (moved["version"], fixed["version"]) == (2, 1)
