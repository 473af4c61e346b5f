"""Checking a decision by the code on it: whoever holds the paper may."""

from datetime import datetime
from typing import Annotated

from pydantic import StringConstraints

from api.access import public
from api.operation import Answer, Body, Out, Request, Routes
from matters.results.types import DecisionOutcome
from matters.types import State

routes = Routes(prefix="/v1/public", tag="verifications")


class DecisionCheckIn(Body):
    """The code on the paper; `sha256` is the digest of the file where there is one."""

    code: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")] | None = None


class DecisionCheckOut(Out):
    """What the paper is worth, and what stands on it but for the applicant."""

    outcome: DecisionOutcome
    number: str | None
    matter: str | None
    department: str | None
    decision: State | None
    decided_at: datetime | None


@routes.post("/decision-checks", access=public(), answer=DecisionCheckOut, idempotency="none")
async def check_decision(request: Request, body: DecisionCheckIn) -> Answer:
    """Check a decision on paper: 200 with an outcome, whatever the code is; its applicant reads of it."""
    found = await request.app.ctx.services.matters.results.documents.check(
        body.code, sha256=body.sha256, address=request.ctx.address
    )
    return Answer(
        DecisionCheckOut(
            outcome=found.outcome,
            number=found.number,
            matter=found.matter,
            department=found.department,
            decision=found.decision,
            decided_at=found.decided_at,
        )
    )
