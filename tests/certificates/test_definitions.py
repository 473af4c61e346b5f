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


def _a_kind(**changes: Any) -> dict[str, Any]:
    told: dict[str, Any] = json.loads((SHIPPED / "driving-licence.json").read_text(encoding="utf-8"))
    return {**told, **changes}


def _load(folder: Path, told: dict[str, Any], slug: str = "library-card") -> Kinds:
    (folder / f"{slug}.json").write_text(json.dumps(told, ensure_ascii=False), encoding="utf-8")
    return Kinds.load(authority=DEMO_AUTHORITY, type_codes={}, folder=folder)


def test_the_connected_issuers_have_their_kinds(kinds: Kinds) -> None:
    assert {kind.slug: kind.issuer for kind in kinds} == {
        "driving-licence": "public-security",
        "residence-permit": "public-security",
        "social-security-card": "human-resources",
    }


def test_type_codes_are_of_the_deployment_and_differ(kinds: Kinds) -> None:
    codes = [kind.type_code for kind in kinds]
    assert len(set(codes)) == len(codes)
    assert all(code.startswith(DEMO_AUTHORITY) and len(code) == 21 for code in codes)


def test_a_further_kind_is_a_further_file(tmp_path: Path) -> None:
    kind = _load(tmp_path, _a_kind(title="借书证", title_en="Library card")).get("library-card")
    assert (kind.slug, kind.title) == ("library-card", "借书证")


def test_an_unknown_kind_tells_what_there_is(kinds: Kinds) -> None:
    assert kinds.find("passport") is None
    with pytest.raises(KindUnknown) as caught:
        kinds.get("passport")
    assert caught.value.extras.members == {"kinds": ["driving-licence", "residence-permit", "social-security-card"]}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda told: {**told, "colour": "green"}, "colour"),
        (lambda told: {**told, "card_face": ["photo"]}, "no such field: photo"),
        (lambda told: {**told, "valid_until": ["name"]}, "not a date: name"),
        (lambda told: {**told, "fields": [*told["fields"], told["fields"][0]]}, "named twice"),
        (lambda told: {**told, "red_when": [{"field": "points"}]}, "at_least or other_than"),
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
    [{"driving-licence": "11100000MB0341032X007"}, {"driving-licence": "11100000MB0341032Y"}, {"passport": "1" * 21}],
)
def test_wrong_type_codes_are_refused(type_codes: dict[str, str]) -> None:
    with pytest.raises(UnsafeSettings):
        Kinds.load(authority=DEMO_AUTHORITY, type_codes=type_codes)


def test_an_authority_with_a_wrong_check_is_refused() -> None:
    with pytest.raises(UnsafeSettings, match="AUTHORITY"):
        Kinds.load(authority="11999999MB0000019X", type_codes={})
