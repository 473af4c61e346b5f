"""What is published about matters and data, over a real connection: found without logging in, counted, explained."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from auth.types import Level
from tests.matters.conftest import ENDORSEMENT, Desk
from tests.matters.edge import Portal, opened


@pytest.fixture
async def portal(desk: Desk) -> AsyncIterator[Portal]:
    async with opened(desk) as made:
        yield made


async def everything(portal: Portal, path: str, limit: int = 40) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    cursor = ""
    while True:
        joined = "&" if "?" in path else "?"
        page = await portal.call("GET", f"{path}{joined}limit={limit}{cursor}", token=None)
        assert page.status == 200, page.json
        items += page.json["items"]
        if page.json["next_cursor"] is None:
            return items
        cursor = f"&cursor={page.json['next_cursor']}"


async def test_matters_are_found_without_logging_in_spelled_and_mistyped_too(portal: Portal) -> None:
    for query in ("居住证签注", "jzzqz", "居主证签注"):
        answer = await portal.call("GET", f"/v1/public/matters?query={query}", token=None)
        assert answer.json["items"][0]["slug"] == ENDORSEMENT
    births = await everything(portal, "/v1/public/matters?life_event=birth")
    assert "newborn-registration" in {item["slug"] for item in births}
    handled = await everything(portal, "/v1/public/matters?offer=handling", limit=11)
    assert len(handled) == 72
    assert len({item["code"] for item in handled}) == 72


async def test_a_guide_for_nobody_in_particular_says_what_is_open(portal: Portal) -> None:
    guide = await portal.call("GET", "/v1/public/matters/hk-macau-endorsement", token=None)
    assert guide.status == 200
    assert {item["name"]: item["met"] for item in guide.json["requirements"]} == {
        "permit-held": None,
        "elsewhere-group-only": None,
    }
    assert "identity" in guide.json["to_bring"]
    proof = next(item for item in guide.json["materials"] if item["code"] == "visit-proof")
    assert proof["depends_on"] == ["kind"]
    assert (await portal.call("GET", "/v1/public/matters/nothing", token=None)).json["code"] == "request.not-found"


async def test_what_i_must_bring_is_what_is_left_after_everything_the_state_has(portal: Portal, desk: Desk) -> None:
    known = await portal.call("GET", "/v1/citizen/matters/real-estate-pre-acceptance")
    assert known.json["to_bring"] == ["contract"]
    stranger = desk.citizen(Level.LINKED, permit=False)
    guide = await desk.guides.open(stranger, "real-estate-pre-acceptance")
    assert [each.material.code for each in guide.to_bring] == ["identity", "contract"]


async def test_a_guide_tells_limits_in_hours_time_not_counted_and_how_it_was(portal: Portal) -> None:
    birth = (await portal.call("GET", "/v1/public/matters/notary-birth", token=None)).json
    assert birth["promised_limit"] == {"days": 0, "unit": "hour", "hours": 1}
    assert birth["former"] == {"visits": 2, "materials": 5, "days": 15, "departments": 1}
    assessed = await portal.call("GET", "/v1/public/matters/disability-certificate-application", token=None)
    assert [item["days"] for item in assessed.json["special_procedures"]] == [15]


@pytest.mark.parametrize("cursor", ["x", "W10", "WyJhIl0", "WyIxIiwiLyJd", "WyIxMjM0NTY3ODkwIiwieCJd"])
async def test_a_cursor_that_is_none_of_ours_is_refused(portal: Portal, cursor: str) -> None:
    answer = await portal.call("GET", f"/v1/public/matters?cursor={cursor}", token=None)
    assert answer.status == 422


async def test_words_are_listed_with_how_many_matters_there_are(portal: Portal) -> None:
    words = (await portal.call("GET", "/v1/public/matter-words", token=None, Accept_Language="en")).json
    assert {item["slug"] for item in words["groups"] if item["zone"]} == {"disabled", "migrant-workers", "elderly"}
    assert all(item["matters"] for kind in words.values() for item in kind)
    assert {item["title"] for item in words["life_events"]} >= {"Birth", "School"}


async def test_the_figures_are_those_that_were_promised(portal: Portal) -> None:
    told = (await portal.call("GET", "/v1/public/catalogue-figures", token=None)).json
    assert (told["matters"], told["handled"], told["without_visit"]) == (155, 72, 30)
    assert told["from_many_visits_to_one"] == 9
    assert sum(item["handled"] for item in told["departments"]) == 72


async def test_what_is_shared_open_and_withheld_is_listed_with_its_terms_and_reasons(portal: Portal) -> None:
    shared = await everything(portal, "/v1/public/shared-resources", limit=7)
    assert len({item["id"] for item in shared}) == len(shared) == 29
    assert all((item["condition"] is not None) == (item["level"] == "conditional") for item in shared)
    open_ones = await everything(portal, "/v1/public/open-resources")
    assert {item["id"] for item in open_ones} == {item["id"] for item in shared if item["open"]}
    elements = {item["id"]: item for item in await everything(portal, "/v1/public/data-elements", limit=9)}
    assert {name for item in shared for name in item["elements"]} == set(elements)
    assert not any(elements[name]["personal"] for item in open_ones for name in item["elements"])
    withheld = await everything(portal, "/v1/public/withheld-resources")
    assert all(item["reason"] for item in withheld)
    assert not {item["id"] for item in withheld} & {item["id"] for item in shared}
    health = await everything(portal, "/v1/public/withheld-resources?department=health")
    assert {item["code"] for item in health} == {"medical-histories", "infectious-cases"}


async def test_a_life_is_listed_from_birth_on_and_pages_go_on(portal: Portal) -> None:
    items = await everything(portal, "/v1/public/life-items")
    assert len(items) == 127
    assert len({item["id"] for item in items}) == 127
    assert all(matter["code"] for item in items for matter in item["matters"])
    assert {item["life_event"] for item in await everything(portal, "/v1/public/life-items?life_event=home")} == {
        "home"
    }
    figures = (await portal.call("GET", "/v1/public/catalogue-figures", token=None)).json
    assert (figures["life_items"], figures["bundles"]) == (127, 100)


async def test_bundles_are_found_and_read_without_logging_in(portal: Portal) -> None:
    assert len(await everything(portal, "/v1/public/bundles")) == 100
    found = await portal.call("GET", "/v1/public/bundles?query=ershoufang&limit=1", token=None)
    [bundle] = found.json["items"]
    assert (bundle["id"], bundle["promised_days"] > 0) == ("used-home", True)
    assert {item["id"] for item in await everything(portal, "/v1/public/bundles?group=disabled")} >= {"benefits"}
    read = await portal.call("GET", "/v1/public/bundles/used-home", token=None)
    assert {"identity", "contract"} <= set(read.json["to_bring"])
    assert (await portal.call("GET", "/v1/public/bundles/nothing", token=None)).json["code"] == "request.not-found"
    for cursor in ("x", "WyIxIiwieCJd"):
        assert (await portal.call("GET", f"/v1/public/bundles?cursor={cursor}", token=None)).status == 422


async def test_a_bundle_made_out_for_me_and_begun_in_one_go(portal: Portal) -> None:
    opened_ = await portal.call("GET", "/v1/citizen/bundles/used-home")
    assert opened_.json["to_bring"] == ["contract"]
    parts = {part["slug"]: part["to_bring"] for part in opened_.json["parts"]}
    assert parts["real-estate-pre-acceptance"] == ["contract"]
    begun = await portal.post("/v1/citizen/bundles/used-home/applications", {})
    assert begun.status == 201, begun.json
    assert [item["state"] for item in begun.json["applications"]] == ["draft", "draft"]
    assert begun.json["ruled_out"] == []
    missing = await portal.post("/v1/citizen/bundles/nothing/applications", {})
    assert missing.status == 404
    none = {"matters": ["purchase-steps"]}
    refused = await portal.post("/v1/citizen/bundles/used-home/applications", none)
    assert refused.json["code"] == "matters.nothing-to-apply-for"
