"""What callers are told about ways other than the face, and what they send."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import StringConstraints

from api.operation import Body, Out
from auth.ways.types import CheckResult, CheckView, Method, Outcome, Prompt, Reason, StartedCheck, State
from core.errors import Alternative

Consent = Annotated[str, StringConstraints(max_length=40)]
MobileText = Annotated[str, StringConstraints(max_length=20)]
CardText = Annotated[str, StringConstraints(max_length=32)]


class WayOut(Out):
    """Another way to the same end."""

    method: str
    text: str
    start: str | None = None

    @classmethod
    def of(cls, way: Alternative, *, english: bool) -> "WayOut":
        """Return a way in the language asked for."""
        return cls(method=way.method, text=way.text_en if english else way.text, start=way.start)


class EvidenceIn(Body):
    """The code, for the methods that send one; nothing for the others."""

    code: Annotated[str, StringConstraints(min_length=1, max_length=16)] | None = None


class PromptOut(Out):
    """What to show: where a code was sent, a ticket for the provider's window, or a code for the officer to read."""

    kind: Literal["code", "open", "show"]
    sent_to: str | None
    ticket: str | None
    code: str | None

    @classmethod
    def of(cls, prompt: Prompt) -> "PromptOut":
        """Return the answer for a prompt."""
        return cls(kind=prompt.kind, sent_to=prompt.sent_to, ticket=prompt.ticket, code=prompt.code)


class WayCheckOut(Out):
    """A check that has begun. `attempts_left`: further checks by this method; `codes_left`: codes to try in it."""

    id: UUID
    method: Method
    expires_at: datetime
    attempts_left: int
    codes_left: int | None
    prompt: PromptOut
    alternatives: list[WayOut]

    @classmethod
    def of(cls, check: StartedCheck, others: Sequence[Alternative], *, english: bool) -> "WayCheckOut":
        """Return the answer for a check that has begun."""
        return cls(
            id=check.id,
            method=check.method,
            expires_at=check.expires_at,
            attempts_left=check.attempts_left,
            codes_left=check.codes_left,
            prompt=PromptOut.of(check.prompt),
            alternatives=[WayOut.of(way, english=english) for way in others],
        )


class WayResultOut(Out):
    """How a check stands. After `code_wrong` another code may be sent, after any other reason the check has ended."""

    outcome: Outcome
    reason: Reason | None
    attempts_left: int
    codes_left: int | None
    alternatives: list[WayOut]

    @classmethod
    def of(cls, result: CheckResult, others: Sequence[Alternative], *, english: bool) -> "WayResultOut":
        """Return the answer for a check that was looked at; other ways stand beside every failure."""
        failed = result.outcome is Outcome.FAILED
        return cls(
            outcome=result.outcome,
            reason=result.reason,
            attempts_left=result.attempts_left,
            codes_left=result.codes_left,
            alternatives=[WayOut.of(way, english=english) for way in others] if failed else [],
        )


class WayLineOut(Out):
    """One check in the history."""

    id: UUID
    method: Method
    state: State
    reason: Reason | None
    started_at: datetime
    expires_at: datetime
    decided_at: datetime | None

    @classmethod
    def of(cls, view: CheckView) -> "WayLineOut":
        """Return the answer for a line."""
        return cls(
            id=view.id,
            method=view.method,
            state=view.state,
            reason=view.reason,
            started_at=view.started_at,
            expires_at=view.expires_at,
            decided_at=view.decided_at,
        )
