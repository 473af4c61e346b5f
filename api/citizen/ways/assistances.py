"""Officers who ask to act for me: seeing them, and letting them."""

from datetime import datetime
from uuid import UUID

from api.access import Delegable, citizen
from api.citizen.ways.step_ups import place
from api.operation import Answer, Out, Page, PageQuery, Request, Routes, encode_cursor
from api.problems import RequestNotFound
from auth.types import Level
from auth.ways.errors import AssistanceEnded, InPersonOnly, NoSuchAssistance
from auth.ways.types import AssistanceState, AssistanceView

PREFIX = "/v1/citizen/assistances"
routes = Routes(prefix=PREFIX, tag="assistance")


class AssistanceOut(Out):
    """A request of an officer to act for me. `session_id` is the session it led to, which I can end."""

    id: UUID
    purpose: str
    state: AssistanceState
    created_at: datetime
    expires_at: datetime
    session_id: UUID | None

    @classmethod
    def of(cls, view: AssistanceView) -> "AssistanceOut":
        """Return the answer for a request."""
        return cls(
            id=view.id,
            purpose=view.purpose,
            state=view.state,
            created_at=view.created_at,
            expires_at=view.expires_at,
            session_id=view.session_id,
        )


@routes.get(
    "",
    access=citizen(Level.REAL_NAME, delegable=Delegable.OWN, in_person=True),
    answer=Page[AssistanceOut],
    problems=(InPersonOnly,),
)
async def list_requests(request: Request, query: PageQuery) -> Answer:
    """List who of the staff asked to act for me, newest first."""
    views = await request.app.ctx.services.assistances.list_of(
        request.ctx.caller, before=place(query.cursor), limit=query.limit + 1
    )
    page = views[: query.limit]
    more = len(views) > len(page)
    return Answer(
        Page[AssistanceOut](
            items=[AssistanceOut.of(view) for view in page],
            next_cursor=encode_cursor([page[-1].created_at.isoformat(), str(page[-1].id)]) if more else None,
        )
    )


@routes.post(
    "/<assistance_id:uuid>/confirmations",
    access=citizen(Level.REAL_NAME, delegable=Delegable.OWN, in_person=True),
    status=201,
    answer=AssistanceOut,
    problems=(RequestNotFound, AssistanceEnded, InPersonOnly),
)
async def confirm(request: Request, assistance_id: UUID) -> Answer:
    """Let an officer act for me, for half an hour."""
    try:
        view = await request.app.ctx.services.assistances.confirm(request.ctx.caller, assistance_id)
    except NoSuchAssistance as error:
        raise RequestNotFound from error
    return Answer(AssistanceOut.of(view), location=PREFIX)
