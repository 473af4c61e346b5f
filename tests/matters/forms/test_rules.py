"""What a definition means: asked for or not, computed or typed, complete or not."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matters.forms.rules import evaluate, findings_of_form, form_errors, shape, value_errors
from tests.fakes.shipped import shipped_matters

TODAY = date(2026, 3, 10)
FORM: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "$defs": {"yes": {"const": True}},
    "properties": {
        "has_children": {"type": "boolean"},
        "born_on": {"type": "string", "format": "date", "x-show-if": {
            "properties": {"has_children": {"$ref": "#/$defs/yes"}}, "required": ["has_children"]
        }},
        "age": {"type": "integer", "x-computed": {"years-between": [{"field": "born_on"}, {"today": True}]}},
        "school": {"type": "string", "enum": ["here", "elsewhere"], "x-show-if": {
            "properties": {"age": {"minimum": 6}}, "required": ["age"]
        }},
        "rent": {"type": "integer", "minimum": 0},
        "heating": {"type": "integer", "minimum": 0},
        "cost": {"type": "integer", "maximum": 9000, "x-computed": {"sum": [{"field": "rent"}, {"field": "heating"}]}},
        "mail": {"type": "string", "format": "email"},
    },
    "required": ["has_children", "born_on", "school", "rent"],
    "dependentRequired": {"rent": ["heating"]},
    "if": {"properties": {"school": {"const": "elsewhere"}}, "required": ["school"]},
    "then": {"required": ["mail"]},
}  # fmt: skip


def told(form: dict[str, object]) -> set[tuple[str, str]]:
    return {(error.pointer, error.code) for error in form_errors(FORM, form, TODAY)}


def test_what_is_not_asked_for_is_neither_required_nor_sent() -> None:
    shaped = shape(FORM, {"has_children": False, "born_on": "2018-01-01", "school": "here"}, TODAY)
    assert shaped.form == {"has_children": False}
    assert shaped.hidden == {"born_on", "school"}
    assert shaped.missing == ("rent",)


def test_conditions_may_rest_on_computed_values_and_those_on_conditions() -> None:
    shaped = shape(FORM, {"has_children": True, "born_on": "2018-03-11"}, TODAY)
    assert shaped.form["age"] == 7
    assert shaped.missing == ("school", "rent")
    young = shape(FORM, {"has_children": True, "born_on": "2024-03-11"}, TODAY)
    assert young.form["age"] == 1
    assert "school" in young.hidden


def test_a_form_is_complete_when_every_rule_of_it_holds() -> None:
    good = {"has_children": True, "born_on": "2018-03-10", "school": "elsewhere", "rent": 100, "heating": 20}
    assert told(good) == {("/form/mail", "required")}
    assert told({**good, "mail": "a@b.cn"}) == set()
    assert told({**good, "mail": "nothing"}) == {("/form/mail", "format")}
    assert told({"has_children": False, "rent": 5}) == {("/form/heating", "dependentRequired")}
    assert told({"has_children": False, "rent": 9000, "heating": 1}) == {("/form/cost", "maximum")}
    assert told({"has_children": False, "rent": 1, "heating": 1, "more": 1}) == {("/form/more", "unknown")}


def test_what_is_missing_follows_the_conditions_too() -> None:
    form = {"has_children": True, "born_on": "2018-03-10", "school": "elsewhere", "rent": 1}
    assert shape(FORM, form, TODAY).missing == ("heating", "mail")


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("nothing", 1, "unknown"),
        ("age", 7, "computed"),
        ("born_on", "2018-02-30", "format"),
        ("rent", -1, "minimum"),
        ("rent", "1", "type"),
        ("rent", None, None),
        ("rent", 5, None),
    ],
)
def test_a_single_value_is_checked_by_itself(name: str, value: object, code: str | None) -> None:
    assert [error.code for error in value_errors(FORM, name, value)] == ([] if code is None else [code])


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ({"value": 3}, 3),
        ({"field": "a"}, 2),
        ({"field": "none"}, None),
        ({"today": True}, "2026-03-10"),
        ({"sum": [{"field": "a"}, {"value": 1}, {"value": 4}]}, 7),
        ({"sum": [{"field": "a"}, {"field": "none"}]}, None),
        ({"sum": [{"field": "a"}, {"field": "text"}]}, None),
        ({"sum": [{"field": "yes"}]}, None),
        ({"difference": [{"value": 7}, {"field": "a"}]}, 5),
        ({"product": [{"field": "a"}, {"value": 5}]}, 10),
        ({"join": [{"field": "text"}, {"value": "-"}, {"field": "a"}]}, "word-2"),
        ({"count": [{"field": "list"}]}, 3),
        ({"count": [{"field": "a"}]}, None),
        ({"days-between": [{"value": "2026-03-01"}, {"today": True}]}, 9),
        ({"years-between": [{"value": "2008-03-11"}, {"today": True}]}, 17),
        ({"years-between": [{"value": "2008-03-10"}, {"today": True}]}, 18),
        ({"years-between": [{"field": "text"}, {"today": True}]}, None),
    ],
)
def test_expressions(expression: dict[str, Any], value: object) -> None:
    assert evaluate(expression, {"a": 2, "text": "word", "list": [1, 2, 3], "yes": True}, TODAY) == value


@pytest.mark.parametrize(
    ("properties", "finding"),
    [
        ({"a": {"x-computed": {"field": "b"}}}, "b, which the form does not have"),
        ({"a": {"x-computed": {"power": []}}}, "nothing is computed by power"),
        ({"a": {"x-computed": {"difference": [{"value": 1}]}}}, "wrong number"),
        ({"a": {"x-computed": []}}, "no expression"),
        ({"a": {"x-computed": {"field": "b"}}, "b": {"x-computed": {"sum": [{"field": "a"}]}}}, "from itself"),
        ({"a": {"x-show-if": {"properties": {"b": {}}}}}, "asks for b"),
        ({"a": {"x-show-if": {"type": "nothing"}}}, "no schema"),
        ({"a": {"x-show-if": 7}}, "no schema"),
        ({"a": {"$ref": "https://elsewhere.example/schema"}}, "points at"),
    ],
)
def test_a_definition_that_is_not_in_order_is_told_so(properties: dict[str, Any], finding: str) -> None:
    found = findings_of_form({"type": "object", "properties": properties})
    assert any(finding in each for each in found), found


def test_every_published_form_is_in_order() -> None:
    assert findings_of_form(FORM) == []
    assert [found for each in shipped_matters() for found in findings_of_form(each.matter.form)] == []


VALUES = st.one_of(st.none(), st.booleans(), st.integers(-10, 10_000), st.text(max_size=12), st.just("2018-03-10"))


@given(st.dictionaries(st.sampled_from([*FORM["properties"], "other"]), VALUES))
def test_shaping_again_changes_nothing_and_breaks_on_nothing(form: dict[str, object]) -> None:
    once = shape(FORM, form, TODAY)
    assert shape(FORM, once.form, TODAY).form == once.form
    assert not set(once.form) & once.hidden
    form_errors(FORM, form, TODAY)
