"""What came of my application: the decision on paper, and how I want it."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import StringConstraints
from sanic.response import HTTPResponse

from api.access import Delegable, citizen
from api.operation import Answer, Body, Out, Request, Routes
from api.problems import RequestNotFound
from auth.rights.document import LayoutFailed
from auth.types import Level
from matters.errors import FileStoreUnavailable, NoSuchApplication
from matters.results.errors import DeliveryTooLate, NothingDecided, PlaceNeeded
from matters.results.types import DeliveryChoice, DeliveryState, DeliveryWay

PREFIX = "/v1/citizen/applications"
routes = Routes(prefix=PREFIX, tag="applications")


class DeliveryChoiceIn(Body):
    """How the result comes; `place` is the address for the courier, or the hall where it is picked up."""

    way: DeliveryWay
    place: Annotated[str, StringConstraints(max_length=200, strip_whitespace=True)] = ""


class DeliveryChoiceOut(Out):
    """How the result comes, and how far it is."""

    way: DeliveryWay
    state: DeliveryState
    place: str
    chosen_at: datetime | None

    @classmethod
    def of(cls, choice: DeliveryChoice) -> "DeliveryChoiceOut":
        """Return the answer for a choice."""
        return cls(way=choice.way, state=choice.state, place=choice.place, chosen_at=choice.chosen_at)


@routes.get(
    "/<application_id:uuid>/decision",
    access=citizen(Level.PRESENT, delegable=Delegable.OWN),
    answer=None,
    media_type="application/pdf",
    problems=(RequestNotFound, NothingDecided, LayoutFailed, FileStoreUnavailable),
)
async def get_decision(request: Request, application_id: UUID) -> HTTPResponse:
    """Get the decision as PDF, signed, with a code to check it by."""
    try:
        paper = await request.app.ctx.services.matters.results.documents.read(request.ctx.caller, application_id)
    except NoSuchApplication as error:
        raise RequestNotFound from error
    return HTTPResponse(
        paper.pdf,
        content_type="application/pdf",
        headers={
            "Content-Disposition": f'attachment; filename="{paper.file_name}"',
            "Cache-Control": "no-store",
            # Its words are the same for everybody, whatever language was asked for.
            "Content-Language": "zh-CN",
        },
    )


@routes.post(
    "/<application_id:uuid>/delivery-choices",
    access=citizen(Level.REAL_NAME, delegable=Delegable.MATTERS),
    status=201,
    answer=DeliveryChoiceOut,
    problems=(RequestNotFound, PlaceNeeded, DeliveryTooLate),
)
async def choose_delivery(request: Request, application_id: UUID, body: DeliveryChoiceIn) -> Answer:
    """Choose how the result comes: electronically, by courier, or to be picked up; also again, until it has come."""
    try:
        choice = await request.app.ctx.services.matters.results.deliveries.choose(
            request.ctx.caller, application_id, body.way, body.place
        )
    except NoSuchApplication as error:
        raise RequestNotFound from error
    return Answer(DeliveryChoiceOut.of(choice), location=f"{PREFIX}/{application_id}/delivery-choices")


@routes.get(
    "/<application_id:uuid>/delivery-choices",
    access=citizen(Level.REAL_NAME, delegable=Delegable.MATTERS),
    answer=DeliveryChoiceOut,
    problems=(RequestNotFound,),
)
async def get_delivery(request: Request, application_id: UUID) -> Answer:
    """Read how the result comes: electronically unless something else was chosen."""
    try:
        choice = await request.app.ctx.services.matters.results.deliveries.chosen(request.ctx.caller, application_id)
    except NoSuchApplication as error:
        raise RequestNotFound from error
    return Answer(DeliveryChoiceOut.of(choice))
