"""Files that were given: opened by a short address, and taken back as long as nothing was submitted."""

from datetime import datetime
from uuid import UUID

from api.access import Delegable, citizen
from api.operation import Answer, Out, Request, Routes
from api.problems import RequestNotFound
from auth.types import Level
from matters.attachments.file_addresses import FileAddress
from matters.errors import NoSuchAttachment, StateForbids

routes = Routes(prefix="/v1/citizen/attachments", tag="applications")


class FileAddressOut(Out):
    """Where a file can be read, without a token, until it runs out. The address is signed: pass it on to nobody."""

    url: str
    expires_at: datetime


def addressed(request: Request, address: FileAddress) -> Answer:
    """Answer with a short address."""
    path = f"/v1/public/files/{address.token}"
    url = request.app.ctx.services.public_url + path
    return Answer(FileAddressOut(url=url, expires_at=address.expires_at), location=path)


@routes.post(
    "/<attachment_id:uuid>/addresses",
    access=citizen(Level.PRESENT, delegable=Delegable.MATTERS),
    status=201,
    answer=FileAddressOut,
    idempotency="none",
    problems=(RequestNotFound,),
)
async def give_address(request: Request, attachment_id: UUID) -> Answer:
    """Get a short address for a file that I gave; it runs out after some minutes."""
    try:
        address = await request.app.ctx.services.matters.file_addresses.give(request.ctx.caller, attachment_id)
    except NoSuchAttachment as error:
        raise RequestNotFound from error
    return addressed(request, address)


@routes.delete(
    "/<attachment_id:uuid>",
    access=citizen(Level.REAL_NAME, delegable=Delegable.MATTERS),
    status=204,
    answer=None,
    problems=(RequestNotFound, StateForbids),
)
async def take_back(request: Request, attachment_id: UUID) -> Answer:
    """Take a file back that went along with a draft."""
    try:
        await request.app.ctx.services.attachments.take_back(request.ctx.caller, attachment_id)
    except NoSuchAttachment as error:
        raise RequestNotFound from error
    return Answer(status=204)
