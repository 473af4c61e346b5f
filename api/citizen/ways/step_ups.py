"""Step-ups of residents who are logged in: ways to show that they are there, other than by their face."""

from datetime import UTC, datetime
from uuid import UUID

from api.access import Delegable, citizen
from api.citizen.ways.words import CardText, Consent, EvidenceIn, MobileText, WayCheckOut, WayLineOut, WayResultOut
from api.operation import Answer, Body, Page, PageQuery, Request, Routes, bad_cursor, decode_cursor, encode_cursor
from api.problems import RequestNotFound
from auth.errors import ConsentRequired
from auth.types import Level
from auth.ways.errors import (
    CardNumberInvalid,
    CheckDecided,
    CheckExpired,
    CheckInProgress,
    CodeRequired,
    InPersonOnly,
    MobileInvalid,
    NoSuchCheck,
    WayLocked,
    WayNotOffered,
    WayRefused,
    WayUnavailable,
)
from auth.ways.types import Method, Purpose

PREFIX = "/v1/citizen/step-ups"
routes = Routes(prefix=PREFIX, tag="ways")


class StepUpIn(Body):
    """By which method, and what it needs.

    `sms` takes the mobile on record where none is given; `bank-card` needs the card and the mobile reserved with it.
    A consent (`real-name@1`) is needed where none stands.
    """

    method: Method
    consent: Consent | None = None
    mobile: MobileText | None = None
    card_number: CardText | None = None


def place(cursor: str | None) -> tuple[datetime, UUID] | None:
    """Return the moment and the id that a cursor names.

    Raises:
        RequestInvalid: it is none of ours.
    """
    parts = decode_cursor(cursor, parts=2)
    if parts is None:
        return None
    try:
        at = datetime.fromisoformat(parts[0])
        if at.tzinfo is None:
            raise bad_cursor()
        return at.astimezone(UTC), UUID(parts[1])
    except (ValueError, OverflowError) as error:
        raise bad_cursor() from error


@routes.post(
    "",
    access=citizen(Level.REAL_NAME, delegable=Delegable.OWN, in_person=True),
    status=201,
    answer=WayCheckOut,
    problems=(
        WayNotOffered,
        ConsentRequired,
        MobileInvalid,
        CardNumberInvalid,
        WayLocked,
        WayUnavailable,
        WayRefused,
        InPersonOnly,
    ),
)
async def start(request: Request, body: StepUpIn) -> Answer:
    """Start to show that I am there, by a code, a card, a password, a network identity or an officer."""
    services, caller = request.app.ctx.services, request.ctx.caller
    check = await services.step_ups.start(
        caller,
        body.method,
        consent=body.consent,
        mobile=body.mobile,
        card_number=body.card_number,
        address=request.ctx.address,
    )
    others = services.menu.others(Purpose.STEP_UP, but=body.method.value, elder=check.elder)
    out = WayCheckOut.of(check, others, english=request.ctx.english)
    return Answer(out, location=f"{PREFIX}/{check.id}")


@routes.post(
    "/<step_up_id:uuid>/evidence",
    access=citizen(Level.REAL_NAME, delegable=Delegable.OWN, in_person=True),
    answer=WayResultOut,
    problems=(
        RequestNotFound,
        CodeRequired,
        CheckExpired,
        CheckDecided,
        CheckInProgress,
        WayUnavailable,
        WayRefused,
        InPersonOnly,
    ),
)
async def send_evidence(request: Request, step_up_id: UUID, body: EvidenceIn) -> Answer:
    """Send the code, or ask how it stands; passing raises the session to `present`."""
    services = request.app.ctx.services
    try:
        result = await services.step_ups.submit_evidence(request.ctx.caller, step_up_id, body.code)
    except NoSuchCheck as error:
        raise RequestNotFound from error
    others = services.menu.others(Purpose.STEP_UP, but=result.method.value, elder=result.elder)
    return Answer(WayResultOut.of(result, others, english=request.ctx.english))


@routes.get("", access=citizen(Level.REAL_NAME, delegable=Delegable.OWN), answer=Page[WayLineOut])
async def list_checks(request: Request, query: PageQuery) -> Answer:
    """List my checks by these ways, newest first."""
    views = await request.app.ctx.services.step_ups.list_checks(
        request.ctx.caller, before=place(query.cursor), limit=query.limit + 1
    )
    page = views[: query.limit]
    more = len(views) > len(page)
    return Answer(
        Page[WayLineOut](
            items=[WayLineOut.of(view) for view in page],
            next_cursor=encode_cursor([page[-1].started_at.isoformat(), str(page[-1].id)]) if more else None,
        )
    )


@routes.delete(
    "/<step_up_id:uuid>",
    access=citizen(Level.REAL_NAME, delegable=Delegable.OWN, in_person=True),
    status=204,
    problems=(RequestNotFound, InPersonOnly),
)
async def revoke(request: Request, step_up_id: UUID) -> Answer:
    """Give up a check that is still open."""
    if not await request.app.ctx.services.step_ups.revoke(request.ctx.caller, step_up_id):
        raise RequestNotFound
    return Answer()
