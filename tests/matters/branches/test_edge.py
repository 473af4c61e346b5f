"""Branches over a real connection: who may speak for which department, and what the others are told."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from core.db import fetch, transaction
from core.signers.http_signature import TrustedKey
from matters.errors import DossierDeclined
from tests.fakes.papers import PDF
from tests.matters.branches.test_branches import HOUSE
from tests.matters.branches.test_branches import opened as open_branches
from tests.matters.conftest import Desk
from tests.matters.edge import Portal, Signer, opened

START = "/v1/citizen/applications"
TAX = Signer("tax-1")
HOUSES = Signer("re-1")


@pytest.fixture
async def portal(desk: Desk) -> AsyncIterator[Portal]:
    keys = {
        "tax-1": TrustedKey("taxation", TAX.key.public_key()),
        "re-1": TrustedKey("real-estate", HOUSES.key.public_key()),
    }
    async with opened(desk, keys) as portal:
        yield portal


def event(reference: str, sequence: int, state: str) -> dict[str, Any]:
    told = {"reference": reference, "sequence": sequence, "state": state, "at": "2026-03-10T10:00:00+08:00"}
    return {**told, "event_id": f"{reference[-8:]}-{sequence}"}


async def test_each_department_speaks_for_its_own_part_and_none_for_the_whole(portal: Portal, desk: Desk) -> None:
    form = {"kind": "transfer", "house_address": "示例市示例路1号"}
    draft = await portal.post(START, {"matter": HOUSE, "form": form})
    where = f"{START}/{draft.json['id']}"
    await portal.upload(f"{where}/attachments?material=contract", PDF)
    number = (await portal.post(f"{where}/submissions")).json["number"]
    await desk.deliver(draft.json["id"])
    told = await portal.tell(event(number, 1, "accepted"), department="real-estate", signer=HOUSES)
    assert told.status == 204
    await open_branches(desk, draft.json["id"])
    seen = await portal.call("GET", where)
    assert [(each["check"], each["outcome"], each["due_at"][:10]) for each in seen.json["branches"]] == [
        ("tax", "pending", "2026-03-12"),
        ("marriage", "pending", "2026-03-12"),
        ("register", "pending", "2026-03-16"),
    ]
    alone = await portal.tell(event(number, 2, "approved"), department="real-estate", signer=HOUSES)
    assert (alone.status, alone.json["code"]) == (409, "matters.branches-open")
    foreign = await portal.tell(event(f"{number}.tax", 1, "approved"), department="real-estate", signer=HOUSES)
    assert foreign.status == 403
    assert (await portal.tell(event(f"{number}.tax", 1, "approved"), department="taxation", signer=TAX)).status == 204
    staff = f"/v1/staff/applications/{draft.json['id']}/branches"
    body = {"outcome": "approved", "note": "符合规定"}
    assert (await portal.post(f"{staff}/marriage/outcomes", body, token="clerk")).status == 403
    assert (await portal.post(f"{staff}/marriage/outcomes", body, token="taxation")).status == 403
    again = await portal.post(f"{staff}/tax/outcomes", body, token="taxation")
    assert (again.status, again.json["code"]) == (409, "matters.branch-settled")
    none = await portal.post(f"{staff}/none/outcomes", body, token="taxation")
    assert (none.status, none.json["code"]) == (404, "request.not-found")


async def test_a_dossier_that_needs_a_person_is_brought_on_by_whom_it_concerns(portal: Portal, desk: Desk) -> None:
    form = {"kind": "transfer", "house_address": "示例市示例路1号"}
    draft = await portal.post(START, {"matter": HOUSE, "form": form})
    where = f"{START}/{draft.json['id']}"
    await portal.upload(f"{where}/attachments?material=contract", PDF)
    number = (await portal.post(f"{where}/submissions")).json["number"]
    await desk.deliver(draft.json["id"])
    await portal.tell(event(number, 1, "accepted"), department="real-estate", signer=HOUSES)
    await open_branches(desk, draft.json["id"])
    for row in await fetch("SELECT id FROM case_branch WHERE name IN ('tax', 'marriage') ORDER BY name"):
        desk.common_desk.failures = [DossierDeclined("department-desk", "not-ours")]
        change = await desk.branch_deliveries.deliver(str(row["id"]))
        assert change is not None
        await transaction(change)
    queue = "/v1/staff/branch-deliveries"
    first = await portal.call("GET", f"{queue}?limit=1", token="clerk")
    second = await portal.call("GET", f"{queue}?limit=1&cursor={first.json['next_cursor']}", token="clerk")
    assert second.json["next_cursor"] is None
    listed = [*first.json["items"], *second.json["items"]]
    assert [(each["state"], each["reason"], each["number"]) for each in listed] == [("refused", "not-ours", number)] * 2
    assert {each["branch"] for each in listed} == {"tax", "marriage"}
    mine = (await portal.call("GET", queue, token="taxation")).json["items"]
    assert [each["branch"] for each in mine] == ["tax"]
    assert (await portal.call("GET", queue, token="auditor")).status == 403

    staff = f"/v1/staff/applications/{draft.json['id']}/branches"
    body = {"outcome": "did-not-arrive"}
    assert (await portal.post(f"{staff}/marriage/arrivals", body, token="taxation")).status == 403
    assert (await portal.post(f"{staff}/none/arrivals", body, token="taxation")).status == 404
    assert (await portal.post(f"{staff}/tax/arrivals", {"outcome": "arrived"}, token="taxation")).status == 422
    assert (await portal.post(f"{staff}/tax/arrivals", body, token="taxation")).status == 204
    again = await portal.post(f"{staff}/tax/arrivals", body, token="taxation")
    assert (again.status, again.json["code"]) == (409, "matters.delivery-settled")
    assert (await portal.call("GET", queue, token="taxation")).json["items"] == []
