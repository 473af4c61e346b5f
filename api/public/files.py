"""Files by their short addresses: whoever has one may read the file until it runs out."""

from sanic.response import HTTPResponse

from api.access import public
from api.operation import Request, Routes
from matters.errors import FileAddressExpired, FileStoreUnavailable

routes = Routes(prefix="/v1/public", tag="applications")


@routes.get(
    "/files/<token:str>",
    access=public(),
    answer=None,
    media_type="image/jpeg",
    also_media=("image/png", "application/pdf"),
    problems=(FileAddressExpired, FileStoreUnavailable),
)
async def read(request: Request, token: str) -> HTTPResponse:
    """Read a file by the address that its owner was given."""
    file = await request.app.ctx.services.matters.file_addresses.open(token, address=request.ctx.address)
    ending = file.media_type.rpartition("/")[2]
    return HTTPResponse(
        file.content,
        content_type=file.media_type,
        headers={
            "Content-Disposition": f'inline; filename="material.{ending}"',
            "Cache-Control": "private, no-store",
            # Whatever a reader makes of it, it acts on nothing of ours.
            "Content-Security-Policy": "sandbox; default-src 'none'",
            "X-Content-Type-Options": "nosniff",
        },
    )
