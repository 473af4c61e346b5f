"""What staff does to cases: each action a resource, for the version that was read, with reason, note and document."""

from typing import Annotated, Any, Final
from uuid import UUID

from pydantic import Field, StringConstraints

from api.operation import Answer, Request, Routes
from api.problems import RequestStale, TagRequired
from api.staff.applications.acting import (
    CASE,
    DoneOut,
    NoteIn,
    ReasonedIn,
    done,
    entered_for,
    in_edge_words,
    order_of,
    require_case,
)
from matters.cases.errors import SameHands
from matters.errors import StateForbids
from matters.handling.errors import (
    DeliveryOpen,
    DepartmentDecides,
    NotDuplicates,
    NotMovable,
    ReasonUnpublished,
)
from matters.handling.types import Move

routes = Routes(prefix="/v1/staff", tag="applications")

_USUAL: Final = (RequestStale, TagRequired, StateForbids)
_TAGGED: Final[dict[str, Any]] = {"answer": DoneOut, "headers_in": ("If-Match",), "headers_out": ("ETag",)}


class SuspendedIn(ReasonedIn):
    """Why a case stands still, and about how many working days it takes."""

    working_days: Annotated[int, Field(ge=1, le=365)]


class MovedIn(ReasonedIn):
    """To which department, and why."""

    department: Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{2,32}$")]


class MergedIn(NoteIn):
    """The application that goes on in the place of this one."""

    into: UUID


@routes.post(f"{CASE}/acceptances", access=entered_for(Move.ACCEPT), problems=(*_USUAL, DepartmentDecides), **_TAGGED)
async def accept(request: Request, application_id: UUID, body: NoteIn) -> Answer:
    """Accept a case: the promised time runs, the applicant is told, a notice of acceptance (受理通知书) is recorded."""
    with in_edge_words():
        await require_case(request, application_id)
        acceptance = request.app.ctx.services.matters.handling.acceptance
        result = await acceptance.accept(request.ctx.operator, order_of(request, application_id, body))
    return done(request, result)


@routes.post(
    f"{CASE}/refusals",
    access=entered_for(Move.NOT_ACCEPT),
    problems=(*_USUAL, DepartmentDecides, ReasonUnpublished),
    **_TAGGED,
)
async def refuse(request: Request, application_id: UUID, body: ReasonedIn) -> Answer:
    """Do not accept a case, for a published reason (不予受理决定书)."""
    with in_edge_words():
        await require_case(request, application_id)
        acceptance = request.app.ctx.services.matters.handling.acceptance
        result = await acceptance.refuse(request.ctx.operator, order_of(request, application_id, body))
    return done(request, result)


@routes.post(f"{CASE}/reviews", access=entered_for(Move.TAKE_UP), problems=(*_USUAL, DepartmentDecides), **_TAGGED)
async def take_up(request: Request, application_id: UUID, body: NoteIn) -> Answer:
    """Begin to review an accepted case."""
    with in_edge_words():
        await require_case(request, application_id)
        review = request.app.ctx.services.matters.handling.review
        result = await review.take_up(request.ctx.operator, order_of(request, application_id, body))
    return done(request, result)


@routes.post(
    f"{CASE}/suspensions",
    access=entered_for(Move.SUSPEND),
    problems=(*_USUAL, DepartmentDecides, ReasonUnpublished),
    **_TAGGED,
)
async def suspend(request: Request, application_id: UUID, body: SuspendedIn) -> Answer:
    """Let a case stand for a hearing, a test, experts or the applicant; how long is written (特别程序告知书)."""
    with in_edge_words():
        await require_case(request, application_id)
        review = request.app.ctx.services.matters.handling.review
        result = await review.suspend(
            request.ctx.operator, order_of(request, application_id, body), working_days=body.working_days
        )
    return done(request, result)


@routes.post(f"{CASE}/resumptions", access=entered_for(Move.RESUME), problems=(*_USUAL, DepartmentDecides), **_TAGGED)
async def resume(request: Request, application_id: UUID, body: NoteIn) -> Answer:
    """Go on with a case that stood."""
    with in_edge_words():
        await require_case(request, application_id)
        review = request.app.ctx.services.matters.handling.review
        result = await review.resume(request.ctx.operator, order_of(request, application_id, body))
    return done(request, result)


@routes.post(
    f"{CASE}/approvals",
    access=entered_for(Move.APPROVE),
    problems=(*_USUAL, DepartmentDecides, SameHands),
    **_TAGGED,
)
async def approve(request: Request, application_id: UUID, body: NoteIn) -> Answer:
    """Approve a case that somebody else has accepted (准予决定书)."""
    with in_edge_words():
        await require_case(request, application_id)
        review = request.app.ctx.services.matters.handling.review
        result = await review.decide(request.ctx.operator, order_of(request, application_id, body), approve=True)
    return done(request, result)


@routes.post(
    f"{CASE}/rejections",
    access=entered_for(Move.REJECT),
    problems=(*_USUAL, DepartmentDecides, SameHands, ReasonUnpublished),
    **_TAGGED,
)
async def reject(request: Request, application_id: UUID, body: ReasonedIn) -> Answer:
    """Reject a case that somebody else has accepted, for a published reason (不予许可决定书)."""
    with in_edge_words():
        await require_case(request, application_id)
        review = request.app.ctx.services.matters.handling.review
        result = await review.decide(request.ctx.operator, order_of(request, application_id, body), approve=False)
    return done(request, result)


@routes.post(
    f"{CASE}/terminations",
    access=entered_for(Move.TERMINATE),
    problems=(*_USUAL, DeliveryOpen, ReasonUnpublished),
    **_TAGGED,
)
async def terminate(request: Request, application_id: UUID, body: ReasonedIn) -> Answer:
    """Annul a case for a published reason (终止办理告知书); errors of ours are counted."""
    with in_edge_words():
        await require_case(request, application_id)
        endings = request.app.ctx.services.matters.handling.endings
        result = await endings.terminate(request.ctx.operator, order_of(request, application_id, body))
    return done(request, result)


@routes.post(
    f"{CASE}/moves",
    access=entered_for(Move.MOVE),
    problems=(*_USUAL, DeliveryOpen, NotMovable, ReasonUnpublished),
    **_TAGGED,
)
async def move(request: Request, application_id: UUID, body: MovedIn) -> Answer:
    """Give a case to another department; it gets the dossier by a delivery of its own."""
    with in_edge_words():
        await require_case(request, application_id)
        moving = request.app.ctx.services.matters.handling.moving
        result = await moving.move(request.ctx.operator, order_of(request, application_id, body), body.department)
    return done(request, result)


@routes.post(
    f"{CASE}/merges", access=entered_for(Move.MERGE), problems=(*_USUAL, DeliveryOpen, NotDuplicates), **_TAGGED
)
async def merge(request: Request, application_id: UUID, body: MergedIn) -> Answer:
    """End a case that asks for the same as another of the same person, which goes on."""
    with in_edge_words():
        await require_case(request, application_id)
        endings = request.app.ctx.services.matters.handling.endings
        result = await endings.merge(request.ctx.operator, order_of(request, application_id, body), body.into)
    return done(request, result)
