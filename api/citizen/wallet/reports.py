"""Wrong values on a certificate: a resident reports one, and reads what the issuer says."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import StringConstraints

from api.access import Delegable, citizen
from api.operation import Answer, Body, Out, Page, Request, Routes
from api.problems import RequestNotFound
from auth.types import Level
from certificates.errors import FieldUnknown
from certificates.types import Report, ReportState

routes = Routes(prefix="/v1/citizen/certificates", tag="certificates")


class ReportIn(Body):
    """Which field is wrong, and what is right or how one knows."""

    field: Annotated[str, StringConstraints(min_length=1, max_length=40)]
    text: Annotated[str, StringConstraints(min_length=1, max_length=500, strip_whitespace=True)]


class ReportOut(Out):
    """A report and how far it is; `note` is what the issuer says."""

    id: UUID
    field: str
    text: str
    state: ReportState
    created_at: datetime
    answered_at: datetime | None
    note: str | None

    @classmethod
    def of(cls, report: Report) -> "ReportOut":
        """Return a report as it stands."""
        return cls(
            id=report.id,
            field=report.field,
            text=report.text,
            state=report.state,
            created_at=report.created_at,
            answered_at=report.answered_at,
            note=report.note,
        )


@routes.post(
    "/<certificate_id:uuid>/reports",
    access=citizen(Level.PRESENT, delegable=Delegable.CERTIFICATES),
    status=201,
    answer=ReportOut,
    problems=(RequestNotFound, FieldUnknown),
)
async def report(request: Request, certificate_id: UUID, body: ReportIn) -> Answer:
    """Report that a value is wrong; its issuer is asked to look into it."""
    made = await request.app.ctx.services.certificate_reports.report(
        request.ctx.caller, certificate_id, field=body.field, text=body.text
    )
    if made is None:
        raise RequestNotFound
    return Answer(ReportOut.of(made), location=f"/v1/citizen/certificates/{certificate_id}/reports")


@routes.get(
    "/<certificate_id:uuid>/reports",
    access=citizen(Level.PRESENT, delegable=Delegable.CERTIFICATES),
    answer=Page[ReportOut],
    problems=(RequestNotFound,),
)
async def list_reports(request: Request, certificate_id: UUID) -> Answer:
    """List what was reported of a certificate, newest first."""
    reports = await request.app.ctx.services.certificate_reports.list_of(request.ctx.caller, certificate_id)
    if reports is None:
        raise RequestNotFound
    return Answer(Page[ReportOut](items=[ReportOut.of(each) for each in reports]))
