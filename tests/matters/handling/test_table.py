"""Every state, every action, every role over the wire: the wrong role is 403, the wrong state 409, the rest happens."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from auth.types import Role
from matters.handling.types import Move
from matters.types import State
from tests.matters.conftest import Desk
from tests.matters.edge import Portal, opened
from tests.matters.handling.conftest import ENDORSEMENT, RELIEF, Case, Hall, version_of

# Written down by hand, and not read from the rules: from where, and where to (None: it stays where it is).
OPEN = (State.SUBMITTED, State.PRE_REVIEW, State.SUPPLEMENT_REQUESTED, State.ACCEPTED, State.IN_REVIEW, State.SUSPENDED)
ACTIONS: dict[str, tuple[tuple[State, ...], State | None]] = {
    "acceptances": ((State.PRE_REVIEW,), State.ACCEPTED),
    "refusals": ((State.PRE_REVIEW,), State.NOT_ACCEPTED),
    "supplement-requests": ((State.PRE_REVIEW,), State.SUPPLEMENT_REQUESTED),
    "reviews": ((State.ACCEPTED,), State.IN_REVIEW),
    "suspensions": ((State.IN_REVIEW,), State.SUSPENDED),
    "resumptions": ((State.SUSPENDED,), State.IN_REVIEW),
    "approvals": ((State.IN_REVIEW,), State.APPROVED),
    "rejections": ((State.IN_REVIEW,), State.REJECTED),
    "terminations": (OPEN, State.TERMINATED),
    "moves": (OPEN, None),
    "merges": (OPEN, State.TERMINATED),
}
WINDOW = {Role.ACCEPTOR, Role.DEPARTMENT_OPERATOR}
OFFICE = {Role.APPROVER, Role.DEPARTMENT_OPERATOR}
WHO = {
    **dict.fromkeys(("acceptances", "refusals", "supplement-requests", "moves", "merges"), WINDOW),
    **dict.fromkeys(("reviews", "suspensions", "resumptions", "approvals", "rejections", "terminations"), OFFICE),
}
BODIES: dict[str, Any] = {
    "acceptances": {},
    "refusals": {"reason": "not-in-charge"},
    "supplement-requests": {"materials": ["proof-of-residence"], "note": "请补充材料"},
    "reviews": {},
    "suspensions": {"reason": "hearing", "working_days": 10},
    "resumptions": {},
    "approvals": {},
    "rejections": {"reason": "not-eligible"},
    "terminations": {"reason": "taken-by-mistake"},
    "moves": {"reason": "not-in-charge", "department": "health"},
}
MOVES = {
    "acceptances": "accept",
    "refusals": "not-accept",
    "reviews": "take-up",
    "suspensions": "suspend",
    "resumptions": "resume",
    "approvals": "approve",
    "rejections": "reject",
    "terminations": "terminate",
    "moves": "move",
    "merges": "merge",
    "supplement-requests": "ask-for-supplement",
}


@pytest.fixture
async def portal(desk: Desk) -> AsyncIterator[Portal]:
    async with opened(desk) as portal:
        yield portal


async def act(portal: Portal, case: Case, action: str, role: Role, body: object) -> Any:
    where = f"/v1/staff/applications/{case.id}/{action}"
    return await portal.post(where, body, token=role.value, If_Match=f'"{await version_of(case.id)}"')


async def body_of(action: str, hall: Hall, case: Case, state: State) -> Any:
    if action != "merges":
        return BODIES[action]
    return {"into": str((await hall.at(state, owner=case.owner)).id)}


@pytest.mark.parametrize("state", list(State))
async def test_whatever_is_not_open_is_refused_to_everybody(portal: Portal, hall: Hall, state: State) -> None:
    # What may be asked for stands in the matter's own list: for that action it is another matter.
    case, another = await hall.at(state), await hall.at(state, matter=ENDORSEMENT)
    versions = [await version_of(each.id) for each in (case, another)]
    tried = 0
    for action, (froms, _) in ACTIONS.items():
        asked = another if action == "supplement-requests" else case
        body = {"into": str(case.id)} if action == "merges" else BODIES[action]
        for role in Role:
            if role in WHO[action] and state in froms:
                continue
            answered = await act(portal, asked, action, role, body)
            expected = 403 if role not in WHO[action] else 404 if state is State.DRAFT else 409
            code = {403: "auth.forbidden", 404: "request.not-found", 409: "matters.state-forbids"}[expected]
            assert (answered.status, answered.json["code"]) == (expected, code), (action, role, answered.json)
            tried += 1
    assert tried >= len(ACTIONS) * (len(Role) - 2)
    assert [await version_of(each.id) for each in (case, another)] == versions


@pytest.mark.parametrize("action", list(ACTIONS))
async def test_whatever_is_open_happens_to_those_who_may(portal: Portal, hall: Hall, action: str) -> None:
    froms, target = ACTIONS[action]
    for state, role in ((state, role) for state in froms for role in sorted(WHO[action])):
        case = await hall.at(state, matter=ENDORSEMENT if action == "supplement-requests" else RELIEF)
        body = await body_of(action, hall, case, state)
        told = await portal.call("GET", f"/v1/staff/applications/{case.id}", token=role.value)
        assert MOVES[action] in told.json["may"]
        answered = await act(portal, case, action, role, body)
        assert answered.status == (201 if action == "supplement-requests" else 200), answered.json
        assert await hall.state_of(case) == (target or state)
        if action != "supplement-requests":
            assert answered.json["state"] == (target or state)
            assert answered.headers["ETag"] == f'"{await version_of(case.id)}"'
        # Done is done: the tag that was read is of yesterday.
        where = f"/v1/staff/applications/{case.id}/{action}"
        again = await portal.post(where, body, token=role.value, If_Match=told.headers["ETag"])
        assert (again.status, again.json["code"]) == (412, "request.stale")


def test_the_table_is_whole() -> None:
    assert set(ACTIONS) == set(WHO) == set(BODIES) | {"merges"} == set(MOVES)
    assert set(MOVES.values()) == {move.value for move in Move}
