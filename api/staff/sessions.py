"""Operators' sessions: two proofs in, logged out by hand or by standing idle; and their own password."""

from datetime import UTC, datetime
from typing import Annotated, Final, Literal
from uuid import UUID

from pydantic import StringConstraints

from api.access import Reach, public, staff
from api.operation import Answer, Body, Out, Page, PageQuery, Request, Routes, decode_place, encode_place
from api.problems import RequestNotFound
from api.staff.words import GrantOut
from auth.staff.errors import ActivationInvalid, PasswordWeak, StaffLoginInvalid
from auth.staff.types import Activated, StaffGrant, StaffSessionView
from auth.types import StaffCaller

routes = Routes(prefix="/v1/staff", tag="staff sessions")

AFTER_ALL: Final = (datetime(9999, 1, 1, tzinfo=UTC), UUID(int=0))
Password = Annotated[str, StringConstraints(min_length=1, max_length=256)]
# The six digits of the moment, or a recovery code.
Code = Annotated[str, StringConstraints(min_length=6, max_length=24)]


class StaffLoginIn(Body):
    """What an operator types: name, password, and the six digits of the moment or a recovery code."""

    username: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    password: Password
    otp: Code


class ActivationIn(Body):
    """The one-time secret of an invitation, and the password that its holder has chosen."""

    secret: Annotated[str, StringConstraints(min_length=20, max_length=64)]
    password: Password


class ActivatedOut(Out):
    """What else is needed to log in; told this once. `otpauth_uri` goes into an authenticator app."""

    id: UUID
    username: str
    otpauth_uri: str
    recovery_codes: list[str]

    @classmethod
    def of(cls, activated: Activated) -> "ActivatedOut":
        """Return the answer for an activated account."""
        return cls(
            id=activated.operator_id,
            username=activated.username,
            otpauth_uri=activated.otpauth_uri,
            recovery_codes=list(activated.recovery_codes),
        )


class PasswordIn(Body):
    """The password so far, the code of the moment, and the new password."""

    current: Password
    otp: Code
    password: Password


class OperatorOut(Out):
    """Who is logged in, and what they may do."""

    id: UUID
    username: str
    grants: list[GrantOut]

    @classmethod
    def of(cls, caller: StaffCaller) -> "OperatorOut":
        """Return the answer for an operator."""
        return cls(
            id=caller.operator_id, username=caller.username, grants=[GrantOut.of(grant) for grant in caller.grants]
        )


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


class StaffSessionOut(Out):
    """One place where the operator is logged in."""

    id: UUID
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime
    current: bool

    @classmethod
    def of(cls, view: StaffSessionView) -> "StaffSessionOut":
        """Return the answer for a session."""
        return cls(
            id=view.id,
            created_at=view.created_at,
            last_used_at=view.last_used_at,
            expires_at=view.expires_at,
            current=view.current,
        )


@routes.post(
    "/activations",
    access=public(),
    status=201,
    answer=ActivatedOut,
    problems=(ActivationInvalid, PasswordWeak),
)
async def activate(request: Request, body: ActivationIn) -> Answer:
    """Exchange the one-time secret of an invitation for a password of one's own and the one-time codes."""
    activated = await request.app.ctx.services.operators.activate(
        body.secret, body.password, address=request.ctx.address
    )
    return Answer(ActivatedOut.of(activated), location="/v1/staff/sessions")


@routes.post(
    "/sessions",
    access=public(),
    status=201,
    answer=StaffGrantOut,
    problems=(StaffLoginInvalid,),
)
async def log_in(request: Request, body: StaffLoginIn) -> Answer:
    """Log an operator in by password and one-time code."""
    grant = await request.app.ctx.services.staff_sessions.log_in(
        body.username, body.password, body.otp, address=request.ctx.address
    )
    return Answer(StaffGrantOut.of(grant), status=201, location="/v1/staff/sessions/current")


@routes.get("/sessions", access=staff(scope=Reach.OWN), answer=Page[StaffSessionOut])
async def list_sessions(request: Request, query: PageQuery) -> Answer:
    """List where the operator is logged in, newest first."""
    views = await request.app.ctx.services.staff_sessions.list_sessions(
        request.ctx.operator, before=decode_place(query.cursor) or AFTER_ALL, limit=query.limit + 1
    )
    shown = views[: query.limit]
    return Answer(
        Page[StaffSessionOut](
            items=[StaffSessionOut.of(view) for view in shown],
            next_cursor=encode_place(shown[-1].created_at, shown[-1].id) if len(views) > len(shown) else None,
        )
    )


@routes.get("/sessions/current", access=staff(scope=Reach.OWN), answer=OperatorOut)
async def current(request: Request) -> Answer:
    """Show which operator is logged in."""
    return Answer(OperatorOut.of(request.ctx.operator))


@routes.delete("/sessions/current", access=staff(scope=Reach.OWN), status=204)
async def end_current(request: Request) -> Answer:
    """Log the operator out."""
    operator = request.ctx.operator
    await request.app.ctx.services.staff_sessions.end(operator, operator.session_id)
    return Answer()


@routes.delete("/sessions/<session_id:uuid>", access=staff(scope=Reach.OWN), status=204, problems=(RequestNotFound,))
async def end(request: Request, session_id: UUID) -> Answer:
    """Log the operator out at another place."""
    if not await request.app.ctx.services.staff_sessions.end(request.ctx.operator, session_id):
        raise RequestNotFound
    return Answer()


@routes.put("/me/password", access=staff(scope=Reach.OWN), status=204, problems=(StaffLoginInvalid, PasswordWeak))
async def change_password(request: Request, body: PasswordIn) -> Answer:
    """Choose another password; all other sessions of the operator end."""
    await request.app.ctx.services.staff_sessions.change_password(
        request.ctx.operator, body.current, body.otp, wanted=body.password, address=request.ctx.address
    )
    return Answer()
