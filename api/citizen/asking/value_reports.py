"""Saying that a prefilled value is wrong."""

from typing import Annotated
from uuid import UUID

from pydantic import StringConstraints

from api.access import Delegable, citizen
from api.operation import Answer, Body, Out, Request, Routes
from api.problems import RequestNotFound, RequestStale
from auth.rights.errors import CorrectionsTooMany
from auth.types import Level
from matters.errors import ChangedMeanwhile, NoSuchApplication, NotPrefilled

PREFIX = "/v1/citizen/applications"
routes = Routes(prefix=PREFIX, tag="applications")


class ValueReportIn(Body):
    """Which field of the form is wrong, and how."""

    field: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    text: Annotated[str, StringConstraints(min_length=2, max_length=500, strip_whitespace=True)]


class ValueReportOut(Out):
    """The ticket at whoever keeps the value."""

    ticket: str


@routes.post(
    "/<application_id:uuid>/value-reports",
    access=citizen(Level.REAL_NAME, delegable=Delegable.OWN),
    status=201,
    answer=ValueReportOut,
    problems=(RequestNotFound, NotPrefilled, CorrectionsTooMany, RequestStale),
)
async def report(request: Request, application_id: UUID, body: ValueReportIn) -> Answer:
    """Say that a value that was filled in for me is wrong; whoever keeps it looks into it."""
    try:
        ticket = await request.app.ctx.services.value_reports.report(
            request.ctx.caller, application_id, body.field, body.text
        )
    except NoSuchApplication as error:
        raise RequestNotFound from error
    except ChangedMeanwhile as error:
        raise RequestStale from error
    return Answer(ValueReportOut(ticket=ticket), location=f"{PREFIX}/{application_id}")
