"""Checking a stamped copy by the code on it: whoever holds the paper may."""

from datetime import datetime
from typing import Annotated

from pydantic import StringConstraints

from api.access import public
from api.operation import Answer, Body, Out, Request, Routes
from certificates.copies.types import CopyCheck, CopyOutcome
from certificates.types import PURPOSE, PURPOSE_LENGTH
from core.cache import CacheUnavailable

routes = Routes(prefix="/v1/public", tag="verifications")


class CheckIn(Body):
    """The code on the paper, and what it is used for; `sha256` is the digest of the file where there is one.

    Without a purpose nothing can be said: a copy is good for one alone.
    """

    code: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    purpose: Annotated[
        str, StringConstraints(min_length=1, max_length=PURPOSE_LENGTH, pattern=PURPOSE, strip_whitespace=True)
    ]
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")] | None = None


class CheckOut(Out):
    """What the copy is worth, and what stands on it: for whom and for what it was made. The name is masked."""

    outcome: CopyOutcome
    kind: str | None
    name: str | None
    consumer: str | None
    purpose: str | None
    made_at: datetime | None
    expires_at: datetime | None

    @classmethod
    def of(cls, found: CopyCheck) -> "CheckOut":
        """Return the answer for a copy."""
        return cls(
            outcome=found.outcome,
            kind=found.kind,
            name=found.name,
            consumer=found.consumer,
            purpose=found.purpose,
            made_at=found.made_at,
            expires_at=found.expires_at,
        )


@routes.post("/copy-checks", access=public(), answer=CheckOut, idempotency="none", problems=(CacheUnavailable,))
async def check(request: Request, body: CheckIn) -> Answer:
    """Check a stamped copy: 200 with an outcome, whatever the code is; its holder reads of it."""
    found = await request.app.ctx.services.certificates.copies.check(
        body.code, purpose=body.purpose, sha256=body.sha256, address=request.ctx.address
    )
    return Answer(CheckOut.of(found))
