"""Branches for staff: giving a department's word on its part."""

from dataclasses import replace
from uuid import UUID

from api.access import Reach, require_scope, staff
from api.operation import Answer, Body, Request, Routes
from api.staff.words import Reason, found
from auth.types import Role
from matters.applications.concerned import whom_it_concerns
from matters.branches.errors import BranchSettled
from matters.branches.types import BranchOutcome
from matters.errors import StateForbids
from matters.reach import scope_of

routes = Routes(prefix="/v1/staff/applications", tag="applications")


class BranchOutcomeIn(Body):
    """What the department says, and why; the applicant reads both."""

    outcome: BranchOutcome
    note: Reason


@routes.post(
    "/<application_id:uuid>/branches/<branch:str>/outcomes",
    access=staff(Role.DEPARTMENT_OPERATOR, scope=Reach.ROWS),
    status=201,
    answer=None,
    problems=(BranchSettled, StateForbids),
)
async def settle(request: Request, application_id: UUID, branch: str, body: BranchOutcomeIn) -> Answer:
    """Give a department's word on its part of a case that several decide together."""
    branches = request.app.ctx.services.matters.branches.branches
    with found():
        about = await whom_it_concerns(application_id)
        part = await branches.find(application_id, branch)
        require_scope(request, replace(scope_of(about), department=part.department))
        await branches.settle(request.ctx.operator, application_id, branch, body.outcome, body.note)
    return Answer(status=201, location=f"/v1/staff/applications/{application_id}")
