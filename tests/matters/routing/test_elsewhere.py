"""Any window takes any case: it goes to where it belongs, and the share taken elsewhere is counted."""

from dataclasses import replace
from datetime import timedelta

from auth.types import EVERYWHERE, StaffScope
from core.db import fetch_one
from matters.routing.elsewhere import Elsewhere, Share
from tests.matters.conftest import Desk
from tests.matters.edge import opened
from tests.matters.routing.test_routing import FORM, MOVE


async def taken(desk: Desk, officer_region: str, address: str) -> dict[str, object]:
    """Let an officer of a region take a household move for a resident, and return how it was routed."""
    officer = desk.ground.ids.uuid()
    desk.officers.regions[officer] = officer_region
    caller = replace(desk.citizen(), operator_id=officer)
    draft = await desk.drafts.start(caller, MOVE, {**FORM, "to_address": address})
    submitted = await desk.submit(caller, draft.id)
    await desk.deliver(submitted.application_id)
    row = await fetch_one(
        "SELECT unit, region, home_region, taken_region FROM application WHERE id = $1", submitted.application_id
    )
    assert row is not None
    return row


async def test_a_case_taken_elsewhere_goes_to_where_it_belongs(desk: Desk) -> None:
    row = await taken(desk, "999902", "示例市东湖区梧桐路3号")
    assert row == {
        "unit": "donghu-police",
        "region": "999901",
        "home_region": "999901001",
        "taken_region": "999902",
    }


async def test_the_share_taken_elsewhere_is_counted_by_matter_and_as_far_as_a_grant_reaches(desk: Desk) -> None:
    for region, address in [
        ("999902", "示例市东湖区梧桐路3号"),  # elsewhere
        ("999901", "示例市东湖区梧桐路3号"),  # at home
        ("999901001", "示例市东湖区某路3号"),  # a town within the district
        ("9998", "示例市老城区书院街1号"),  # another city
        ("", "示例市老城区书院街1号"),  # nobody knows where: not counted
    ]:
        await taken(desk, region, address)
    mine = desk.citizen()
    draft = await desk.drafts.start(mine, MOVE, FORM)
    await desk.deliver((await desk.submit(mine, draft.id)).application_id)
    now = desk.ground.clock.now()
    span = {"since": now - timedelta(days=1), "until": now + timedelta(days=1)}
    whole, matters = await Elsewhere().shares(**span, scopes=[EVERYWHERE])
    assert whole == Share(4, 2)
    assert whole.rate == 0.5
    assert list(matters.values()) == [whole]
    district, _ = await Elsewhere().shares(**span, scopes=[StaffScope(region="999902")])
    assert district == Share(1, 1)
    nothing, none = await Elsewhere().shares(**span, scopes=[StaffScope(department="education")])
    assert (nothing, nothing.rate, none) == (Share(), None, {})


async def test_staff_reads_the_share(desk: Desk) -> None:
    await taken(desk, "999902", "示例市东湖区梧桐路3号")
    desk.ground.clock.move(timedelta(seconds=1))
    async with opened(desk) as portal:
        answer = await portal.call("GET", "/v1/staff/elsewhere-rates", token="auditor")
        assert answer.status == 200
        assert answer.json["whole"] == {"taken": 1, "elsewhere": 1, "rate": 1.0}
        limited = await portal.call("GET", "/v1/staff/elsewhere-rates", token="education")
        assert limited.json["whole"] == {"taken": 0, "elsewhere": 0, "rate": None}
