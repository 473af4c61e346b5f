"""Showing a certificate: by a code that is scanned once, or by a token where there is no connection."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Final, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from api.access import Delegable, citizen
from api.operation import Answer, Body, Out, Request, Routes
from api.problems import RequestNotFound
from auth.types import Level
from certificates.errors import (
    ClaimUnknown,
    FieldUnknown,
    NothingChosen,
    PurposeRequired,
    StateForbids,
    TokenTooLong,
    VerifierUnknown,
)
from certificates.offline.types import Mark, OfflineToken, Standing
from certificates.types import PURPOSE, PURPOSE_LENGTH, Colour, Showing, ShowingState, Shown

_PREFIX = "/v1/citizen/certificates"
routes = Routes(prefix=_PREFIX, tag="certificates")

Word = Annotated[str, StringConstraints(min_length=1, max_length=40)]
Fields = Annotated[list[Word], Field(max_length=40)]
Claims = Annotated[list[Word], Field(max_length=8)]


class SelectionIn(Body):
    """What is let out: `fields` (the card face when left out, nothing beside claims), `claims` like `age>=18`."""

    fields: Fields | None = None
    claims: Claims = Field(default_factory=list)


class ShowIn(SelectionIn):
    """What a code lets out, for whom alone, and why; a `verifier` needs a `purpose` that it is registered for."""

    verifier: Annotated[UUID, Field(strict=False)] | None = None
    purpose: Annotated[str, StringConstraints(max_length=PURPOSE_LENGTH, pattern=PURPOSE, strip_whitespace=True)] = ""


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


class TokenOut(Out):
    """An SD-JWT that can be checked without a connection until `expires_at`.

    Any of the parts after its first `~` may be left out when it is shown. `qr_svgs` is one picture with exactly the
    token, or a numbered series for one that is too long to be scanned well: all of them are scanned, in any order.
    `qr_svg` is the picture where there is one alone.
    """

    token: str
    qr_svg: str | None
    qr_svgs: list[str]
    expires_at: datetime

    @classmethod
    def of(cls, made: OfflineToken) -> "TokenOut":
        """Return a token with its picture."""
        alone = made.qr_svgs[0] if len(made.qr_svgs) == 1 else None
        return cls(token=made.token, qr_svg=alone, qr_svgs=list(made.qr_svgs), expires_at=made.expires_at)


class ShowingOut(Out):
    """A code looked back at: what it lets out, to whom alone, and whether it was scanned; the code is not kept."""

    id: UUID
    state: ShowingState
    fields: list[str]
    claims: list[str]
    verifier: UUID | None
    purpose: str
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None

    @classmethod
    def of(cls, showing: Showing) -> "ShowingOut":
        """Return the answer for a code that was shown."""
        return cls(
            id=showing.id,
            state=showing.state,
            fields=list(showing.field_names),
            claims=list(showing.claims),
            verifier=showing.verifier,
            purpose=showing.purpose,
            created_at=showing.created_at,
            expires_at=showing.expires_at,
            used_at=showing.used_at,
        )


class TokensOut(Out):
    """How the newest tokens of a certificate stand: what its status list says at the index that they share."""

    standing: Literal["valid", "invalid", "suspended"]
    status_list: str
    index: int
    since: datetime

    @classmethod
    def of(cls, standing: Standing) -> "TokensOut":
        """Return the answer for the tokens of a certificate."""
        return cls(standing=_MARKS[standing.mark], status_list=standing.uri, index=standing.index, since=standing.since)


_MARKS: Final[Mapping[Mark, Literal["valid", "invalid", "suspended"]]] = {
    Mark.VALID: "valid",
    Mark.INVALID: "invalid",
    Mark.SUSPENDED: "suspended",
}


@routes.get(
    "/<certificate_id:uuid>/presentations/<presentation_id:uuid>",
    access=citizen(Level.REAL_NAME, delegable=Delegable.CERTIFICATES),
    answer=ShowingOut,
    problems=(RequestNotFound,),
)
async def get_showing(request: Request, certificate_id: UUID, presentation_id: UUID) -> Answer:
    """Show what became of a code: whether it can still be scanned, or was."""
    showing = await request.app.ctx.services.presentation.find(request.ctx.caller, certificate_id, presentation_id)
    if showing is None:
        raise RequestNotFound
    return Answer(ShowingOut.of(showing))


@routes.post(
    "/<certificate_id:uuid>/presentations",
    access=citizen(Level.PRESENT, delegable=Delegable.CERTIFICATES),
    status=201,
    answer=ShownOut,
    problems=(
        RequestNotFound,
        FieldUnknown,
        NothingChosen,
        ClaimUnknown,
        VerifierUnknown,
        PurposeRequired,
        StateForbids,
    ),
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
    return Answer(ShownOut.of(shown), location=f"{_PREFIX}/{certificate_id}/presentations/{shown.id}")


# Nobody acts for somebody else here: what works without us would outlive the mandate.
@routes.post(
    "/<certificate_id:uuid>/tokens",
    access=citizen(Level.PRESENT, delegable=Delegable.OWN),
    status=201,
    answer=TokenOut,
    problems=(RequestNotFound, FieldUnknown, NothingChosen, ClaimUnknown, StateForbids, TokenTooLong),
)
async def make_token(request: Request, certificate_id: UUID, body: SelectionIn) -> Answer:
    """Make a token for where there is no connection, good for a day at the most."""
    made = await request.app.ctx.services.certificates.offline_tokens.issue(
        request.ctx.caller, certificate_id, fields=body.fields, claims=body.claims
    )
    if made is None:
        raise RequestNotFound
    return Answer(TokenOut.of(made), location=f"{_PREFIX}/{certificate_id}/tokens")


@routes.get(
    "/<certificate_id:uuid>/tokens",
    access=citizen(Level.REAL_NAME, delegable=Delegable.OWN),
    answer=TokensOut,
    problems=(RequestNotFound,),
)
async def get_tokens(request: Request, certificate_id: UUID) -> Answer:
    """Show how the tokens of a certificate stand; 404 while none was made. The tokens themselves are not kept."""
    standing = await request.app.ctx.services.certificates.offline_tokens.find_standing(
        request.ctx.caller, certificate_id
    )
    if standing is None:
        raise RequestNotFound
    return Answer(TokensOut.of(standing))


@routes.delete(
    "/<certificate_id:uuid>/tokens",
    access=citizen(Level.REAL_NAME, delegable=Delegable.OWN),
    status=204,
    problems=(RequestNotFound,),
)
async def revoke_tokens(request: Request, certificate_id: UUID) -> Answer:
    """Make all tokens of a certificate invalid, as after a telephone was lost."""
    if not await request.app.ctx.services.certificates.offline_tokens.revoke(request.ctx.caller, certificate_id):
        raise RequestNotFound
    return Answer()
