"""Materials for staff: asking an applicant for what is missing, and how much people were spared."""

from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from api.access import Reach, scopes_of, staff
from api.operation import Answer, Body, Out, Query, Request, Routes
from api.problems import RequestStale
from api.staff.applications.acting import ReasonCode, entered_for, in_edge_words, require_case, version_of
from api.staff.applications.queues import Moment
from api.staff.words import UNIQUE, EachOnce, Reason
from auth.staff.errors import NotApproved
from auth.types import Role
from matters.cases.errors import AskedBefore
from matters.errors import DemandUnlawful, StateForbids
from matters.handling.types import Move
from matters.materials.demands import Exceptional
from matters.materials.spared import Grouping
from matters.materials.types import Spared

routes = Routes(prefix="/v1/staff", tag="applications")

_USUAL = timedelta(days=30)
_LONGEST = timedelta(days=400)


class DemandIn(Body):
    """Which materials are missing, all of them at once, and a word why.

    A second time takes an exception (`GET /v1/staff/case-reasons`) and a colleague's approval (`cases.ask-again`).
    """

    materials: Annotated[
        list[Annotated[str, StringConstraints(min_length=1, max_length=48)]],
        Field(min_length=1, max_length=20, json_schema_extra=UNIQUE),
        EachOnce,
    ]
    note: Reason
    exception: ReasonCode | None = None
    approval: UUID | None = None

    @model_validator(mode="after")
    def _both_or_none(self) -> "DemandIn":
        if (self.exception is None) != (self.approval is None):
            raise PydanticCustomError("both", "an exception and its approval come together")
        return self

    @property
    def exceptional(self) -> Exceptional | None:
        """What makes asking a second time lawful, where it is said."""
        if self.exception is None or self.approval is None:
            return None
        return Exceptional(self.exception, self.approval)


class SparedQuery(Query):
    """From when until when (the last 30 days unless told otherwise), and by what it is told apart."""

    since: Moment | None = None
    until: Moment | None = None
    by: Grouping = Grouping.WAY

    @model_validator(mode="after")
    def _in_order(self) -> "SparedQuery":
        if self.since is not None and self.until is not None and self.since >= self.until:
            raise PydanticCustomError("time_order", "it begins before it ends")
        return self


class SparedPartOut(Out):
    """How many materials were asked for, how many nobody had to hand in, and the share of those."""

    key: str
    materials: int
    spared: int
    rate: float | None

    @classmethod
    def of(cls, part: Spared) -> "SparedPartOut":
        """Return the answer for one part."""
        rate = None if part.rate is None else round(part.rate, 4)
        return cls(key=part.key, materials=part.materials, spared=part.spared, rate=rate)


class SparedOut(Out):
    """How much people were spared (免交率): over all that the operator may see, and by its parts."""

    since: datetime
    until: datetime
    whole: SparedPartOut
    parts: list[SparedPartOut]


@routes.post(
    "/applications/<application_id:uuid>/supplement-requests",
    access=entered_for(Move.ASK),
    status=201,
    answer=None,
    problems=(DemandUnlawful, StateForbids, RequestStale, AskedBefore, NotApproved),
    headers_in=("If-Match",),
)
async def demand(request: Request, application_id: UUID, body: DemandIn) -> Answer:
    """Ask the applicant for materials that are missing, once; what is not published or is spared is not asked for."""
    with in_edge_words():
        await require_case(request, application_id)
        # The tag is heeded where one comes: this address was there before cases had tags.
        await request.app.ctx.services.matters.demands.demand(
            request.ctx.operator,
            application_id,
            body.materials,
            body.note,
            version=version_of(request) if "if-match" in request.headers else None,
            exceptional=body.exceptional,
        )
    return Answer(status=201, location=f"/v1/staff/applications/{application_id}")


@routes.get(
    "/materials/spared",
    access=staff(Role.OPERATOR, Role.ACCEPTOR, Role.DEPARTMENT_OPERATOR, Role.AUDITOR, scope=Reach.ROWS),
    answer=SparedOut,
)
async def count_spared(request: Request, query: SparedQuery) -> Answer:
    """Count how many materials people were spared, by way, matter or department."""
    until = query.until or request.app.ctx.services.clock.now()
    since = max(query.since or until - _USUAL, until - _LONGEST)
    whole, parts = await request.app.ctx.services.matters.spared.count(
        since=since, until=until, by=query.by, scopes=scopes_of(request)
    )
    return Answer(
        SparedOut(
            since=since,
            until=until,
            whole=SparedPartOut.of(whole),
            parts=[SparedPartOut.of(part) for part in parts],
        )
    )
