"""Who may enter a route: declared with the route, checked before its handler runs."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from sanic import Request

from auth.errors import LevelTooLow, MandateMissing, TokenMissing
from auth.types import Caller, Level
from core.errors import Forbidden

_BEARER: Final = "bearer "
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


class NotYourCase(Forbidden):
    """A department speaks about what belongs to another."""

    code = "departments.not-your-case"
    title = "这不是你部门的办件"
    title_en = "This belongs to another department"
    plain = "这件事不归你们管。"


@dataclass(frozen=True, slots=True)
class Access:
    """Who may enter: an audience, and for residents the level they need, for staff the roles."""

    audience: Audience
    level: Level | None = None
    roles: frozenset[str] = frozenset()


def public() -> Access:
    """Everybody may enter; limits by address are the use case's."""
    return Access(Audience.PUBLIC)


def citizen(level: Level = Level.LINKED) -> Access:
    """A resident whose session has at least this level."""
    return Access(Audience.CITIZEN, level=level)


def staff(*roles: str) -> Access:
    """An operator with one of these roles."""
    return Access(Audience.STAFF, roles=frozenset(roles))


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
        _admit_department(request)
    elif access.audience is Audience.VERIFIER:
        _admit_verifier(request)


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
    token = _bearer(request)
    lately = request.method in _READS
    caller = await services.sessions.caller_of(token, lately=lately)
    if lately and _is_too_low(caller, access):
        caller = await services.sessions.caller_of(token)
    refuse_mandate(request)
    if access.level is not None and _is_too_low(caller, access):
        raise LevelTooLow.needing(access.level)
    request.ctx.caller = caller


def _is_too_low(caller: Caller, access: Access) -> bool:
    return access.level is not None and caller.level.rank < access.level.rank


async def _admit_staff(request: Request[Any, Any], access: Access) -> None:
    request.ctx.operator = await request.app.ctx.services.operators.caller_of(_bearer(request), roles=access.roles)


def _check_signature(request: Request[Any, Any]) -> str:
    services = request.app.ctx.services
    signed = services.signatures.check(
        method=request.method,
        target_uri=services.public_url + request.raw_url.decode("ascii", "replace"),
        headers=request.headers,
        body=request.body,
    )
    request.ctx.signed = signed
    party: str = signed.party
    return party


def _admit_department(request: Request[Any, Any]) -> None:
    """The nonce is used up later, in the transaction of the effect (`api/app.py`)."""
    party = _check_signature(request)
    if party != request.match_info.get("department"):
        raise NotYourCase
    request.ctx.department = party


def _admit_verifier(request: Request[Any, Any]) -> None:
    """As with a department, the nonce is used up later; who comes unsigned has none."""
    signed = "signature" in request.headers or "signature-input" in request.headers
    request.ctx.verifier = _check_signature(request) if signed else None
    request.ctx.is_replay = False
