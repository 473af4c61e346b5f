"""Deliveries that need a person: listed, settled by what somebody found out, sent again."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from api.access import scopes_of
from api.operation import Answer, Body, Out, Page, PageQuery, Request, Routes, decode_place, encode_place
from api.staff.applications.acting import CASE, entered_by, in_edge_words, require_case
from matters.errors import StateForbids
from matters.handling.errors import DeliverySettled
from matters.handling.rules import FORWARDING
from matters.handling.types import Arrival, DeliveryQueue, OpenDelivery
from matters.types import DeliveryState, State

routes = Routes(prefix="/v1/staff", tag="applications")


class DeliveryQuery(PageQuery):
    """Why a person is needed."""

    queue: DeliveryQueue = DeliveryQueue.UNKNOWN


class StuckDeliveryOut(Out):
    """A delivery that waits for a person; `id` is the application's."""

    id: UUID
    number: str
    matter: str
    department: str
    queue: DeliveryQueue
    state: DeliveryState
    case_state: State
    failures: int
    reason: str
    since: datetime

    @classmethod
    def of(cls, delivery: OpenDelivery) -> "StuckDeliveryOut":
        """Return the answer for one."""
        return cls(**{name: getattr(delivery, name) for name in cls.model_fields})


class ArrivalIn(Body):
    """Whether the dossier arrived; then with the department's receipt number."""

    outcome: Arrival
    receipt_number: Annotated[str, StringConstraints(max_length=64, strip_whitespace=True)] = ""

    @model_validator(mode="after")
    def _with_its_receipt(self) -> "ArrivalIn":
        if (self.outcome is Arrival.ARRIVED) != bool(self.receipt_number):
            raise PydanticCustomError("receipt", "what arrived has a receipt number, and nothing else has")
        return self


@routes.get("/deliveries", access=entered_by(FORWARDING), answer=Page[StuckDeliveryOut])
async def list_stuck(request: Request, query: DeliveryQuery) -> Answer:
    """List deliveries that need a person, the oldest first."""
    found = await request.app.ctx.services.matters.handling.deliveries.list_stuck(
        query.queue, scopes_of(request), after=decode_place(query.cursor), limit=query.limit + 1
    )
    page = found[: query.limit]
    return Answer(
        Page[StuckDeliveryOut](
            items=[StuckDeliveryOut.of(each) for each in page],
            next_cursor=encode_place(page[-1].since, page[-1].id) if len(found) > len(page) else None,
        )
    )


@routes.post(
    f"{CASE}/arrivals",
    access=entered_by(FORWARDING),
    status=204,
    answer=None,
    problems=(DeliverySettled,),
)
async def settle(request: Request, application_id: UUID, body: ArrivalIn) -> Answer:
    """Say whether a dossier arrived of which nobody knew; what did not arrive is sent again, once."""
    with in_edge_words():
        await require_case(request, application_id)
        await request.app.ctx.services.matters.handling.deliveries.settle(
            request.ctx.operator, application_id, body.outcome, receipt_number=body.receipt_number
        )
    return Answer(status=204)


@routes.post(
    f"{CASE}/resends",
    access=entered_by(FORWARDING),
    status=202,
    answer=None,
    problems=(DeliverySettled, StateForbids),
)
async def resend(request: Request, application_id: UUID) -> Answer:
    """Send a dossier again that was refused, or that every try has failed to bring."""
    with in_edge_words():
        await require_case(request, application_id)
        await request.app.ctx.services.matters.handling.deliveries.resend(request.ctx.operator, application_id)
    return Answer(status=202)
