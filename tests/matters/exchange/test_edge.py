"""Exchange at the edge: residents read how a department stands, staff read the counts."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from tests.matters.conftest import ENDORSEMENT, Desk
from tests.matters.edge import Portal, opened


@pytest.fixture
async def portal(desk: Desk) -> AsyncIterator[Portal]:
    async with opened(desk) as portal:
        yield portal


async def test_guides_tell_everybody_how_the_department_stands(portal: Portal) -> None:
    health = portal.desk.exchange.health
    ways = [(f"/v1/citizen/matters/{ENDORSEMENT}", "real_name"), (f"/v1/public/matters/{ENDORSEMENT}", None)]
    for path, token in ways:
        answer = await portal.call("GET", path, token=token)
        assert (answer.status, answer.json["service"]["state"]) == (200, "ok")
    health.turned("public-security", held_back=True)
    await health.look()
    for path, token in ways:
        service = (await portal.call("GET", path, token=token, Accept_Language="en")).json["service"]
        assert service["state"] == "down"
        assert service["since"] == portal.desk.ground.clock.now().isoformat().replace("+00:00", "Z")
        assert "accepted now" in service["text"]


async def test_progress_tells_it_with_and_without_login(portal: Portal) -> None:
    desk = portal.desk
    draft = await portal.post("/v1/citizen/applications", {"matter": ENDORSEMENT})
    path = f"/v1/citizen/applications/{draft.json['id']}"
    submitted = await portal.post(f"{path}/submissions")
    desk.exchange.health.turned("public-security", held_back=True)
    await desk.exchange.health.look()
    told = {"number": submitted.json["number"], "query_code": submitted.json["query_code"]}
    for answer in (
        await portal.call("GET", path),
        await portal.call("POST", "/v1/public/progress-queries", told, token=None),
    ):
        assert answer.status == 200
        assert answer.json["service"]["state"] == "down"
        assert answer.json["next_action"]["code"] == "forwarded-later"


async def test_staff_reads_counts_of_both_directions(portal: Portal) -> None:
    desk = portal.desk
    assert (await portal.tell({"event_id": "nobody's"})).status == 422
    desk.exchange.counts.passed("education", "POST", "/v1/checks/degree", "200", 0.0125)
    await desk.exchange.counts.flush()
    answer = await portal.call("GET", "/v1/staff/exchanges?limit=1", token="auditor")
    assert answer.status == 200
    more = await portal.call("GET", f"/v1/staff/exchanges?limit=1&cursor={answer.json['next_cursor']}", token="auditor")
    items = {item["direction"]: item for item in (*answer.json["items"], *more.json["items"])}
    assert more.json["next_cursor"] is None
    assert items["in"]["partner"] == items["in"]["consumer"] == "public-security"
    assert (items["in"]["resource"], items["in"]["outcome"]) == ("POST /v1/departments/*/progress", "refused")
    assert items["out"] == {
        "id": items["out"]["id"],
        "day": "2026-03-10",
        "direction": "out",
        "partner": "education",
        "resource": "degree-register",
        "matter": "",
        "consumer": "platform",
        "outcome": "ok",
        "count": 1,
        "mean_ms": 12.5,
        "longest_ms": 12.5,
    }
    only = await portal.call("GET", "/v1/staff/exchanges?partner=education&outcome=ok", token="clerk")
    assert [item["partner"] for item in only.json["items"]] == ["education"]
    days = await portal.call("GET", "/v1/staff/exchange-days?since=2026-03-01&until=2026-03-31&limit=1", token="clerk")
    assert [(item["id"], item["count"]) for item in days.json["items"]] == [("2026-03-10:out:education", 1)]
    rest = await portal.call("GET", f"/v1/staff/exchange-days?cursor={days.json['next_cursor']}", token="clerk")
    assert [item["id"] for item in rest.json["items"]] == ["2026-03-10:in:public-security"]


@pytest.mark.parametrize(
    "query", ["since=2026-03-02&until=2026-03-01", "since=1000-01-01", "until=soon", "outcome=odd", "partner=%00"]
)
async def test_what_cannot_be_looked_for_is_refused(portal: Portal, query: str) -> None:
    assert (await portal.call("GET", f"/v1/staff/exchanges?{query}", token="clerk")).status == 422


@pytest.mark.parametrize("path", ["exchanges", "exchange-days", "exchanges/unused", "outages"])
async def test_only_who_operates_or_audits_reads_them(portal: Portal, path: str) -> None:
    assert (await portal.call("GET", f"/v1/staff/{path}", token="education")).status == 403
    assert (await portal.call("GET", f"/v1/staff/{path}", token="clerk")).status == 200


async def test_staff_reads_what_nobody_uses(portal: Portal) -> None:
    desk = portal.desk
    desk.exchange.counts.passed("education", "POST", "/v1/checks/degree", "200", 0.1)
    await desk.exchange.counts.flush()
    desk.ground.clock.move(timedelta(days=91))
    answer = await portal.call("GET", "/v1/staff/exchanges/unused", token="clerk")
    found = {item["id"]: item["last_on"] for item in answer.json["items"]}
    assert (found["education:"], found["public-security:"]) == ("2026-03-10", None)
    assert found["education:degree-register"] == "2026-03-10"


async def test_an_operator_announces_when_a_system_is_back(portal: Portal) -> None:
    health = portal.desk.exchange.health
    health.turned("public-security", held_back=True)
    await health.look()
    at = "2026-03-10T06:00:00Z"
    path = "/v1/staff/outages/public-security/expectation"
    assert (await portal.call("PUT", path, {"expected_at": at}, token="auditor")).status == 403
    assert (await portal.call("PUT", path, {"expected_at": at}, token="clerk")).status == 204
    (outage,) = (await portal.call("GET", "/v1/staff/outages", token="auditor")).json["items"]
    assert (outage["id"], outage["state"], outage["expected_at"]) == ("public-security", "down", at)
    guide = await portal.call("GET", f"/v1/public/matters/{ENDORSEMENT}", token=None)
    assert guide.json["service"]["expected_at"] == at
    assert (await portal.call("PUT", path, {"expected_at": None}, token="clerk")).status == 204
    assert (await portal.call("GET", "/v1/staff/outages", token="clerk")).json["items"][0]["expected_at"] is None
    odd = "/v1/staff/outages/nobody/expectation"
    assert (await portal.call("PUT", odd, {"expected_at": at}, token="clerk")).status == 404
    assert (await portal.call("PUT", path, {"expected_at": "1000-01-01T00:00:00Z"}, token="clerk")).status == 422
