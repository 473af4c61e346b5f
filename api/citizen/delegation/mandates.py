"""Mandates: giving somebody the right to act for one, taking it, seeing and revoking it; a guardian's consents."""

from datetime import datetime
from typing import Annotated, Final, Literal
from urllib.parse import unquote
from uuid import UUID

from pydantic import AwareDatetime, Field, StringConstraints

from api.access import Delegable, citizen
from api.citizen.delegation.relatives import after
from api.operation import Answer, Body, Out, Page, PageQuery, Request, Routes, encode_cursor
from api.problems import RequestInvalid, RequestNotFound
from api.reading import field_error
from auth.delegation.errors import (
    BusinessRegisterUnavailable,
    KinshipUnavailable,
    LinkStateForbids,
    MandateInvalid,
    MandateStateForbids,
    NoSelfDelegation,
    TooYoung,
)
from auth.delegation.types import MandateState, MandateView, Terms
from auth.errors import ConsentNeeded, IdNumberInvalid, MandateMissing, NameInvalid, NoSuchConsent
from auth.types import Level, MandateKind, PrincipalKind, Scope
from core.errors import FieldError
from matters.errors import MatterUnknown

PREFIX = "/v1/citizen/mandates"
routes = Routes(prefix=PREFIX, tag="delegation")

_MOST: Final = 50
Word = Annotated[str, StringConstraints(min_length=1, max_length=64)]
Words = Annotated[list[Word], Field(max_length=_MOST)] | Literal["all"]


class ScopeIn(Body):
    """Which kinds of certificates, and which matters by code or slug; `all`, or an empty list for none."""

    certificates: Words = Field(default_factory=list)
    matters: Words = Field(default_factory=list)


class AgentIn(Body):
    """Name and number of who is to act for an organisation."""

    name: Annotated[str, StringConstraints(max_length=100)]
    id_number: Annotated[str, StringConstraints(max_length=40)]


class MandateIn(Body):
    """To a relative (`relative`), or for an organisation (`organisation`) to an `agent` by name and number."""

    relative: Annotated[UUID, Field(strict=False)] | None = None
    organisation: Annotated[UUID, Field(strict=False)] | None = None
    agent: AgentIn | None = None
    scope: ScopeIn
    ends_at: Annotated[AwareDatetime, Field(strict=False)]
    one_time: bool = False


class ConsentIn(Body):
    """The consent given in the ward's place (`face@1`)."""

    consent: Annotated[str, StringConstraints(max_length=40)]


class MandatesQuery(PageQuery):
    """Whose mandates: those the caller has as `agent`, or those given as `principal`."""

    role: Literal["agent", "principal"] = "agent"


class ScopeOut(Out):
    """What a mandate covers; `all` or a list. Matters are told by their codes."""

    certificates: list[str] | Literal["all"]
    matters: list[str] | Literal["all"]

    @classmethod
    def of(cls, scope: Scope) -> "ScopeOut":
        """Return the answer for a scope."""
        return cls(
            certificates="all" if scope.certificates is None else sorted(scope.certificates),
            matters="all" if scope.matters is None else sorted(scope.matters),
        )


class MandateOut(Out):
    """A mandate; names of people are masked. Its `id` goes into `X-On-Behalf-Of`.

    `principal_name` and `agent_name` are empty when the person is not known any more.
    """

    id: UUID
    role: Literal["agent", "principal"]
    kind: MandateKind
    state: MandateState
    principal: PrincipalKind
    principal_name: str
    organisation: UUID | None
    agent_name: str
    scope: ScopeOut
    one_time: bool
    offered_at: datetime
    accepted_at: datetime | None
    ends_at: datetime
    ended_at: datetime | None
    end_reason: str

    @classmethod
    def of(cls, view: MandateView) -> "MandateOut":
        """Return the answer for a mandate."""
        return cls(
            id=view.id,
            role="agent" if view.is_agent else "principal",
            kind=view.kind,
            state=view.state,
            principal=view.principal,
            principal_name=view.principal_name,
            organisation=view.organisation_id,
            agent_name=view.agent_name,
            scope=ScopeOut.of(view.scope),
            one_time=view.one_time,
            offered_at=view.offered_at,
            accepted_at=view.accepted_at,
            ends_at=view.ends_at,
            ended_at=view.ended_at,
            end_reason=view.end_reason,
        )


def _located(view: MandateView) -> Answer:
    return Answer(MandateOut.of(view), location=f"{PREFIX}/{view.id}")


def _scope(request: Request, told: ScopeIn) -> Scope:
    """Return a scope with only kinds and matters that there are; a matter by its slug becomes its code.

    Raises:
        MandateInvalid: something in it is not there.
    """
    services, errors = request.app.ctx.services, []
    kinds: set[str] = set()
    codes: set[str] = set()
    for index, kind in enumerate(() if told.certificates == "all" else told.certificates):
        if services.wallet.kinds.find(kind) is None:
            errors.append(_unknown(f"/scope/certificates/{index}"))
        kinds.add(kind)
    for index, name in enumerate(() if told.matters == "all" else told.matters):
        try:
            codes.add(services.catalogue.find(name).matter.code)
        except MatterUnknown:
            errors.append(_unknown(f"/scope/matters/{index}"))
    if errors:
        raise MandateInvalid(errors=errors)
    return Scope(
        None if told.certificates == "all" else frozenset(kinds), None if told.matters == "all" else frozenset(codes)
    )


def _unknown(pointer: str) -> FieldError:
    return FieldError(pointer, "unknown", "没有这个事项或证照", "There is no such thing")


@routes.post(
    "",
    access=citizen(Level.PRESENT, delegable=Delegable.OWN, in_person=True),
    status=201,
    answer=MandateOut,
    problems=(
        RequestNotFound,
        MandateInvalid,
        LinkStateForbids,
        MandateStateForbids,
        TooYoung,
        NoSelfDelegation,
        IdNumberInvalid,
        NameInvalid,
        MandateMissing,
        BusinessRegisterUnavailable,
    ),
)
async def offer(request: Request, body: MandateIn) -> Answer:
    """Offer a mandate to a relative, or in an organisation's name to an agent; it counts when they accept it."""
    mandates, caller = request.app.ctx.services.mandates, request.ctx.caller
    terms = Terms(_scope(request, body.scope), body.ends_at, body.one_time)
    if body.relative is not None and body.organisation is None and body.agent is None:
        view = await mandates.offer_to_relative(caller, body.relative, terms)
    elif body.organisation is not None and body.agent is not None and body.relative is None:
        view = await mandates.offer_for_organisation(
            caller, body.organisation, terms, name=body.agent.name, id_number=body.agent.id_number
        )
    else:
        raise RequestInvalid(errors=[field_error("/relative", "missing")])
    if view is None:
        raise RequestNotFound
    return _located(view)


@routes.get("", access=citizen(Level.REAL_NAME, delegable=Delegable.OWN, in_person=True), answer=Page[MandateOut])
async def list_mandates(request: Request, query: MandatesQuery) -> Answer:
    """List the mandates the caller has, or has given, oldest first; those that are over too."""
    views = await request.app.ctx.services.mandates.list_mandates(
        request.ctx.caller, as_agent=query.role == "agent", after=after(query.cursor), limit=query.limit + 1
    )
    page = views[: query.limit]
    return Answer(
        Page[MandateOut](
            items=[MandateOut.of(view) for view in page],
            next_cursor=encode_cursor([str(page[-1].id)]) if len(views) > len(page) else None,
        )
    )


@routes.get(
    "/<mandate_id:uuid>",
    access=citizen(Level.REAL_NAME, delegable=Delegable.OWN, in_person=True),
    answer=MandateOut,
    problems=(RequestNotFound,),
)
async def get(request: Request, mandate_id: UUID) -> Answer:
    """Read a mandate of which the caller is one side."""
    view = await request.app.ctx.services.mandates.find(request.ctx.caller, mandate_id)
    if view is None:
        raise RequestNotFound
    return Answer(MandateOut.of(view))


@routes.post(
    "/<mandate_id:uuid>/acceptances",
    access=citizen(Level.REAL_NAME, delegable=Delegable.OWN, in_person=True),
    status=201,
    answer=MandateOut,
    problems=(RequestNotFound, MandateStateForbids, TooYoung),
)
async def accept(request: Request, mandate_id: UUID) -> Answer:
    """Accept a mandate that was offered to the caller; it counts from now on."""
    view = await request.app.ctx.services.mandates.accept(request.ctx.caller, mandate_id)
    if view is None:
        raise RequestNotFound
    return _located(view)


@routes.delete(
    "/<mandate_id:uuid>",
    access=citizen(Level.REAL_NAME, delegable=Delegable.OWN, in_person=True),
    status=204,
    problems=(RequestNotFound, MandateStateForbids),
)
async def revoke(request: Request, mandate_id: UUID) -> Answer:
    """End a mandate at once, from either side; an offer is refused by whom it was made to."""
    if not await request.app.ctx.services.mandates.revoke(request.ctx.caller, mandate_id):
        raise RequestNotFound
    return Answer()


@routes.put(
    "/<mandate_id:uuid>/consents",
    access=citizen(Level.PRESENT, delegable=Delegable.OWN, in_person=True),
    status=204,
    problems=(MandateMissing, NoSuchConsent, KinshipUnavailable),
)
async def consent(request: Request, mandate_id: UUID, body: ConsentIn) -> Answer:
    """Consent as a guardian in the ward's place, where the ward may not consent alone."""
    await request.app.ctx.services.guardians.consent(request.ctx.caller, mandate_id, body.consent)
    return Answer()


@routes.delete(
    "/<mandate_id:uuid>/consents/<consent:str>",
    access=citizen(Level.REAL_NAME, delegable=Delegable.OWN, in_person=True),
    status=204,
    problems=(RequestNotFound, MandateMissing, ConsentNeeded, KinshipUnavailable),
)
async def withdraw_consent(request: Request, mandate_id: UUID, consent: str) -> Answer:
    """Take back, as a guardian, a consent that stands for the ward, such as `face@1`."""
    if not await request.app.ctx.services.guardians.withdraw(request.ctx.caller, mandate_id, unquote(consent)):
        raise RequestNotFound
    return Answer()
