"""What may not be asked for, over a real connection: what is only explained, or ruled out by a requirement."""

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from tests.matters.conftest import ENDORSEMENT, Desk
from tests.matters.edge import Portal, opened

FINE = {"notice_number": "9999990000008371", "fine_fen": 20_000, "accepts": True}


@pytest.fixture
async def portal(desk: Desk) -> AsyncIterator[Portal]:
    async with opened(desk) as made:
        yield made


@pytest.mark.parametrize("slug", ["nursing-homes", "violation-query", "driving-test-booking"])
async def test_what_is_looked_up_or_explained_cannot_be_applied_for(portal: Portal, slug: str) -> None:
    refused = await portal.post("/v1/citizen/applications", {"matter": slug})
    assert (refused.status, refused.json["code"]) == (409, "matters.nothing-to-apply-for")


async def test_a_fine_of_200_yuan_is_taken_and_one_fen_more_is_sent_to_the_counter(portal: Portal) -> None:
    taken = await portal.post("/v1/citizen/applications", {"matter": "camera-fine", "form": FINE})
    assert taken.status == 201
    refused = await portal.post(
        "/v1/citizen/applications", {"matter": "camera-fine", "form": FINE | {"fine_fen": 20_001}}
    )
    assert (refused.status, refused.json["code"]) == (422, "matters.requirement-unmet")
    assert [(each["pointer"], each["code"]) for each in refused.json["errors"]] == [
        ("/form/fine_fen", "fine-within-limit"),
    ]
    assert [each["method"] for each in refused.json["alternatives"]] == ["counter"]
    amended = await portal.call(
        "PATCH",
        f"/v1/citizen/applications/{taken.json['id']}",
        {"form": {"fine_fen": 20_001}},
        If_Match=taken.headers["ETag"],
    )
    assert (amended.status, amended.json["code"]) == (422, "matters.requirement-unmet")
    submitted = await portal.post(f"/v1/citizen/applications/{taken.json['id']}/submissions")
    assert submitted.status == 202


async def test_a_department_that_demands_what_is_not_published_is_told_so_and_nothing_happens(portal: Portal) -> None:
    caller = portal.desk.citizen()
    submitted = await portal.desk.submitted(caller)
    event = {
        "event_id": uuid4().hex,
        "reference": submitted.number,
        "sequence": 1,
        "state": "accepted",
        "at": "2026-03-10T10:00:00+08:00",
    }
    refused = await portal.tell({**event, "demands": ["proof-of-residence", "hair"]})
    assert (refused.status, refused.json["code"]) == (422, "matters.demand-unlawful")
    assert [(each["pointer"], each["code"]) for each in refused.json["errors"]] == [("/materials/1", "unpublished")]
    assert (await portal.desk.view(caller, submitted.application_id)).state.value == "submitted"
    exempt = await portal.tell({**event, "demands": ["identity"]})
    assert exempt.json["errors"][0]["code"] == "exempt-verified"
    other = await portal.tell({**event, "reference": "1" * 43, "demands": ["hair"]})
    assert (other.status, other.json["code"]) == (403, "departments.not-your-case")
    assert (await portal.tell(event)).status == 204


async def test_what_was_withdrawn_is_found_no_more(portal: Portal) -> None:
    guide = await portal.call("GET", f"/v1/citizen/matters/{ENDORSEMENT}")
    assert guide.status == 200
    gone = await portal.call("GET", "/v1/citizen/matters/" + "9" * 31)
    assert (gone.status, gone.json["code"]) == (404, "request.not-found")
