"""What comes up in a life, for everybody: the list from birth on, and bundles, without logging in."""

from api.access import public
from api.citizen.life.bundle_words import (
    BundleGuideOut,
    BundleOut,
    BundlesQuery,
    LifeItemOut,
    LifeQuery,
    bundles_page,
    items_page,
)
from api.operation import Answer, Page, Request, Routes
from api.problems import RequestNotFound
from matters.errors import MatterUnknown

routes = Routes(prefix="/v1/public", tag="catalogue")


@routes.get("/life-items", access=public(), answer=Page[LifeItemOut])
async def list_items(request: Request, query: LifeQuery) -> Answer:
    """List what comes up in a life, from birth on, with the matters that answer to it."""
    return Answer(items_page(request.app.ctx.services.matters.life, query, english=request.ctx.english))


@routes.get("/bundles", access=public(), answer=Page[BundleOut])
async def list_bundles(request: Request, query: BundlesQuery) -> Answer:
    """List bundles by event of life, group and words; of words the best answer comes first."""
    return Answer(bundles_page(request.app.ctx.services.matters.life, query, english=request.ctx.english))


@routes.get("/bundles/<bundle:str>", access=public(), answer=BundleGuideOut, problems=(RequestNotFound,))
async def open_bundle(request: Request, bundle: str) -> Answer:
    """Read a bundle, made out for somebody who is not known."""
    try:
        guide = await request.app.ctx.services.matters.bundles.for_anybody(bundle)
    except MatterUnknown as error:
        raise RequestNotFound from error
    return Answer(BundleGuideOut.made_out(guide, english=request.ctx.english))
