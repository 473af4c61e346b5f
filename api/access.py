"""Who may enter a route: declared with the route, checked before its handler runs."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from sanic import Request

from auth.errors import LevelTooLow, MandateMissing, NotDelegable, RoleForbidden, TokenMissing
from auth.staff.rules import require_scope as _require_scope
from auth.types import EVERYWHERE, Caller, Level, Mandate, MandateKind, PrincipalKind, StaffCaller, StaffScope
from auth.ways.errors import InPersonOnly
from core.errors import Forbidden
from core.signers.http_signature import SignatureInvalid

_BEARER: Final = "bearer "
_ON_BEHALF_OF: Final = "x-on-behalf-of"
# What changes nothing may rest on a session as it was within the last second (docs/decisions/0021).
_READS: Final = frozenset({"GET", "HEAD"})


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


class Delegable(StrEnum):
    """What a mandate lets its holder do at a route. The use cases look more closely, at the very kind or matter."""

    OWN = "own"
    """Nothing: this is the person's own (sessions, identity, face, consents, mandates)."""
    OPEN = "open"
    """Everything: the route shows nobody's data."""
    CERTIFICATES = "certificates"
    """What a mandate with certificates in its scope covers."""
    MATTERS = "matters"
    """What a mandate with matters in its scope covers."""
    PERSON = "person"
    """The principal's own record: for guardians, and at organisations for whoever represents them."""


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
    """Who may enter: an audience, and for residents the level they need, for staff the roles and their reach.

    `delegable` says what a mandate may do here, `organisations` whether an organisation has such a thing at all.
    `in_person`: not through an officer who acts for the resident.
    """

    audience: Audience
    level: Level | None = None
    roles: frozenset[str] = frozenset()
    delegable: Delegable | None = None
    organisations: bool = False
    in_person: bool = False
    reach: Reach = Reach.WHOLE

    @property
    def is_delegable(self) -> bool:
        """Whether any mandate leads in."""
        return self.delegable not in {None, Delegable.OWN}

    def lets_in(self, operator: StaffCaller) -> bool:
        """Say whether an operator may enter: by one of the roles, and with enough of a reach."""
        scopes = operator.scopes(self.roles)
        return not self.roles or (EVERYWHERE in scopes if self.reach is Reach.WHOLE else bool(scopes))


def public() -> Access:
    """Everybody may enter; limits by address are the use case's."""
    return Access(Audience.PUBLIC)


def citizen(
    level: Level = Level.LINKED,
    *,
    delegable: Delegable | None = None,
    organisations: bool = False,
    in_person: bool = False,
) -> Access:
    """A resident whose session has at least this level, for themselves or as far as a mandate goes.

    A route that does not say how far is one's own; every route has to say so (`tests/architecture/test_routes.py`).
    With `in_person` no officer enters who acts for them.
    """
    return Access(Audience.CITIZEN, level=level, delegable=delegable, organisations=organisations, in_person=in_person)


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
        Forbidden: the level is too low, the mandate does not go so far, or a department speaks for another.
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
    """Refuse to act for somebody else where it is not known who acts.

    Raises:
        MandateMissing: the caller asks for it.
    """
    if _ON_BEHALF_OF in request.headers:
        raise MandateMissing


def fits(mandate: Mandate, access: Access) -> bool:
    """Tell whether a mandate covers anything at a route."""
    if access.delegable is Delegable.CERTIFICATES:
        return mandate.scope.certificates != frozenset()
    if access.delegable is Delegable.MATTERS:
        return mandate.scope.matters != frozenset()
    if access.delegable is Delegable.PERSON:
        return mandate.kind in {MandateKind.GUARDIAN, MandateKind.REPRESENTATIVE}
    return access.delegable is Delegable.OPEN


async def _on_behalf(request: Request[Any, Any], caller: Caller, access: Access) -> Caller:
    """Return the caller as they act: for themselves, or under the mandate that they name.

    Raises:
        NotDelegable: nobody can do this for somebody else, or an organisation has no such thing.
        MandateMissing: the caller has no such mandate, or it does not go so far.
    """
    told = request.headers.get(_ON_BEHALF_OF)
    if told is None:
        return caller
    if not access.is_delegable:
        raise NotDelegable
    acting: Caller = await request.app.ctx.services.authority.act(caller, told)
    if acting.mandate is None:
        raise MandateMissing
    if acting.mandate.principal is PrincipalKind.ORGANISATION and not access.organisations:
        raise NotDelegable
    if not fits(acting.mandate, access):
        raise MandateMissing
    return acting


async def _admit_citizen(request: Request[Any, Any], access: Access) -> None:
    services = request.app.ctx.services
    token = _bearer(request)
    lately = request.method in _READS
    caller = await services.sessions.caller_of(token, lately=lately)
    if lately and _is_too_low(caller, access):
        caller = await services.sessions.caller_of(token)
    # Before anything else is looked at: which ways raise a level follows the caller's profile.
    request.ctx.caller = caller
    # An officer has the person's own confirmation, and none of those whom that person may act for.
    if caller.operator_id is not None and (access.in_person or _ON_BEHALF_OF in request.headers):
        raise InPersonOnly
    caller = await _on_behalf(request, caller, access)
    request.ctx.caller = caller
    if access.level is not None and _is_too_low(caller, access):
        raise LevelTooLow.needing(access.level)


def _is_too_low(caller: Caller, access: Access) -> bool:
    return access.level is not None and caller.level.rank < access.level.rank


async def _admit_staff(request: Request[Any, Any], access: Access) -> None:
    operator = await request.app.ctx.services.staff_sessions.caller_of(_bearer(request), address=request.ctx.address)
    if not access.lets_in(operator):
        raise RoleForbidden
    request.ctx.operator = operator
    request.ctx.scopes = operator.scopes(access.roles)


def scopes_of(request: Request[Any, Any]) -> tuple[StaffScope, ...]:
    """Return how far the grants reach by which the operator entered; lists show what one of them covers."""
    scopes: tuple[StaffScope, ...] = request.ctx.scopes
    return scopes


def require_scope(request: Request[Any, Any], concerned: StaffScope) -> None:
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
