"""Letting verifiers read certificates without a code: who is registered, what was agreed to, taking it back."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints

from api.access import Delegable, citizen
from api.citizen.wallet.showing import SelectionIn, Word
from api.operation import Answer, Out, Page, PageQuery, Request, Routes, bad_cursor, decode_cursor, encode_cursor
from api.problems import RequestNotFound
from auth.types import Level
from certificates.definitions import Kinds
from certificates.errors import ClaimUnknown, FieldUnknown, KindUnknown, NothingChosen, PurposeRequired, VerifierUnknown
from certificates.sharing.errors import DisclosureEnded, EndUnusable, NoSuchDisclosure
from certificates.sharing.types import Disclosure, Standing
from certificates.types import PURPOSE, PURPOSE_LENGTH, Text
from certificates.wording import word_of

_PREFIX = "/v1/citizen"
routes = Routes(prefix=_PREFIX, tag="disclosures")


class VerifierOut(Out):
    """A registered verifier, and which fields and claims it may be let read for which purpose.

    `purpose_titles` says what each purpose is.
    """

    id: UUID
    title: str
    purposes: dict[str, list[str]]
    purpose_titles: dict[str, str]


class AgreeIn(SelectionIn):
    """Who may read what of a kind, and for what; `until` a day's end, or once within 24 hours without one."""

    verifier: Annotated[UUID, Field(strict=False)]
    kind: Word
    purpose: Annotated[
        str, StringConstraints(min_length=1, max_length=PURPOSE_LENGTH, pattern=PURPOSE, strip_whitespace=True)
    ]
    until: Annotated[date, Field(strict=False)] | None = None


class DisclosureOut(Out):
    """A consent, and what it is worth now; `title` names the verifier, empty once it is registered no more.

    `names` are the words for `fields` and `claims`, in this order; `purpose_title` and `kind_title` say the same of
    those.
    """

    id: UUID
    verifier: UUID
    title: str
    kind: str
    kind_title: str
    fields: list[str]
    claims: list[str]
    names: list[str]
    purpose: str
    purpose_title: str
    once: bool
    state: Standing
    given_at: datetime
    expires_at: datetime

    @classmethod
    def of(cls, view: Disclosure, *, kinds: Kinds, english: bool) -> "DisclosureOut":
        """Return the answer for a consent, in the words of the caller's language."""
        kind = kinds.find(view.kind)
        words = [word_of(kind, name) for name in (*view.field_names, *view.claims)]
        purpose = view.purpose_title or Text(view.purpose, view.purpose)
        title = Text(view.kind, view.kind) if kind is None else Text(kind.title, kind.title_en)
        return cls(
            id=view.id,
            verifier=view.verifier_id,
            title=view.verifier,
            kind=view.kind,
            kind_title=title.en if english else title.zh,
            fields=list(view.field_names),
            claims=list(view.claims),
            names=[word.en if english else word.zh for word in words],
            purpose=view.purpose,
            purpose_title=purpose.en if english else purpose.zh,
            once=view.once,
            state=view.standing,
            given_at=view.given_at,
            expires_at=view.expires_at,
        )


@routes.get(
    "/verifiers/<verifier_id:uuid>",
    access=citizen(Level.REAL_NAME, delegable=Delegable.OPEN),
    answer=VerifierOut,
    problems=(RequestNotFound,),
)
async def get_verifier(request: Request, verifier_id: UUID) -> Answer:
    """Show who a verifier is, before anything is shown to it."""
    terms = await request.app.ctx.services.certificates.verifiers.find(verifier_id)
    if terms is None:
        raise RequestNotFound
    purposes = {purpose: sorted(names) for purpose, names in terms.purposes.items()}
    titles = {code: term.en if request.ctx.english else term.zh for code, term in terms.titles.items()}
    return Answer(VerifierOut(id=terms.id, title=terms.name, purposes=purposes, purpose_titles=titles))


@routes.post(
    "/disclosures",
    access=citizen(Level.PRESENT, delegable=Delegable.OWN),
    status=201,
    answer=DisclosureOut,
    problems=(KindUnknown, FieldUnknown, NothingChosen, ClaimUnknown, VerifierUnknown, PurposeRequired, EndUnusable),
)
async def agree(request: Request, body: AgreeIn) -> Answer:
    """Let a verifier read fields of a certificate for a purpose, once or until a date."""
    given = await request.app.ctx.services.certificates.disclosures.agree(
        request.ctx.caller,
        body.verifier,
        body.kind,
        purpose=body.purpose,
        fields=body.fields,
        claims=body.claims,
        until=body.until,
    )
    kinds, english = request.app.ctx.services.wallet.kinds, request.ctx.english
    return Answer(DisclosureOut.of(given, kinds=kinds, english=english), location=f"{_PREFIX}/disclosures/{given.id}")


@routes.get("/disclosures", access=citizen(Level.REAL_NAME, delegable=Delegable.OWN), answer=Page[DisclosureOut])
async def list_given(request: Request, query: PageQuery) -> Answer:
    """List what I have let verifiers read, newest first."""
    parts = decode_cursor(query.cursor, parts=1)
    try:
        before = None if parts is None else UUID(parts[0])
    except ValueError as error:
        raise bad_cursor() from error
    views = await request.app.ctx.services.certificates.disclosures.list_given(
        request.ctx.caller, before=before, limit=query.limit + 1
    )
    page = views[: query.limit]
    kinds, english = request.app.ctx.services.wallet.kinds, request.ctx.english
    return Answer(
        Page[DisclosureOut](
            items=[DisclosureOut.of(view, kinds=kinds, english=english) for view in page],
            next_cursor=encode_cursor([str(page[-1].id)]) if len(views) > len(page) else None,
        )
    )


@routes.get(
    "/disclosures/<disclosure_id:uuid>",
    access=citizen(Level.REAL_NAME, delegable=Delegable.OWN),
    answer=DisclosureOut,
    problems=(RequestNotFound,),
)
async def get_one(request: Request, disclosure_id: UUID) -> Answer:
    """Show what I have let a verifier read, and what that is worth now."""
    try:
        view = await request.app.ctx.services.certificates.disclosures.get(request.ctx.caller, disclosure_id)
    except NoSuchDisclosure as error:
        raise RequestNotFound from error
    kinds, english = request.app.ctx.services.wallet.kinds, request.ctx.english
    return Answer(DisclosureOut.of(view, kinds=kinds, english=english))


@routes.delete(
    "/disclosures/<disclosure_id:uuid>",
    access=citizen(Level.REAL_NAME, delegable=Delegable.OWN),
    status=204,
    problems=(RequestNotFound, DisclosureEnded),
)
async def withdraw(request: Request, disclosure_id: UUID) -> Answer:
    """Take a consent back, at once."""
    try:
        await request.app.ctx.services.certificates.disclosures.withdraw(request.ctx.caller, disclosure_id)
    except NoSuchDisclosure as error:
        raise RequestNotFound from error
    return Answer()
