"""The sharing catalogue keeps its rules, and what breaks one is named."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import TypeAdapter

from matters.catalogue.loading import load_sharing
from matters.catalogue.sharing.rules import wrong_with
from matters.catalogue.sharing.types import SharingFile
from matters.catalogue.types import Way
from tests.fakes.shipped import shipped_matters

_FILE = TypeAdapter(SharingFile)
Raw = dict[str, Any]


def changed(change: Callable[[Raw], object]) -> SharingFile:
    raw = _FILE.dump_python(load_sharing(), mode="json")
    change(raw)
    return _FILE.validate_json(json.dumps(raw))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda raw: raw["elements"].append(raw["elements"][0]), "twice in the data dictionary"),
        (lambda raw: raw["resources"].append(raw["resources"][0]), "a resource stands twice"),
        (lambda raw: raw["withheld"][0].update(code=raw["resources"][0]["code"]), "shared and withheld"),
        (lambda raw: raw["resources"][0].update(elements=["wish"]), "wish is not in the data dictionary"),
        (lambda raw: raw["resources"][0].update(elements=[]), "shares nothing"),
        (lambda raw: raw["resources"][0].update(condition=None), "on a condition"),
        (lambda raw: raw["resources"][0].update(open=True), "nothing personal"),
        (lambda raw: raw["resources"][0].update(updated="sometimes"), "how often"),
    ],
)
def test_a_sharing_catalogue_that_breaks_a_rule_is_told_so(change: Callable[[Raw], object], said: str) -> None:
    assert list(wrong_with(load_sharing())) == []
    assert any(said in sentence for sentence in wrong_with(changed(change)))


def test_every_resource_that_is_shared_for_matters_is_used_and_every_one_used_is_shared() -> None:
    used = {
        (way.department, way.resource)
        for each in shipped_matters()
        for material in each.matter.materials
        for way in material.ways
        if way.way is Way.SHARED
    }
    shared = {(each.department, each.code) for each in load_sharing().resources}
    assert used <= shared
    assert {place for place in shared - used if place[1].endswith(("-register", "-record"))} == {
        ("notary", "notarial-register"),
    }
