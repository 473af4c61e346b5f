"""Outages: which outside systems are in trouble, and when an operator expects them back."""

from datetime import datetime
from typing import Final

from pydantic import AwareDatetime

from api.access import staff
from api.operation import Answer, Body, Out, Page, Request, Routes
from api.problems import RequestInvalid
from api.reading import field_error
from api.staff.words import found
from auth.types import Role
from core.audit.actors import Actor
from matters.exchange.types import Standing
from matters.types import ServiceState

routes = Routes(prefix="/v1/staff", tag="exchange")

_YEARS: Final = range(2000, 2101)


class OutageOut(Out):
    """A system in trouble: since when, when it was last seen so, and when it is expected back."""

    id: str
    state: ServiceState
    since: datetime | None
    seen_at: datetime
    expected_at: datetime | None

    @classmethod
    def of(cls, partner: str, standing: Standing) -> "OutageOut":
        """Return the answer for a system."""
        return cls(
            id=partner,
            state=standing.state,
            since=standing.since,
            seen_at=standing.seen_at,
            expected_at=standing.expected_at,
        )


class ExpectedIn(Body):
    """When the system is expected back; null takes it back."""

    expected_at: AwareDatetime | None


@routes.get("/outages", access=staff(Role.OPERATOR, Role.SYSTEM_ADMIN, Role.AUDITOR), answer=Page[OutageOut])
async def list_outages(request: Request) -> Answer:
    """List the outside systems that are in trouble now."""
    troubled = request.app.ctx.services.matters.exchange.health.troubled()
    return Answer(Page[OutageOut](items=[OutageOut.of(name, each) for name, each in troubled.items()]))


@routes.put(
    "/outages/<partner:str>/expectation",
    access=staff(Role.OPERATOR, Role.SYSTEM_ADMIN),
    status=204,
    answer=None,
)
async def expect(request: Request, partner: str, body: ExpectedIn) -> Answer:
    """Say when a system is expected back; residents read it while it is in trouble."""
    if body.expected_at is not None and body.expected_at.year not in _YEARS:
        raise RequestInvalid(errors=[field_error("/expected_at", "time_order")])
    with found():
        await request.app.ctx.services.matters.exchange.health.announce(
            Actor.operator(request.ctx.operator.operator_id), partner, body.expected_at
        )
    return Answer(status=204)
