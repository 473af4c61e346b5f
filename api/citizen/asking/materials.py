"""What I keep here to give it again: listed, kept for a purpose, forgotten when I say so."""

from datetime import datetime
from uuid import UUID

from api.access import Delegable, citizen
from api.citizen.asking.files import FileAddressOut, addressed
from api.operation import Answer, Body, Out, Page, Request, Routes
from api.problems import RequestNotFound
from auth.types import Level
from matters.errors import FileStoreUnavailable, MaterialInUse, NoSuchAttachment, NoSuchKeptMaterial, TooManyKept
from matters.materials.types import KeptMaterial, Reuse

PREFIX = "/v1/citizen/materials"
routes = Routes(prefix=PREFIX, tag="materials")


class KeepIn(Body):
    """Which file that I gave is to be kept, and for what it may be used again."""

    attachment: UUID
    reuse: Reuse


class KeptMaterialOut(Out):
    """Something I keep. `reuse`: for the same matter, for matters of the same department, or for any."""

    id: UUID
    kind: str
    title: str
    matter: str
    reuse: Reuse
    sha256: str
    bytes: int
    media_type: str
    given_at: datetime
    expires_at: datetime
    uses: int
    used_at: datetime | None

    @classmethod
    def of(cls, kept: KeptMaterial, *, english: bool) -> "KeptMaterialOut":
        """Return it in the words of the caller's language."""
        return cls(
            id=kept.id,
            kind=kept.kind,
            title=kept.title_en if english else kept.title,
            matter=kept.matter,
            reuse=kept.reuse,
            sha256=kept.sha256,
            bytes=kept.size,
            media_type=kept.media_type,
            given_at=kept.given_at,
            expires_at=kept.expires_at,
            uses=kept.uses,
            used_at=kept.used_at,
        )


@routes.get("", access=citizen(Level.REAL_NAME, delegable=Delegable.OWN), answer=Page[KeptMaterialOut])
async def list_kept(request: Request) -> Answer:
    """List what I keep here, the latest first."""
    kept = await request.app.ctx.services.matters.vault.list_of(request.ctx.caller)
    english = request.ctx.english
    return Answer(Page[KeptMaterialOut](items=[KeptMaterialOut.of(each, english=english) for each in kept]))


@routes.post(
    "",
    access=citizen(Level.REAL_NAME, delegable=Delegable.OWN),
    status=201,
    answer=KeptMaterialOut,
    problems=(RequestNotFound, TooManyKept, FileStoreUnavailable),
)
async def keep(request: Request, body: KeepIn) -> Answer:
    """Keep a file that I gave, to give it again; the same file again changes what it may be used for."""
    try:
        kept = await request.app.ctx.services.matters.vault.keep(request.ctx.caller, body.attachment, body.reuse)
    except NoSuchAttachment as error:
        raise RequestNotFound from error
    return Answer(KeptMaterialOut.of(kept, english=request.ctx.english), location=f"{PREFIX}/{kept.id}")


@routes.post(
    "/<kept_id:uuid>/addresses",
    access=citizen(Level.PRESENT, delegable=Delegable.OWN),
    status=201,
    answer=FileAddressOut,
    idempotency="none",
    problems=(RequestNotFound,),
)
async def give_address(request: Request, kept_id: UUID) -> Answer:
    """Get a short address for something I keep; it runs out after some minutes."""
    try:
        address = await request.app.ctx.services.matters.file_addresses.give_kept(request.ctx.caller, kept_id)
    except NoSuchKeptMaterial as error:
        raise RequestNotFound from error
    return addressed(request, address)


@routes.delete(
    "/<kept_id:uuid>",
    access=citizen(Level.REAL_NAME, delegable=Delegable.OWN),
    status=204,
    answer=None,
    problems=(RequestNotFound, MaterialInUse),
)
async def forget(request: Request, kept_id: UUID) -> Answer:
    """Forget something I keep; applications that it went along with have their own copy."""
    try:
        await request.app.ctx.services.matters.vault.remove(request.ctx.caller, kept_id)
    except NoSuchKeptMaterial as error:
        raise RequestNotFound from error
    return Answer(status=204)
