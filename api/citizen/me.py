"""Residents themselves: what is known of them, their real name, their mobile, the elder profile."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import StringConstraints

from api.access import citizen
from api.operation import Answer, Body, Out, Page, PageQuery, Request, Routes, bad_cursor, decode_cursor, encode_cursor
from api.problems import RequestNotFound
from auth.errors import (
    AccountClosed,
    AlreadyBound,
    ConsentRequired,
    IdentityFixed,
    IdentityMismatch,
    IdNumberInvalid,
    LastWayIn,
    MobileCodeInvalid,
    MobileUnsupported,
    NameInvalid,
    RegistryRefused,
    RegistryUnavailable,
    WechatUnavailable,
)
from auth.types import AccountView, Level, MeView

routes = Routes(prefix="/v1/citizen", tag="me")


class IdentityIn(Body):
    """Name and number as on the identity card, and the consent to check them (`real-name@1`)."""

    name: Annotated[str, StringConstraints(max_length=100)]
    id_number: Annotated[str, StringConstraints(max_length=40)]
    consent: Annotated[str, StringConstraints(max_length=40)]


class MobileIn(Body):
    """The code of the mini program's button for the mobile number (getPhoneNumber)."""

    code: Annotated[str, StringConstraints(min_length=1, max_length=128)]


class ElderIn(Body):
    """Whether the elder profile is wanted; from 60 on it holds in any case."""

    chosen: bool


class MeOut(Out):
    """The caller; personal values are masked."""

    id: UUID
    level: Level
    present_until: datetime | None
    name: str | None
    id_number: str | None
    mobile: str | None
    elder: bool
    groups: list[str]

    @classmethod
    def of(cls, view: MeView) -> "MeOut":
        """Return the answer for a view."""
        return cls(
            id=view.id,
            level=view.level,
            present_until=view.present_until,
            name=view.name,
            id_number=view.id_number,
            mobile=view.mobile,
            elder=view.elder,
            groups=list(view.groups),
        )


class AccountOut(Out):
    """A WeChat account of the caller. `mark` is the same each time; `current` is the one this session came by."""

    id: UUID
    mark: str
    bound_at: datetime
    current: bool

    @classmethod
    def of(cls, view: AccountView) -> "AccountOut":
        """Return the answer for an account."""
        return cls(id=view.id, mark=view.mark, bound_at=view.bound_at, current=view.current)


async def _me(request: Request) -> Answer:
    return Answer(MeOut.of(await request.app.ctx.services.citizens.me(request.ctx.caller)))


@routes.get("/me", access=citizen(), answer=MeOut, problems=(AccountClosed,))
async def me(request: Request) -> Answer:
    """Show what is known of the caller."""
    return await _me(request)


@routes.put(
    "/me/identity",
    access=citizen(in_person=True),
    answer=MeOut,
    problems=(
        IdNumberInvalid,
        NameInvalid,
        ConsentRequired,
        IdentityMismatch,
        AlreadyBound,
        IdentityFixed,
        RegistryRefused,
        RegistryUnavailable,
        AccountClosed,
    ),
)
async def bind_identity(request: Request, body: IdentityIn) -> Answer:
    """Give the account its real name."""
    await request.app.ctx.services.realname.bind(
        request.ctx.caller, name=body.name, id_number=body.id_number, consent=body.consent
    )
    return await _me(request)


@routes.put(
    "/me/mobile",
    access=citizen(in_person=True),
    answer=MeOut,
    problems=(MobileCodeInvalid, MobileUnsupported, WechatUnavailable, AccountClosed),
)
async def set_mobile(request: Request, body: MobileIn) -> Answer:
    """Keep the caller's mobile number."""
    await request.app.ctx.services.citizens.set_mobile(request.ctx.caller, body.code)
    return await _me(request)


@routes.put("/me/elder", access=citizen(Level.PRESENT, in_person=True), answer=MeOut, problems=(AccountClosed,))
async def choose_elder(request: Request, body: ElderIn) -> Answer:
    """Turn the elder profile on or off."""
    await request.app.ctx.services.citizens.choose_elder(request.ctx.caller, chosen=body.chosen)
    return await _me(request)


def _after(cursor: str | None) -> UUID | None:
    parts = decode_cursor(cursor, parts=1)
    try:
        return None if parts is None else UUID(parts[0])
    except ValueError as error:
        raise bad_cursor() from error


@routes.get("/me/accounts", access=citizen(), answer=Page[AccountOut])
async def list_accounts(request: Request, query: PageQuery) -> Answer:
    """List the WeChat accounts by which the caller may come in, oldest first."""
    views = await request.app.ctx.services.accounts.list_accounts(
        request.ctx.caller, after=_after(query.cursor), limit=query.limit + 1
    )
    page = views[: query.limit]
    return Answer(
        Page[AccountOut](
            items=[AccountOut.of(view) for view in page],
            next_cursor=encode_cursor([str(page[-1].id)]) if len(views) > len(page) else None,
        )
    )


@routes.delete(
    "/me/accounts/<account_id:uuid>",
    access=citizen(Level.PRESENT, in_person=True),
    status=204,
    problems=(RequestNotFound, LastWayIn),
)
async def remove_account(request: Request, account_id: UUID) -> Answer:
    """Remove a WeChat account from the caller and end its sessions at once."""
    if not await request.app.ctx.services.accounts.remove(request.ctx.caller, account_id):
        raise RequestNotFound
    return Answer()
