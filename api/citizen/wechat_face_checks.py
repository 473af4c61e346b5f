"""Face checks that WeChat makes in its own window (`wx.requestFacialVerify`), of residents who are logged in."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import StringConstraints

from api.access import Delegable, citizen
from api.citizen.ways.words import WayOut
from api.operation import Answer, Body, Out, Request, Routes
from api.problems import RequestNotFound
from auth.errors import ConsentRequired
from auth.types import Level
from auth.ways.menu import PLATFORM_CHECKS
from auth.ways.types import Purpose as WayPurpose
from core.errors import Alternative
from face.errors import CheckExpired, GuardianNeeded, NoSuchCheck, NotOffered, TooManyAttempts
from face.platform.errors import AccountNeeded, CheckDecided, PlatformRefused, PlatformTooMany, PlatformUnavailable
from face.platform.types import CheckResult, Outcome, Reason, StartedCheck
from face.types import Purpose

routes = Routes(prefix=PLATFORM_CHECKS, tag="face")


class PlatformCheckIn(Body):
    """Why a face is checked, and the consent to have WeChat do it (`wechat-face@1`)."""

    purpose: Literal["step-up", "pension"]
    consent: Annotated[str, StringConstraints(max_length=40)]


class PlatformCheckOut(Out):
    """A check that has begun: what `wx.requestFacialVerify({verifyId})` takes, and by when its result is asked for."""

    id: UUID
    verify_id: str
    expires_at: datetime
    engine: str
    attempts_left: int
    alternatives: list[WayOut]

    @classmethod
    def of(cls, check: StartedCheck, others: Sequence[Alternative], *, english: bool) -> "PlatformCheckOut":
        """Return the answer for a check that has begun."""
        return cls(
            id=check.id,
            verify_id=check.reference,
            expires_at=check.expires_at,
            engine=check.engine,
            attempts_left=check.attempts_left,
            alternatives=[WayOut.of(way, english=english) for way in others],
        )


class PlatformResultOut(Out):
    """How a check stands. `pending`: WeChat has told no end yet; ask again once its window has closed.

    `message` says what a reason means, `plain` the same to be spoken (elder mode), `may_help` whether a new check may
    do better. `not_passed` says no more.
    """

    outcome: Outcome
    reason: Reason | None
    message: str | None
    plain: str | None
    may_help: bool
    attempts_left: int
    alternatives: list[WayOut]

    @classmethod
    def of(
        cls, result: CheckResult, others: Sequence[Alternative], *, elder: bool, english: bool
    ) -> "PlatformResultOut":
        """Return the answer for a check that was asked about; other ways stand beside every failure."""
        advice, failed = result.advice, result.outcome is Outcome.FAILED
        return cls(
            outcome=result.outcome,
            reason=result.reason,
            message=None if advice is None else advice.text_en if english else advice.text,
            plain=advice.plain if advice is not None and elder else None,
            may_help=advice is not None and advice.may_help,
            attempts_left=result.attempts_left,
            alternatives=[WayOut.of(way, english=english) for way in others] if failed else [],
        )


@routes.post(
    "",
    access=citizen(Level.REAL_NAME, delegable=Delegable.OWN),
    status=201,
    answer=PlatformCheckOut,
    problems=(
        ConsentRequired,
        NotOffered,
        AccountNeeded,
        GuardianNeeded,
        TooManyAttempts,
        PlatformUnavailable,
        PlatformTooMany,
        PlatformRefused,
    ),
)
async def start(request: Request, body: PlatformCheckIn) -> Answer:
    """Start a face check by WeChat."""
    caller = request.ctx.caller
    check = await request.app.ctx.services.face.platform_checks.start(caller, Purpose(body.purpose), body.consent)
    out = PlatformCheckOut.of(check, _others(request), english=request.ctx.english)
    return Answer(out, location=f"{PLATFORM_CHECKS}/{check.id}")


@routes.post(
    "/<platform_check_id:uuid>/results",
    access=citizen(Level.REAL_NAME, delegable=Delegable.OWN),
    answer=PlatformResultOut,
    problems=(
        RequestNotFound,
        AccountNeeded,
        CheckExpired,
        CheckDecided,
        ConsentRequired,
        PlatformUnavailable,
        PlatformRefused,
    ),
)
async def ask_result(request: Request, platform_check_id: UUID) -> Answer:
    """Have the result asked for at WeChat, once its window has closed; passing raises the session to `present`."""
    caller = request.ctx.caller
    try:
        result = await request.app.ctx.services.face.platform_checks.finish(caller, platform_check_id)
    except NoSuchCheck as error:
        raise RequestNotFound from error
    return Answer(
        PlatformResultOut.of(result, _others(request), elder=request.ctx.elder_words, english=request.ctx.english)
    )


def _others(request: Request) -> Sequence[Alternative]:
    others: Sequence[Alternative] = request.app.ctx.services.menu.others(
        WayPurpose.STEP_UP, but="wechat-face", elder=request.ctx.caller.elder
    )
    return others
