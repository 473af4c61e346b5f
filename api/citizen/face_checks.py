"""Face checks of residents who are logged in."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import StringConstraints

from api.access import Delegable, citizen
from api.citizen.face_words import FIELD, CheckOut, ResultOut, instead_of_face, read_frames, room_for_one
from api.operation import Answer, Body, Request, Routes
from api.problems import RequestNotFound
from auth.errors import ConsentRequired, RegistryRefused, RegistryUnavailable
from auth.types import Level
from auth.ways.types import Purpose as WayPurpose
from face.errors import (
    CheckExpired,
    EngineBusy,
    EngineUnavailable,
    EvidenceReplayed,
    FrameCount,
    GuardianNeeded,
    NoSuchCheck,
    NotOffered,
    PictureUnusable,
    TooManyAttempts,
)
from face.types import Purpose

routes = Routes(prefix="/v1/citizen", tag="face")


class CheckIn(Body):
    """Why a face is checked, and the consent to it."""

    purpose: Literal["step-up", "pension", "account-takeover"]
    consent: Annotated[str, StringConstraints(max_length=40)]


@routes.post(
    "/face-checks",
    access=citizen(Level.REAL_NAME, delegable=Delegable.OWN),
    status=201,
    answer=CheckOut,
    problems=(ConsentRequired, NotOffered, GuardianNeeded, TooManyAttempts),
)
async def start_check(request: Request, body: CheckIn) -> Answer:
    """Start a face check."""
    caller = request.ctx.caller
    check = await request.app.ctx.services.face_checks.start(caller, Purpose(body.purpose), body.consent)
    return Answer(
        CheckOut.of(
            check,
            elder=caller.elder,
            english=request.ctx.english,
            others=instead_of_face(request, WayPurpose.STEP_UP, elder=caller.elder),
        ),
        location=f"/v1/citizen/face-checks/{check.id}",
    )


@routes.post(
    "/face-checks/<check_id:uuid>/evidence",
    access=citizen(Level.REAL_NAME, delegable=Delegable.OWN),
    answer=ResultOut,
    files=FIELD,
    gate=room_for_one,
    problems=(
        CheckExpired,
        EvidenceReplayed,
        FrameCount,
        PictureUnusable,
        EngineBusy,
        EngineUnavailable,
        RegistryUnavailable,
        RegistryRefused,
        ConsentRequired,
    ),
)
async def send_evidence(request: Request, check_id: UUID) -> Answer:
    """Send the frames of a face check, in order; passing raises the session to `present`."""
    caller = request.ctx.caller
    frames = read_frames(request)
    try:
        result = await request.app.ctx.services.face_checks.submit_evidence(caller, check_id, frames)
    except NoSuchCheck as error:
        raise RequestNotFound from error
    return Answer(
        ResultOut.of(
            result,
            elder=caller.elder,
            english=request.ctx.english,
            others=instead_of_face(request, WayPurpose.STEP_UP, elder=caller.elder),
        )
    )
