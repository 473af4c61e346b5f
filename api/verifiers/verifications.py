"""Checking a certificate that somebody shows, by a code or by a token."""

from typing import Annotated
from uuid import UUID

from pydantic import StringConstraints

from api.access import verifier
from api.operation import Answer, Body, Out, Request, Routes
from auth.registers.errors import QuotaUsedUp
from certificates.errors import PurposeRequired, VerifierUnknown
from certificates.types import PURPOSE, PURPOSE_LENGTH, Outcome, Value, Verified
from core.cache import CacheUnavailable

routes = Routes(prefix="/v1/verifiers", tag="verifications")


class VerifyIn(Body):
    """What was scanned, whatever it is, and why."""

    code: Annotated[str, StringConstraints(max_length=8192)]
    purpose: Annotated[str, StringConstraints(max_length=PURPOSE_LENGTH, pattern=PURPOSE)] = ""


class VerifiedOut(Out):
    """What the code was worth. Without a good code, `kind` is null and `fields` is empty."""

    outcome: Outcome
    kind: str | None
    fields: dict[str, Value | bool]
    holder_notified: bool

    @classmethod
    def of(cls, verified: Verified) -> "VerifiedOut":
        """Return an outcome."""
        return cls(
            outcome=verified.outcome,
            kind=verified.kind,
            fields=dict(verified.fields),
            holder_notified=verified.holder_notified,
        )


# Not repeatable under a key: a code works once, and a second scan has to say so.
@routes.post(
    "/verifications",
    access=verifier(),
    answer=VerifiedOut,
    idempotency="none",
    problems=(CacheUnavailable, PurposeRequired, VerifierUnknown, QuotaUsedUp),
)
async def verify(request: Request, body: VerifyIn) -> Answer:
    """Check a code or a token: 200 with an outcome, whatever was scanned."""
    party = request.ctx.verifier
    verified = await request.app.ctx.services.verification.verify(
        body.code,
        purpose=body.purpose,
        verifier=None if party is None else UUID(party),
        address=request.ctx.address,
    )
    return Answer(VerifiedOut.of(verified))
