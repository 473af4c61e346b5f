"""What I say about a line of my ledger: this was not me; ask them to erase. And all of it as a table to keep."""

import csv
import io
from collections.abc import Mapping
from datetime import datetime
from typing import Final
from uuid import UUID

from sanic.response import HTTPResponse

from api.access import Delegable, citizen
from api.citizen.ledger import lines_out
from api.operation import Answer, Body, Out, Request, Routes
from api.problems import RequestNotFound, language_headers
from auth.rights.errors import NoSuchLine, NoSuchReport, ReportUnsuitable
from auth.rights.types import LedgerReport, ReportAnswer, ReportKind
from auth.types import Level
from core.audit.ledger import lines_of
from core.clock import CHINA

_PREFIX = "/v1/citizen/ledger"
routes = Routes(prefix=_PREFIX, tag="ledger")

# What is older is in the export of everything (`POST /v1/citizen/exports`).
_MOST: Final = 2000
# What stands in the table, and what its columns are called: words, no codes but the two to ask by.
_COLUMNS: Final[Mapping[str, tuple[str, str]]] = {
    "at": ("时间（北京时间）", "Time (Beijing)"),
    "actor": ("谁", "Who"),
    "what": ("做了什么", "What was done"),
    "purpose": ("用途", "Purpose"),
    "certificate_title": ("证照", "Certificate"),
    "field_titles": ("内容项", "Fields"),
    "outcome_title": ("结果", "Outcome"),
    "case": ("办件或申请编号", "Case"),
    "id": ("记录编号", "Line"),
}
# A cell that begins like this is a formula to a spreadsheet.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


class LineReportIn(Body):
    """What is wrong with the line: `not-me` goes to the security staff, `erasure` to the verifier that read it."""

    kind: ReportKind


class LineReportOut(Out):
    """A report, and its answer once there is one."""

    id: UUID
    line: UUID
    kind: ReportKind
    answer: ReportAnswer | None
    reported_at: datetime
    answered_at: datetime | None

    @classmethod
    def of(cls, report: LedgerReport) -> "LineReportOut":
        """Return the answer for a report."""
        return cls(
            id=report.id,
            line=report.line_id,
            kind=report.kind,
            answer=report.answer,
            reported_at=report.reported_at,
            answered_at=report.answered_at,
        )


@routes.post(
    "/<line_id:uuid>/reports",
    access=citizen(Level.REAL_NAME, delegable=Delegable.OWN),
    status=201,
    answer=LineReportOut,
    problems=(RequestNotFound, ReportUnsuitable),
)
async def report(request: Request, line_id: UUID, body: LineReportIn) -> Answer:
    """Report a line: somebody else used my data, or whoever read them shall erase them."""
    try:
        made = await request.app.ctx.services.ledger_reports.report(request.ctx.caller, line_id, body.kind)
    except NoSuchLine as error:
        raise RequestNotFound from error
    return Answer(LineReportOut.of(made), location=f"{_PREFIX}/reports/{made.id}")


@routes.get(
    "/reports/<line_report_id:uuid>",
    access=citizen(Level.REAL_NAME, delegable=Delegable.OWN),
    answer=LineReportOut,
    problems=(RequestNotFound,),
)
async def get_report(request: Request, line_report_id: UUID) -> Answer:
    """Show what I have reported of a line, and the answer once there is one."""
    try:
        report = await request.app.ctx.services.ledger_reports.get(request.ctx.caller, line_report_id)
    except NoSuchReport as error:
        raise RequestNotFound from error
    return Answer(LineReportOut.of(report))


@routes.get("/file", access=citizen(Level.REAL_NAME, delegable=Delegable.OWN), media_type="text/csv")
async def fetch_file(request: Request) -> HTTPResponse:
    """Fetch the newest 2,000 lines as a table (CSV, UTF-8) in the words of the caller's language; times are China's."""
    lines = await lines_of(request.ctx.caller.citizen_id, before=None, limit=_MOST)
    out = io.StringIO()
    writer = csv.writer(out)
    english = request.ctx.english
    writer.writerow([words[english] for words in _COLUMNS.values()])
    for line in await lines_out(request, lines):
        told = dict(line) | {"at": f"{line.at.astimezone(CHINA):%Y-%m-%d %H:%M:%S}"}
        writer.writerow([_cell(told[name], english=english) for name in _COLUMNS])
    return HTTPResponse(
        # A spreadsheet takes it for UTF-8 by this mark.
        f"\ufeff{out.getvalue()}",
        content_type="text/csv; charset=utf-8",
        headers={
            "Content-Disposition": 'attachment; filename="ledger.csv"',
            "Cache-Control": "no-store",
            **language_headers(english=english),
        },
    )


def _cell(value: object, *, english: bool) -> str:
    between = ", " if english else "、"
    text = "" if value is None else between.join(map(str, value)) if isinstance(value, list) else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text
