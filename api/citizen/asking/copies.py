"""My copy of what I submitted."""

from uuid import UUID

from sanic.response import HTTPResponse

from api.access import Delegable, citizen
from api.operation import Request, Routes
from api.problems import RequestNotFound
from auth.rights.document import LayoutFailed
from auth.types import Level
from matters.errors import NoSuchApplication, StateForbids

routes = Routes(prefix="/v1/citizen/applications", tag="applications")


@routes.get(
    "/<application_id:uuid>/copy",
    access=citizen(Level.PRESENT, delegable=Delegable.OWN),
    answer=None,
    media_type="application/pdf",
    problems=(RequestNotFound, StateForbids, LayoutFailed),
)
async def make_copy(request: Request, application_id: UUID) -> HTTPResponse:
    """Get a copy of my submission as PDF: each answer with its source, materials, files."""
    try:
        name, content = await request.app.ctx.services.matters.copies.make(request.ctx.caller, application_id)
    except NoSuchApplication as error:
        raise RequestNotFound from error
    return HTTPResponse(
        content,
        content_type="application/pdf",
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "Cache-Control": "no-store",
            # Its words are the same for everybody, whatever language was asked for.
            "Content-Language": "zh-CN",
        },
    )
