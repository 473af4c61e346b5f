"""Organisations: saying that one represents one, and seeing for which of them one may act."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import StringConstraints

from api.access import Delegable, citizen
from api.citizen.delegation.relatives import after
from api.operation import Answer, Body, Out, Page, PageQuery, Request, Routes, encode_cursor
from auth.delegation.errors import BusinessRegisterUnavailable, MandateStateForbids, NotRepresentative, UsccInvalid
from auth.delegation.types import OrganisationView
from auth.types import Level, MandateKind

PREFIX = "/v1/citizen/organisations"
routes = Routes(prefix=PREFIX, tag="delegation")


class OrganisationIn(Body):
    """The unified social credit code (GB 32100) and the registered name."""

    uscc: Annotated[str, StringConstraints(max_length=40)]
    name: Annotated[str, StringConstraints(min_length=1, max_length=120)]


class OrganisationOut(Out):
    """An organisation for which the caller may act. `mandate` goes into `X-On-Behalf-Of`; `role` says as what."""

    id: UUID
    uscc: str
    name: str
    mandate: UUID
    role: MandateKind
    ends_at: datetime

    @classmethod
    def of(cls, view: OrganisationView) -> "OrganisationOut":
        """Return the answer for an organisation."""
        return cls(
            id=view.id,
            uscc=view.uscc,
            name=view.name,
            mandate=view.mandate_id,
            role=view.kind,
            ends_at=view.ends_at,
        )


@routes.post(
    "",
    access=citizen(Level.PRESENT, delegable=Delegable.OWN, in_person=True),
    status=201,
    answer=OrganisationOut,
    also={200: OrganisationOut},
    problems=(UsccInvalid, NotRepresentative, BusinessRegisterUnavailable, MandateStateForbids),
)
async def add(request: Request, body: OrganisationIn) -> Answer:
    """Act from now on for an organisation whose legal representative the caller is, as the business register says."""
    view, is_new = await request.app.ctx.services.organisations.add(
        request.ctx.caller, uscc=body.uscc, name=body.name
    )  # fmt: skip
    return Answer(OrganisationOut.of(view), status=201 if is_new else 200, location=PREFIX)


@routes.get("", access=citizen(Level.REAL_NAME, delegable=Delegable.OWN, in_person=True), answer=Page[OrganisationOut])
async def list_organisations(request: Request, query: PageQuery) -> Answer:
    """List the organisations for which the caller may act."""
    views = await request.app.ctx.services.organisations.list_organisations(
        request.ctx.caller, after=after(query.cursor), limit=query.limit + 1
    )
    page = views[: query.limit]
    return Answer(
        Page[OrganisationOut](
            items=[OrganisationOut.of(view) for view in page],
            next_cursor=encode_cursor([str(page[-1].mandate_id)]) if len(views) > len(page) else None,
        )
    )
