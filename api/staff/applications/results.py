"""Results for staff: saying that one was handed over, and the package for the archive."""

from uuid import UUID

from sanic.response import HTTPResponse

from api.access import Reach, require_scope, staff
from api.operation import Answer, Query, Request, Routes
from api.staff.words import Reason, ReasonIn, found
from auth.rights.document import LayoutFailed
from auth.staff.errors import TooManyOpenings
from auth.types import Role
from matters.applications.concerned import whom_it_concerns
from matters.errors import FileStoreUnavailable, StateForbids
from matters.reach import scope_of
from matters.results.errors import NothingDecided

routes = Routes(prefix="/v1/staff/applications", tag="applications")


class ArchiveQuery(Query):
    """What a whole case is opened for; the applicant reads it."""

    purpose: Reason


@routes.post(
    "/<application_id:uuid>/deliveries",
    access=staff(Role.ACCEPTOR, Role.DEPARTMENT_OPERATOR, scope=Reach.ROWS),
    status=201,
    answer=None,
    problems=(NothingDecided, StateForbids),
)
async def deliver(request: Request, application_id: UUID, body: ReasonIn) -> Answer:
    """Say that the result was handed over: by the courier, or to whoever picked it up; `reason` says how."""
    with found():
        about = await whom_it_concerns(application_id)
        require_scope(request, scope_of(about))
        await request.app.ctx.services.matters.results.deliveries.deliver(
            request.ctx.operator, application_id, body.reason
        )
    return Answer(status=201, location=f"/v1/staff/applications/{application_id}")


@routes.get(
    "/<application_id:uuid>/archive",
    access=staff(Role.ACCEPTOR, Role.DEPARTMENT_OPERATOR, scope=Reach.ROWS),
    answer=None,
    media_type="application/zip",
    problems=(StateForbids, LayoutFailed, FileStoreUnavailable, TooManyOpenings),
)
async def get_archive(request: Request, application_id: UUID, query: ArchiveQuery) -> HTTPResponse:
    """Get a case as a zip with a signed list of what is in it; it counts as an opening, and stands in their ledger."""
    with found():
        about = await whom_it_concerns(application_id)
        require_scope(request, scope_of(about))
        services = request.app.ctx.services
        await services.openings.count(request.ctx.operator)
        package = await services.matters.results.archives.read(request.ctx.operator, application_id, query.purpose)
    return HTTPResponse(
        package.content,
        content_type="application/zip",
        headers={
            "Content-Disposition": f'attachment; filename="{package.name}"',
            "Cache-Control": "no-store",
            "Content-Language": "zh-CN",
        },
    )
