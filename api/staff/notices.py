"""Notices that reached nobody outside the inbox: how many, by which channel, and why. No person is shown."""

from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

from pydantic import Field

from api.access import staff
from api.operation import Answer, Out, Page, PageQuery, Request, Routes, decode_place, encode_place
from auth.types import Role
from notices.types import Undelivered, UndeliveredCount, Urgency

routes = Routes(prefix="/v1/staff", tag="notices")


class UndeliveredQuery(PageQuery):
    """Where in the list to go on, and over how many hours the counts go."""

    hours: Annotated[int, Field(ge=1, le=24 * 90)] = 24


class UndeliveredOut(Out):
    """A notice that reached nobody outside the inbox; `channel` failed last, `none` where there is none."""

    id: UUID
    event: str
    urgency: Urgency
    channel: str
    reason: str
    at: datetime

    @classmethod
    def of(cls, found: Undelivered) -> "UndeliveredOut":
        """Return the answer for a notice."""
        return cls(
            id=found.id,
            event=found.event,
            urgency=found.urgency,
            channel=found.channel or "none",
            reason=found.reason,
            at=found.at,
        )


class CountOut(Out):
    """How many notices a channel did not bring for a reason."""

    channel: str
    reason: str
    count: int

    @classmethod
    def of(cls, count: UndeliveredCount) -> "CountOut":
        """Return the answer for a count."""
        return cls(channel=count.channel or "none", reason=count.reason, count=count.count)


class UndeliveredPage(Page[UndeliveredOut]):
    """One page of the list, and the counts of the last hours."""

    counts: list[CountOut]


@routes.get("/undelivered-notices", access=staff(Role.SYSTEM_ADMIN, Role.OPERATOR), answer=UndeliveredPage)
async def list_undelivered(request: Request, query: UndeliveredQuery) -> Answer:
    """List notices that reached nobody outside the inbox, newest first, and count them by channel and reason."""
    undelivered = request.app.ctx.services.undelivered_notices
    found = await undelivered.list_undelivered(before=decode_place(query.cursor), limit=query.limit + 1)
    page = found[: query.limit]
    counts = await undelivered.counts(timedelta(hours=query.hours))
    return Answer(
        UndeliveredPage(
            items=[UndeliveredOut.of(each) for each in page],
            next_cursor=encode_place(page[-1].at, page[-1].id) if len(found) > len(page) else None,
            counts=[CountOut.of(each) for each in counts],
        )
    )
