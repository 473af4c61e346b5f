"""Residents themselves: what is known of them, their real name, their mobile, the elder profile."""

from dataclasses import replace
from datetime import datetime
from typing import Annotated, Final
from uuid import UUID

from pydantic import StringConstraints

from api.access import Delegable, citizen
from api.operation import Answer, Body, Out, Page, PageQuery, Request, Routes, bad_cursor, decode_cursor, encode_cursor
from api.problems import RequestInvalid, RequestNotFound
from api.reading import field_error
from auth.delegation.types import OrganisationView
from auth.errors import (
    AccountClosed,
    AlreadyBound,
    CodeInvalid,
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
    WechatBlocked,
    WechatMisconfigured,
    WechatQuota,
    WechatTooMany,
    WechatUnavailable,
)
from auth.types import AccountView, Caller, Level, MeView, PrincipalKind

routes = Routes(prefix="/v1/citizen", tag="me")

BASE64: Final = r"^[A-Za-z0-9+/]+={0,2}$"


class IdentityIn(Body):
    """Name and number as on the identity card, and the consent to check them (`real-name@1`)."""

    name: Annotated[str, StringConstraints(max_length=100)]
    id_number: Annotated[str, StringConstraints(max_length=40)]
    consent: Annotated[str, StringConstraints(max_length=40)]


class MobileIn(Body):
    """What the mini program's button for the mobile number gave (getPhoneNumber): a code.

    Clients of the old button send `encrypted_data` and `iv` instead, with the `login_code` of a `wx.login` that went
    before the tap.
    """

    code: Annotated[str, StringConstraints(min_length=1, max_length=128)] | None = None
    login_code: Annotated[str, StringConstraints(min_length=1, max_length=128)] | None = None
    encrypted_data: Annotated[str, StringConstraints(min_length=1, max_length=2048, pattern=BASE64)] | None = None
    iv: Annotated[str, StringConstraints(min_length=24, max_length=24, pattern=BASE64)] | None = None

    def missing(self) -> list[str]:
        """Return the fields that have to come as well, or that may not come together."""
        old = {"login_code": self.login_code, "encrypted_data": self.encrypted_data, "iv": self.iv}
        given = [name for name, value in old.items() if value is not None]
        if self.code is not None:
            return given
        return ["code"] if not given else [name for name in old if name not in given]


class ElderIn(Body):
    """Whether the elder profile is wanted; from 60 on it holds in any case."""

    chosen: bool


class OrganisationOut(Out):
    """An organisation for which the caller acts."""

    uscc: str
    name: str


class MeOut(Out):
    """The caller, or for whom they act; personal values are masked. An organisation has only an `id` of these."""

    id: UUID
    level: Level
    present_until: datetime | None
    name: str | None
    id_number: str | None
    mobile: str | None
    elder: bool
    groups: list[str]
    organisation: OrganisationOut | None = None

    @classmethod
    def at(cls, organisation: OrganisationView, actor: MeView) -> "MeOut":
        """Return the answer for an organisation; how sure we are is about the one who acts for it."""
        return cls(
            id=organisation.id,
            level=actor.level,
            present_until=actor.present_until,
            name=None,
            id_number=None,
            mobile=None,
            elder=actor.elder,
            groups=[],
            organisation=OrganisationOut(uscc=organisation.uscc, name=organisation.name),
        )

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
    services = request.app.ctx.services
    caller: Caller = request.ctx.caller
    if caller.mandate is not None and caller.mandate.principal is PrincipalKind.ORGANISATION:
        actor = await services.citizens.me(replace(caller, citizen_id=caller.actor_id, mandate=None))
        return Answer(MeOut.at(await services.organisations.of(caller), actor))
    return Answer(MeOut.of(await services.citizens.me(caller)))


@routes.get(
    "/me", access=citizen(delegable=Delegable.PERSON, organisations=True), answer=MeOut, problems=(AccountClosed,)
)
async def me(request: Request) -> Answer:
    """Show what is known of the caller, or of the ward or organisation for whom they act."""
    return await _me(request)


@routes.put(
    "/me/identity",
    access=citizen(delegable=Delegable.OWN, in_person=True),
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
    access=citizen(delegable=Delegable.OWN, in_person=True),
    answer=MeOut,
    problems=(
        MobileCodeInvalid,
        MobileUnsupported,
        CodeInvalid,
        WechatBlocked,
        WechatTooMany,
        WechatUnavailable,
        WechatQuota,
        WechatMisconfigured,
        AccountClosed,
    ),
)
async def set_mobile(request: Request, body: MobileIn) -> Answer:
    """Keep the caller's mobile number."""
    wrong = body.missing()
    if wrong:
        code = "missing" if body.code is None else "extra_forbidden"
        raise RequestInvalid(errors=[field_error(f"/{name}", code) for name in wrong])
    citizens, caller = request.app.ctx.services.citizens, request.ctx.caller
    if body.code is not None:
        await citizens.set_mobile(caller, body.code)
    else:
        await citizens.set_sealed_mobile(caller, login_code=body.login_code, encrypted=body.encrypted_data, iv=body.iv)
    return await _me(request)


@routes.put(
    "/me/elder",
    access=citizen(Level.PRESENT, delegable=Delegable.OWN, in_person=True),
    answer=MeOut,
    problems=(AccountClosed,),
)
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


@routes.get("/me/accounts", access=citizen(delegable=Delegable.OWN), answer=Page[AccountOut])
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
    access=citizen(Level.PRESENT, delegable=Delegable.OWN, in_person=True),
    status=204,
    problems=(RequestNotFound, LastWayIn),
)
async def remove_account(request: Request, account_id: UUID) -> Answer:
    """Remove a WeChat account from the caller and end its sessions at once."""
    if not await request.app.ctx.services.accounts.remove(request.ctx.caller, account_id):
        raise RequestNotFound
    return Answer()
