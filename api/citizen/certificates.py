"""A resident's certificates: the wallet, one of them, fetching, and showing."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints

from api.access import Delegable, citizen
from api.operation import Answer, Body, Out, Page, PageQuery, Request, Routes, bad_cursor, decode_cursor, encode_cursor
from api.problems import RequestNotFound
from auth.types import Level
from certificates.errors import (
    ClaimUnknown,
    FieldUnknown,
    IssuerUnavailable,
    KindUnknown,
    NoneHeld,
    StateForbids,
    VerifierUnknown,
)
from certificates.types import (
    PURPOSE,
    PURPOSE_LENGTH,
    CertificateView,
    Colour,
    OpenedCertificate,
    Shown,
    State,
    Value,
)

PREFIX = "/v1/citizen/certificates"
routes = Routes(prefix=PREFIX, tag="certificates")

Word = Annotated[str, StringConstraints(min_length=1, max_length=40)]


class FetchIn(Body):
    """Which kind of certificate to fetch."""

    kind: Word


class ShowIn(Body):
    """What a code lets out: `fields` (the card face when left out), `claims` like `age>=18`, for whom, and why."""

    fields: Annotated[list[Word], Field(max_length=40)] | None = None
    claims: Annotated[list[Word], Field(max_length=8)] = Field(default_factory=list)
    verifier: UUID | None = None
    purpose: Annotated[str, StringConstraints(max_length=PURPOSE_LENGTH, pattern=PURPOSE)] = ""


class CertificateOut(Out):
    """A certificate in the wallet; `number` is masked, `stale_since` tells since when its issuer cannot be asked."""

    id: UUID
    kind: str
    title: str
    number: str
    state: State
    valid_until: date | None
    issuer: str
    stale_since: datetime | None

    @classmethod
    def of(cls, view: CertificateView, *, english: bool) -> "CertificateOut":
        """Return a certificate in the words of the caller's language."""
        return cls(
            id=view.id,
            kind=view.kind,
            title=view.title_en if english else view.title,
            number=view.number,
            state=view.state,
            valid_until=view.valid_until,
            issuer=view.issuer,
            stale_since=view.stale_since,
        )


class OpenedOut(CertificateOut):
    """A certificate with its fields open; `titles` names them, `card_face` lists those shown first."""

    fields: dict[str, Value]
    titles: dict[str, str]
    card_face: list[str]
    identifier: str

    @classmethod
    def opened(cls, opened: OpenedCertificate, *, english: bool) -> "OpenedOut":
        """Return an opened certificate in the words of the caller's language."""
        held = opened.held
        return cls(
            **CertificateOut.of(opened.view, english=english).model_dump(),
            fields=dict(held.fields),
            titles={each.name: each.title_en if english else each.title for each in held.kind.fields},
            card_face=list(held.kind.card_face),
            identifier=held.identifier,
        )


class ShownOut(Out):
    """A code to be scanned: once, until `expires_at`."""

    id: UUID
    code: str
    qr_svg: str
    colour: Colour
    expires_at: datetime

    @classmethod
    def of(cls, shown: Shown) -> "ShownOut":
        """Return a code with its picture."""
        return cls(id=shown.id, code=shown.code, qr_svg=shown.qr_svg, colour=shown.colour, expires_at=shown.expires_at)


@routes.get(
    "",
    access=citizen(Level.REAL_NAME, delegable=Delegable.CERTIFICATES, organisations=True),
    answer=Page[CertificateOut],
)
async def list_held(request: Request, query: PageQuery) -> Answer:
    """List the certificates in the wallet."""
    views = await request.app.ctx.services.wallet.list_held(
        request.ctx.caller, after=_after(query.cursor), limit=query.limit + 1
    )
    page = views[: query.limit]
    return Answer(
        Page[CertificateOut](
            items=[CertificateOut.of(view, english=request.ctx.english) for view in page],
            next_cursor=encode_cursor([str(page[-1].id)]) if len(views) > len(page) else None,
        )
    )


def _after(cursor: str | None) -> UUID | None:
    parts = decode_cursor(cursor, parts=1)
    try:
        return None if parts is None else UUID(parts[0])
    except ValueError as error:
        raise bad_cursor() from error


@routes.post(
    "",
    access=citizen(Level.REAL_NAME, delegable=Delegable.CERTIFICATES),
    status=201,
    answer=CertificateOut,
    also={200: CertificateOut},
    problems=(KindUnknown, NoneHeld, IssuerUnavailable),
)
async def fetch(request: Request, body: FetchIn) -> Answer:
    """Fetch a certificate from its issuer, or refresh the one that is held."""
    view, is_new = await request.app.ctx.services.wallet.fetch(request.ctx.caller, body.kind)
    return Answer(
        CertificateOut.of(view, english=request.ctx.english),
        status=201 if is_new else 200,
        location=f"{PREFIX}/{view.id}",
    )


@routes.get(
    "/<certificate_id:uuid>",
    access=citizen(Level.PRESENT, delegable=Delegable.CERTIFICATES),
    answer=OpenedOut,
    problems=(RequestNotFound,),
)
async def open_one(request: Request, certificate_id: UUID) -> Answer:
    """Open a certificate: its fields and its identifier."""
    opened = await request.app.ctx.services.wallet.find_opened(request.ctx.caller, certificate_id)
    if opened is None:
        raise RequestNotFound
    return Answer(OpenedOut.opened(opened, english=request.ctx.english))


@routes.post(
    "/<certificate_id:uuid>/presentations",
    access=citizen(Level.PRESENT, delegable=Delegable.CERTIFICATES),
    status=201,
    answer=ShownOut,
    problems=(RequestNotFound, FieldUnknown, ClaimUnknown, VerifierUnknown, StateForbids),
)
async def show(request: Request, certificate_id: UUID, body: ShowIn) -> Answer:
    """Show a certificate: a code that lives for a minute and works once."""
    shown = await request.app.ctx.services.presentation.show(
        request.ctx.caller,
        certificate_id,
        fields=body.fields,
        claims=body.claims,
        verifier=body.verifier,
        purpose=body.purpose,
    )
    if shown is None:
        raise RequestNotFound
    return Answer(ShownOut.of(shown), location=f"{PREFIX}/{certificate_id}/presentations/{shown.id}")
