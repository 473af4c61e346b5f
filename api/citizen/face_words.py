"""What callers are told about face checks, and how their frames are read."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal
from uuid import UUID

from api.citizen.ways.words import WayOut
from api.operation import Out, Request
from api.problems import MediaType, TooLarge
from api.reading import read_files
from auth.ways.types import Purpose
from core.errors import Alternative
from face.recording.rules import size_fault
from face.rules import alternatives
from face.types import Action, CheckResult, Outcome, PictureFault, Reason, StartedCheck

FIELD = "frames"


class FramesOut(Out):
    """How many frames a check takes, and how large one may be, in bytes."""

    min: int
    max: int
    max_bytes: int


class CheckOut(Out):
    """A started check: what to do before the camera, in this order, and by when."""

    id: UUID
    actions: list[Action]
    expires_at: datetime
    frames: FramesOut
    engine: str
    alternatives: list[WayOut]

    @classmethod
    def of(
        cls, check: StartedCheck, *, elder: bool, english: bool, others: Sequence[Alternative] | None = None
    ) -> "CheckOut":
        """Return the answer for a started check."""
        return cls(
            id=check.id,
            actions=list(check.actions),
            expires_at=check.expires_at,
            frames=FramesOut(min=check.min_frames, max=check.max_frames, max_bytes=check.max_frame_bytes),
            engine=check.engine,
            alternatives=ways(others, elder=elder, english=english),
        )


class ResultOut(Out):
    """How a check ended. `not_passed` says no more."""

    outcome: Literal[Outcome.PASSED, Outcome.FAILED]
    reason: Reason | None
    attempts_left: int
    alternatives: list[WayOut]

    @classmethod
    def of(
        cls, result: CheckResult, *, elder: bool, english: bool, others: Sequence[Alternative] | None = None
    ) -> "ResultOut":
        """Return the answer for a decided check; other ways stand beside every failure."""
        return cls(
            outcome=result.outcome,
            reason=result.reason,
            attempts_left=result.attempts_left,
            alternatives=ways(others, elder=elder, english=english) if result.outcome is Outcome.FAILED else [],
        )


def ways(others: Sequence[Alternative] | None, *, elder: bool, english: bool) -> list[WayOut]:
    """Return the other ways, those of every city where none are given; for elders the family first."""
    chosen = alternatives(elder=elder) if others is None else others
    return [WayOut.of(way, english=english) for way in chosen]


def instead_of_face(request: Request, purpose: Purpose, *, elder: bool) -> Sequence[Alternative]:
    """Return what this installation offers beside the face to the same end."""
    others: Sequence[Alternative] = request.app.ctx.services.menu.others(purpose, but="face", elder=elder)
    return others


def read_frames(request: Request) -> list[bytes]:
    """Return the frames of a request, in order.

    Raises:
        EdgeProblem: no multipart body, too many or too large files, or files that are neither JPEG nor PNG.
        RequestInvalid: other fields than `frames`.
    """
    settings = request.app.ctx.services.settings.face
    frames = read_files(request, field=FIELD, at_most=settings.max_frames, max_bytes=settings.max_frame_bytes)
    for frame in frames:
        fault = size_fault(frame, max_bytes=settings.max_frame_bytes)
        if fault is PictureFault.TOO_LARGE:
            raise TooLarge
        if fault is not None:
            raise MediaType
    return frames


def room_for_one(request: Request) -> None:
    """Refuse the evidence of somebody who is logged in before it is read, when nobody could look at it now.

    Raises:
        EngineBusy: the engine has no place for a check.
    """
    request.app.ctx.services.face.engine.require_place(logged_in=True)


def room_for_anybody(request: Request) -> None:
    """As `room_for_one`, for somebody who is not logged in.

    Raises:
        EngineBusy: the engine has no place for a check by somebody nameless.
    """
    request.app.ctx.services.face.engine.require_place(logged_in=False)
