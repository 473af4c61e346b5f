"""Promises for staff: reading them, calling one broken, and answering whoever objects."""

from typing import Annotated
from uuid import UUID

from pydantic import StringConstraints

from api.access import Reach, require_scope, staff
from api.citizen.asking.commitments import CommitmentOut
from api.operation import Answer, Body, Page, Request, Routes
from api.staff.words import Reason, found
from auth.types import Role
from core.crypto import RecordUnreadable
from matters.applications.concerned import whom_it_concerns
from matters.materials.errors import CommitmentSettled, NoSuchCommitment
from matters.materials.types import Commitment
from matters.reach import scope_of

routes = Routes(prefix="/v1/staff/applications", tag="applications")

Code = Annotated[str, StringConstraints(min_length=1, max_length=48)]


class BreachIn(Body):
    """For which material a promise is untrue, and why; the applicant reads it."""

    material: Code
    reason: Reason


class BreachReviewIn(Body):
    """Whether a broken promise is lifted or stays so, and why; the applicant reads it."""

    material: Code
    lifted: bool
    note: Reason


class HeldCommitmentOut(CommitmentOut):
    """A promise as staff reads it. `withheld`: its giver has objected in words that are held."""

    withheld: bool

    @classmethod
    def of(cls, commitment: Commitment, *, english: bool) -> "HeldCommitmentOut":
        """Return the answer for one."""
        told = CommitmentOut.of(commitment, english=english).model_dump()
        return cls(**told, withheld=commitment.withheld)


async def _require_reach(request: Request, application_id: UUID) -> None:
    about = await whom_it_concerns(application_id)
    require_scope(request, scope_of(about))


@routes.get(
    "/<application_id:uuid>/commitments",
    access=staff(Role.DEPARTMENT_OPERATOR, Role.APPROVER, scope=Reach.ROWS),
    answer=Page[HeldCommitmentOut],
    problems=(RecordUnreadable,),
)
async def list_commitments(request: Request, application_id: UUID) -> Answer:
    """List what was promised or put off with an application, and what its giver objects; all of it, there are few."""
    with found():
        await _require_reach(request, application_id)
        items = await request.app.ctx.services.matters.commitments.read(request.ctx.operator, application_id)
    page = [HeldCommitmentOut.of(each, english=request.ctx.english) for each in items]
    return Answer(Page[HeldCommitmentOut](items=page, next_cursor=None))


@routes.post(
    "/<application_id:uuid>/promise-breaches",
    access=staff(Role.DEPARTMENT_OPERATOR, scope=Reach.ROWS),
    status=201,
    answer=None,
    problems=(NoSuchCommitment, CommitmentSettled),
)
async def breach(request: Request, application_id: UUID, body: BreachIn) -> Answer:
    """Say that a promise was found untrue: until that is settled its giver hands in files instead of promising."""
    with found():
        await _require_reach(request, application_id)
        commitments = request.app.ctx.services.matters.commitments
        await commitments.breach(request.ctx.operator, application_id, body.material, body.reason)
    return Answer(status=201, location=f"/v1/staff/applications/{application_id}")


@routes.post(
    "/<application_id:uuid>/promise-breach-reviews",
    access=staff(Role.APPROVER, scope=Reach.ROWS),
    status=201,
    answer=None,
    problems=(NoSuchCommitment, CommitmentSettled),
)
async def review(request: Request, application_id: UUID, body: BreachReviewIn) -> Answer:
    """Answer about a broken promise, whether its giver objected or not: it is lifted, or stays so."""
    with found():
        await _require_reach(request, application_id)
        commitments = request.app.ctx.services.matters.commitments
        await commitments.review(
            request.ctx.operator, application_id, body.material, lifted=body.lifted, note=body.note
        )
    return Answer(status=201, location=f"/v1/staff/applications/{application_id}")
