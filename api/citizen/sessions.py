"""Residents' sessions: logging in with one tap, renewing, seeing where one is logged in, logging out."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import StringConstraints

from api.access import Delegable, citizen, public
from api.operation import Answer, Body, Out, Page, PageQuery, Request, Routes, decode_place, encode_place
from api.problems import RequestNotFound
from auth.errors import (
    AccountClosed,
    CodeInvalid,
    RefreshInvalid,
    RefreshReused,
    WechatBlocked,
    WechatMisconfigured,
    WechatQuota,
    WechatTooMany,
    WechatUnavailable,
)
from auth.types import Grant, Level, SessionView

routes = Routes(prefix="/v1/citizen", tag="sessions")


class LoginIn(Body):
    """What `wx.login` gave."""

    code: Annotated[str, StringConstraints(min_length=1, max_length=128)]


class RenewalIn(Body):
    """The refresh token of the last answer."""

    refresh_token: Annotated[str, StringConstraints(min_length=1, max_length=512)]


class CitizenOut(Out):
    """Who has logged in; `name` is masked, null until it is known."""

    id: UUID
    level: Level
    name: str | None
    elder: bool


class GrantOut(Out):
    """A way in: the access token for `expires_in` seconds, the refresh token for the next one."""

    access_token: str
    refresh_token: str
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 — the kind of token, not a secret
    expires_in: int
    citizen: CitizenOut

    @classmethod
    def of(cls, grant: Grant) -> "GrantOut":
        """Return the answer for a grant."""
        who = grant.citizen
        return cls(
            access_token=grant.access_token,
            refresh_token=grant.refresh_token,
            expires_in=grant.expires_in,
            citizen=CitizenOut(id=who.id, level=who.level, name=who.name, elder=who.elder),
        )


class SessionOut(Out):
    """One place where the caller is logged in. `device` is a short mark, the same each time, or null.

    `assisted`: an officer acts in it for the caller, who has confirmed that and can end it.
    """

    id: UUID
    device: str | None
    level: Level
    created_at: datetime
    last_used_at: datetime
    current: bool
    assisted: bool

    @classmethod
    def of(cls, view: SessionView) -> "SessionOut":
        """Return the answer for a session."""
        return cls(
            id=view.id,
            device=view.device,
            level=view.level,
            created_at=view.created_at,
            last_used_at=view.last_used_at,
            current=view.current,
            assisted=view.assisted,
        )


def granted(grant: Grant) -> Answer:
    """Answer with a new session."""
    return Answer(GrantOut.of(grant), status=201, location=f"/v1/citizen/sessions/{grant.session_id}")


@routes.post(
    "/sessions",
    access=public(),
    status=201,
    answer=GrantOut,
    problems=(
        CodeInvalid,
        WechatBlocked,
        WechatTooMany,
        WechatUnavailable,
        WechatQuota,
        WechatMisconfigured,
        AccountClosed,
    ),
)
async def log_in(request: Request, body: LoginIn) -> Answer:
    """Log in with the code of `wx.login`."""
    grant = await request.app.ctx.services.login.log_in(
        body.code, device=request.ctx.device, address=request.ctx.address
    )
    return granted(grant)


# Not repeatable under a key: the second use of a refresh token has to be seen; a lost answer has its own grace.
@routes.post(
    "/sessions/renewals",
    access=public(),
    status=201,
    answer=GrantOut,
    idempotency="none",
    problems=(RefreshInvalid, RefreshReused, AccountClosed),
)
async def renew(request: Request, body: RenewalIn) -> Answer:
    """Exchange the refresh token for its successor."""
    grant = await request.app.ctx.services.sessions.renew(body.refresh_token, request.ctx.device)
    return granted(grant)


@routes.get("/sessions", access=citizen(delegable=Delegable.OWN), answer=Page[SessionOut])
async def list_sessions(request: Request, query: PageQuery) -> Answer:
    """List where the caller is logged in, newest first."""
    before = decode_place(query.cursor)
    views = await request.app.ctx.services.sessions.list_sessions(
        request.ctx.caller, before=before, limit=query.limit + 1
    )
    more = len(views) > query.limit
    shown = views[: query.limit]
    return Answer(
        Page[SessionOut](
            items=[SessionOut.of(view) for view in shown],
            next_cursor=encode_place(shown[-1].created_at, shown[-1].id) if more else None,
        ),
    )


@routes.delete("/sessions", access=citizen(delegable=Delegable.OWN, in_person=True), status=204)
async def end_all(request: Request) -> Answer:
    """Log out everywhere, here too."""
    await request.app.ctx.services.logout.everywhere(request.ctx.caller)
    return Answer()


@routes.delete("/sessions/current", access=citizen(delegable=Delegable.OWN), status=204)
async def end_current(request: Request) -> Answer:
    """Log out here."""
    await request.app.ctx.services.logout.of(request.ctx.caller, request.ctx.caller.session_id)
    return Answer()


@routes.delete(
    "/sessions/<session_id:uuid>",
    access=citizen(delegable=Delegable.OWN, in_person=True),
    status=204,
    problems=(RequestNotFound,),
)
async def end(request: Request, session_id: UUID) -> Answer:
    """Log out at another place."""
    if not await request.app.ctx.services.logout.of(request.ctx.caller, session_id):
        raise RequestNotFound
    return Answer()
