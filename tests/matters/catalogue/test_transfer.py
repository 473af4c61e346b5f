"""Templates, taking a catalogue elsewhere and back, and comparing two."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from core.settings import UnsafeSettings
from matters.catalogue.comparing import compare, differences, matter_of, raw_of
from matters.catalogue.expanding import Templates
from matters.catalogue.loading import read_file, read_files
from matters.catalogue.transfer import as_csv, as_json, from_csv
from matters.catalogue.types import CatalogueFile

FILES = read_files()


def test_json_comes_back_as_it_went() -> None:
    templates = Templates.load()
    for file in FILES:
        assert read_file(as_json(file), name="x", templates=templates) == file


def test_csv_comes_back_as_it_went() -> None:
    back = {file.department.slug: file for file in from_csv(as_csv(FILES))}
    assert back == {file.department.slug: file for file in FILES}
    assert from_csv("\ufeff" + as_csv(FILES)) == from_csv(as_csv(FILES))


def test_no_cell_is_taken_for_a_formula() -> None:
    raw = TypeAdapter(CatalogueFile).dump_python(FILES[0], mode="json")
    raw["matters"][0]["enquiry_phone"] = "=1+1"
    file = TypeAdapter(CatalogueFile).validate_json(json.dumps(raw))
    text = as_csv([file])
    for line in csv.reader(io.StringIO(text)):
        assert not any(cell.startswith(("=", "+", "-", "@")) for cell in line)
    assert from_csv(text) == [file]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("wish\r\n1\r\n", "no column wish"),
        ("slug,form\r\nx,{}\r\n", "department is missing"),
        ('department,form\r\n"{""slug"": ""x""}",{\r\n', "form cannot be read"),
        ("slug\r\na,b\r\n", "more cells"),
        ('department,slug\r\n"{""slug"": ""x""}",y\r\n', "CSV, x"),
    ],
)
def test_a_csv_that_cannot_be_read_is_refused_with_its_place(text: str, said: str) -> None:
    with pytest.raises(UnsafeSettings, match=said):
        from_csv(text)


def test_templates_say_what_matters_have_in_common_and_matters_what_is_their_own() -> None:
    notary = next(file for file in FILES if file.department.slug == "notary")
    made = next(each for each in notary.matters if each.slug == "notary-birth")
    assert made.template == "notarial-certificate"
    assert made.code == notary.department.uscc + "3" + made.basic_code
    assert made.item_code == made.code + "01"
    assert made.enquiry_phone == notary.department.enquiry_phone
    assert notary.department.name.zh in made.steps[1].zh
    assert [material.code for material in made.materials] == ["identity", "birth-record", "household-record"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("not json", "cannot be read"),
        ("{}", "cannot be read"),
        ('{"slug": "another", "matter": {}}', "not named after"),
    ],
)
def test_a_broken_template_stops_the_start(tmp_path: Path, content: str, said: str) -> None:
    (tmp_path / "one.json").write_text(content)
    with pytest.raises(UnsafeSettings, match=said):
        Templates.load(tmp_path)


def test_a_file_that_is_no_json_or_no_object_is_refused() -> None:
    for content in ("{", "[]", "7"):
        with pytest.raises(UnsafeSettings, match="Catalogue x"):
            read_file(content, name="x", templates=Templates({}, {}))


def changed(which: str, **members: Any) -> list[CatalogueFile]:
    files = []
    for file in FILES:
        raw = TypeAdapter(CatalogueFile).dump_python(file, mode="json")
        for matter in raw["matters"]:
            if matter["slug"] == which:
                matter.update(members)
        files.append(TypeAdapter(CatalogueFile).validate_json(json.dumps(raw)))
    return files


def test_a_comparison_names_the_very_places_that_differ() -> None:
    assert compare(FILES, FILES).is_empty
    found = compare(FILES, changed("camera-fine", promised_limit={"days": 0, "hours": 1, "unit": "hour"}))
    places = [(each.path, each.before, each.after) for each in found.changed["camera-fine"]]
    assert places == [("promised_limit/unit", "working-day", "hour"), ("promised_limit/hours", "0", "1")]
    renamed = compare(FILES, changed("camera-fine", slug="camera-fines"))
    assert (renamed.added, renamed.removed) == (("camera-fines",), ("camera-fine",))


def test_one_more_material_in_front_is_one_difference() -> None:
    before = next(each for file in FILES for each in file.matters if each.slug == "camera-fine")
    raw = raw_of(before)
    raw["materials"].insert(0, {**raw["materials"][0], "code": "more"})
    assert [each.path for each in differences(before, matter_of(raw))] == ["materials/more"]
