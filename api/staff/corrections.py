"""Corrections as operators deal with them: a queue without texts, one opened for a purpose, one answer."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import StringConstraints

from api.access import staff
from api.citizen.rights import after, next_after
from api.operation import Answer, Body, Out, Page, PageQuery, Request, Routes
from api.staff.words import Masked
from auth.rights.errors import CorrectionAnswered, NoSuchCorrection
from auth.rights.types import About, CorrectionLine, CorrectionState, CorrectionView, Recheck
from auth.types import Role
from core.crypto import RecordUnreadable

routes = Routes(prefix="/v1/staff", tag="corrections")


class QueueQuery(PageQuery):
    """Which corrections: the open ones unless told otherwise."""

    state: CorrectionState = CorrectionState.OPEN


class CorrectionLineOut(Out):
    """A correction in the queue. `registry`: whether the population registry agrees with the name kept here."""

    id: UUID
    number: str
    about: About
    object_id: UUID | None
    state: CorrectionState
    registry: Literal["agrees", "differs"] | None
    created_at: datetime
    answered_at: datetime | None

    @classmethod
    def of(cls, line: CorrectionLine) -> "CorrectionLineOut":
        """Return the answer for a line."""
        registry: dict[Recheck, Literal["agrees", "differs"]] = {Recheck.AGREES: "agrees", Recheck.DIFFERS: "differs"}
        return cls(
            id=line.id,
            number=line.number,
            about=line.about,
            object_id=line.object_id,
            state=line.state,
            registry=registry.get(line.recheck),
            created_at=line.created_at,
            answered_at=line.answered_at,
        )


class OpenedCorrectionOut(Out):
    """A correction with its texts; name and number are masked."""

    correction: CorrectionLineOut
    text: str
    answer: str | None
    name: Masked | None
    id_number: Masked | None

    @classmethod
    def of(cls, view: CorrectionView) -> "OpenedCorrectionOut":
        """Return the answer for an opened correction."""
        return cls(
            correction=CorrectionLineOut.of(view.line),
            text=view.text,
            answer=view.answer,
            name=view.name,
            id_number=view.id_number,
        )


class AnswerIn(Body):
    """What became of it, in words for the person."""

    outcome: Literal["corrected", "refused"]
    text: Annotated[str, StringConstraints(min_length=2, max_length=2000, strip_whitespace=True)]


@routes.get("/corrections", access=staff(Role.OPERATOR), answer=Page[CorrectionLineOut])
async def list_corrections(request: Request, query: QueueQuery) -> Answer:
    """List corrections, the oldest first; nothing of what was written."""
    lines = await request.app.ctx.services.corrections.list_for_operators(
        query.state, after=after(query.cursor), limit=query.limit + 1
    )
    return Answer(
        Page[CorrectionLineOut](
            items=[CorrectionLineOut.of(line) for line in lines[: query.limit]],
            next_cursor=next_after([line.id for line in lines], query.limit),
        )
    )


@routes.get(
    "/corrections/<correction_id:uuid>",
    access=staff(Role.OPERATOR),
    answer=OpenedCorrectionOut,
    problems=(NoSuchCorrection, RecordUnreadable),
)
async def open_correction(request: Request, correction_id: UUID) -> Answer:
    """Open a correction in order to answer it; the person's ledger says who did."""
    view = await request.app.ctx.services.corrections.open_for(request.ctx.operator, correction_id)
    return Answer(OpenedCorrectionOut.of(view))


@routes.post(
    "/corrections/<correction_id:uuid>/answers",
    access=staff(Role.OPERATOR),
    status=204,
    answer=None,
    problems=(NoSuchCorrection, CorrectionAnswered),
)
async def answer_correction(request: Request, correction_id: UUID, body: AnswerIn) -> Answer:
    """Answer a correction, once."""
    await request.app.ctx.services.corrections.answer(
        request.ctx.operator, correction_id, CorrectionState(body.outcome), body.text
    )
    return Answer(status=204)
