"""Every rule of lint: a good matter keeps it, and a matter that breaks it is told so by that rule."""

import json
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
from pydantic import TypeAdapter

from matters.catalogue.lint.checking import Forms, Lint, errors_of
from matters.catalogue.lint.types import Severity
from matters.catalogue.loading import load_surroundings, read_files
from matters.catalogue.types import CatalogueFile, Matter

Raw = dict[str, Any]
Change = Callable[[Raw], object]
_MATTER = TypeAdapter(Matter)
HANDLED, VISITED, RULED, ASKED, EXPLAINED = (
    "wrong-fine-appeal", "disability-certificate-application", "graduate-settlement", "hk-macau-endorsement",
    "nursing-homes",
)  # fmt: skip


@cache
def lint() -> Lint:
    return Lint(load_surroundings())


@cache
def shipped() -> tuple[CatalogueFile, ...]:
    return tuple(read_files())


def broken(slug: str, change: Change) -> dict[str, list[str]]:
    """Change a shipped matter and return what lint says then, by rule."""
    file = next(file for file in shipped() if any(each.slug == slug for each in file.matters))
    matter = next(each for each in file.matters if each.slug == slug)
    raw = json.loads(_MATTER.dump_json(matter))
    change(raw)
    found: dict[str, list[str]] = {}
    for defect in lint().of_matter(_MATTER.validate_json(json.dumps(raw)), file.department):
        found.setdefault(defect.rule, []).append(defect.text)
    return found


def put(**members: object) -> Change:
    return lambda raw: raw.update(members)


def first(member: str, **values: object) -> Change:
    return lambda raw: raw[member][0].update(values)


def way(**values: object) -> Change:
    return lambda raw: raw["materials"][1]["ways"][0].update(values)


def add_material(**values: object) -> Change:
    words = {"zh": "一", "en": "one"}
    made: Raw = {"code": "extra", "title": words, "necessity": "1", "form": "电子", "source": "其他"}
    made["ways"] = [{"way": "promise", "text": words}]
    return lambda raw: raw["materials"].append({**made, **values})


WORDS = {"zh": "一", "en": "one"}


def together(*, join: str = "all", quorum: int = 0, **second: Any) -> Raw:
    """Return two departments that decide together; the second as given."""
    branch = {"name": "tax", "title": WORDS, "department": "taxation", "days": 1}
    return {"join": join, "quorum": quorum, "branches": [branch, {**branch, "name": "other", **second}]}


NEEDS = {"name": "made-up", "text": WORDS}
AGE = {"fact": "age", "op": "at-least", "value": 16}
CASES: list[tuple[str, str, Change]] = [
    ("basic-code", HANDLED, put(basic_code="00010911")),
    ("implementation-code", HANDLED, put(code="1" * 31)),
    ("implementing-body", HANDLED, put(code="119999999900000179" + "3" + "000109019001")),
    ("item-code", HANDLED, put(item_code="1" * 33)),
    ("slug", HANDLED, put(slug="Wrong_Fine")),
    ("vocabulary", HANDLED, put(kind_of_power="77")),
    ("vocabulary", HANDLED, put(serves=[])),
    ("vocabulary", HANDLED, put(legal_limit={"days": 5, "unit": "moon"})),
    ("vocabulary", HANDLED, first("materials", necessity="9")),
    ("vocabulary", VISITED, first("special_procedures", kind="3")),
    ("sorting", HANDLED, put(themes=["wish"])),
    ("sorting", HANDLED, put(themes=[])),
    ("sorting", HANDLED, put(groups=["wish"])),
    ("sorting", HANDLED, put(life_events=["wish"])),
    ("sorting", HANDLED, put(certificates=["wish"])),
    ("sorting", HANDLED, put(involved=["fire-brigade"])),
    ("sorting", HANDLED, first("other_ways", method="owl")),
    ("case-kind", HANDLED, put(case_kind="1")),
    ("case-kind", HANDLED, put(promised_limit={"days": 0})),
    ("case-kind", HANDLED, put(procedure="at-once")),
    ("case-kind", HANDLED, put(case_kind="9")),
    ("promised-limit", HANDLED, put(promised_limit={"days": 6})),
    ("promised-limit", HANDLED, put(promised_limit={"days": 1, "hours": 1})),
    ("promised-limit", HANDLED, put(legal_limit={"unit": "hour", "hours": 1}, promised_limit={"days": 1})),
    ("visit-reason", VISITED, put(visits={"count": 1})),
    ("visit-reason", VISITED, put(visits={"count": -1})),
    ("online-depth", VISITED, put(online_depth="IV")),
    ("online-depth", HANDLED, put(channels=["1", "4"])),
    ("courier", HANDLED, put(channels=["1"])),
    ("certificate-ending", VISITED, put(ending="record")),
    ("certificate-ending", HANDLED, put(ending=None)),
    ("fee-basis", HANDLED, put(charged=True)),
    ("fee-basis", HANDLED, put(fees=[{"title": WORDS, "fen": 100, "basis": WORDS}])),
    ("fee-basis", HANDLED, put(charged=True, fees=[{"title": WORDS, "fen": 0, "basis": WORDS}])),
    ("online-payment", EXPLAINED, put(pays_online=True)),
    ("offered", HANDLED, put(charged=True)),
    ("offered", HANDLED, put(books=True)),
    ("phones", HANDLED, put(complaint_phone="0999-12345001")),
    ("phones", HANDLED, put(complaint_phone="")),
    ("licence", HANDLED, put(kind_of_power="01", questions=[])),
    ("licence", RULED, put(kind_of_power="01")),
    ("without-a-face", HANDLED, put(other_ways=[])),
    ("requirement-ways", ASKED, first("requirements", methods=["village"])),
    ("only-explained", EXPLAINED, add_material()),
    ("only-explained", EXPLAINED, put(handling="department")),
    ("only-explained", HANDLED, put(handling="none")),
    ("parallel", VISITED, put(parallel=together(join="quorum"))),
    ("parallel", VISITED, put(parallel=together(quorum=1))),
    ("parallel", VISITED, put(parallel=together(join="quorum", quorum=3))),
    ("parallel", VISITED, put(parallel=together(name="tax"))),
    ("parallel", VISITED, put(parallel=together(name="Tax Office"))),
    ("parallel", VISITED, put(parallel=together(days=99))),
    ("parallel", VISITED, put(parallel=together(days=0))),
    ("parallel", VISITED, put(parallel=together(department="fire-brigade"))),
    ("parallel", VISITED, put(parallel={**together(), "branches": together()["branches"][:1]})),
    ("parallel", RULED, put(parallel=together())),
    ("conditions", HANDLED, put(conditions=[])),
    ("former", HANDLED, put(former=None)),
    ("former", VISITED, put(former={"visits": 0, "materials": 9, "days": 99})),
    ("aliases", HANDLED, put(aliases=[])),
    ("aliases", HANDLED, put(aliases=["违章", "违章"])),
    ("short-title", HANDLED, put(title={"zh": "申" * 31, "en": "Appeal"})),
    ("texts", HANDLED, put(title={"zh": "申诉", "en": " "})),
    ("texts", HANDLED, put(title={"zh": "{title}", "en": "Appeal"})),
    ("texts", HANDLED, put(basis=[])),
    ("texts", HANDLED, lambda raw: raw["materials"][0]["ways"][0]["text"].update(en="")),
    ("materials", HANDLED, add_material(code="identity")),
    ("materials", HANDLED, add_material(ways=[])),
    ("materials", HANDLED, add_material(copies=-1)),
    ("materials", HANDLED, add_material(ways=[{"way": "certificate", "text": WORDS}])),
    ("materials", HANDLED, add_material(ways=[{"way": "shared", "text": WORDS}])),
    ("materials", HANDLED, way(valid_days=30)),
    ("sharing", HANDLED, way(resource=None)),
    ("sharing", HANDLED, way(resource="wish")),
    ("sharing", HANDLED, way(department="fire-brigade")),
    ("sharing", HANDLED, way(resource="case-files")),
    ("kinds", HANDLED, add_material(ways=[{"way": "certificate", "certificate": "wish", "text": WORDS}])),
    ("kinds", HANDLED, put(refreshes_certificate="wish")),
    (
        "shareable",
        HANDLED,
        add_material(source="政府部门核发", ways=[{"way": "upload", "text": WORDS}]),
    ),
    ("form", HANDLED, lambda raw: raw["form"].update(additionalProperties=True)),
    ("form", HANDLED, lambda raw: raw["form"].pop("properties")),
    ("form", HANDLED, lambda raw: raw["form"].update(required=["wish"])),
    ("form", HANDLED, lambda raw: raw["form"]["properties"]["situation"].pop("title")),
    ("form-needed", HANDLED, lambda raw: raw["form"].update(properties={}, required=[])),
    ("form-schema", HANDLED, lambda raw: raw["form"]["properties"]["situation"].update(type="wish")),
    ("form-schema", HANDLED, lambda raw: raw["form"].update(required="all")),
    ("prefill", HANDLED, lambda raw: raw["prefill"].update(wish={"source": "real-name", "item": "name"})),
    ("prefill", HANDLED, lambda raw: raw["prefill"]["applicant_name"].update(item="shoe-size")),
    ("prefill", HANDLED, lambda raw: raw["prefill"]["applicant_name"].update(source="certificate:wish")),
    ("prefill", HANDLED, lambda raw: raw["prefill"]["applicant_name"].update(source="certificate:passport", item="x")),
    ("condition", HANDLED, put(requirements=[{**NEEDS, "needs": [{**AGE, "fact": "shoe-size"}]}])),
    ("condition", HANDLED, put(requirements=[{**NEEDS, "needs": [{**AGE, "fact": "form.wish"}]}])),
    ("condition", HANDLED, put(requirements=[{**NEEDS, "needs": [{**AGE, "op": "like"}]}])),
    ("condition", HANDLED, put(requirements=[{**NEEDS, "needs": [{**AGE, "value": "16"}]}])),
    ("condition", HANDLED, put(requirements=[{**NEEDS, "needs": []}])),
    ("condition", HANDLED, put(requirements=[{**NEEDS, "needs": [AGE]}, {**NEEDS, "needs": [AGE]}])),
    ("condition", HANDLED, first("materials", when=[{**AGE, "op": "in"}])),
    ("decision", RULED, put(decision=None)),
    ("decision", HANDLED, put(handling="rules")),
    ("decision", RULED, put(handling="department")),
    ("decision", RULED, first("checks", department="fire-brigade")),
    ("decision", RULED, lambda raw: raw["checks"][0]["findings"][0].update(outcome="perhaps")),
    ("decision", RULED, lambda raw: raw["checks"][0]["findings"][0]["when"][0].update(op="below")),
    ("decision", RULED, lambda raw: raw["decision"]["rules"][0].update(then="perhaps")),
]


@pytest.mark.parametrize(("rule", "slug", "change"), CASES)
def test_a_matter_that_breaks_a_rule_is_told_so(rule: str, slug: str, change: Change) -> None:
    assert rule in broken(slug, change)


def test_every_rule_has_such_a_case_and_the_shipped_catalogue_keeps_them_all() -> None:
    assert {rule.name for rule in lint().rules} == {rule for rule, _, _ in CASES}
    assert lint().of_files(shipped()) == []


@pytest.mark.parametrize("slug", [HANDLED, VISITED, RULED, ASKED, EXPLAINED])
def test_the_matters_that_are_broken_here_are_good_before(slug: str) -> None:
    assert broken(slug, lambda raw: None) == {}


def test_only_errors_keep_a_matter_from_being_published() -> None:
    file = shipped()[0]
    bad = json.loads(TypeAdapter(CatalogueFile).dump_json(file))
    bad["matters"][0]["aliases"] = []
    defects = lint().of_files([TypeAdapter(CatalogueFile).validate_json(json.dumps(bad))])
    assert [(defect.severity, defect.rule) for defect in defects] == [(Severity.ADVICE, "aliases")]
    assert errors_of(defects) == []
    assert defects[0].sentence.startswith(f"{file.department.slug}/")


def test_names_that_stand_twice_are_found_across_departments() -> None:
    files = [*shipped(), shipped()[0]]
    assert {defect.rule for defect in lint().of_files(files)} == {"doubled"}


def test_a_field_that_many_forms_share_is_looked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    forms = Forms()
    shared = {"type": "string", "maxLength": 5}
    assert forms.wrong_with({"type": "object", "properties": {"a": shared, "b": shared}}) is None
    monkeypatch.setattr(json, "loads", None)
    assert forms.wrong_with({"type": "object", "properties": {"c": shared}}) is None
