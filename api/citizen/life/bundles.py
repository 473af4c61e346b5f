"""A bundle (一件事) for the one who asks: one view of all its matters, and all its drafts in one go."""

from typing import Annotated

from pydantic import Field

from api.access import Delegable, citizen
from api.citizen.life.bundle_words import BegunOut, BundleGuideOut
from api.citizen.matter_words import Word
from api.operation import Answer, Body, Request, Routes
from api.problems import RequestNotFound
from auth.types import Level
from matters.errors import MatterUnknown, NothingToApplyFor, RequirementUnmet

routes = Routes(prefix="/v1/citizen/bundles", tag="matters")


class BeginIn(Body):
    """Which of the matters to begin (slug or code); left out: all that can be applied for."""

    matters: Annotated[list[Word], Field(min_length=1, max_length=20)] | None = None


@routes.get(
    "/<bundle:str>",
    access=citizen(Level.LINKED, delegable=Delegable.MATTERS),
    answer=BundleGuideOut,
    problems=(RequestNotFound,),
)
async def open_bundle(request: Request, bundle: str) -> Answer:
    """Open a bundle: what its matters ask of the caller together, and what is left to bring, each thing once."""
    try:
        guide = await request.app.ctx.services.matters.bundles.open(request.ctx.caller, bundle)
    except MatterUnknown as error:
        raise RequestNotFound from error
    return Answer(BundleGuideOut.made_out(guide, english=request.ctx.english))


@routes.post(
    "/<bundle:str>/applications",
    access=citizen(Level.REAL_NAME, delegable=Delegable.MATTERS),
    status=201,
    answer=BegunOut,
    problems=(RequestNotFound, NothingToApplyFor, RequirementUnmet),
    idempotency="required",
)
async def begin(request: Request, body: BeginIn, bundle: str) -> Answer:
    """Begin a bundle: a draft for each of its matters; each goes on as an application of its own."""
    try:
        begun = await request.app.ctx.services.matters.bundles.begin(request.ctx.caller, bundle, body.matters)
    except MatterUnknown as error:
        raise RequestNotFound from error
    return Answer(BegunOut.of(begun, english=request.ctx.english), location="/v1/citizen/applications")
