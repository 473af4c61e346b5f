"""Who gets a case: a table of cases, what is wrong with tables, and what holds whatever the table says."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.settings import UnsafeSettings
from matters.catalogue.terms.types import Wording
from matters.routing.loading import load_table
from matters.routing.rules import FALLBACK, choose, home_of, least_loaded, level_of, region_named, region_of, wrong_with
from matters.routing.types import Asked, Handles, Place, RouteRule, RoutingTable, Unit, UnitLevel
from tests.fakes.shipped import shipped_matters, shipped_routing

CITY, DISTRICT, TOWN = UnitLevel.CITY, UnitLevel.DISTRICT, UnitLevel.TOWN
TABLE = shipped_routing()
MATTERS = frozenset(each.matter.slug for each in shipped_matters())
DEPARTMENTS = frozenset(each.department.slug for each in shipped_matters())


@pytest.mark.parametrize(
    ("matter", "department", "region", "rule", "units"),
    [
        ("household-move", "public-security", "999901001", "household-police", {"donghu-police"}),
        ("household-move", "public-security", "999901", "household-police", {"donghu-police"}),
        (
            "household-move", "public-security", "999902001", "household-police-old-town",
            {"laocheng-police-1", "laocheng-police-2"},
        ),
        # A district without police of its own in the table, and a city's matter.
        ("household-move", "public-security", "999903", "city-police", {"city-police"}),
        ("passport-application", "public-security", "999901", "city-police", {"city-police"}),
        # Nobody knows where: the general window of the city.
        ("passport-application", "public-security", "", FALLBACK, {"city-hall"}),
        ("passport-application", "public-security", "4401", FALLBACK, {"city-hall"}),
        # Town handles, district handles, city handles.
        ("elder-allowance", "civil-affairs", "999901001", "by-region", {"wutong-town"}),
        ("elder-allowance", "civil-affairs", "999901002", "by-region", {"yunfan-town"}),
        ("elder-allowance", "civil-affairs", "999903001", FALLBACK, {"city-hall"}),
        ("elder-allowance", "civil-affairs", "999901", FALLBACK, {"city-hall"}),
        ("school-place", "education", "999902001", "by-region", {"laocheng-hall"}),
        ("birth-certificate-replacement", "health", "999903", "by-region", {"park-hall"}),
        ("rent-withdrawal", "housing-fund", "999901001", "by-region", {"city-hall"}),
    ],
)  # fmt: skip
def test_a_case_goes_by_matter_region_and_level(
    matter: str, department: str, region: str, rule: str, units: set[str]
) -> None:
    chosen = choose(TABLE, Asked(matter, department, region, level_of(TABLE, matter)))
    assert (chosen.rule, {unit.code for unit in chosen.units}) == (rule, units)


@pytest.mark.parametrize(
    ("text", "region"),
    [
        ("示例市东湖区梧桐路9号2栋1501室", "999901001"),
        ("示例市东湖区某路1号", "999901"),
        ("示例市老城区书院街22号1栋102室", "999902001"),
        ("示例市某路1号", "9999"),
        ("邻湖市中山路3号", "9998"),
        ("别处", ""),
        ("", ""),
        # It names two districts: nobody knows which.
        ("东湖区和老城区之间", ""),
        ("老城区梧桐路3号", ""),
    ],
)
def test_an_address_says_where_a_case_belongs(text: str, region: str) -> None:
    assert region_named(TABLE.places, text) == region


@pytest.mark.parametrize(
    ("form", "area", "region"),
    [
        ({"to_address": "示例市东湖区云帆路18号", "residence_address": "老城区书院街1号"}, "999902", "999901002"),
        ({"to_address": "别处", "residence_address": "老城区书院街1号"}, "999901", "999902001"),
        ({"to_address": 7}, "999901", "999901"),
        ({}, "999999", "9999"),
        ({}, "990000", "99"),
        ({}, "440106", ""),
        ({}, "", ""),
    ],
)
def test_the_form_says_more_than_the_number(form: dict[str, object], area: str, region: str) -> None:
    assert region_of(TABLE, form, area) == region


def test_of_equals_the_one_with_the_fewest_open_cases_gets_it() -> None:
    one, two = (unit for unit in TABLE.units if unit.code.startswith("laocheng-police"))
    assert least_loaded((two, one), {}) is one
    assert least_loaded((one, two), {one.code: 3, two.code: 2}) is two
    assert least_loaded((two, one), {one.code: 2, two.code: 2}) is one
    assert least_loaded((one, two), {two.code: 1}) is one


@given(
    st.sampled_from([*sorted(MATTERS), "unheard-of"]),
    st.sampled_from(sorted(DEPARTMENTS)),
    st.sampled_from(["", "99", "9998", "4401", "999904", *(place.code for place in TABLE.places)]),
    st.sampled_from(list(UnitLevel)),
)
def test_every_case_gets_a_unit_that_may_take_it(matter: str, department: str, region: str, level: UnitLevel) -> None:
    chosen = choose(TABLE, Asked(matter, department, region, level))
    assert chosen.units
    for unit in chosen.units:
        assert not unit.departments or department in unit.departments
        # Only the desk for everything takes what lies elsewhere.
        assert region.startswith(unit.region) or chosen.rule == FALLBACK


UNIT = Unit(code="hall", title=Wording(zh="厅", en="Hall"), region="9999", level=CITY)
GOOD = RoutingTable(
    demonstration=True,
    version="1",
    region_fields=(),
    places=(Place(code="9999", names=("示例市",)),),
    units=(UNIT,),
    handles=(Handles(level=TOWN, matters=("m",)),),
    rules=(RouteRule(name="r", matters=("m",), departments=("d",), units=("hall",)),),
    fallback="hall",
)


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"version": ""}, "it has no version."),
        ({"fallback": "nobody"}, "nobody: the desk for what fits nowhere is no unit."),
        ({"units": (UNIT, UNIT)}, "hall: this unit stands twice."),
        ({"units": (replace(UNIT, region="9998"),)}, "hall: no such place: 9998."),
        ({"units": (replace(UNIT, departments=("x",)),)}, "hall: no such department: x."),
        ({"places": (*GOOD.places, Place(code="99990", names=()))}, "99990: this is no region's code."),
        ({"places": (*GOOD.places, *GOOD.places)}, "9999: this place stands twice."),
        ({"rules": (RouteRule(name="fallback"),)}, "fallback: this rule stands twice."),
        ({"rules": (RouteRule(name="r", matters=("x",)),)}, "rule r: no such matter: x."),
        ({"rules": (RouteRule(name="r", departments=("x",)),)}, "rule r: no such department: x."),
        ({"rules": (RouteRule(name="r", units=("x",)),)}, "rule r: no such unit: x."),
        ({"rules": (RouteRule(name="r", regions=("9",)),)}, "9: this is no region's code."),
        ({"handles": (Handles(level=TOWN, matters=("x",)),)}, "who handles what: no such matter: x."),
        (
            {"handles": (Handles(level=TOWN, matters=("m",)), Handles(level=CITY, matters=("m",)))},
            "m: this matter in the list of who handles what stands twice.",
        ),
    ],
)
def test_what_is_wrong_with_a_table_is_said(changed: dict[str, object], sentence: str) -> None:
    known = frozenset({"m"}), frozenset({"d"})
    assert list(wrong_with(GOOD, *known)) == []
    assert list(wrong_with(replace(GOOD, **changed), *known)) == [sentence]  # type: ignore[arg-type]


def test_a_table_that_is_wrong_stops_the_start() -> None:
    with pytest.raises(UnsafeSettings, match="no such matter"):
        load_table([])


def test_a_home_is_the_smallest_region_known() -> None:
    assert [home_of(TABLE, area) for area in ("999901", "999999", "990101", "110101")] == ["999901", "9999", "99", ""]
