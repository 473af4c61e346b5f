"""Text messages that residents send, handed on by their provider, which sends the answer back."""

from datetime import UTC, datetime
from typing import Annotated, Final

from pydantic import AwareDatetime, Field, StringConstraints

from api.access import NotYourCase, department
from api.operation import Answer, Body, Out, Request, Routes
from core.cache import CacheUnavailable
from core.signers.http_signature import SignatureInvalid
from matters.texting.rules import LONGEST

routes = Routes(prefix="/v1/departments", tag="departments")

# Whose messages they are; nobody else is believed.
_PROVIDER: Final = "sms"
_EARLIEST: Final = datetime(2000, 1, 1, tzinfo=UTC)
_LATEST: Final = datetime(2100, 1, 1, tzinfo=UTC)


class IncomingIn(Body):
    """A message; `sender` is the provider's mark of who sent it, the same for the same mobile, and never its number."""

    message_id: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    sender: Annotated[str, StringConstraints(pattern="^[0-9a-f]{64}$")]
    text: Annotated[str, StringConstraints(max_length=500)]
    at: Annotated[AwareDatetime, Field(ge=_EARLIEST, le=_LATEST)]


class ReplyOut(Out):
    """What the provider sends back to whoever wrote."""

    reply: Annotated[str, Field(max_length=LONGEST)]


@routes.post(
    "/<department:str>/incoming-messages",
    access=department(),
    answer=ReplyOut,
    problems=(SignatureInvalid, NotYourCase, CacheUnavailable),
    idempotency="none",
)
async def take(request: Request, body: IncomingIn) -> Answer:
    """Answer a message that asks how a case stands; the same one again is answered again."""
    if request.ctx.department != _PROVIDER:
        raise NotYourCase
    by_text = request.app.ctx.services.matters.progress_by_text
    return Answer(ReplyOut(reply=await by_text.answer(body.text, sender=body.sender)))
