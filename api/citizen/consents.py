"""Residents' consents: seeing them, giving one, taking one back as easily."""

from datetime import datetime
from typing import Annotated, Literal
from urllib.parse import unquote
from uuid import UUID

from pydantic import StringConstraints

from api.access import Delegable, citizen
from api.operation import Answer, Body, Out, Page, PageQuery, Request, Routes, bad_cursor, decode_cursor, encode_cursor
from api.problems import RequestNotFound
from auth.errors import ConsentNeeded, ConsentRequired, NoSuchConsent
from auth.texts.consents import find_text
from auth.types import Channel, ConsentView

routes = Routes(prefix="/v1/citizen", tag="consents")


class ConsentIn(Body):
    """Which text is agreed to (`face@1`); `/v1/public/consents` lists those in force."""

    consent: Annotated[str, StringConstraints(min_length=1, max_length=40)]


class ConsentOut(Out):
    """One consent. `consent` is the text agreed to, and the end of the address that takes it back.

    Withdrawn ones stay listed, as history; `follows` says what a withdrawal means.
    """

    id: UUID
    consent: str
    purpose: str
    version: int
    title: str
    state: Literal["given", "withdrawn"]
    given_at: datetime
    withdrawn_at: datetime | None
    given_by: Literal["self", "guardian"]
    channel: Channel
    text_sha256: str
    may_be_withdrawn: bool
    follows: str

    @classmethod
    def of(cls, view: ConsentView, *, english: bool) -> "ConsentOut":
        """Return the answer for a consent."""
        text = find_text(view.purpose, view.version)
        return cls(
            id=view.id,
            consent=f"{view.purpose}@{view.version}",
            purpose=view.purpose,
            version=view.version,
            title="" if text is None else text.title.en if english else text.title.zh,
            state="given" if view.withdrawn_at is None else "withdrawn",
            given_at=view.given_at,
            withdrawn_at=view.withdrawn_at,
            given_by="guardian" if view.given_by_guardian else "self",
            channel=view.channel,
            text_sha256=view.text_hash,
            may_be_withdrawn=view.withdrawn_at is None and text is not None and text.may_be_withdrawn,
            follows="" if text is None else text.follows.en if english else text.follows.zh,
        )


def _before(cursor: str | None) -> UUID | None:
    parts = decode_cursor(cursor, parts=1)
    try:
        return None if parts is None else UUID(parts[0])
    except ValueError as error:
        raise bad_cursor() from error


@routes.get("/consents", access=citizen(delegable=Delegable.PERSON), answer=Page[ConsentOut])
async def list_consents(request: Request, query: PageQuery) -> Answer:
    """List what the caller has agreed to, newest first, withdrawn ones too."""
    views = await request.app.ctx.services.consents.list_given(
        request.ctx.caller, before=_before(query.cursor), limit=query.limit + 1
    )
    page = views[: query.limit]
    return Answer(
        Page[ConsentOut](
            items=[ConsentOut.of(view, english=request.ctx.english) for view in page],
            next_cursor=encode_cursor([str(page[-1].id)]) if len(views) > len(page) else None,
        )
    )


@routes.post(
    "/consents",
    access=citizen(delegable=Delegable.OWN),
    status=201,
    answer=ConsentOut,
    also={200: ConsentOut},
    problems=(NoSuchConsent, ConsentRequired),
)
async def agree(request: Request, body: ConsentIn) -> Answer:
    """Agree to a text in force; 200 when that stands already."""
    view, is_new = await request.app.ctx.services.consents.agree(request.ctx.caller, body.consent)
    answer = ConsentOut.of(view, english=request.ctx.english)
    if not is_new:
        return Answer(answer, status=200)
    return Answer(answer, location=f"/v1/citizen/consents/{answer.consent}")


@routes.delete(
    "/consents/<consent:str>",
    access=citizen(delegable=Delegable.OWN),
    status=204,
    problems=(RequestNotFound, ConsentNeeded),
)
async def withdraw(request: Request, consent: str) -> Answer:
    """Take a consent back, such as `face@1`; it holds at once. One that carries the account says how to close it."""
    caller = request.ctx.caller
    if not await request.app.ctx.services.consents.withdraw(caller.citizen_id, unquote(consent), actor=caller.actor):
        raise RequestNotFound
    return Answer()
