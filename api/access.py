"""Who may enter a route: declared with the route, checked before its handler runs."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from sanic import Request

from auth.errors import LevelTooLow, MandateMissing, RoleForbidden, TokenMissing
from auth.staff.rules import require_scope as _require_scope
from auth.types import EVERYWHERE, Level, Scope, StaffCaller
from core.errors import Forbidden
from core.signers.http_signature import SignatureInvalid

_BEARER: Final = "bearer "


class Audience(StrEnum):
    """Who a route is for."""

    PUBLIC = "public"
    CITIZEN = "citizen"
    STAFF = "staff"
    DEPARTMENT = "department"
    VERIFIER = "verifier"

    @property
    def comes_with_token(self) -> bool:
        """Whether the head alone tells who calls; a signature covers the body too."""
        return self in {Audience.CITIZEN, Audience.STAFF}


class Reach(StrEnum):
    """What an operator's grant must reach, so that it opens a route.

    - `WHOLE`: only a grant without limits opens it;
    - `ROWS`: a grant with limits opens it too; the handler acts on what it covers (`require_scope`, `scopes_of`);
    - `OWN`: it concerns the operator alone.
    """

    WHOLE = "whole"
    ROWS = "rows"
    OWN = "own"


class NotYourCase(Forbidden):
    """A department speaks about what belongs to another."""

    code = "departments.not-your-case"
    title = "这不是你部门的办件"
    title_en = "This belongs to another department"
    plain = "这件事不归你们管。"


@dataclass(frozen=True, slots=True)
class Access:
    """Who may enter: an audience, and for residents the level they need, for staff the roles and their reach."""

    audience: Audience
    level: Level | None = None
    roles: frozenset[str] = frozenset()
    reach: Reach = Reach.WHOLE

    def lets_in(self, operator: StaffCaller) -> bool:
        """Say whether an operator may enter: by one of the roles, and with enough of a reach."""
        scopes = operator.scopes(self.roles)
        return not self.roles or (EVERYWHERE in scopes if self.reach is Reach.WHOLE else bool(scopes))


def public() -> Access:
    """Everybody may enter; limits by address are the use case's."""
    return Access(Audience.PUBLIC)


def citizen(level: Level = Level.LINKED) -> Access:
    """A resident whose session has at least this level."""
    return Access(Audience.CITIZEN, level=level)


def staff(*roles: str, scope: Reach = Reach.WHOLE) -> Access:
    """An operator with one of these roles (none named: any operator), held that far."""
    return Access(Audience.STAFF, roles=frozenset(roles), reach=scope)


def department() -> Access:
    """The department of the path, by its signature."""
    return Access(Audience.DEPARTMENT)


def verifier() -> Access:
    """A registered verifier by its signature, or anybody unsigned for validity only."""
    return Access(Audience.VERIFIER)


async def admit(request: Request[Any, Any], access: Access) -> None:
    """Let the caller in, and put who it is on `request.ctx`.

    Raises:
        Unauthenticated: no token, an expired or wrong one, or a signature that does not hold.
        Forbidden: the level is too low, or a department speaks for another.
    """
    if access.audience is Audience.CITIZEN:
        await _admit_citizen(request, access)
    elif access.audience is Audience.STAFF:
        await _admit_staff(request, access)
    elif access.audience is Audience.DEPARTMENT:
        await _admit_department(request)
    elif access.audience is Audience.VERIFIER:
        await _admit_verifier(request)


def _bearer(request: Request[Any, Any]) -> str:
    value = request.headers.get("authorization", "")
    if value[: len(_BEARER)].lower() != _BEARER or not value[len(_BEARER) :].strip():
        raise TokenMissing
    return value[len(_BEARER) :].strip()


def refuse_mandate(request: Request[Any, Any]) -> None:
    """Refuse to act for somebody else: nobody has given a mandate yet.

    Raises:
        MandateMissing: the caller asks for it.
    """
    if "x-on-behalf-of" in request.headers:
        raise MandateMissing


async def _admit_citizen(request: Request[Any, Any], access: Access) -> None:
    services = request.app.ctx.services
    caller = await services.sessions.caller_of(_bearer(request))
    refuse_mandate(request)
    if access.level is not None and caller.level.rank < access.level.rank:
        raise LevelTooLow.needing(access.level)
    request.ctx.caller = caller


async def _admit_staff(request: Request[Any, Any], access: Access) -> None:
    operator = await request.app.ctx.services.staff_sessions.caller_of(_bearer(request), address=request.ctx.address)
    if not access.lets_in(operator):
        raise RoleForbidden
    request.ctx.operator = operator
    request.ctx.scopes = operator.scopes(access.roles)


def scopes_of(request: Request[Any, Any]) -> tuple[Scope, ...]:
    """Return how far the grants reach by which the operator entered; lists show what one of them covers."""
    scopes: tuple[Scope, ...] = request.ctx.scopes
    return scopes


def require_scope(request: Request[Any, Any], concerned: Scope) -> None:
    """See that a grant by which the operator entered covers what the request concerns.

    Raises:
        RoleForbidden: none does.
    """
    _require_scope(scopes_of(request), concerned)


async def _check_signature(request: Request[Any, Any], kind: str) -> str:
    services = request.app.ctx.services
    signed = await services.signatures.check(
        method=request.method,
        target_uri=services.public_url + request.raw_url.decode("ascii", "replace"),
        headers=request.headers,
        body=request.body,
        address=request.ctx.address,
    )
    # A key opens the doors of its own kind of party: no verifier speaks as a department, whatever it is called.
    if signed.kind != kind:
        raise SignatureInvalid
    request.ctx.signed = signed
    party: str = signed.party
    return party


async def _admit_department(request: Request[Any, Any]) -> None:
    """The nonce is used up later, in the transaction of the effect (`api/app.py`)."""
    party = await _check_signature(request, "department")
    if party != request.match_info.get("department"):
        raise NotYourCase
    request.ctx.department = party


async def _admit_verifier(request: Request[Any, Any]) -> None:
    """As with a department, the nonce is used up later; who comes unsigned has none."""
    signed = "signature" in request.headers or "signature-input" in request.headers
    request.ctx.verifier = await _check_signature(request, "verifier") if signed else None
    request.ctx.is_replay = False
