"""The files of a case, listed and fetched by the department that decides it."""

from datetime import datetime

from sanic.response import HTTPResponse

from api.access import NotYourCase, department
from api.operation import Answer, Out, Page, Request, Routes
from api.problems import RequestNotFound
from core.signers.http_signature import SignatureInvalid
from matters.errors import FileAddressExpired, FileStoreUnavailable, NoSuchApplication
from matters.types import DossierFile

routes = Routes(prefix="/v1/departments", tag="departments")


class CaseFileOut(Out):
    """A file of a case. `size` (bytes) and `sha256` are those of what `url` answers with, until `expires_at`."""

    id: str
    material: str
    name: str
    media_type: str
    size: int
    sha256: str
    url: str
    expires_at: datetime

    @classmethod
    def of(cls, file: DossierFile) -> "CaseFileOut":
        """Show a file."""
        return cls(
            id=str(file.id),
            material=file.material,
            name=file.name,
            media_type=file.media_type,
            size=file.size,
            sha256=file.sha256,
            url=file.address,
            expires_at=file.expires_at,
        )


async def let_in(request: Request, **_path: str) -> None:
    """Count the request before its transaction begins."""
    await request.app.ctx.services.matters.case_files.let_in(request.ctx.department)


async def read(request: Request, reference: str, token: str, **_path: str) -> object:
    """Count the request and read the file, before the transaction that tells of it: stores are asked in none."""
    files = request.app.ctx.services.matters.case_files
    await files.let_in(request.ctx.department)
    return await files.fetch(request.ctx.department, reference, token)


@routes.get(
    "/<department:str>/cases/<reference:str>/files",
    access=department(),
    answer=Page[CaseFileOut],
    problems=(SignatureInvalid, NotYourCase, RequestNotFound),
    prepare=let_in,
)
async def listed(request: Request, reference: str) -> Answer:
    """List all files of an open case of the department's, with fresh addresses; never more than fit on one page."""
    try:
        files = await request.app.ctx.services.matters.case_files.listed(request.ctx.department, reference)
    except NoSuchApplication as error:
        raise RequestNotFound from error
    return Answer(Page[CaseFileOut](items=[CaseFileOut.of(file) for file in files]))


@routes.get(
    "/<department:str>/cases/<reference:str>/files/<token:str>",
    access=department(),
    answer=None,
    media_type="image/jpeg",
    also_media=("image/png", "application/pdf"),
    problems=(SignatureInvalid, NotYourCase, FileAddressExpired, FileStoreUnavailable),
    prepare=read,
)
async def fetch(request: Request) -> HTTPResponse:
    """Fetch a file of an open case by the address that its department was given; the resident's ledger tells of it."""
    fetched = request.ctx.prepared
    await request.app.ctx.services.matters.case_files.tell(request.ctx.department, fetched)
    return HTTPResponse(
        fetched.content,
        content_type=fetched.media_type,
        headers={"Cache-Control": "private, no-store", "X-Content-Type-Options": "nosniff"},
    )
