"""What takes two people: asking, looking, deciding."""

from datetime import datetime
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from pydantic import StringConstraints

from api.access import staff
from api.operation import Answer, Body, Out, Page, PageQuery, Request, Routes, decode_place, encode_place
from api.problems import RequestInvalid
from api.reading import field_error
from api.staff.requests import Wanted, payload_of
from api.staff.sessions import AFTER_ALL
from api.staff.words import Reason, found
from auth.registers.errors import KeyUnusable, PartyTaken, TooManyKeys
from auth.staff.errors import (
    AccountForbids,
    ApprovalChanged,
    ApprovalDecided,
    ApprovalExpired,
    LastHolder,
    NameUnknown,
    NotYourself,
    RequesterGone,
    RolesExclude,
    SelfApproval,
)
from auth.staff.types import ApprovalState, ApprovalView, Finding
from auth.types import Role
from matters.catalogue.revisions.errors import OperationForbidden, RevisionSettled

PREFIX = "/v1/staff/approvals"
routes = Routes(prefix="/v1/staff", tag="approvals")

# Who may ask for or approve anything at all; what exactly, the action says (`auth/staff/rules.py`).
_ASKING: Final = staff(Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN, Role.OPERATOR, Role.ACCEPTOR, Role.DEPARTMENT_OPERATOR)
_DECIDING: Final = staff(Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN, Role.AUDIT_ADMIN, Role.APPROVER)
_LOOKING: Final = staff(
    Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN, Role.AUDIT_ADMIN, Role.APPROVER, Role.OPERATOR, Role.AUDITOR
)
_CHECKS: Final = (RolesExclude, NameUnknown, PartyTaken, KeyUnusable, OperationForbidden, RevisionSettled)
DEEDS: Final = (*_CHECKS, NotYourself, AccountForbids, LastHolder, TooManyKeys)


class ApprovalIn(Body):
    """What is asked for, and why."""

    request: Wanted
    reason: Reason


class ChangedIn(Body):
    """What is asked for instead."""

    request: Wanted


class DecisionIn(Body):
    """The decision about exactly what was looked at: `payload_hash` is the one that was shown."""

    decision: Literal["approve", "reject"]
    payload_hash: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class ApprovalLineOut(Out):
    """Something that takes two people, without what it says."""

    id: UUID
    action: str
    state: ApprovalState
    emergency: bool
    requested_by: UUID
    requested_at: datetime
    expires_at: datetime
    decided_by: UUID | None
    decided_at: datetime | None
    executed_at: datetime | None
    reviewed_by: UUID | None
    reviewed_at: datetime | None
    finding: Finding | None

    @classmethod
    def of(cls, view: ApprovalView) -> "ApprovalLineOut":
        """Return the answer for one of a list."""
        return cls(**line_of(view))


class ApprovalOut(ApprovalLineOut):
    """Something that takes two people: exactly what is asked for, its hash, and why."""

    payload: dict[str, Any]
    payload_hash: str
    reason: str

    @classmethod
    def of(cls, view: ApprovalView) -> "ApprovalOut":
        """Return the answer for one that is looked at."""
        return cls(
            **line_of(view),
            payload=dict(view.payload or {}),
            payload_hash=view.payload_hash,
            reason=view.reason or "",
        )


def line_of(view: ApprovalView) -> dict[str, Any]:
    """Return what a list shows of something that takes two people."""
    return {name: getattr(view, name) for name in ApprovalLineOut.model_fields}


@routes.post("/approvals", access=_ASKING, status=201, answer=ApprovalOut, problems=_CHECKS)
async def ask(request: Request, body: ApprovalIn) -> Answer:
    """Ask for something that takes two people."""
    view = await request.app.ctx.services.approvals.ask(
        request.ctx.operator, body.request.action, payload_of(body.request), reason=body.reason
    )
    return Answer(ApprovalOut.of(view), location=f"{PREFIX}/{view.id}")


@routes.get("/approvals", access=_LOOKING, answer=Page[ApprovalLineOut])
async def list_approvals(request: Request, query: PageQuery) -> Answer:
    """List what was asked for, newest first."""
    views = await request.app.ctx.services.approvals.list_approvals(
        before=decode_place(query.cursor) or AFTER_ALL, limit=query.limit + 1
    )
    return Answer(page_of(views, query.limit))


@routes.get("/approvals/<approval_id:uuid>", access=_LOOKING, answer=ApprovalOut)
async def get(request: Request, approval_id: UUID) -> Answer:
    """Show exactly what is asked for, and why."""
    with found():
        return Answer(ApprovalOut.of(await request.app.ctx.services.approvals.get(approval_id)))


@routes.put(
    "/approvals/<approval_id:uuid>",
    access=_ASKING,
    answer=ApprovalOut,
    problems=(ApprovalDecided, ApprovalExpired, *_CHECKS),
)
async def change(request: Request, approval_id: UUID, body: ChangedIn) -> Answer:
    """Ask for something else of the same kind instead; it has to be looked at again."""
    approvals = request.app.ctx.services.approvals
    with found():
        if (await approvals.get(approval_id)).action != body.request.action:
            raise RequestInvalid(errors=[field_error("/request/action", "literal_error")])
        view = await approvals.change(request.ctx.operator, approval_id, payload_of(body.request))
    return Answer(ApprovalOut.of(view))


@routes.delete("/approvals/<approval_id:uuid>", access=_ASKING, status=204, problems=(ApprovalDecided,))
async def withdraw(request: Request, approval_id: UUID) -> Answer:
    """Ask for it no more."""
    with found():
        await request.app.ctx.services.approvals.withdraw(request.ctx.operator, approval_id)
    return Answer()


@routes.post(
    "/approvals/<approval_id:uuid>/decisions",
    access=_DECIDING,
    answer=ApprovalOut,
    problems=(SelfApproval, RequesterGone, ApprovalChanged, ApprovalDecided, ApprovalExpired, *DEEDS),
)
async def decide(request: Request, approval_id: UUID, body: DecisionIn) -> Answer:
    """Approve or reject what somebody else has asked for; approved, it is done at once."""
    with found():
        view = await request.app.ctx.services.approvals.decide(
            request.ctx.operator,
            approval_id,
            approve=body.decision == "approve",
            looked_at=body.payload_hash,
        )
    return Answer(ApprovalOut.of(view))


def page_of(views: list[ApprovalView], limit: int) -> Page[ApprovalLineOut]:
    """Return one page of a list; `views` is one more than it shows where it goes on."""
    shown = views[:limit]
    return Page[ApprovalLineOut](
        items=[ApprovalLineOut.of(view) for view in shown],
        next_cursor=encode_place(shown[-1].requested_at, shown[-1].id) if len(views) > len(shown) else None,
    )
