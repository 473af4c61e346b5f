"""Officers who act for a resident: asking for it, and getting the session once the resident has confirmed."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import StringConstraints

from api.access import staff
from api.citizen.sessions import GrantOut, granted
from api.operation import Answer, Body, Out, Request, Routes
from api.problems import RequestNotFound
from auth.errors import AccountClosed, IdNumberInvalid, NameInvalid
from auth.ways.assistances import MAY_ASSIST
from auth.ways.errors import (
    AssistanceCodeWrong,
    AssistanceEnded,
    AssistanceUnconfirmed,
    NoSuchAssistance,
    TooManyAssistances,
    WayLocked,
)
from auth.ways.types import AssistanceState

PREFIX = "/v1/staff/assistances"
routes = Routes(prefix=PREFIX, tag="assistance")
_MAY = staff(*MAY_ASSIST)


class RequestIn(Body):
    """Whom to act for, and what for; the resident reads the purpose."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=60)]
    id_number: Annotated[str, StringConstraints(min_length=1, max_length=40)]
    purpose: Annotated[str, StringConstraints(min_length=2, max_length=100, strip_whitespace=True)]


class RequestOut(Out):
    """A request that waits to be confirmed; it says nothing about whether there is such a resident."""

    id: UUID
    state: AssistanceState
    expires_at: datetime


class CollectIn(Body):
    """The code that the resident has told; without it: collect the session once they have confirmed themselves."""

    code: Annotated[str, StringConstraints(min_length=1, max_length=16)] | None = None


@routes.post(
    "",
    access=_MAY,
    status=201,
    answer=RequestOut,
    problems=(IdNumberInvalid, NameInvalid, WayLocked, TooManyAssistances),
)
async def ask(request: Request, body: RequestIn) -> Answer:
    """Ask a resident to let me act for them; the answer is the same for people nobody knows."""
    view = await request.app.ctx.services.assistances.request(
        request.ctx.operator, name=body.name, id_number=body.id_number, purpose=body.purpose
    )
    return Answer(RequestOut(id=view.id, state=view.state, expires_at=view.expires_at), location=f"{PREFIX}/{view.id}")


@routes.post(
    "/<assistance_id:uuid>/confirmations",
    access=_MAY,
    status=201,
    answer=GrantOut,
    problems=(RequestNotFound, AssistanceUnconfirmed, AssistanceCodeWrong, AssistanceEnded, AccountClosed),
)
async def collect(request: Request, assistance_id: UUID, body: CollectIn) -> Answer:
    """Get the short session in which I act for the resident."""
    try:
        grant = await request.app.ctx.services.assistances.collect(
            request.ctx.operator, assistance_id, body.code, device=request.ctx.device
        )
    except NoSuchAssistance as error:
        raise RequestNotFound from error
    return granted(grant)
