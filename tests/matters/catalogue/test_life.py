"""What comes up in a life: the list from birth on, and bundles, one wish that takes several matters."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from auth.errors import MandateMissing
from auth.types import Mandate, MandateKind, PrincipalKind, Scope
from core.settings import UnsafeSettings
from matters.catalogue.catalogue import Catalogue, Shelf
from matters.catalogue.figures import figures_of
from matters.catalogue.life.rules import common_materials, wrong_with
from matters.catalogue.life.types import Bundle, LifeItem, LifeLists
from matters.catalogue.life.views import LifeViews, Spot
from matters.catalogue.loading import load_lists, load_vocabulary, read_lists
from matters.catalogue.terms.types import Wording
from matters.catalogue.types import Guide, GuideMaterial, Material, MaterialWay, Way
from matters.errors import MatterUnknown, NothingToApplyFor, RequirementUnmet
from matters.types import State
from tests.fakes.shipped import shipped_lists, shipped_matters
from tests.matters.conftest import Desk

LISTS = shipped_lists()
VIEWS = LifeViews(catalogue=Catalogue(shipped_matters()), lists=LISTS)


def found(**wanted: str) -> list[str]:
    asked = {"life_event": None, "group": None, "query": None, **wanted}
    return [each.entry.slug for each in VIEWS.bundles(**asked, after=None, limit=200)[0]]


def test_127_entries_of_a_life_and_100_bundles_counted_anew() -> None:
    figures = figures_of(shipped_matters(), load_vocabulary(), LISTS)
    assert (figures.life_items, figures.bundles) == (127, 100)


def test_a_life_goes_from_birth_to_death_and_leaves_no_stage_out() -> None:
    events = [term.slug for term in load_vocabulary().life_events]
    for entries in (LISTS.items, LISTS.bundles):
        assert list(dict.fromkeys(entry.life_event for entry in entries)) == events


def test_bundles_take_several_matters_something_of_them_can_be_applied_for_and_none_is_another() -> None:
    shown = VIEWS.bundles(life_event=None, group=None, query=None, after=None, limit=200)[0]
    assert all(len(each.matters) >= 2 and each.handled for each in shown)
    assert len({frozenset(each.matters) for each in LISTS.bundles}) == len(LISTS.bundles)
    for titles in ([each.title.zh for each in LISTS.items], [each.title.zh for each in LISTS.bundles]):
        assert len(set(titles)) == len(titles)


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("生孩子", "having-a-baby"),
        ("ershoufang", "used-home"),
        ("ershoufnag", "used-home"),
        ("tx", "retiring"),
        ("乔迁", "moving-house"),
        ("lost wallet", "lost-wallet"),
        ("退休提取住房公积金", "retiring"),
    ],
)
def test_bundles_are_found_by_what_people_call_them_spelled_mistyped_or_by_a_matter(query: str, first: str) -> None:
    assert found(query=query)[0] == first


def test_bundles_are_sorted_by_event_of_life_and_by_group() -> None:
    assert found(life_event="death") == ["planning-ahead", "after-a-death"]
    assert "benefits" in found(group="disabled")
    assert "retiring" in found(group="elderly")
    assert "retiring" not in found(group="disabled")
    assert found(query="？") == []


def test_lists_go_on_where_a_page_ended() -> None:
    slugs: list[str] = []
    after: Spot | None = None
    while True:
        page, after = VIEWS.items(life_event=None, after=after, limit=25)
        slugs += [each.entry.slug for each in page]
        if after is None:
            break
    assert slugs == [each.slug for each in LISTS.items]
    first, spot = VIEWS.bundles(life_event=None, group=None, query="出国", after=None, limit=2)
    rest, _ = VIEWS.bundles(life_event=None, group=None, query="出国", after=spot, limit=100)
    assert [each.entry.slug for each in (*first, *rest)] == found(query="出国")


def test_of_a_withdrawn_matter_nothing_is_shown() -> None:
    catalogue = Catalogue(shipped_matters())
    views = LifeViews(catalogue=catalogue, lists=LISTS)
    gone = {"renting", "rent-withdrawal", "landlord-registration", "residence-address-change"}
    catalogue.take(Shelf.of(each for each in shipped_matters() if each.matter.slug not in gone))
    with pytest.raises(MatterUnknown):
        views.find("renting")
    assert "rent-withdrawal" not in {each.matter.slug for each in views.find("newlyweds-rent").matters}
    shown = views.items(life_event="home", after=None, limit=100)[0]
    assert "renting" not in {each.entry.slug for each in shown}
    assert figures_of(catalogue.all, load_vocabulary(), LISTS).bundles == 98


BUNDLE = Bundle(slug="x", life_event="home", title=Wording(zh="甲", en="A"), matters=("rent-withdrawal", "fund-query"))
ITEM = LifeItem(slug="x", life_event="home", title=Wording(zh="甲", en="A"), matters=("fund-query",))


@pytest.mark.parametrize(
    ("lists", "rules"),
    [
        (LifeLists((ITEM,), (BUNDLE,)), []),
        (LifeLists((ITEM, ITEM)), ["doubled"]),
        (LifeLists((replace(ITEM, life_event="nothing"),)), ["life-event"]),
        (LifeLists((replace(ITEM, matters=()),)), ["life-matters"]),
        (LifeLists((replace(ITEM, matters=("fund-query", "nothing")),)), ["life-matters"]),
        (LifeLists((), (replace(BUNDLE, matters=("rent-withdrawal",)),)), ["bundle-of-several"]),
        (LifeLists((), (replace(BUNDLE, matters=("fund-query", "loan-query")),)), ["bundle-applied-for"]),
        (LifeLists((), (replace(BUNDLE, matters=("rent-withdrawal", "rent-withdrawal")),)), ["life-matters"]),
    ],
)
def test_lists_keep_their_rules(lists: LifeLists, rules: list[str]) -> None:
    matters = [each.matter for each in shipped_matters()]
    events = {term.slug for term in load_vocabulary().life_events}
    assert [defect.rule for defect in wrong_with(lists, matters, events)] == rules


def _unknown_matter(told: dict[str, Any]) -> None:
    told["items"][0]["matters"].append("nothing")


def _unknown_member(told: dict[str, Any]) -> None:
    told["items"][0]["wish"] = 1


@pytest.mark.parametrize(
    ("spoil", "said"), [(_unknown_matter, "nothing is no published matter"), (_unknown_member, "wish")]
)
def test_lists_that_are_wrong_stop_the_start(
    tmp_path: Path, spoil: Callable[[dict[str, Any]], None], said: str
) -> None:
    assert read_lists(tmp_path) == LifeLists()
    (tmp_path / "life").mkdir()
    with pytest.raises(UnsafeSettings, match=r"cycle\.json"):
        load_lists(shipped_matters(), tmp_path)
    title = {"zh": "甲", "en": "A"}
    told = {"items": [{"slug": "x", "life_event": "home", "title": title, "matters": ["fund-query"]}]}
    spoil(told)
    (tmp_path / "life" / "cycle.json").write_text(json.dumps(told), encoding="utf-8")
    (tmp_path / "life" / "bundles.json").write_text('{"bundles": []}', encoding="utf-8")
    with pytest.raises(UnsafeSettings, match=said):
        load_lists(shipped_matters(), tmp_path)


def test_a_material_stands_once_and_as_it_takes_the_most_trouble() -> None:
    text = Wording(zh="甲", en="A")
    ways = {way: MaterialWay(way=way, text=text) for way in Way}
    material = Material(code="a", title=text, necessity="1", form="1", source="1", ways=tuple(ways.values()))
    other = replace(material, code="b", kind="a")
    one, two = (next(each for each in shipped_matters() if each.matter.slug == slug) for slug in BUNDLE.matters)
    guides = [
        Guide(one, (GuideMaterial(material, ways[Way.SHARED], ()), GuideMaterial(other, ways[Way.PROMISE], ()))),
        Guide(two, (GuideMaterial(material, ways[Way.UPLOAD], ()),)),
    ]
    [common] = common_materials(guides)
    assert (common.kind, common.guided.chosen.way, common.matters) == ("a", Way.UPLOAD, BUNDLE.matters)
    assert common.guided.must_be_brought
    assert common_materials(guides[:1])[0].guided.chosen.way is Way.PROMISE


async def test_a_bundle_asks_for_each_material_once_after_what_the_state_has(desk: Desk) -> None:
    guide = await desk.bundles.open(desk.citizen(), "used-home")
    kinds = [each.kind for each in guide.materials]
    assert len(set(kinds)) == len(kinds)
    asked = {each.material.known_as for one in guide.guides for each in one.materials}
    assert set(kinds) == asked
    brought = {each.material.known_as for one in guide.guides for each in one.to_bring}
    assert {each.kind for each in guide.to_bring} == brought == {"contract"}
    identity = next(each for each in guide.materials if each.kind == "identity")
    assert identity.matters == ("real-estate-pre-acceptance", "utilities-transfer")
    assert identity.guided.chosen.way is Way.VERIFIED
    nobody = await desk.bundles.for_anybody("used-home")
    assert {each.kind for each in nobody.to_bring} > brought


async def test_every_bundle_can_be_made_out_for_somebody(desk: Desk) -> None:
    caller = desk.citizen()
    for bundle in LISTS.bundles:
        guide = await desk.bundles.open(caller, bundle.slug)
        assert len({each.kind for each in guide.materials}) == len(guide.materials)


async def test_all_drafts_of_a_bundle_are_begun_in_one_go(desk: Desk) -> None:
    caller = desk.citizen()
    begun = await desk.bundles.begin(caller, "staying-on-to-work")
    [draft] = begun.drafts
    assert (draft.state, begun.ruled_out) == (State.DRAFT, [])
    begun = await desk.bundles.begin(caller, "used-home")
    assert [draft.matter for draft in begun.drafts] == [each.matter.code for each in VIEWS.find("used-home").handled]
    only = await desk.bundles.begin(caller, "used-home", ["utilities-transfer"])
    assert [draft.matter for draft in only.drafts] == [desk.catalogue.find("utilities-transfer").matter.code]


async def test_what_is_ruled_out_is_named_and_the_rest_is_begun(desk: Desk) -> None:
    # Without a permit there is nothing to endorse; a passport can be renewed all the same.
    begun = await desk.bundles.begin(desk.citizen(permit=False), "business-trips")
    assert [each.matter.slug for each in begun.ruled_out] == ["hk-macau-endorsement"]
    assert [draft.matter for draft in begun.drafts] == [desk.catalogue.find("passport-renewal").matter.code]


async def test_what_cannot_be_begun_is_refused(desk: Desk) -> None:
    caller = desk.citizen(permit=False)
    with pytest.raises(MatterUnknown):
        await desk.bundles.begin(caller, "nothing")
    with pytest.raises(NothingToApplyFor):
        await desk.bundles.begin(caller, "used-home", ["purchase-steps"])
    with pytest.raises(RequirementUnmet):
        await desk.bundles.begin(caller, "hong-kong-and-macau")
    covered = frozenset({desk.catalogue.find("utilities-transfer").matter.code})
    scope = Scope(certificates=None, matters=covered)
    mandate = Mandate(
        caller.citizen_id, MandateKind.AGENT, PrincipalKind.CITIZEN, scope, is_one_time=False, is_used_up=False
    )
    with pytest.raises(MandateMissing):
        await desk.bundles.begin(replace(caller, mandate=mandate), "used-home")
    with pytest.raises(MandateMissing):
        await desk.bundles.open(replace(caller, mandate=mandate), "used-home")
