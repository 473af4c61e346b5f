"""A resident's certificates: the wallet, one of them, fetching."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import StringConstraints

from api.access import Delegable, citizen
from api.operation import Answer, Body, Out, Page, PageQuery, Request, Routes, bad_cursor, decode_cursor, encode_cursor
from api.problems import RequestNotFound
from auth.types import Level
from certificates import rules
from certificates.errors import IssuerUnavailable, KindUnknown, NoneHeld, NotConfirmed
from certificates.types import CertificateView, Change, Colour, OpenedCertificate, Source, State, Text, Value

PREFIX = "/v1/citizen/certificates"
routes = Routes(prefix=PREFIX, tag="certificates")

Word = Annotated[str, StringConstraints(min_length=1, max_length=40)]


class FetchIn(Body):
    """Which kind of certificate to fetch."""

    kind: Word


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


class RenewalOut(Out):
    """What there is to do before the last day: `matter` is asked for here, where there is one."""

    advice: str
    matter: str | None


class OpenedOut(CertificateOut):
    """A certificate with its fields open; `titles` names them, `card_face` lists those shown first.

    `words` says what the codes among the fields mean, `against` why the certificate is shown in red beside its state,
    `fetched_at` of when this is, `state_code` the state as certificates are exchanged.
    """

    fields: dict[str, Value]
    titles: dict[str, str]
    words: dict[str, str]
    card_face: list[str]
    identifier: str
    version: int
    fetched_at: datetime
    state_code: str
    colour: Colour
    against: list[str]
    renewal: RenewalOut | None

    @classmethod
    def opened(cls, opened: OpenedCertificate, *, english: bool) -> "OpenedOut":
        """Return an opened certificate in the words of the caller's language."""
        held, kind = opened.held, opened.held.kind

        def said(text: Text) -> str:
            return text.en if english else text.zh

        codes = {each.name: each.word_of(held.fields.get(each.name)) for each in kind.fields}
        return cls(
            **CertificateOut.of(opened.view, english=english).model_dump(),
            fields=dict(held.fields),
            titles={each.name: each.title_en if english else each.title for each in kind.fields},
            words={name: said(word) for name, word in codes.items() if word is not None},
            card_face=list(kind.card_face),
            identifier=held.identifier,
            version=held.version,
            fetched_at=held.fetched_at,
            state_code=rules.code_of(held.state),
            colour=rules.colour_of(kind, held.state, held.fields),
            against=[said(reason) for reason in rules.reasons_against(kind, held.fields)],
            renewal=None
            if kind.renewal is None
            else RenewalOut(advice=said(kind.renewal), matter=kind.renewed_by or None),
        )


class ChangeOut(Out):
    """One line of a certificate's history: `source` says whether we asked, the issuer told, or we did it ourselves."""

    id: UUID
    at: datetime
    source: Source
    state_before: State | None
    state: State
    state_code: str
    version: int
    reason: str

    @classmethod
    def of(cls, change: Change) -> "ChangeOut":
        """Return a line as it stands."""
        return cls(
            id=change.id,
            at=change.at,
            source=change.source,
            state_before=change.state_before,
            state=change.state,
            state_code=change.code,
            version=change.version,
            reason=change.reason,
        )


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
    problems=(KindUnknown, NoneHeld, NotConfirmed, IssuerUnavailable),
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


@routes.get(
    "/<certificate_id:uuid>/changes",
    access=citizen(Level.PRESENT, delegable=Delegable.CERTIFICATES),
    answer=Page[ChangeOut],
    problems=(RequestNotFound,),
)
async def list_changes(request: Request, certificate_id: UUID, query: PageQuery) -> Answer:
    """List what became of a certificate, oldest first."""
    changes = await request.app.ctx.services.wallet.history_of(
        request.ctx.caller, certificate_id, after=_after(query.cursor), limit=query.limit + 1
    )
    if changes is None:
        raise RequestNotFound
    page = changes[: query.limit]
    return Answer(
        Page[ChangeOut](
            items=[ChangeOut.of(change) for change in page],
            next_cursor=encode_cursor([str(page[-1].id)]) if len(changes) > len(page) else None,
        )
    )
