"""Logging in where there is no WeChat: name, number, and a way to prove that it is oneself."""

from typing import Annotated
from uuid import UUID

from pydantic import StringConstraints

from api.access import public
from api.citizen.sessions import GrantOut, granted
from api.citizen.ways.words import CardText, Consent, EvidenceIn, MobileText, WayCheckOut, WayResultOut
from api.operation import Answer, Body, Request, Routes
from api.problems import RequestNotFound
from auth.errors import (
    AccountClosed,
    ConsentRequired,
    IdNumberInvalid,
    NameInvalid,
    RegistryRefused,
    RegistryUnavailable,
)
from auth.ways.errors import (
    CardNumberInvalid,
    CheckDecided,
    CheckExpired,
    CheckInProgress,
    CodeRequired,
    MobileInvalid,
    NoSuchCheck,
    WayLocked,
    WayNotOffered,
    WayRefused,
    WayUnavailable,
)
from auth.ways.types import Method, Purpose

PREFIX = "/v1/citizen/login-checks"
routes = Routes(prefix=PREFIX, tag="ways")


class LoginCheckIn(Body):
    """Who wants to come in, by which method, what it needs, and the consent to check it (`real-name@1`)."""

    method: Method
    name: Annotated[str, StringConstraints(min_length=1, max_length=60)]
    id_number: Annotated[str, StringConstraints(min_length=1, max_length=40)]
    consent: Consent
    mobile: MobileText | None = None
    card_number: CardText | None = None


@routes.post(
    "",
    access=public(),
    status=201,
    answer=WayCheckOut,
    problems=(
        ConsentRequired,
        IdNumberInvalid,
        NameInvalid,
        WayNotOffered,
        MobileInvalid,
        CardNumberInvalid,
        WayLocked,
        WayUnavailable,
        WayRefused,
    ),
)
async def start(request: Request, body: LoginCheckIn) -> Answer:
    """Start to log in without WeChat; the answer is the same for people nobody knows."""
    services = request.app.ctx.services
    check = await services.login_checks.start(
        body.method,
        name=body.name,
        id_number=body.id_number,
        consent=body.consent,
        mobile=body.mobile,
        card_number=body.card_number,
        address=request.ctx.address,
    )
    others = services.menu.others(Purpose.LOGIN, but=body.method.value, elder=check.elder)
    out = WayCheckOut.of(check, others, english=request.ctx.english)
    return Answer(out, location=f"{PREFIX}/{check.id}")


@routes.post(
    "/<check_id:uuid>/evidence",
    access=public(),
    answer=WayResultOut,
    also={201: GrantOut},
    problems=(
        RequestNotFound,
        CodeRequired,
        CheckExpired,
        CheckDecided,
        CheckInProgress,
        WayUnavailable,
        WayRefused,
        RegistryUnavailable,
        RegistryRefused,
        AccountClosed,
    ),
)
async def send_evidence(request: Request, check_id: UUID, body: EvidenceIn) -> Answer:
    """Send the code, or ask how it stands; passing opens a session."""
    services = request.app.ctx.services
    try:
        result, grant = await services.login_checks.submit_evidence(
            check_id, body.code, device=request.ctx.device, address=request.ctx.address
        )
    except NoSuchCheck as error:
        raise RequestNotFound from error
    if grant is not None:
        return granted(grant)
    others = services.menu.others(Purpose.LOGIN, but=result.method.value, elder=result.elder)
    return Answer(WayResultOut.of(result, others, english=request.ctx.english))
