"""Relatives: asking for a tie, seeing and confirming those that were asked for, ending one."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import StringConstraints

from api.access import Delegable, citizen
from api.operation import Answer, Body, Out, Page, PageQuery, Request, Routes, bad_cursor, decode_cursor, encode_cursor
from api.problems import RequestNotFound
from auth.delegation.errors import LinkStateForbids, NoSelfDelegation, TooYoung
from auth.delegation.types import Basis, LinkState, Relation, RelativeView
from auth.errors import ConsentRequired, IdNumberInvalid, NameInvalid
from auth.types import Level

PREFIX = "/v1/citizen/relatives"
routes = Routes(prefix=PREFIX, tag="delegation")

Consent = Annotated[str, StringConstraints(max_length=40)]


class RelativeIn(Body):
    """Who the other person is, and what to the caller; and the consent to acting for each other (`delegation@1`)."""

    relation: Relation
    name: Annotated[str, StringConstraints(max_length=100)]
    id_number: Annotated[str, StringConstraints(max_length=40)]
    consent: Consent


class ConfirmationIn(Body):
    """The consent of the one who was asked (`delegation@1`)."""

    consent: Consent


class RelativeOut(Out):
    """A relative; `name` is masked, `relation` is what the other one is to the caller.

    `waiting`: the other one has not confirmed, or there is no such person. `guardian_mandate` is the mandate by which
    one of the two is the other's guardian.
    """

    id: UUID
    relation: Relation
    name: str
    asked_by_me: bool
    state: LinkState
    basis: Basis | None
    asked_at: datetime
    confirmed_at: datetime | None
    guardian_mandate: UUID | None

    @classmethod
    def of(cls, view: RelativeView) -> "RelativeOut":
        """Return the answer for a tie."""
        return cls(
            id=view.id,
            relation=view.relation,
            name=view.name,
            asked_by_me=view.asked_by_me,
            state=view.state,
            basis=view.basis,
            asked_at=view.asked_at,
            confirmed_at=view.confirmed_at,
            guardian_mandate=view.guardian_mandate,
        )


@routes.post(
    "",
    access=citizen(Level.REAL_NAME, delegable=Delegable.OWN, in_person=True),
    status=201,
    answer=RelativeOut,
    also={200: RelativeOut},
    problems=(ConsentRequired, IdNumberInvalid, NameInvalid, NoSelfDelegation, LinkStateForbids),
)
async def add(request: Request, body: RelativeIn) -> Answer:
    """Name a relative; the register of kinship or the other one confirms it."""
    view, is_new = await request.app.ctx.services.relatives.add(
        request.ctx.caller,
        relation=body.relation,
        name=body.name,
        id_number=body.id_number,
        consent=body.consent,
    )
    return Answer(RelativeOut.of(view), status=201 if is_new else 200, location=f"{PREFIX}/{view.id}")


@routes.get("", access=citizen(Level.REAL_NAME, delegable=Delegable.OWN, in_person=True), answer=Page[RelativeOut])
async def list_relatives(request: Request, query: PageQuery) -> Answer:
    """List the caller's relatives, those named and those by whom the caller was named, oldest first."""
    views = await request.app.ctx.services.relatives.list_relatives(
        request.ctx.caller, after=after(query.cursor), limit=query.limit + 1
    )
    page = views[: query.limit]
    return Answer(
        Page[RelativeOut](
            items=[RelativeOut.of(view) for view in page],
            next_cursor=encode_cursor([str(page[-1].id)]) if len(views) > len(page) else None,
        )
    )


def after(cursor: str | None) -> UUID | None:
    """Return the place that a cursor of one id stands for.

    Raises:
        RequestInvalid: the cursor is none of ours.
    """
    parts = decode_cursor(cursor, parts=1)
    try:
        return None if parts is None else UUID(parts[0])
    except ValueError as error:
        raise bad_cursor() from error


@routes.get(
    "/<relative_id:uuid>",
    access=citizen(Level.REAL_NAME, delegable=Delegable.OWN, in_person=True),
    answer=RelativeOut,
    problems=(RequestNotFound,),
)
async def get(request: Request, relative_id: UUID) -> Answer:
    """Read one of the caller's relatives."""
    view = await request.app.ctx.services.relatives.find(request.ctx.caller, relative_id)
    if view is None:
        raise RequestNotFound
    return Answer(RelativeOut.of(view))


@routes.post(
    "/<relative_id:uuid>/confirmations",
    access=citizen(Level.REAL_NAME, delegable=Delegable.OWN, in_person=True),
    status=201,
    answer=RelativeOut,
    problems=(RequestNotFound, ConsentRequired, TooYoung, LinkStateForbids),
)
async def confirm(request: Request, relative_id: UUID, body: ConfirmationIn) -> Answer:
    """Confirm that somebody who has named the caller is their relative."""
    view = await request.app.ctx.services.relatives.confirm(request.ctx.caller, relative_id, body.consent)
    if view is None:
        raise RequestNotFound
    return Answer(RelativeOut.of(view), location=f"{PREFIX}/{relative_id}")


@routes.delete(
    "/<relative_id:uuid>",
    access=citizen(Level.REAL_NAME, delegable=Delegable.OWN, in_person=True),
    status=204,
    problems=(RequestNotFound, LinkStateForbids),
)
async def remove(request: Request, relative_id: UUID) -> Answer:
    """End the tie, and with it at once every mandate that rests on it."""
    if not await request.app.ctx.services.relatives.remove(request.ctx.caller, relative_id):
        raise RequestNotFound
    return Answer()
