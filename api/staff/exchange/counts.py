"""What was exchanged with outside systems: counts by day, partner, resource and matter, and what nobody uses."""

from datetime import date, timedelta
from typing import Annotated, Final
from uuid import UUID

from pydantic import StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from api.access import staff
from api.operation import Answer, Out, Page, PageQuery, Request, Routes, bad_cursor, decode_cursor, encode_cursor
from auth.types import Role
from core.clock import china_date
from matters.exchange.types import (
    Direction,
    ExchangeDay,
    ExchangeLine,
    ExchangeOutcome,
    ExchangeWanted,
    Unused,
)

routes = Routes(prefix="/v1/staff", tag="exchange")

_WHO: Final = staff(Role.OPERATOR, Role.SYSTEM_ADMIN, Role.AUDITOR)
_USUAL: Final = timedelta(days=30)
_YEARS: Final = range(2000, 2101)
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9 ./_*-]{0,95}$")]


class ExchangesQuery(PageQuery):
    """Which counts; days are China's, both included, the last 30 unless told otherwise."""

    since: date | None = None
    until: date | None = None
    partner: Name | None = None
    matter: Name | None = None
    resource: Name | None = None
    outcome: ExchangeOutcome | None = None
    direction: Direction | None = None

    @model_validator(mode="after")
    def _in_order(self) -> "ExchangesQuery":
        if any(day is not None and day.year not in _YEARS for day in (self.since, self.until)):
            raise PydanticCustomError("time_order", "no such day here")
        if self.since is not None and self.until is not None and self.since > self.until:
            raise PydanticCustomError("time_order", "it begins before it ends")
        return self

    def wanted(self, today: date) -> ExchangeWanted:
        """Return what is looked for."""
        until = self.until or today
        return ExchangeWanted(
            since=self.since or min(until, today) - _USUAL,
            until=until,
            partner=self.partner or "",
            matter=self.matter or "",
            resource=self.resource or "",
            outcome=self.outcome.value if self.outcome else "",
            direction=self.direction.value if self.direction else "",
        )


class ExchangeOut(Out):
    """How often something was exchanged on a day. `resource`: an entry of the sharing catalogue, or the call's name."""

    id: UUID
    day: date
    direction: Direction
    partner: str
    resource: str
    matter: str
    consumer: str
    outcome: ExchangeOutcome
    count: int
    mean_ms: float
    longest_ms: float

    @classmethod
    def of(cls, line: ExchangeLine) -> "ExchangeOut":
        """Return the answer for a count."""
        exchanged = line.exchanged
        return cls(
            id=line.id,
            day=exchanged.day,
            direction=exchanged.direction,
            partner=exchanged.partner,
            resource=exchanged.resource,
            matter=exchanged.matter,
            consumer=exchanged.consumer,
            outcome=exchanged.outcome,
            count=line.count,
            mean_ms=_ms(line.total_us / max(1, line.count)),
            longest_ms=_ms(line.longest_us),
        )


class ExchangeDayOut(Out):
    """A day with one partner; `failed` are those without a usable answer."""

    id: str
    day: date
    direction: Direction
    partner: str
    count: int
    failed: int
    mean_ms: float
    longest_ms: float

    @classmethod
    def of(cls, each: ExchangeDay) -> "ExchangeDayOut":
        """Return the answer for a day."""
        return cls(
            id=f"{each.day}:{each.direction}:{each.partner}",
            day=each.day,
            direction=each.direction,
            partner=each.partner,
            count=each.count,
            failed=each.failed,
            mean_ms=_ms(each.total_us / max(1, each.count)),
            longest_ms=_ms(each.longest_us),
        )


class UnusedOut(Out):
    """A system, or one of its resources, that nobody asked for so long; `last_on` null: not since it is counted."""

    id: str
    partner: str
    resource: str | None
    last_on: date | None

    @classmethod
    def of(cls, each: Unused) -> "UnusedOut":
        """Return the answer for what nobody uses."""
        return cls(
            id=f"{each.partner}:{each.resource}",
            partner=each.partner,
            resource=each.resource or None,
            last_on=each.last_on,
        )


def _ms(microseconds: float) -> float:
    return round(microseconds / 1000, 3)


@routes.get("/exchanges", access=_WHO, answer=Page[ExchangeOut])
async def list_exchanges(request: Request, query: ExchangesQuery) -> Answer:
    """List what was exchanged with outside systems, counted by day, the newest first."""
    services = request.app.ctx.services
    lines = await services.matters.exchange.figures.page(
        query.wanted(china_date(services.clock.now())), before=_place(query.cursor), limit=query.limit + 1
    )
    shown = lines[: query.limit]
    cursor = (
        encode_cursor([shown[-1].exchanged.day.isoformat(), str(shown[-1].id)]) if len(lines) > len(shown) else None
    )
    return Answer(Page[ExchangeOut](items=[ExchangeOut.of(line) for line in shown], next_cursor=cursor))


@routes.get("/exchange-days", access=_WHO, answer=Page[ExchangeDayOut])
async def list_days(request: Request, query: ExchangesQuery) -> Answer:
    """List sums of what was exchanged by day and partner, the newest day first."""
    services = request.app.ctx.services
    parts = decode_cursor(query.cursor, parts=3)
    before = None if parts is None else (_day(parts[0]), parts[1], parts[2])
    days = await services.matters.exchange.figures.days(
        query.wanted(china_date(services.clock.now())), before=before, limit=query.limit + 1
    )
    shown = days[: query.limit]
    last = shown[-1] if len(days) > len(shown) else None
    return Answer(
        Page[ExchangeDayOut](
            items=[ExchangeDayOut.of(each) for each in shown],
            next_cursor=encode_cursor([last.day.isoformat(), last.partner, last.direction]) if last else None,
        )
    )


@routes.get("/exchanges/unused", access=_WHO, answer=Page[UnusedOut])
async def list_unused(request: Request) -> Answer:
    """List configured systems and shared resources that nobody has asked for so long."""
    found = await request.app.ctx.services.matters.exchange.figures.unused()
    return Answer(Page[UnusedOut](items=[UnusedOut.of(each) for each in found]))


def _place(cursor: str | None) -> tuple[date, UUID] | None:
    parts = decode_cursor(cursor, parts=2)
    if parts is None:
        return None
    try:
        return _day(parts[0]), UUID(parts[1])
    except ValueError as error:
        raise bad_cursor() from error


def _day(text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise bad_cursor() from error
    if day.year not in _YEARS or day.isoformat() != text:
        raise bad_cursor()
    return day
