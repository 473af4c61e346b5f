"""What residents say was not them, and what suspended verifiers shall erase: a queue, and one answer to each."""

from typing import Literal
from uuid import UUID

from api.access import staff
from api.citizen.rights import after, next_after
from api.citizen.wallet.ledger_reports import LineReportOut
from api.operation import Answer, Body, Page, PageQuery, Request, Routes
from api.problems import RequestNotFound
from auth.rights.errors import NoSuchReport
from auth.rights.types import ReportAnswer
from auth.types import Role

routes = Routes(prefix="/v1/staff", tag="corrections")


class JudgeIn(Body):
    """What came out: the use was in order or misuse; or a verifier that is suspended has erased, or has to keep."""

    outcome: Literal["in-order", "misuse", "erased", "kept-by-law"]


@routes.get("/ledger-reports", access=staff(Role.SECURITY_ADMIN), answer=Page[LineReportOut])
async def list_reports(request: Request, query: PageQuery) -> Answer:
    """List open reports for the security staff, oldest first; the line's id is found in the audit."""
    reports = await request.app.ctx.services.ledger_reports.list_open(
        after=after(query.cursor) or UUID(int=0), limit=query.limit + 1
    )
    return Answer(
        Page[LineReportOut](
            items=[LineReportOut.of(report) for report in reports[: query.limit]],
            next_cursor=next_after([report.id for report in reports], query.limit),
        )
    )


@routes.post(
    "/ledger-reports/<report_id:uuid>/answers",
    access=staff(Role.SECURITY_ADMIN),
    status=204,
    problems=(RequestNotFound,),
)
async def answer(request: Request, report_id: UUID, body: JudgeIn) -> Answer:
    """Answer a report; the resident is told."""
    try:
        await request.app.ctx.services.ledger_reports.answer(
            request.ctx.operator, report_id, ReportAnswer(body.outcome)
        )
    except NoSuchReport as error:
        raise RequestNotFound from error
    return Answer()
