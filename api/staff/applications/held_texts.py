"""What is held because of what was written in it: a person reads, and decides."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from api.access import Reach, require_scope, scopes_of, staff
from api.operation import Answer, Body, Out, Page, Request, Routes
from api.staff.words import found
from auth.types import Role
from core.crypto import RecordUnreadable
from matters.errors import StateForbids
from matters.texts.types import About, CheckSource, HeldText

routes = Routes(prefix="/v1/staff/held-texts", tag="applications")
_WHO = (Role.OPERATOR, Role.ACCEPTOR, Role.DEPARTMENT_OPERATOR)


class HeldTextOut(Out):
    """What waits; nothing of what was written. `label` is the platform's number for what it saw.

    `about`: `application` (`id` is its own), `supplement`, `rating` or `objection` of the application with this number.
    """

    id: UUID
    about: About
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
            about=held.about,
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
    """What was written in what waits."""

    id: UUID
    texts: list[OpenedTextOut]


class DecisionIn(Body):
    """Whether it goes on to whom it is for, or is refused."""

    outcome: Literal["released", "refused"]


async def _require(request: Request, text_id: UUID) -> None:
    require_scope(request, await request.app.ctx.services.matters.held_texts.concerned(text_id))


@routes.get("", access=staff(*_WHO, scope=Reach.ROWS), answer=Page[HeldTextOut])
async def list_held(request: Request) -> Answer:
    """List what is held because of its texts, the oldest first."""
    held = await request.app.ctx.services.matters.held_texts.list_held(scopes_of(request))
    return Answer(Page[HeldTextOut](items=[HeldTextOut.of(each) for each in held]))


@routes.get(
    "/<text_id:uuid>",
    access=staff(*_WHO, scope=Reach.ROWS),
    answer=OpenedOut,
    problems=(RecordUnreadable,),
)
async def read(request: Request, text_id: UUID) -> Answer:
    """Read what was written in what is held; the applicant's ledger says who did."""
    with found():
        await _require(request, text_id)
        texts = await request.app.ctx.services.matters.held_texts.read(request.ctx.operator, text_id)
    return Answer(OpenedOut(id=text_id, texts=[OpenedTextOut(title=each.title, text=each.text) for each in texts]))


@routes.post(
    "/<text_id:uuid>/decisions",
    access=staff(*_WHO, scope=Reach.ROWS),
    status=204,
    answer=None,
    problems=(StateForbids,),
)
async def decide(request: Request, text_id: UUID, body: DecisionIn) -> Answer:
    """Let what is held on to whom it is for, or refuse it, once."""
    with found():
        await _require(request, text_id)
        await request.app.ctx.services.matters.held_texts.decide(
            request.ctx.operator, text_id, let_on=body.outcome == "released"
        )
    return Answer(status=204)
