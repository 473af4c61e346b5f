"""Buried jobs: what was given up after many tries, and sending it again."""

from datetime import datetime
from uuid import UUID

from api.access import staff
from api.operation import Answer, Out, Page, PageQuery, Request, Routes, bad_cursor, decode_cursor, encode_cursor
from api.problems import RequestNotFound
from auth.types import Role
from core.audit.actors import Actor
from core.jobs.desk import BuriedJob

routes = Routes(prefix="/v1/staff", tag="jobs")


class BuriedJobOut(Out):
    """A job that was given up; `last_error` is a code, never a text."""

    id: UUID
    name: str
    attempts: int
    last_error: str
    created_at: datetime

    @classmethod
    def of(cls, job: BuriedJob) -> "BuriedJobOut":
        """Return the answer for a buried job."""
        return cls(
            id=job.id, name=job.name, attempts=job.attempts, last_error=job.last_error, created_at=job.created_at
        )


@routes.get("/jobs", access=staff(Role.SYSTEM_ADMIN, Role.OPERATOR), answer=Page[BuriedJobOut])
async def list_buried(request: Request, query: PageQuery) -> Answer:
    """List buried jobs, the oldest first."""
    after = decode_cursor(query.cursor, parts=1)
    try:
        last = UUID(after[0]) if after else None
    except ValueError as error:
        raise bad_cursor() from error
    jobs = await request.app.ctx.services.job_desk.list_buried(after=last, limit=query.limit + 1)
    more = len(jobs) > query.limit
    items = [BuriedJobOut.of(job) for job in jobs[: query.limit]]
    return Answer(Page[BuriedJobOut](items=items, next_cursor=encode_cursor([str(items[-1].id)]) if more else None))


@routes.post(
    "/jobs/<job_id:uuid>/resends",
    access=staff(Role.SYSTEM_ADMIN, Role.OPERATOR),
    status=202,
    answer=None,
)
async def resend(request: Request, job_id: UUID) -> Answer:
    """Send a buried job on its way again."""
    actor = Actor.operator(request.ctx.operator.operator_id)
    if not await request.app.ctx.services.job_desk.resend(actor, job_id):
        raise RequestNotFound
    return Answer(status=202)
