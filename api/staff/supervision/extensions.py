"""Longer limits: asked for by one person, decided by another."""

from datetime import UTC, datetime
from typing import Annotated, Final, Literal
from uuid import UUID

from pydantic import Field

from api.access import Reach, require_scope, scopes_of, staff
from api.operation import Answer, Body, Out, Page, PageQuery, Request, Routes, decode_place, encode_place
from api.staff.words import Reason, found
from auth.types import Role
from core.crypto import RecordUnreadable
from matters.applications.concerned import whom_it_concerns
from matters.errors import StateForbids
from matters.extensions.errors import ExtensionForbidden, ExtensionSettled, ExtensionTooLong, OwnExtension
from matters.extensions.types import ExtensionLine, ExtensionReason, ExtensionState
from matters.reach import scope_of

routes = Routes(prefix="/v1/staff", tag="supervision")

BEFORE_ALL: Final = (datetime(2000, 1, 1, tzinfo=UTC), UUID(int=0))
_LOOKING: Final = (Role.ACCEPTOR, Role.DEPARTMENT_OPERATOR, Role.APPROVER, Role.OPERATOR, Role.AUDITOR)


class ExtensionIn(Body):
    """How many working days more, why, and in words."""

    days: Annotated[int, Field(ge=1, le=60)]
    reason: Annotated[ExtensionReason, Field(strict=False)]
    note: Reason


class ExtensionDecisionIn(Body):
    """The decision about what somebody else has asked for."""

    decision: Literal["approve", "reject"]


class ExtensionsQuery(PageQuery):
    """Which requests: those that wait unless told otherwise."""

    state: ExtensionState = ExtensionState.WAITING


class ExtensionOut(Out):
    """A request for a longer limit, in working days; nothing of what was written."""

    id: UUID
    application_id: UUID
    number: str
    department: str
    matter: str
    days: int
    reason: ExtensionReason
    state: ExtensionState
    requested_by: UUID
    requested_at: datetime
    decided_by: UUID | None
    decided_at: datetime | None

    @classmethod
    def of(cls, line: ExtensionLine) -> "ExtensionOut":
        """Return the answer for a request."""
        return cls(**{name: getattr(line, name) for name in cls.model_fields})


class OpenedExtensionOut(Out):
    """A request for a longer limit with what was written."""

    extension: ExtensionOut
    note: str


async def _require(request: Request, extension_id: UUID) -> None:
    line = await request.app.ctx.services.matters.supervision.extensions.find(extension_id)
    require_scope(request, scope_of(line))


@routes.post(
    "/applications/<application_id:uuid>/extensions",
    access=staff(Role.ACCEPTOR, Role.DEPARTMENT_OPERATOR, scope=Reach.ROWS),
    status=201,
    answer=ExtensionOut,
    problems=(StateForbids, ExtensionTooLong, ExtensionForbidden),
)
async def ask(request: Request, application_id: UUID, body: ExtensionIn) -> Answer:
    """Ask for a longer limit; somebody else has to approve it."""
    with found():
        about = await whom_it_concerns(application_id)
        require_scope(request, scope_of(about))
        line = await request.app.ctx.services.matters.supervision.extensions.ask(
            request.ctx.operator, application_id, days=body.days, reason=body.reason, note=body.note
        )
    return Answer(ExtensionOut.of(line), status=201, location=f"/v1/staff/extensions/{line.id}")


@routes.get("/extensions", access=staff(*_LOOKING, scope=Reach.ROWS), answer=Page[ExtensionOut])
async def list_extensions(request: Request, query: ExtensionsQuery) -> Answer:
    """List requests for longer limits, the oldest first."""
    lines = await request.app.ctx.services.matters.supervision.extensions.list_requests(
        query.state,
        scopes_of(request),
        after=decode_place(query.cursor) or BEFORE_ALL,
        limit=query.limit + 1,
    )
    shown = lines[: query.limit]
    return Answer(
        Page[ExtensionOut](
            items=[ExtensionOut.of(line) for line in shown],
            next_cursor=encode_place(shown[-1].requested_at, shown[-1].id) if len(lines) > len(shown) else None,
        )
    )


@routes.get(
    "/extensions/<extension_id:uuid>",
    access=staff(*_LOOKING, scope=Reach.ROWS),
    answer=OpenedExtensionOut,
    problems=(RecordUnreadable,),
)
async def read(request: Request, extension_id: UUID) -> Answer:
    """Read a request for a longer limit; the applicant's ledger says who did."""
    with found():
        await _require(request, extension_id)
        line, note = await request.app.ctx.services.matters.supervision.extensions.read(
            request.ctx.operator, extension_id
        )
    return Answer(OpenedExtensionOut(extension=ExtensionOut.of(line), note=note))


@routes.post(
    "/extensions/<extension_id:uuid>/decisions",
    access=staff(Role.APPROVER, scope=Reach.ROWS),
    answer=ExtensionOut,
    problems=(OwnExtension, ExtensionSettled, ExtensionForbidden, ExtensionTooLong, StateForbids),
)
async def decide(request: Request, extension_id: UUID, body: ExtensionDecisionIn) -> Answer:
    """Approve or reject a longer limit that somebody else has asked for; the applicant is told of an approval."""
    with found():
        await _require(request, extension_id)
        line = await request.app.ctx.services.matters.supervision.extensions.decide(
            request.ctx.operator, extension_id, approve=body.decision == "approve"
        )
    return Answer(ExtensionOut.of(line))
