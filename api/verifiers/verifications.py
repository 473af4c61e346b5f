"""Checking a certificate that somebody shows."""

from typing import Annotated
from uuid import UUID

from pydantic import StringConstraints

from api.access import verifier
from api.operation import Answer, Body, Out, Request, Routes
from auth.registers.parties import Parties
from auth.registers.types import PartyKind
from certificates.types import PURPOSE, PURPOSE_LENGTH, Outcome, Value, Verified, Verifier
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


async def _verifier(parties: Parties, party_id: UUID, purpose: str) -> Verifier:
    """Return who asks, with what the register lets them read for this purpose: nothing for one it does not know."""
    view = await parties.get(PartyKind.VERIFIER, party_id)
    return Verifier(view.id, view.name, frozenset(view.purposes.get(purpose, ())))


# Not repeatable under a key: a code works once, and a second scan has to say so.
@routes.post("/verifications", access=verifier(), answer=VerifiedOut, idempotency="none", problems=(CacheUnavailable,))
async def verify(request: Request, body: VerifyIn) -> Answer:
    """Check a code: 200 with an outcome, whatever was scanned."""
    services, party = request.app.ctx.services, request.ctx.verifier
    verified = await services.verification.verify(
        body.code,
        purpose=body.purpose,
        verifier=None if party is None else await _verifier(services.parties, UUID(party), body.purpose),
        address=request.ctx.address,
    )
    return Answer(VerifiedOut.of(verified))
