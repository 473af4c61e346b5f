"""The dynamic list as the staff see it: who writes which revisions, tags, differences, two people for the rest."""

import socket
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import aiohttp
import pytest

from api import app as edge
from api.idempotency import Idempotency
from api.staff import approvals
from api.staff.catalogue import operations, revisions
from auth.types import Role, RoleGrant
from matters.catalogue.comparing import raw_of
from tests.fakes.staff import limited
from tests.matters.catalogue.test_revisions import APPEAL, Keeping, keeping

__all__ = ["keeping"]


@dataclass
class Answered:
    status: int
    headers: Mapping[str, str]
    json: Any


@dataclass
class Office:
    """Staff before the running service."""

    keeping: Keeping
    session: aiohttp.ClientSession
    base: str

    async def token(self, grant: Role | RoleGrant) -> str:
        staff = self.keeping.staff
        return (await staff.log_in(await staff.member(grant))).access_token

    async def ask(self, token: str, method: str, path: str, body: object = None, **headers: str) -> Answered:
        own = {name.replace("_", "-"): value for name, value in headers.items()}
        own |= {"Authorization": f"Bearer {token}", "Idempotency-Key": uuid4().hex}
        async with self.session.request(method, self.base + path, json=body, headers=own) as answer:
            text = await answer.read()
            return Answered(answer.status, answer.headers, await answer.json(content_type=None) if text else None)


@pytest.fixture
async def office(keeping: Keeping) -> AsyncIterator[Office]:
    ground, staff = keeping.desk.ground, keeping.staff
    listener = socket.create_server(("127.0.0.1", 0))
    base = f"http://127.0.0.1:{listener.getsockname()[1]}"
    services = SimpleNamespace(
        idempotency=Idempotency(vault=ground.vault, clock=ground.clock, ids=ground.ids),
        staff_sessions=staff.sessions,
        approvals=staff.approvals,
        revisions=keeping.revisions,
        publishing=keeping.publishing,
        public_url=base,
    )
    routes = [approvals.routes, revisions.routes, operations.routes]
    app = edge.create_app(services, routes, clock=ground.clock, ids=ground.ids, name=f"test-{uuid4().hex}")
    server: Any = await app.create_server(sock=listener, return_asyncio_server=True)
    await server.startup()
    await server.start_serving()
    async with aiohttp.ClientSession() as session:
        yield Office(keeping, session, base)
    await server.close()


def content(office: Office, slug: str = APPEAL, **members: object) -> dict[str, Any]:
    return raw_of(office.keeping.catalogue.find(slug).matter) | members


async def test_a_revision_goes_from_a_departments_desk_to_two_people(office: Office) -> None:
    clerk = await office.token(limited(Role.DEPARTMENT_OPERATOR, department="public-security"))
    asked = {"department": "public-security", "matter": content(office, promised_limit={"days": 3})}
    drafted = await office.ask(clerk, "POST", "/v1/staff/matter-revisions", asked)
    assert drafted.status == 201
    assert drafted.json["state"] == "draft"
    path = drafted.headers["Location"]
    rejected = await office.ask(
        clerk, "PUT", path, {"matter": content(office, promised_limit={"days": 99})}, If_Match=drafted.headers["ETag"]
    )
    assert rejected.status == 200
    refused = await office.ask(clerk, "POST", f"{path}/checks", If_Match=rejected.headers["ETag"])
    assert (refused.status, refused.json["code"]) == (422, "matters.revision-rejected")
    assert "promised-limit" in {each["code"] for each in refused.json["errors"]}
    stale = await office.ask(clerk, "PUT", path, {"matter": asked["matter"]}, If_Match=drafted.headers["ETag"])
    assert (stale.status, stale.json["code"]) == (412, "request.stale")
    assert (await office.ask(clerk, "PUT", path, {"matter": asked["matter"]})).status == 428
    mended = await office.ask(clerk, "PUT", path, {"matter": asked["matter"]}, If_Match=rejected.headers["ETag"])
    checked = await office.ask(clerk, "POST", f"{path}/checks", If_Match=mended.headers["ETag"])
    assert checked.json["state"] == "checked"
    seen = await office.ask(clerk, "GET", f"{path}/differences")
    assert not seen.json["new"]
    assert [each["path"] for each in seen.json["differences"]] == ["version", "promised_limit/days"]
    # A department's clerk cannot ask for it; an operator asks, and another approves.
    request = {"action": "matters.change-list", "kind": "publish", "revisions": [drafted.json["id"]]}
    body = {"request": request, "reason": "缩短承诺时限"}
    assert (await office.ask(clerk, "POST", "/v1/staff/approvals", body)).status == 403
    operator, approver = await office.token(Role.OPERATOR), await office.token(Role.APPROVER)
    wanted = await office.ask(operator, "POST", "/v1/staff/approvals", body)
    assert wanted.status == 201
    decision = {"decision": "approve", "payload_hash": wanted.json["payload_hash"]}
    decided = await office.ask(approver, "POST", f"{wanted.headers['Location']}/decisions", decision)
    assert decided.json["state"] == "executed"
    await office.keeping.living.look()
    assert office.keeping.catalogue.find(APPEAL).matter.promised_limit.days == 3
    listed = await office.ask(operator, "GET", "/v1/staff/list-operations")
    assert [(each["kind"], each["department"]) for each in listed.json["items"]] == [("publish", "public-security")]
    counted = await office.ask(operator, "GET", "/v1/staff/list-counts")
    assert (counted.json["before"], counted.json["after"]) == (155, 155)
    police = next(each for each in counted.json["departments"] if each["department"] == "public-security")
    assert police["operations"] == {"publish": 1}
    late = await office.ask(clerk, "DELETE", path, If_Match='"1"')
    assert (late.status, late.json["code"]) == (409, "matters.revision-settled")


async def test_a_departments_clerk_reaches_only_their_own(office: Office) -> None:
    notary = await office.token(limited(Role.DEPARTMENT_OPERATOR, department="notary"))
    operator = await office.token(Role.OPERATOR)
    asked = {"department": "public-security", "matter": content(office)}
    assert (await office.ask(notary, "POST", "/v1/staff/matter-revisions", asked)).status == 403
    drafted = await office.ask(operator, "POST", "/v1/staff/matter-revisions", asked)
    path = drafted.headers["Location"]
    for method, more in (("GET", ""), ("GET", "/differences"), ("DELETE", ""), ("POST", "/checks")):
        refused = await office.ask(notary, method, path + more, If_Match=drafted.headers["ETag"])
        assert refused.status == 403
    assert (await office.ask(notary, "GET", "/v1/staff/matter-revisions")).json["items"] == []
    mine = await office.ask(operator, "GET", "/v1/staff/matter-revisions?state=draft&department=public-security")
    assert [each["id"] for each in mine.json["items"]] == [drafted.json["id"]]
    again = await office.ask(operator, "POST", "/v1/staff/matter-revisions", asked)
    assert (again.status, again.json["code"]) == (409, "matters.revision-taken")
    assert (await office.ask(operator, "DELETE", path, If_Match=drafted.headers["ETag"])).status == 204
    assert (await office.ask(operator, "GET", path)).status == 404


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        ({"kind": "merge", "sources": ["1" * 31]}, 422),
        ({"kind": "wish"}, 422),
        ({"kind": "cancel", "sources": ["x"]}, 422),
        ({"kind": "cancel", "sources": ["1" * 31], "effective_at": "1999-01-01T00:00:00Z"}, 422),
        ({"kind": "publish", "revisions": [str(uuid4())]}, 422),
    ],
)
async def test_an_operation_that_makes_no_sense_is_refused(
    office: Office, request_: dict[str, Any], status: int
) -> None:
    operator = await office.token(Role.OPERATOR)
    body = {"request": {"action": "matters.change-list", **request_}, "reason": "调整清单"}
    assert (await office.ask(operator, "POST", "/v1/staff/approvals", body)).status == status
