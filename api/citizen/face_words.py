"""What callers are told about face checks, and how their frames are read."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from api.operation import Out, Request
from api.problems import MediaType, TooLarge
from api.reading import read_files
from core.errors import Alternative
from face.rules import alternatives, size_fault
from face.types import Action, CheckResult, Outcome, PictureFault, Reason, StartedCheck

FIELD = "frames"


class WayOut(Out):
    """Another way to the same end."""

    method: str
    text: str
    start: str | None = None

    @classmethod
    def of(cls, way: Alternative, *, english: bool) -> "WayOut":
        """Return a way in the language asked for."""
        return cls(method=way.method, text=way.text_en if english else way.text, start=way.start)


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
    def of(cls, check: StartedCheck, *, elder: bool, english: bool) -> "CheckOut":
        """Return the answer for a started check."""
        return cls(
            id=check.id,
            actions=list(check.actions),
            expires_at=check.expires_at,
            frames=FramesOut(min=check.min_frames, max=check.max_frames, max_bytes=check.max_frame_bytes),
            engine=check.engine,
            alternatives=ways(elder=elder, english=english),
        )


class ResultOut(Out):
    """How a check ended. `not_passed` says no more."""

    outcome: Literal[Outcome.PASSED, Outcome.FAILED]
    reason: Reason | None
    attempts_left: int
    alternatives: list[WayOut]

    @classmethod
    def of(cls, result: CheckResult, *, elder: bool, english: bool) -> "ResultOut":
        """Return the answer for a decided check; other ways stand beside every failure."""
        return cls(
            outcome=result.outcome,
            reason=result.reason,
            attempts_left=result.attempts_left,
            alternatives=ways(elder=elder, english=english) if result.outcome is Outcome.FAILED else [],
        )


def ways(*, elder: bool, english: bool) -> list[WayOut]:
    """Return the other ways, those for elders with the family first."""
    return [WayOut.of(way, english=english) for way in alternatives(elder=elder)]


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
