"""What residents ask a verifier to erase, and its word that it has."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from api.access import verifier
from api.citizen.rights import after, next_after
from api.operation import Answer, Body, Out, Page, PageQuery, Request, Routes
from api.problems import RequestNotFound
from auth.rights.errors import NoSuchReport
from auth.rights.types import LedgerReport, ReportAnswer
from core.signers.http_signature import SignatureInvalid

_PREFIX = "/v1/verifiers"
routes = Routes(prefix=_PREFIX, tag="verifications")


class ErasureOut(Out):
    """A resident asks to erase what was read; `line` is the reading, which the verifier knows by its time."""

    id: UUID
    line: UUID
    asked_at: datetime

    @classmethod
    def of(cls, report: LedgerReport) -> "ErasureOut":
        """Return the answer for a request."""
        return cls(id=report.id, line=report.line_id, asked_at=report.reported_at)


class ConfirmIn(Body):
    """What was done: erased, or kept because a law says so."""

    outcome: Literal["erased", "kept-by-law"]


def _party(request: Request) -> UUID:
    if request.ctx.verifier is None:
        raise SignatureInvalid
    return UUID(request.ctx.verifier)


@routes.get("/erasure-requests", access=verifier(), answer=Page[ErasureOut], problems=(SignatureInvalid,))
async def list_requests(request: Request, query: PageQuery) -> Answer:
    """List what residents ask this verifier to erase, oldest first."""
    reports = await request.app.ctx.services.ledger_reports.list_for(
        _party(request), after=after(query.cursor) or UUID(int=0), limit=query.limit + 1
    )
    return Answer(
        Page[ErasureOut](
            items=[ErasureOut.of(report) for report in reports[: query.limit]],
            next_cursor=next_after([report.id for report in reports], query.limit),
        )
    )


@routes.post(
    "/erasure-requests/<report_id:uuid>/confirmations",
    access=verifier(),
    status=204,
    idempotency="none",
    problems=(SignatureInvalid, RequestNotFound),
)
async def confirm(request: Request, report_id: UUID, body: ConfirmIn) -> Answer:
    """Say that it was erased, or has to be kept by law; the resident is told."""
    try:
        await request.app.ctx.services.ledger_reports.confirm(_party(request), report_id, ReportAnswer(body.outcome))
    except NoSuchReport as error:
        raise RequestNotFound from error
    return Answer()
