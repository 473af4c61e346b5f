"""Stamped copies: a certificate on paper, for one consumer and one purpose."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import StringConstraints
from sanic.response import HTTPResponse

from api.access import Delegable, citizen
from api.citizen.wallet.showing import Fields
from api.operation import Answer, Body, Out, Request, Routes
from api.problems import RequestNotFound
from auth.rights.document import LayoutFailed
from auth.types import Level
from certificates.copies.errors import CopyOvertaken, CopyUndrawable
from certificates.copies.types import CopyView
from certificates.errors import FieldUnknown, NothingChosen, StateForbids
from certificates.types import PURPOSE, PURPOSE_LENGTH

_PREFIX = "/v1/citizen/certificates"
routes = Routes(prefix=_PREFIX, tag="certificates")

_CONSUMER_LENGTH = 60


class CopyIn(Body):
    """Who gets the copy, and for what; `fields` are printed, the card face when left out."""

    consumer: Annotated[
        str, StringConstraints(min_length=1, max_length=_CONSUMER_LENGTH, pattern=PURPOSE, strip_whitespace=True)
    ]
    purpose: Annotated[
        str, StringConstraints(min_length=1, max_length=PURPOSE_LENGTH, pattern=PURPOSE, strip_whitespace=True)
    ]
    fields: Fields | None = None


class CopyOut(Out):
    """For whom and for what a copy was made; the paper itself is not kept with it."""

    id: UUID
    consumer: str
    purpose: str
    fields: list[str]
    made_at: datetime
    expires_at: datetime

    @classmethod
    def of(cls, view: CopyView) -> "CopyOut":
        """Return the answer for a copy."""
        return cls(
            id=view.id,
            consumer=view.consumer,
            purpose=view.purpose,
            fields=list(view.field_names),
            made_at=view.made_at,
            expires_at=view.expires_at,
        )


@routes.get(
    "/<certificate_id:uuid>/copies/<stamped_copy_id:uuid>",
    access=citizen(Level.REAL_NAME, delegable=Delegable.OWN),
    answer=CopyOut,
    problems=(RequestNotFound,),
)
async def get_copy(request: Request, certificate_id: UUID, stamped_copy_id: UUID) -> Answer:
    """Show for whom and for what a copy was made."""
    view = await request.app.ctx.services.certificates.copies.find(request.ctx.caller, certificate_id, stamped_copy_id)
    if view is None:
        raise RequestNotFound
    return Answer(CopyOut.of(view))


# Kept nowhere but in the answer to a repeated request, sealed, until kept answers go: another signature under the same
# words would be another paper, with another digest.
@routes.post(
    "/<certificate_id:uuid>/copies",
    access=citizen(Level.PRESENT, delegable=Delegable.OWN),
    status=201,
    answer=None,
    media_type="application/pdf",
    problems=(RequestNotFound, FieldUnknown, NothingChosen, StateForbids, CopyUndrawable, CopyOvertaken, LayoutFailed),
)
async def make_copy(request: Request, certificate_id: UUID, body: CopyIn) -> HTTPResponse:
    """Make a stamped copy: a signed PDF that says whom it is for, and a code to check it."""
    made = await request.app.ctx.services.certificates.copies.make(
        request.ctx.caller, certificate_id, consumer=body.consumer, purpose=body.purpose, fields=body.fields
    )
    if made is None:
        raise RequestNotFound
    return HTTPResponse(
        made.pdf,
        status=201,
        content_type="application/pdf",
        headers={
            "Location": f"{_PREFIX}/{certificate_id}/copies/{made.id}",
            "Content-Disposition": f'attachment; filename="copy-{made.id}.pdf"',
            "Cache-Control": "no-store",
            # Its words are the same for everybody, whatever language was asked for.
            "Content-Language": "zh-CN",
        },
    )
