"""Sessions by face alone, for elderly people without a WeChat account."""

from typing import Annotated
from uuid import UUID

from pydantic import StringConstraints

from api.access import public
from api.citizen.face_words import FIELD, CheckOut, ResultOut, instead_of_face, read_frames, room_for_anybody
from api.citizen.sessions import GrantOut
from api.operation import Answer, Body, Request, Routes
from api.problems import RequestNotFound
from auth.errors import ConsentRequired, IdNumberInvalid, RegistryRefused, RegistryUnavailable
from auth.ways.types import Purpose
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

routes = Routes(prefix="/v1/citizen", tag="face")


class ElderIn(Body):
    """Who wants to come in, and the consent to a face check."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=60)]
    id_number: Annotated[str, StringConstraints(min_length=1, max_length=40)]
    consent: Annotated[str, StringConstraints(max_length=40)]


@routes.post(
    "/elder-sessions",
    access=public(),
    status=201,
    answer=CheckOut,
    problems=(ConsentRequired, IdNumberInvalid, NotOffered, GuardianNeeded, TooManyAttempts),
)
async def start(request: Request, body: ElderIn) -> Answer:
    """Start a face check that opens a session; the answer is the same for people nobody knows."""
    check = await request.app.ctx.services.elder_sessions.start(
        body.name, body.id_number, body.consent, address=request.ctx.address
    )
    return Answer(
        CheckOut.of(
            check,
            elder=True,
            english=request.ctx.english,
            others=instead_of_face(request, Purpose.LOGIN, elder=True),
        ),
        location=f"/v1/citizen/elder-sessions/{check.id}",
    )


@routes.post(
    "/elder-sessions/<check_id:uuid>/evidence",
    access=public(),
    answer=ResultOut,
    also={201: GrantOut},
    files=FIELD,
    gate=room_for_anybody,
    problems=(
        CheckExpired,
        EvidenceReplayed,
        FrameCount,
        PictureUnusable,
        EngineBusy,
        EngineUnavailable,
        RegistryUnavailable,
        RegistryRefused,
    ),
)
async def send_evidence(request: Request, check_id: UUID) -> Answer:
    """Send the frames of the check; passing opens a session."""
    frames = read_frames(request)
    try:
        result, grant = await request.app.ctx.services.elder_sessions.submit_evidence(
            check_id, frames, device=request.ctx.device, address=request.ctx.address
        )
    except NoSuchCheck as error:
        raise RequestNotFound from error
    if grant is not None:
        return Answer(GrantOut.of(grant), status=201, location=f"/v1/citizen/sessions/{grant.session_id}")
    return Answer(
        ResultOut.of(
            result,
            elder=True,
            english=request.ctx.english,
            others=instead_of_face(request, Purpose.LOGIN, elder=True),
        )
    )
