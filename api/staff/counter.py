"""Officers at a counter: confirming who stands before them."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import StringConstraints

from api.access import Reach, staff
from api.operation import Answer, Body, Out, Request, Routes
from auth.errors import IdNumberInvalid, NameInvalid
from auth.ways.counter import MAY_CONFIRM
from auth.ways.errors import CounterMismatch, TooManyConfirmations, WayLocked

routes = Routes(prefix="/v1/staff", tag="counter")


class ConfirmationIn(Body):
    """The code on the resident's screen, and name and number as they stand on the identity card."""

    code: Annotated[str, StringConstraints(min_length=1, max_length=16)]
    name: Annotated[str, StringConstraints(min_length=1, max_length=60)]
    id_number: Annotated[str, StringConstraints(min_length=1, max_length=40)]


class ConfirmationOut(Out):
    """A check that was confirmed."""

    id: UUID
    confirmed_at: datetime


@routes.post(
    "/counter-confirmations",
    access=staff(*MAY_CONFIRM, scope=Reach.ROWS),
    status=201,
    answer=ConfirmationOut,
    problems=(IdNumberInvalid, NameInvalid, CounterMismatch, WayLocked, TooManyConfirmations),
)
async def confirm(request: Request, body: ConfirmationIn) -> Answer:
    """Confirm that the person before me is the one whose screen shows this code."""
    check_id, at = await request.app.ctx.services.counter.confirm(
        request.ctx.operator, body.code, name=body.name, id_number=body.id_number
    )
    return Answer(ConfirmationOut(id=check_id, confirmed_at=at), location=f"/v1/staff/counter-confirmations/{check_id}")
