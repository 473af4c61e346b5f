"""Operators' sessions: password and one-time code in, logged out by hand or by standing idle."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import StringConstraints

from api.access import public, staff
from api.operation import Answer, Body, Out, Request, Routes
from auth.errors import StaffLoginInvalid
from auth.types import Role, StaffCaller, StaffGrant

routes = Routes(prefix="/v1/staff", tag="staff sessions")


class StaffLoginIn(Body):
    """What an operator types: name, password, and the six digits of the moment."""

    username: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    password: Annotated[str, StringConstraints(min_length=1, max_length=256)]
    otp: Annotated[str, StringConstraints(min_length=6, max_length=8)]


class OperatorOut(Out):
    """Who is logged in."""

    id: UUID
    username: str
    role: Role

    @classmethod
    def of(cls, caller: StaffCaller) -> "OperatorOut":
        """Return the answer for an operator."""
        return cls(id=caller.operator_id, username=caller.username, role=caller.role)


class StaffGrantOut(Out):
    """A way in: it ends after `idle_seconds` without use, and after `expires_in` seconds at the latest."""

    access_token: str
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 — the kind of token, not a secret
    expires_in: int
    idle_seconds: int
    operator: OperatorOut

    @classmethod
    def of(cls, grant: StaffGrant) -> "StaffGrantOut":
        """Return the answer for a grant."""
        return cls(
            access_token=grant.access_token,
            expires_in=grant.expires_in,
            idle_seconds=grant.idle_seconds,
            operator=OperatorOut.of(grant.operator),
        )


# Not repeatable under a key: a one-time code works once, and no kept answer gives its token again.
@routes.post(
    "/sessions",
    access=public(),
    status=201,
    answer=StaffGrantOut,
    idempotency="none",
    problems=(StaffLoginInvalid,),
)
async def log_in(request: Request, body: StaffLoginIn) -> Answer:
    """Log an operator in by password and one-time code."""
    grant = await request.app.ctx.services.operators.log_in(
        body.username, body.password, body.otp, address=request.ctx.address
    )
    return Answer(StaffGrantOut.of(grant), status=201, location="/v1/staff/sessions/current")


@routes.get("/sessions/current", access=staff(), answer=OperatorOut)
async def current(request: Request) -> Answer:
    """Show which operator is logged in."""
    return Answer(OperatorOut.of(request.ctx.operator))


@routes.delete("/sessions/current", access=staff(), status=204)
async def end_current(request: Request) -> Answer:
    """Log the operator out."""
    await request.app.ctx.services.operators.end(request.ctx.operator)
    return Answer()
