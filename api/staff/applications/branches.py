"""Branches for staff: giving a department's word on its part, and bringing on its dossier where that needs a person."""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from api.access import Reach, require_scope, scopes_of, staff
from api.operation import Answer, Body, Out, Page, PageQuery, Request, Routes, decode_place, encode_place
from api.staff.applications.acting import CASE, entered_by
from api.staff.applications.deliveries import ArrivalIn
from api.staff.words import Reason, found
from auth.types import Role
from matters.applications.concerned import whom_it_concerns
from matters.branches.errors import BranchSettled
from matters.branches.types import BranchOutcome
from matters.cases.errors import SameHands
from matters.errors import StateForbids
from matters.handling.errors import DeliverySettled
from matters.handling.rules import FORWARDING
from matters.handling.types import OpenBranchDelivery
from matters.reach import scope_of
from matters.types import DeliveryState, State

routes = Routes(prefix="/v1/staff", tag="applications")
BRANCH = f"{CASE}/branches/<branch:str>"


class BranchOutcomeIn(Body):
    """What the department says, and why; the applicant reads both."""

    outcome: BranchOutcome
    note: Reason


class StuckBranchOut(Out):
    """A branch whose dossier waits for a person: `refused` by its department, or `unknown` whether it arrived."""

    id: UUID
    application_id: UUID
    number: str
    branch: str
    matter: str
    department: str
    state: DeliveryState
    case_state: State
    reason: str
    since: datetime

    @classmethod
    def of(cls, branch: OpenBranchDelivery) -> "StuckBranchOut":
        """Return the answer for one."""
        return cls(**{name: getattr(branch, name) for name in cls.model_fields})


async def _require_branch(request: Request, application_id: UUID, branch: str) -> None:
    """See that a grant by which the operator entered reaches one department's part of a case.

    Raises:
        NoSuchApplication: there is none.
        NoSuchBranch: the case has none of this name.
        RoleForbidden: none does.
    """
    about = await whom_it_concerns(application_id)
    part = await request.app.ctx.services.matters.branches.branches.find(application_id, branch)
    require_scope(request, replace(scope_of(about), department=part.department))


@routes.post(
    f"{BRANCH}/outcomes",
    access=staff(Role.DEPARTMENT_OPERATOR, scope=Reach.ROWS),
    status=201,
    answer=None,
    problems=(BranchSettled, SameHands, StateForbids),
)
async def settle(request: Request, application_id: UUID, branch: str, body: BranchOutcomeIn) -> Answer:
    """Give a department's word on its part of a case that several decide together."""
    branches = request.app.ctx.services.matters.branches.branches
    with found():
        await _require_branch(request, application_id, branch)
        await branches.settle(request.ctx.operator, application_id, branch, body.outcome, body.note)
    return Answer(status=201, location=f"/v1/staff/applications/{application_id}")


@routes.get("/branch-deliveries", access=entered_by(FORWARDING), answer=Page[StuckBranchOut])
async def list_stuck(request: Request, query: PageQuery) -> Answer:
    """List branches whose dossier needs a person, the oldest first."""
    stuck = await request.app.ctx.services.matters.handling.branches.list_stuck(
        scopes_of(request), after=decode_place(query.cursor), limit=query.limit + 1
    )
    page = stuck[: query.limit]
    return Answer(
        Page[StuckBranchOut](
            items=[StuckBranchOut.of(each) for each in page],
            next_cursor=encode_place(page[-1].since, page[-1].id) if len(stuck) > len(page) else None,
        )
    )


@routes.post(
    f"{BRANCH}/arrivals",
    access=entered_by(FORWARDING),
    status=204,
    answer=None,
    problems=(DeliverySettled,),
)
async def settle_delivery(request: Request, application_id: UUID, branch: str, body: ArrivalIn) -> Answer:
    """Say whether a branch's dossier arrived; what did not arrive, or was declined, is sent again, once."""
    with found():
        await _require_branch(request, application_id, branch)
        await request.app.ctx.services.matters.handling.branches.settle(
            request.ctx.operator, application_id, branch, body.outcome, receipt_number=body.receipt_number
        )
    return Answer(status=204)
