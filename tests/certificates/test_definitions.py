"""Kinds are files: those that ship are right, a further one needs no code, a wrong one is refused with the reason."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from certificates.definitions import Kinds
from certificates.errors import KindUnknown
from certificates.settings import DEMO_AUTHORITY
from core.settings import UnsafeSettings

SHIPPED = Path("certificates/kinds")
WORDS = {"zh": "不对", "en": "Not right"}


def _a_kind(**changes: Any) -> dict[str, Any]:
    told: dict[str, Any] = json.loads((SHIPPED / "driving-licence.json").read_text(encoding="utf-8"))
    return {**told, **changes}


def _with_schema(told: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {**told, "schema": {**told["schema"], **changes}}


def _with_field(told: dict[str, Any], **changes: Any) -> dict[str, Any]:
    fields = told["schema"]["properties"]
    return _with_schema(told, properties={**fields, "sex": {**fields["sex"], **changes}})


def _load(folder: Path, told: dict[str, Any], slug: str = "library-card") -> Kinds:
    (folder / f"{slug}.json").write_text(json.dumps(told, ensure_ascii=False), encoding="utf-8")
    return Kinds.load(authority=DEMO_AUTHORITY, type_codes={}, folder=folder)


def test_the_connected_issuers_have_their_kinds(kinds: Kinds) -> None:
    assert {kind.slug: kind.issuer for kind in kinds} == {
        "birth-certificate": "health",
        "disability-certificate": "disabled-persons",
        "driving-licence": "public-security",
        "hk-macau-permit": "public-security",
        "housing-fund": "housing-fund",
        "passport": "public-security",
        "residence-permit": "public-security",
        "social-security-card": "human-resources",
        "taiwan-permit": "public-security",
        "vehicle-licence": "public-security",
    }


def test_type_codes_are_of_the_deployment_and_differ(kinds: Kinds) -> None:
    codes = [kind.type_code for kind in kinds]
    assert len(set(codes)) == len(codes)
    assert all(code.startswith(DEMO_AUTHORITY) and len(code) == 21 for code in codes)


def test_a_further_kind_is_a_further_file(tmp_path: Path) -> None:
    kind = _load(tmp_path, _a_kind(title="借书证", title_en="Library card")).get("library-card")
    assert (kind.slug, kind.title) == ("library-card", "借书证")


def test_an_unknown_kind_tells_what_there_is(kinds: Kinds) -> None:
    assert kinds.find("library-card") is None
    with pytest.raises(KindUnknown) as caught:
        kinds.get("library-card")
    assert caught.value.extras.members == {"kinds": sorted(kind.slug for kind in kinds)}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda told: {**told, "colour": "green"}, "colour"),
        (lambda told: {**told, "card_face": ["photo"]}, "no such field: photo"),
        (lambda told: {**told, "valid_until": ["name"]}, "not a date: name"),
        (lambda told: _with_schema(told, required=["photo"]), "no such field: photo"),
        (lambda told: _with_schema(told, additionalProperties=True), "additionalProperties"),
        (lambda told: _with_schema(told, type="array"), "type"),
        (lambda told: _with_field(told, type="number"), "properties"),
        (lambda told: _with_field(told, pattern="("), "schema"),
        (lambda told: _with_field(told, title=""), "title"),
        (lambda told: {**told, "red_when": [{"field": "points", "reason": WORDS}]}, "at_least or other_than"),
        (lambda told: {**told, "red_when": [{"field": "points", "at_least": 12}]}, "reason"),
        (lambda told: {**told, "reminders": [0]}, "reminders"),
        (lambda told: {**told, "renewal": None}, "reminders need"),
        (lambda told: {**told, "valid_until": []}, "reminders need"),
        (lambda told: {**told, "number_field": "points"}, "required text"),
        (lambda told: {**told, "type_sequence": "001"}, "type_sequence"),
        (lambda told: {**told, "claims": {"age": {"field": "birth_on", "reads": "stars"}}}, "reads"),
    ],
)
def test_a_kind_that_is_not_right_is_refused(
    tmp_path: Path, change: Callable[[dict[str, Any]], dict[str, Any]], reason: str
) -> None:
    with pytest.raises(UnsafeSettings, match=reason) as caught:
        _load(tmp_path, change(_a_kind()))
    assert "library-card" in str(caught.value)


def test_a_name_too_long_for_the_ledger_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnsafeSettings, match="32 characters"):
        _load(tmp_path, _a_kind(), slug="a" * 33)


def test_official_type_codes_replace_the_deployments_own() -> None:
    official = "11100000MB0341032Y007"
    kinds = Kinds.load(authority=DEMO_AUTHORITY, type_codes={"driving-licence": official})
    assert kinds.get("driving-licence").type_code == official


@pytest.mark.parametrize(
    "type_codes",
    [
        {"driving-licence": "11100000MB0341032X007"},
        {"driving-licence": "11100000MB0341032Y"},
        {"library-card": "1" * 21},
    ],
)
def test_wrong_type_codes_are_refused(type_codes: dict[str, str]) -> None:
    with pytest.raises(UnsafeSettings):
        Kinds.load(authority=DEMO_AUTHORITY, type_codes=type_codes)


def test_an_authority_with_a_wrong_check_is_refused() -> None:
    with pytest.raises(UnsafeSettings, match="AUTHORITY"):
        Kinds.load(authority="11999999MB0000019X", type_codes={})


def test_every_kind_says_what_its_codes_mean_and_why_it_is_red(kinds: Kinds) -> None:
    for kind in kinds:
        by_name = {each.name: each for each in kind.fields}
        for rule in kind.red_when:
            assert rule.reason.zh
            assert rule.reason.en
            assert set(rule.other_than) <= by_name[rule.field].words.keys()


def test_kinds_that_end_are_remembered_in_time(kinds: Kinds) -> None:
    ending = [kind for kind in kinds if kind.valid_until]
    assert {kind.reminders for kind in ending} == {(90, 30, 7)}
    assert all(kind.renewal is not None for kind in ending)
    assert [kind.reminders for kind in kinds if not kind.valid_until] == [(), ()]
