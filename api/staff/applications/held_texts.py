"""Applications held because of what was written in them: a person reads, and decides."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from api.access import Reach, require_scope, scopes_of, staff
from api.operation import Answer, Body, Out, Page, Request, Routes
from api.staff.words import found
from auth.types import Role
from core.crypto import RecordUnreadable
from matters.applications.concerned import whom_it_concerns
from matters.errors import StateForbids
from matters.reach import scope_of
from matters.texts.types import CheckSource, HeldText

routes = Routes(prefix="/v1/staff/held-texts", tag="applications")
_WHO = (Role.OPERATOR, Role.ACCEPTOR, Role.DEPARTMENT_OPERATOR)


class HeldTextOut(Out):
    """An application that waits; nothing of what was written. `label` is the platform's number for what it saw."""

    id: UUID
    number: str
    matter: str
    department: str
    source: CheckSource
    label: int
    held_at: datetime

    @classmethod
    def of(cls, held: HeldText) -> "HeldTextOut":
        """Return the answer for one."""
        return cls(
            id=held.id,
            number=held.number,
            matter=held.matter,
            department=held.department,
            source=held.source,
            label=held.label,
            held_at=held.held_at,
        )


class OpenedTextOut(Out):
    """A text, under the title of its field."""

    title: str
    text: str


class OpenedOut(Out):
    """What was written in an application that waits."""

    id: UUID
    texts: list[OpenedTextOut]


class DecisionIn(Body):
    """Whether it goes on to its department, or is refused."""

    outcome: Literal["released", "refused"]


async def _require(request: Request, application_id: UUID) -> None:
    about = await whom_it_concerns(application_id)
    require_scope(request, scope_of(about))


@routes.get("", access=staff(*_WHO, scope=Reach.ROWS), answer=Page[HeldTextOut])
async def list_held(request: Request) -> Answer:
    """List applications that are held because of their texts, the oldest first."""
    held = await request.app.ctx.services.matters.held_texts.list_held(scopes_of(request))
    return Answer(Page[HeldTextOut](items=[HeldTextOut.of(each) for each in held]))


@routes.get(
    "/<application_id:uuid>",
    access=staff(*_WHO, scope=Reach.ROWS),
    answer=OpenedOut,
    problems=(RecordUnreadable,),
)
async def read(request: Request, application_id: UUID) -> Answer:
    """Read what was written in an application that is held; the applicant's ledger says who did."""
    with found():
        await _require(request, application_id)
        texts = await request.app.ctx.services.matters.held_texts.read(request.ctx.operator, application_id)
    return Answer(
        OpenedOut(id=application_id, texts=[OpenedTextOut(title=each.title, text=each.text) for each in texts])
    )


@routes.post(
    "/<application_id:uuid>/decisions",
    access=staff(*_WHO, scope=Reach.ROWS),
    status=204,
    answer=None,
    problems=(StateForbids,),
)
async def decide(request: Request, application_id: UUID, body: DecisionIn) -> Answer:
    """Let a held application on to its department, or refuse it, once."""
    with found():
        await _require(request, application_id)
        await request.app.ctx.services.matters.held_texts.decide(
            request.ctx.operator, application_id, let_on=body.outcome == "released"
        )
    return Answer(status=204)
