"""The published catalogue: in order, found, and made out for whoever asks."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from auth.types import Level
from core.settings import UnsafeSettings
from matters.catalogue.catalogue import Place, Wanted
from matters.catalogue.loading import PUBLISHED, load_catalogue
from matters.catalogue.rules import is_uscc
from matters.errors import MatterUnknown
from tests.matters.conftest import ENDORSEMENT, PENSION, SETTLEMENT, Desk

Change = Callable[[dict[str, Any]], None]


@pytest.mark.parametrize(
    "code", ["11100000MB0341032Y", "11100000000013338W", "12441500196720244T", "914403006990676707"]
)
def test_real_codes_have_right_check_characters(code: str) -> None:
    assert is_uscc(code)
    assert not is_uscc(code[:-1] + ("0" if code[-1] != "0" else "1"))


@pytest.mark.parametrize("code", ["", "1", "11100000MB034103IY", "11100000mb0341032Y"])
def test_other_texts_are_no_codes(code: str) -> None:
    assert not is_uscc(code)


def test_every_published_matter_is_demonstration_data_in_both_languages() -> None:
    for published in load_catalogue():
        assert published.demonstration
        assert len(published.matter.code) == 31
        assert len(published.matter.item_code) == 33
        assert published.matter.title.zh
        assert published.matter.title.en
        assert published.matter.other_ways
        Draft202012Validator.check_schema(dict(published.matter.form))


def matter(change: Change) -> Change:
    return lambda file: change(file["matters"][0])


def put(**members: object) -> Change:
    return matter(lambda each: each.update(members))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda file: file["department"].update(uscc="119999999900000179"), "check character"),
        (put(code="1" * 31), "implementation code"),
        (put(item_code="1" * 33), "item code"),
        (put(kind_of_power="77"), "kind_of_power"),
        (put(promised_limit={"days": 99}), "longer than the legal"),
        (put(case_kind="1"), "done at once"),
        (put(visits={"count": 1}), "needs a reason"),
        (put(channels=["1"]), "a way online"),
        (put(complaint_phone="0999-12345001"), "different phones"),
        (put(kind_of_power="01", questions=[]), "a licence"),
        (put(level="present", other_ways=[]), "another way"),
        (put(charged=True), "charged"),
        (matter(lambda each: each["materials"][0].update(necessity="9")), "necessity"),
        (matter(lambda each: each.update(materials=["wish"])), "wish"),
        (matter(lambda each: each.update(template="wish")), "wish"),
        (put(handling="rules"), "checks and rules"),
        (put(form={"type": "array"}), "object"),
        (put(surprise=1), "surprise"),
        (matter(lambda each: each.pop("title")), "title"),
        (matter(lambda each: each["prefill"].update(no_field={"source": "real-name", "item": "name"})), "no_field"),
        (matter(lambda each: each["form"]["properties"].update(bad={"type": "wish"})), "JSON Schema"),
        (lambda file: file["matters"].append(file["matters"][0]), "stands twice"),
        (lambda file: file.update(matters=[]), "no matters"),
    ],
)
def test_a_catalogue_that_breaks_a_rule_stops_the_start(tmp_path: Path, change: Change, said: str) -> None:
    file = json.loads((PUBLISHED / "public-security.json").read_text())
    change(file)
    (tmp_path / "public-security.json").write_text(json.dumps(file))
    with pytest.raises(UnsafeSettings, match=said):
        load_catalogue(tmp_path)


def test_an_empty_folder_and_a_misnamed_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UnsafeSettings, match="no catalogue"):
        load_catalogue(tmp_path)
    (tmp_path / "fire-brigade.json").write_text((PUBLISHED / "public-security.json").read_text())
    with pytest.raises(UnsafeSettings, match="named after"):
        load_catalogue(tmp_path)


def found(desk: Desk, **wanted: Any) -> set[str]:
    page, _ = desk.catalogue.list_matters(Wanted(**wanted), after=None, limit=100)
    return {each.matter.slug for each in page}


def test_matters_are_found_by_theme_group_words_and_alias(desk: Desk) -> None:
    assert found(desk, theme="户籍") >= {ENDORSEMENT, SETTLEMENT}
    assert PENSION not in found(desk, theme="户籍")
    assert PENSION in found(desk, group="elderly")
    assert ENDORSEMENT not in found(desk, group="elderly")
    assert found(desk, query="年审") >= {ENDORSEMENT, PENSION}
    assert found(desk, query="秒批") == {SETTLEMENT}
    assert found(desk, query="JZZ") >= {ENDORSEMENT}
    assert found(desk, query="nothing like it") == set()


def test_a_list_goes_on_after_a_code(desk: Desk) -> None:
    codes: list[str] = []
    after: Place | None = None
    while True:
        page, after = desk.catalogue.list_matters(Wanted(), after=after, limit=7)
        codes += [each.matter.code for each in page]
        if after is None:
            break
    assert codes == [each.matter.code for each in desk.catalogue.all]


def test_a_matter_has_one_name_for_machines_and_one_for_people(desk: Desk) -> None:
    assert desk.catalogue.find(ENDORSEMENT) is desk.catalogue.find(desk.catalogue.find(ENDORSEMENT).matter.code)
    with pytest.raises(MatterUnknown):
        desk.catalogue.find("nothing")


async def ways(desk: Desk, level: Level, *, permit: bool) -> dict[str, str]:
    guide = await desk.guides.open(desk.citizen(level, permit=permit), ENDORSEMENT)
    return {each.material.code: each.chosen.way.value for each in guide.materials}


async def test_a_guide_says_how_this_person_satisfies_each_material(desk: Desk) -> None:
    assert await ways(desk, Level.REAL_NAME, permit=True) == {
        "identity": "verified",
        "residence-permit": "shared",
        "proof-of-residence": "promise",
    }


async def test_a_guide_for_somebody_unknown_says_what_to_do_first(desk: Desk) -> None:
    assert (await ways(desk, Level.LINKED, permit=False))["identity"] == "upload"


async def test_a_certificate_is_offered_to_who_holds_it(desk: Desk) -> None:
    for permit in (True, False):
        guide = await desk.guides.open(desk.citizen(permit=permit), ENDORSEMENT)
        offered = {way.way.value for each in guide.materials for way in (each.chosen, *each.alternatives)}
        assert ("certificate" in offered) == permit
