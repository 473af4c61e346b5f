"""What one person does alone in an emergency: doing it, looking at it, and seeing to what is left of it."""

from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from api.access import staff
from api.operation import Answer, Body, Out, Page, PageQuery, Request, Routes, decode_place
from api.staff.approvals import DEEDS, ApprovalIn, ApprovalLineOut, ApprovalOut, line_of, page_of
from api.staff.requests import payload_of
from api.staff.words import Reason, found
from auth.staff.errors import ApprovalDecided, EmergencyBarred, EmergencyUnused, NothingToFollowUp, SelfApproval
from auth.staff.types import ApprovalView, Finding, Left, Undone
from auth.types import Role

PREFIX = "/v1/staff/emergencies"
routes = Routes(prefix=PREFIX, tag="approvals")

_BEFORE_ALL: Final = (datetime(2000, 1, 1, tzinfo=UTC), UUID(int=0))
_REVIEWING: Final = staff(Role.SECURITY_ADMIN, Role.AUDIT_ADMIN)


class ReviewIn(Body):
    """What was found of an emergency."""

    finding: Finding


class FollowUpIn(Body):
    """What was done about what is left."""

    note: Reason


class LeftOut(Out):
    """Something that nobody can take back; `count` is how much of it, 0 where it has no number."""

    what: Left
    count: int


class EmergencyOut(ApprovalOut):
    """What one person did alone, and what became of it when there was no reason for it."""

    undone: list[Undone]
    left: list[LeftOut]
    followed_up_by: UUID | None
    followed_up_at: datetime | None
    follow_up: str | None

    @classmethod
    def of(cls, view: ApprovalView) -> "EmergencyOut":
        """Return the answer for an emergency."""
        return cls(
            **line_of(view),
            payload=dict(view.payload or {}),
            payload_hash=view.payload_hash,
            reason=view.reason or "",
            undone=list(view.aftermath.undone),
            left=[LeftOut(what=what, count=count) for what, count in view.aftermath.left.items()],
            followed_up_by=view.followed_up_by,
            followed_up_at=view.followed_up_at,
            follow_up=view.follow_up,
        )


@routes.post(
    "",
    access=staff(Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN),
    status=201,
    answer=EmergencyOut,
    problems=(EmergencyBarred, *DEEDS),
)
async def act_alone(request: Request, body: ApprovalIn) -> Answer:
    """Do alone what takes two people, in an emergency; it is told at once, and reviewed within a day."""
    with found():
        view = await request.app.ctx.services.emergencies.act(
            request.ctx.operator, body.request.action, payload_of(body.request), reason=body.reason
        )
    return Answer(EmergencyOut.of(view), location=f"{PREFIX}/{view.id}")


@routes.get("", access=_REVIEWING, answer=Page[ApprovalLineOut])
async def list_emergencies(request: Request, query: PageQuery) -> Answer:
    """List the emergencies that nobody has reviewed, or has seen to when unjustified, the oldest first."""
    views = await request.app.ctx.services.emergencies.list_open(
        after=decode_place(query.cursor) or _BEFORE_ALL, limit=query.limit + 1
    )
    return Answer(page_of(views, query.limit))


@routes.get("/<approval_id:uuid>", access=_REVIEWING, answer=EmergencyOut)
async def get_emergency(request: Request, approval_id: UUID) -> Answer:
    """Show what one person did alone, why, and what became of it."""
    with found():
        return Answer(EmergencyOut.of(await request.app.ctx.services.emergencies.get(approval_id)))


@routes.post(
    "/<approval_id:uuid>/reviews",
    access=_REVIEWING,
    answer=EmergencyOut,
    problems=(SelfApproval, ApprovalDecided, EmergencyUnused),
)
async def review(request: Request, approval_id: UUID, body: ReviewIn) -> Answer:
    """Write down what was found of an emergency; what an unjustified one has done is undone as far as it can be."""
    with found():
        view = await request.app.ctx.services.emergency_reviews.review(request.ctx.operator, approval_id, body.finding)
    return Answer(EmergencyOut.of(view))


@routes.post(
    "/<approval_id:uuid>/follow-ups",
    access=_REVIEWING,
    answer=EmergencyOut,
    problems=(SelfApproval, NothingToFollowUp),
)
async def follow_up(request: Request, approval_id: UUID, body: FollowUpIn) -> Answer:
    """Write down that what an unjustified emergency has left was seen to."""
    with found():
        view = await request.app.ctx.services.emergency_reviews.follow_up(request.ctx.operator, approval_id, body.note)
    return Answer(EmergencyOut.of(view))
