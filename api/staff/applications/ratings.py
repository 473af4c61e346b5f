"""Ratings for staff: bad ones are followed up, all of them are counted and made ready for upload."""

from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

from pydantic import StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from api.access import Reach, require_scope, scopes_of, staff
from api.operation import Answer, Body, Out, Page, PageQuery, Query, Request, Routes, decode_place, encode_place
from api.staff.applications.queues import Moment
from api.staff.words import found
from auth.types import Role
from core.crypto import RecordUnreadable
from matters.errors import StateForbids
from matters.ratings.rules import CHANNELS, number_of
from matters.ratings.types import Dimension, Direction, Rates, RatingLine, RatingSource, TicketLine, TicketState
from matters.reach import scope_of
from matters.types import Satisfaction

routes = Routes(prefix="/v1/staff", tag="ratings")
_WHO = (Role.OPERATOR, Role.ACCEPTOR, Role.DEPARTMENT_OPERATOR)
USUAL = timedelta(days=30)


class TicketsQuery(Query):
    """Which tickets: the open ones unless told otherwise."""

    state: TicketState = TicketState.OPEN


class TicketOut(Out):
    """A bad rating that is followed up; nothing of what was written."""

    id: UUID
    number: str
    matter: str
    department: str
    level: Satisfaction
    reasons: list[str]
    state: TicketState
    opened_at: datetime
    contact_by: datetime | None
    contacted_at: datetime | None
    settled_at: datetime | None

    @classmethod
    def of(cls, line: TicketLine) -> "TicketOut":
        """Return the answer for a ticket."""
        return cls(
            id=line.id,
            number=line.number,
            matter=line.matter,
            department=line.department,
            level=line.level,
            reasons=list(line.reasons),
            state=line.state,
            opened_at=line.opened_at,
            contact_by=line.contact_by,
            contacted_at=line.contacted_at,
            settled_at=line.settled_at,
        )


class OpenedTicketOut(Out):
    """A ticket with what was written. `withheld`: a text was, and is held (`/v1/staff/held-texts`)."""

    ticket: TicketOut
    text: str
    dimensions: dict[Dimension, Satisfaction]
    withheld: bool


class SettlementIn(Body):
    """What came of it."""

    note: Annotated[str, StringConstraints(min_length=2, max_length=500, strip_whitespace=True)]


class SpanQuery(Query):
    """From when until when: the last 30 days unless told otherwise."""

    since: Moment | None = None
    until: Moment | None = None

    @model_validator(mode="after")
    def _in_order(self) -> "SpanQuery":
        if self.since is not None and self.until is not None and self.since >= self.until:
            raise PydanticCustomError("time_order", "it begins before it ends")
        return self


class ExportQuery(PageQuery):
    """Of which time, and in which direction levels are counted."""

    direction: Direction
    since: Moment
    until: Moment


class RatingOut(Out):
    """One rating, ready for upload. `satisfaction` counts in the direction that was asked for; nobody is named."""

    project_no: str
    task_code: str
    department: str
    pf: str
    satisfaction: int
    source: RatingSource
    assess_number: int
    assess_time: datetime
    eval_detail: list[str]
    dimensions: dict[Dimension, int]
    promise_days: int
    accept_date: datetime | None

    @classmethod
    def of(cls, line: RatingLine, direction: Direction) -> "RatingOut":
        """Return the answer for a rating."""
        return cls(
            project_no=line.number,
            task_code=line.matter,
            department=line.department,
            pf=CHANNELS.get(line.channel, "9"),
            satisfaction=number_of(line.level, direction),
            source=line.source,
            assess_number=line.occasion,
            assess_time=line.rated_at,
            eval_detail=list(line.reasons),
            dimensions={name: number_of(level, direction) for name, level in line.dimensions.items()},
            promise_days=line.promised_days,
            accept_date=line.accepted_at,
        )


class RatesOut(Out):
    """How many, how many good, and both shares: over all, and over those that somebody gave."""

    ratings: int
    good: int
    rate: float | None
    given: int
    given_good: int
    given_rate: float | None

    @classmethod
    def of(cls, rates: Rates) -> "RatesOut":
        """Return the answer for rates."""
        return cls(
            ratings=rates.ratings,
            good=rates.good,
            rate=None if rates.rate is None else round(rates.rate, 4),
            given=rates.given,
            given_good=rates.given_good,
            given_rate=None if rates.given_rate is None else round(rates.given_rate, 4),
        )


class RateFiguresOut(Out):
    """Rates over all that the operator may see, and by matter."""

    since: datetime
    until: datetime
    whole: RatesOut
    matters: dict[str, RatesOut]


@routes.get("/rating-tickets", access=staff(*_WHO, scope=Reach.ROWS), answer=Page[TicketOut])
async def list_tickets(request: Request, query: TicketsQuery) -> Answer:
    """List bad ratings that are followed up, the oldest first."""
    lines = await request.app.ctx.services.matters.rating_tickets.list_tickets(query.state, scopes_of(request))
    return Answer(Page[TicketOut](items=[TicketOut.of(line) for line in lines]))


async def _require(request: Request, ticket_id: UUID) -> None:
    require_scope(request, scope_of(await request.app.ctx.services.matters.rating_tickets.find(ticket_id)))


@routes.get(
    "/rating-tickets/<ticket_id:uuid>",
    access=staff(*_WHO, scope=Reach.ROWS),
    answer=OpenedTicketOut,
    problems=(RecordUnreadable,),
)
async def read_ticket(request: Request, ticket_id: UUID) -> Answer:
    """Read a bad rating in order to follow it up; the applicant's ledger says who did."""
    with found():
        await _require(request, ticket_id)
        opened = await request.app.ctx.services.matters.rating_tickets.read(request.ctx.operator, ticket_id)
    return Answer(
        OpenedTicketOut(
            ticket=TicketOut.of(opened.line),
            text=opened.text,
            dimensions=dict(opened.dimensions),
            withheld=opened.withheld,
        )
    )


@routes.post(
    "/rating-tickets/<ticket_id:uuid>/contacts",
    access=staff(*_WHO, scope=Reach.ROWS),
    status=204,
    answer=None,
    problems=(StateForbids,),
)
async def note_contact(request: Request, ticket_id: UUID) -> Answer:
    """Note that the applicant was spoken to."""
    with found():
        await _require(request, ticket_id)
        await request.app.ctx.services.matters.rating_tickets.note_contact(request.ctx.operator, ticket_id)
    return Answer(status=204)


@routes.post(
    "/rating-tickets/<ticket_id:uuid>/settlements",
    access=staff(*_WHO, scope=Reach.ROWS),
    status=204,
    answer=None,
    problems=(StateForbids,),
)
async def settle(request: Request, ticket_id: UUID, body: SettlementIn) -> Answer:
    """Say what came of a bad rating, once; the applicant may rate again."""
    with found():
        await _require(request, ticket_id)
        await request.app.ctx.services.matters.rating_tickets.settle(request.ctx.operator, ticket_id, body.note)
    return Answer(status=204)


@routes.get("/ratings", access=staff(Role.OPERATOR, Role.AUDITOR), answer=Page[RatingOut])
async def export_ratings(request: Request, query: ExportQuery) -> Answer:
    """List ratings ready for upload, counted as GB/T 39046 or as the national system does."""
    lines = await request.app.ctx.services.matters.rating_figures.page(
        since=query.since, until=query.until, after=decode_place(query.cursor), limit=query.limit + 1
    )
    page = lines[: query.limit]
    return Answer(
        Page[RatingOut](
            items=[RatingOut.of(line, query.direction) for line in page],
            next_cursor=encode_place(page[-1].rated_at, page[-1].id) if len(lines) > len(page) else None,
        )
    )


@routes.get(
    "/ratings/rates",
    access=staff(*_WHO, Role.AUDITOR, scope=Reach.ROWS),
    answer=RateFiguresOut,
)
async def count_rates(request: Request, query: SpanQuery) -> Answer:
    """Count how many ratings are good, with and without those that nobody gave."""
    until = query.until or request.app.ctx.services.clock.now()
    since = query.since or until - USUAL
    whole, matters = await request.app.ctx.services.matters.rating_figures.rates(
        since=since, until=until, scopes=scopes_of(request)
    )
    return Answer(
        RateFiguresOut(
            since=since,
            until=until,
            whole=RatesOut.of(whole),
            matters={matter: RatesOut.of(rates) for matter, rates in matters.items()},
        )
    )
