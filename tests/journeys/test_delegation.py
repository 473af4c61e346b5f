"""Acting for others, through real processes: a parent for a child, and a representative for an organisation."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from tests.journeys.resident import Resident

pytestmark = [pytest.mark.xdist_group("journeys"), pytest.mark.slow]

Phone = Callable[[str], Resident]
CERTIFICATES = "/v1/citizen/certificates"


async def test_a_parent_opens_and_shows_a_childs_certificate(resident: Phone) -> None:
    parent, child = resident("huomingzhe"), resident("huoxiaoman")
    await parent.come_in()
    person = await child.person()
    named = {
        "relation": "child",
        "name": person["name"],
        "id_number": person["id_number"],
        "consent": "delegation@1",
    }
    told = await parent.ask("POST", "/v1/citizen/relatives", named)
    assert told.status in {200, 201}, told.text
    assert (told.body["state"], told.body["basis"], told.body["name"]) == ("confirmed", "register", "霍**")
    under = {"X-On-Behalf-Of": told.body["guardian_mandate"]}

    fetched = await parent.ask("POST", CERTIFICATES, {"kind": "birth-certificate"}, headers=under)
    assert fetched.status in {200, 201}, fetched.text
    path = f"{CERTIFICATES}/{fetched.body['id']}"
    opened = await parent.ask("GET", path, headers=under)
    assert opened.body["fields"]["name"] == person["name"]
    shown = await parent.ask("POST", f"{path}/presentations", {"purpose": "看病"}, headers=under)
    assert shown.status == 201
    scanned = await parent.ask("POST", "/v1/verifiers/verifications", {"code": shown.body["code"]}, token="")
    assert (scanned.body["outcome"], scanned.body["fields"]["name"]) == ("ok", "霍**")

    # What was done for the child stands in the child's ledger, under the parent's name, and not in the parent's.
    lines = (await parent.ask("GET", "/v1/citizen/ledger?limit=100", headers=under)).body["items"]
    assert {line["actor"] for line in lines if line["action"] == "certificates.shown"} == {"代办人（霍**）"}
    assert (await parent.ask("GET", path)).status == 404
    alone = await parent.ask(
        "POST", "/v1/citizen/face-checks", {"purpose": "step-up", "consent": "face@1"}, headers=under
    )
    assert (alone.status, alone.body["code"]) == (403, "auth.not-delegable")


async def test_two_relatives_one_mandate_and_its_end(resident: Phone) -> None:
    principal, agent = resident("zhouqiangshan"), resident("wujinglan")
    await principal.come_in()
    await agent.log_in()
    assert (await agent.identify()).status == 200
    person = await agent.person()
    named = {
        "relation": "spouse",
        "name": person["name"],
        "id_number": person["id_number"],
        "consent": "delegation@1",
    }
    told = await principal.ask("POST", "/v1/citizen/relatives", named)
    assert (told.body["state"], told.body["relation"]) == ("confirmed", "spouse")
    assert (await principal.ask("POST", CERTIFICATES, {"kind": "driving-licence"})).status in {200, 201}
    offer = {
        "relative": told.body["id"],
        "scope": {"certificates": ["driving-licence"]},
        "ends_at": _in_a_month(),
    }
    offered = await principal.ask("POST", "/v1/citizen/mandates", offer)
    assert offered.status == 201, offered.text
    under = {"X-On-Behalf-Of": offered.body["id"]}
    early = await agent.ask("GET", CERTIFICATES, headers=under)
    assert (early.status, early.body["code"]) == (403, "auth.mandate-missing")
    accepted = await agent.ask("POST", f"/v1/citizen/mandates/{offered.body['id']}/acceptances")
    assert accepted.body["state"] == "active"
    seen = await agent.ask("GET", CERTIFICATES, headers=under)
    assert [item["kind"] for item in seen.body["items"]] == ["driving-licence"]
    assert (await principal.ask("DELETE", f"/v1/citizen/mandates/{offered.body['id']}")).status == 204
    late = await agent.ask("GET", CERTIFICATES, headers=under)
    assert (late.status, late.body["code"]) == (403, "auth.mandate-missing")


async def test_a_representative_acts_for_an_organisation(resident: Phone) -> None:
    boss = resident("huomingzhe")
    await boss.come_in()
    company = {"uscc": "91999999MA0000170G", "name": "示例云帆软件有限公司"}
    made = await boss.ask("POST", "/v1/citizen/organisations", company)
    assert made.status in {200, 201}, made.text
    me = await boss.ask("GET", "/v1/citizen/me", headers={"X-On-Behalf-Of": made.body["mandate"]})
    assert me.body["organisation"] == company
    other = {"uscc": "91999999MA00002504", "name": "示例福康印务有限公司"}
    refused = await boss.ask("POST", "/v1/citizen/organisations", other)
    assert (refused.status, refused.body["code"]) == (403, "auth.not-representative")


def _in_a_month() -> str:
    return (datetime.now(UTC) + timedelta(days=30)).isoformat()
