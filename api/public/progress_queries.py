"""How a case stands, for whoever holds its number and query code."""

from typing import Annotated

from pydantic import StringConstraints

from api.access import public
from api.citizen.application_words import ProgressOut
from api.operation import Answer, Body, Request, Routes
from core.cache import CacheUnavailable
from matters.errors import ProgressLocked, ProgressNotFound

routes = Routes(prefix="/v1/public", tag="public")


class ProgressQueryIn(Body):
    """The number of the case (43 characters) and the code given with it (6 digits)."""

    number: Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[0-9A-Z]+$")]
    query_code: Annotated[str, StringConstraints(pattern=r"^[0-9]{6}$")]


@routes.post(
    "/progress-queries",
    access=public(),
    answer=ProgressOut,
    problems=(ProgressNotFound, ProgressLocked, CacheUnavailable),
    idempotency="none",
)
async def query_progress(request: Request, body: ProgressQueryIn) -> Answer:
    """Ask how a case stands without logging in."""
    view = await request.app.ctx.services.progress.query(body.number, body.query_code, address=request.ctx.address)
    return Answer(ProgressOut.of(view, english=request.ctx.english))
