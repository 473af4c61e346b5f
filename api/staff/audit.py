"""The audit for who audits: lines by time, actor, action, person and outcome, and how the chain stands."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Final, Literal
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, StringConstraints

from api.access import staff
from api.operation import Answer, Out, Page, PageQuery, Request, Routes, decode_place, encode_place
from api.problems import RequestInvalid
from api.reading import field_error
from api.staff.sessions import AFTER_ALL
from api.staff.words import Case, Reason
from auth.registers.trail import Trail
from auth.staff.errors import SubjectNeedsCase
from auth.types import Role
from core.audit.actors import ActorKind
from core.audit.reading import ChainState, Hold, Line, Wanted

routes = Routes(prefix="/v1/staff", tag="audit")

_AUDITING: Final = staff(Role.AUDIT_ADMIN, Role.AUDITOR)
# What is looked through at once without naming an operator or a person.
_WINDOW: Final = timedelta(days=31)
_YEARS: Final = range(2000, 2101)


def _in_our_time(moment: datetime) -> datetime:
    if moment.year not in _YEARS:
        raise ValueError("no such time here")
    return moment


Moment = Annotated[AwareDatetime, AfterValidator(_in_our_time)]


class LinesQuery(PageQuery):
    """Which lines; without `until` up to now, without `since` the 31 days before that.

    `actor` is an operator's or a party's id as lines show it. About one person (`subject`) only for a `purpose` and a
    `case`, which that person sees.
    """

    since: Moment | None = None
    until: Moment | None = None
    actor_kind: ActorKind | None = None
    actor: Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,64}$")] = ""
    action: Annotated[str, StringConstraints(pattern=r"^[a-z-]{1,20}\.[a-z-]{1,43}$")] | None = None
    outcome: Annotated[str, StringConstraints(pattern=r"^[a-z0-9,.:_-]{1,48}$")] | None = None
    subject: UUID | None = None
    purpose: Reason | None = None
    case: Case | None = None


class AuditLineOut(Out):
    """One line. `subject` and `on_behalf_of` are marks: the same for the same person, and nobody's id or name.

    `seal`: whether the chain holds the line as it stands; `seq` is its place there, null while it has none.
    """

    id: UUID
    at: datetime
    actor_kind: ActorKind
    actor: str
    subject: str | None
    on_behalf_of: str | None
    action: str
    purpose: str
    object_kind: str
    object: str
    fields: list[str]
    outcome: str
    request: str
    seq: int | None
    seal: Hold

    @classmethod
    def of(cls, line: Line, trail: Trail) -> "AuditLineOut":
        """Return the answer for a line."""
        subject, principal = line.subject_id, line.on_behalf_of
        return cls(
            id=line.id,
            at=line.at,
            actor_kind=ActorKind(line.actor_kind),
            actor=line.actor_id,
            subject=None if subject is None else trail.mark_of(subject),
            on_behalf_of=None if principal is None else trail.mark_of(principal),
            action=line.action,
            purpose=line.purpose,
            object_kind=line.object_kind,
            object=line.object_id,
            fields=list(line.field_names),
            outcome=line.outcome,
            request=line.request_id,
            seq=line.seq,
            seal=line.hold,
        )


class ChainOut(Out):
    """How the chain stands: the newest signed head, and how long the oldest line after it has been waiting.

    The whole chain is verified by `python -m scripts.verify_audit`.
    """

    sealed_up_to: int
    hash: str
    sealed_at: datetime | None
    signature: Literal["holds", "broken"]
    unsealed_seconds: float

    @classmethod
    def of(cls, state: ChainState) -> "ChainOut":
        """Return the answer for the state of the chain."""
        return cls(
            sealed_up_to=state.seq,
            hash=state.hash,
            sealed_at=state.at,
            signature="holds" if state.is_signed else "broken",
            unsealed_seconds=round(state.unsealed_seconds, 1),
        )


@routes.get("/audit-lines", access=_AUDITING, answer=Page[AuditLineOut], problems=(SubjectNeedsCase,))
async def list_lines(request: Request, query: LinesQuery) -> Answer:
    """Look through the audit, newest first; the look is a line itself, and a person asked about sees it."""
    trail, wanted = request.app.ctx.services.trail, _wanted(query, request.app.ctx.services.clock.now())
    lines = await trail.look(
        request.ctx.operator,
        wanted,
        before=decode_place(query.cursor) or AFTER_ALL,
        limit=query.limit + 1,
        purpose=query.purpose or "",
        case=query.case or "",
    )
    shown = lines[: query.limit]
    return Answer(
        Page[AuditLineOut](
            items=[AuditLineOut.of(line, trail) for line in shown],
            next_cursor=encode_place(shown[-1].at, shown[-1].id) if len(lines) > len(shown) else None,
        )
    )


@routes.get("/audit-chain", access=_AUDITING, answer=ChainOut)
async def show_chain(request: Request) -> Answer:
    """Show how the chain of the audit stands."""
    return Answer(ChainOut.of(await request.app.ctx.services.trail.chain()))


def _wanted(query: LinesQuery, now: datetime) -> Wanted:
    until = (query.until or now + timedelta(seconds=1)).astimezone(UTC)
    since = (query.since or until - _WINDOW).astimezone(UTC)
    if since >= until:
        raise RequestInvalid(errors=[field_error("/since", "time_order")])
    is_narrow = query.subject is not None or (query.actor and query.actor_kind is ActorKind.OPERATOR)
    if until - since > _WINDOW and not is_narrow:
        raise RequestInvalid(errors=[field_error("/since", "window_too_long")])
    return Wanted(
        since=since,
        until=until,
        actor_id=query.actor,
        actor_kind=query.actor_kind or "",
        action=query.action or "",
        outcome=query.outcome or "",
        subject_id=query.subject,
    )
