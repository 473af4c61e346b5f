"""Having one's account back with a new WeChat account: by face, told to the old one, after a cool-down."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import StringConstraints

from api.access import Delegable, citizen
from api.citizen.face_words import FIELD, CheckOut, ResultOut, read_frames, room_for_one
from api.operation import Answer, Body, Out, Page, PageQuery, Request, Routes, decode_place, encode_place
from api.problems import RequestNotFound
from auth.account.errors import TakeoverImpossible, TakeoverNotNeeded
from auth.account.types import Side, TakeoverState, TakeoverView
from auth.errors import (
    ConsentRequired,
    IdentityMismatch,
    IdNumberInvalid,
    LevelTooLow,
    NameInvalid,
    RegistryRefused,
    RegistryUnavailable,
)
from face.errors import (
    CheckExpired,
    EngineBusy,
    EngineUnavailable,
    EvidenceReplayed,
    FrameCount,
    GuardianNeeded,
    NoSuchCheck,
    NotOffered,
    PictureUnusable,
    TooManyAttempts,
)

PREFIX = "/v1/citizen/takeovers"
routes = Routes(prefix=PREFIX, tag="takeovers")


class TakeoverIn(Body):
    """Whose account it is, and the consent to a face check."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=60)]
    id_number: Annotated[str, StringConstraints(min_length=1, max_length=40)]
    consent: Annotated[str, StringConstraints(max_length=40)]


class TakeoverOut(Out):
    """A takeover. `side` says who the caller is in it; `mark` is the WeChat account that asks, the same each time."""

    id: UUID
    side: Side
    state: TakeoverState
    mark: str
    asked_at: datetime
    effective_at: datetime
    ended_at: datetime | None

    @classmethod
    def of(cls, view: TakeoverView) -> "TakeoverOut":
        """Return the answer for a takeover."""
        return cls(
            id=view.id,
            side=view.side,
            state=view.state,
            mark=view.mark,
            asked_at=view.asked_at,
            effective_at=view.effective_at,
            ended_at=view.ended_at,
        )


class TakeoverResultOut(ResultOut):
    """How the face check ended; passed, with the takeover that waits (null: nobody holds the person any more)."""

    takeover: TakeoverOut | None


@routes.post(
    "",
    access=citizen(delegable=Delegable.OWN, in_person=True),
    status=201,
    answer=CheckOut,
    problems=(
        IdNumberInvalid,
        NameInvalid,
        ConsentRequired,
        IdentityMismatch,
        TakeoverNotNeeded,
        TakeoverImpossible,
        NotOffered,
        GuardianNeeded,
        TooManyAttempts,
        RegistryRefused,
        RegistryUnavailable,
    ),
)
async def start(request: Request, body: TakeoverIn) -> Answer:
    """Start the face check for having one's account back."""
    caller = request.ctx.caller
    check = await request.app.ctx.services.takeover_checks.start(caller, body.name, body.id_number, body.consent)
    return Answer(
        CheckOut.of(check, elder=caller.elder, english=request.ctx.english), location=f"{PREFIX}/{check.id}/evidence"
    )


@routes.post(
    "/<takeover_check_id:uuid>/evidence",
    access=citizen(delegable=Delegable.OWN, in_person=True),
    answer=TakeoverResultOut,
    files=FIELD,
    gate=room_for_one,
    problems=(
        CheckExpired,
        EvidenceReplayed,
        FrameCount,
        PictureUnusable,
        TakeoverImpossible,
        EngineBusy,
        EngineUnavailable,
        RegistryUnavailable,
        RegistryRefused,
    ),
)
async def send_evidence(request: Request, takeover_check_id: UUID) -> Answer:
    """Send the frames of the check; passing begins the cool-down."""
    caller = request.ctx.caller
    frames = read_frames(request)
    try:
        result, takeover = await request.app.ctx.services.takeover_checks.submit_evidence(
            caller, takeover_check_id, frames
        )
    except NoSuchCheck as error:
        raise RequestNotFound from error
    told = ResultOut.of(result, elder=caller.elder, english=request.ctx.english)
    shown = None if takeover is None else TakeoverOut.of(takeover)
    return Answer(TakeoverResultOut.model_validate({**dict(told), "takeover": shown}))


@routes.get("", access=citizen(delegable=Delegable.OWN, in_person=True), answer=Page[TakeoverOut])
async def list_takeovers(request: Request, query: PageQuery) -> Answer:
    """List the takeovers of my account and those I have asked for, newest first."""
    views = await request.app.ctx.services.takeovers.list_takeovers(
        request.ctx.caller, before=decode_place(query.cursor), limit=query.limit + 1
    )
    page = views[: query.limit]
    return Answer(
        Page[TakeoverOut](
            items=[TakeoverOut.of(view) for view in page],
            next_cursor=encode_place(page[-1].asked_at, page[-1].id) if len(views) > len(page) else None,
        )
    )


@routes.delete(
    "/<takeover_id:uuid>",
    access=citizen(delegable=Delegable.OWN, in_person=True),
    status=204,
    problems=(RequestNotFound, LevelTooLow),
)
async def stop(request: Request, takeover_id: UUID) -> Answer:
    """Stop a takeover that waits; for the holder of the account this needs `present`."""
    if not await request.app.ctx.services.takeovers.stop(request.ctx.caller, takeover_id):
        raise RequestNotFound
    return Answer()
