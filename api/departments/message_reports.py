"""Reports on short messages, told by their provider, which signs as departments do."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Final
from uuid import UUID

from pydantic import AwareDatetime, Field, StringConstraints

from api.access import NotYourCase, department
from api.operation import Answer, Body, Request, Routes
from core.signers.http_signature import SignatureInvalid
from notices.types import Reason

routes = Routes(prefix="/v1/departments", tag="departments")

# Whose messages they are; nobody else is believed.
_PROVIDER: Final = "sms"
_EARLIEST: Final = datetime(2000, 1, 1, tzinfo=UTC)
_LATEST: Final = datetime(2100, 1, 1, tzinfo=UTC)


class Status(StrEnum):
    """What became of a message."""

    DELIVERED = "delivered"
    FAILED = "failed"


class ReportIn(Body):
    """What became of one message; `reference` is ours (`docs/departments/sms-notices.md`)."""

    message_id: Annotated[str, StringConstraints(max_length=64)]
    reference: Annotated[str, StringConstraints(pattern="^[0-9a-f]{32}$")]
    status: Status
    reason: Annotated[str, StringConstraints(max_length=32)] = ""
    at: Annotated[AwareDatetime, Field(ge=_EARLIEST, le=_LATEST)]


@routes.post(
    "/<department:str>/message-reports",
    access=department(),
    status=204,
    problems=(SignatureInvalid, NotYourCase),
    idempotency="none",
)
async def tell(request: Request, body: ReportIn) -> Answer:
    """Tell whether a message arrived; the same report again has no effect, nor has one of a message we do not know."""
    if request.ctx.department != _PROVIDER:
        raise NotYourCase
    if not request.ctx.is_replay:
        reason = None if body.status is Status.DELIVERED else Reason.NOT_RECEIVED
        await request.app.ctx.services.message_reports.hear(UUID(body.reference), reason)
    return Answer(status=204)
