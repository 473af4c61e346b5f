"""Work queues of staff, one case as whoever acts sees it, the published reasons, and figures of what should be rare."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final
from uuid import UUID

from pydantic import AwareDatetime, Field, JsonValue, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from api.access import Reach, scopes_of, staff
from api.operation import (
    Answer,
    Body,
    Out,
    Page,
    PageQuery,
    Query,
    Request,
    Routes,
    decode_place,
    encode_place,
)
from api.staff.applications.acting import CASE, DocumentOut, entered_by, in_edge_words, require_case
from api.staff.words import Reason
from auth.staff.errors import TooManyOpenings
from auth.types import Role
from core.crypto import RecordUnreadable
from matters.cases.reasons import CHOSEN
from matters.handling.queues import Sought
from matters.handling.rules import DECIDING, LOOKING, TAKING_IN
from matters.handling.types import CaseEntry, CaseLine, CaseView, Counted, Holder, Move, Queue
from matters.types import DeliveryState, State, Step

routes = Routes(prefix="/v1/staff", tag="applications")

_EARLIEST: Final = datetime(2000, 1, 1, tzinfo=UTC)
_LATEST: Final = datetime(2100, 1, 1, tzinfo=UTC)
_USUAL: Final = timedelta(days=30)
_LONGEST: Final = timedelta(days=400)
Moment = Annotated[AwareDatetime, Field(ge=_EARLIEST, le=_LATEST)]


class QueueQuery(PageQuery):
    """Which queue; narrowed to a state, a department, a matter (slug or code), or what is due before a time."""

    queue: Queue = Queue.ALL
    state: State | None = None
    department: Annotated[str, StringConstraints(pattern=r"^([a-z0-9-]{2,32})?$")] = ""
    matter: Annotated[str, StringConstraints(pattern=r"^([A-Za-z0-9-]{2,64})?$")] = ""
    due_before: Moment | None = None


class CaseLineOut(Out):
    """A case in a queue; nothing in it is about a person. `region`: of the body that carries the matter out."""

    id: UUID
    number: str
    matter: str
    title: str
    department: str
    region: str
    state: State
    submitted_at: datetime
    due_at: datetime | None

    @classmethod
    def of(cls, line: CaseLine, *, english: bool) -> "CaseLineOut":
        """Return the answer for one."""
        return cls(**_line(line, english=english))


def _line(line: CaseLine, *, english: bool) -> dict[str, Any]:
    told = {name: getattr(line, name) for name in CaseLineOut.model_fields if name != "title"}
    return {**told, "title": line.title.en if english else line.title.zh}


class CaseEntryOut(Out):
    """One line of the history. `effective`: it has brought the case to where it stands. Residents are not named.

    `withheld`: the resident wrote a note that is held (`/v1/staff/held-texts`).
    """

    at: datetime
    step: Step
    actor_kind: str
    actor_id: str
    reason: str
    reason_title: str
    note: str
    document: DocumentOut | None
    effective: bool
    withheld: bool

    @classmethod
    def of(cls, entry: CaseEntry, *, english: bool) -> "CaseEntryOut":
        """Return the answer for one line."""
        words = "" if entry.words is None else entry.words.en if english else entry.words.zh
        document = None if entry.document is None else DocumentOut.of(entry.document, english=english)
        told = {name: getattr(entry, name) for name in ("at", "step", "actor_kind", "actor_id", "reason", "note")}
        return cls(**told, reason_title=words, document=document, effective=entry.effective, withheld=entry.withheld)


class CaseFileOut(Out):
    """A file that the applicant gave."""

    id: UUID
    material: str
    sha256: str
    bytes: int
    media_type: str
    created_at: datetime


class CaseDeliveryOut(Out):
    """How the dossier's way stands."""

    department: str
    state: DeliveryState
    failures: int
    receipt_number: str
    reason: str
    sent_at: datetime | None


class CaseOut(CaseLineOut):
    """A case as whoever acts sees it. `may`: what this operator may do now; `held_by`: whose system has it."""

    accepted_at: datetime | None
    decided_at: datetime | None
    due_note: str
    held_by: Holder
    accepted_by: str
    timeline: list[CaseEntryOut]
    files: list[CaseFileOut]
    delivery: CaseDeliveryOut | None
    may: list[Move]

    @classmethod
    def of_view(cls, view: CaseView, *, english: bool) -> "CaseOut":
        """Return the answer for a case."""
        delivery = view.delivery
        return cls(
            **_line(view.line, english=english),
            accepted_at=view.accepted_at,
            decided_at=view.decided_at,
            due_note=view.due_note,
            held_by=view.holder,
            accepted_by=view.accepted_by,
            timeline=[CaseEntryOut.of(entry, english=english) for entry in view.timeline],
            files=[
                CaseFileOut(
                    id=file.id,
                    material=file.material,
                    sha256=file.sha256,
                    bytes=file.size,
                    media_type=file.media_type,
                    created_at=file.created_at,
                )
                for file in view.files
            ],
            delivery=None
            if delivery is None
            else CaseDeliveryOut(**{name: getattr(delivery, name) for name in CaseDeliveryOut.model_fields}),
            may=list(view.may),
        )


class FormOpeningIn(Body):
    """What the form is opened for; the applicant reads it."""

    purpose: Reason


class FormOut(Out):
    """What the applicant has filled in, told this once."""

    id: UUID
    form: dict[str, JsonValue]


class ReasonOut(Out):
    """A published reason."""

    code: str
    title: str


class ReasonsOut(Out):
    """The published reasons, by the step that they explain."""

    steps: dict[Step, list[ReasonOut]]


class FiguresQuery(Query):
    """From when until when (the last 30 days unless told otherwise)."""

    since: Moment | None = None
    until: Moment | None = None

    @model_validator(mode="after")
    def _in_order(self) -> "FiguresQuery":
        if self.since is not None and self.until is not None and self.since >= self.until:
            raise PydanticCustomError("time_order", "it begins before it ends")
        return self


class CountedOut(Out):
    """How often it happened in the cases of a department, for a reason. `error`: it was one of ours."""

    department: str
    reason: str
    title: str
    count: int
    error: bool

    @classmethod
    def of(cls, counted: Counted, *, english: bool) -> "CountedOut":
        """Return the answer for one count."""
        return cls(
            department=counted.department,
            reason=counted.reason,
            title=counted.words.en if english else counted.words.zh,
            count=counted.count,
            error=counted.error,
        )


class HandlingFiguresOut(Out):
    """What should be rare. `errors`: how many cases were annulled because of an error of ours."""

    since: datetime
    until: datetime
    errors: int
    annulled: list[CountedOut]
    asked_again: list[CountedOut]
    deemed_accepted: list[CountedOut]


@routes.get("/applications", access=entered_by(LOOKING), answer=Page[CaseLineOut])
async def list_cases(request: Request, query: QueueQuery) -> Answer:
    """List submitted cases that the operator's grants reach, by the time of submission, the oldest first."""
    sought = Sought(
        queue=query.queue,
        state=query.state,
        department=query.department,
        matter=query.matter,
        due_before=query.due_before,
    )
    lines = await request.app.ctx.services.matters.handling.queues.list_cases(
        sought, scopes_of(request), after=decode_place(query.cursor), limit=query.limit + 1
    )
    page = lines[: query.limit]
    return Answer(
        Page[CaseLineOut](
            items=[CaseLineOut.of(line, english=request.ctx.english) for line in page],
            next_cursor=encode_place(page[-1].submitted_at, page[-1].id) if len(lines) > len(page) else None,
        )
    )


@routes.get(
    CASE,
    access=entered_by(LOOKING),
    answer=CaseOut,
    problems=(RecordUnreadable,),
    headers_out=("ETag",),
)
async def get(request: Request, application_id: UUID) -> Answer:
    """Show a case with its history and what may be done now; the applicant's ledger says who looked."""
    with in_edge_words():
        await require_case(request, application_id)
        view = await request.app.ctx.services.matters.handling.looking.look(request.ctx.operator, application_id)
    return Answer(CaseOut.of_view(view, english=request.ctx.english), headers={"ETag": f'"{view.version}"'})


@routes.post(
    f"{CASE}/form-openings",
    access=entered_by(TAKING_IN | DECIDING),
    answer=FormOut,
    problems=(RecordUnreadable, TooManyOpenings),
)
async def open_form(request: Request, application_id: UUID, body: FormOpeningIn) -> Answer:
    """Open what the applicant filled in, for a purpose; it counts as an opening, and stands in their ledger."""
    services = request.app.ctx.services
    with in_edge_words():
        await require_case(request, application_id)
        await services.openings.count(request.ctx.operator)
        form = await services.matters.handling.looking.open_form(request.ctx.operator, application_id, body.purpose)
    return Answer(FormOut.model_validate({"id": application_id, "form": dict(form)}))


@routes.get("/case-reasons", access=entered_by(LOOKING), answer=ReasonsOut)
async def list_reasons(request: Request) -> Answer:
    """Tell the published reasons of what staff does to cases."""
    english = request.ctx.english
    return Answer(
        ReasonsOut(
            steps={
                step: [ReasonOut(code=code, title=text.en if english else text.zh) for code, text in words.items()]
                for step, words in CHOSEN.items()
            }
        )
    )


@routes.get(
    "/handling-figures",
    access=staff(Role.OPERATOR, Role.APPROVER, Role.ACCEPTOR, Role.DEPARTMENT_OPERATOR, Role.AUDITOR, scope=Reach.ROWS),
    answer=HandlingFiguresOut,
)
async def count(request: Request, query: FiguresQuery) -> Answer:
    """Count what should be rare: cases annulled, materials asked for twice, nothing said in time."""
    until = query.until or request.app.ctx.services.clock.now()
    since = max(query.since or until - _USUAL, until - _LONGEST)
    figures = await request.app.ctx.services.matters.handling.figures.count(
        since=since, until=until, scopes=scopes_of(request)
    )
    english = request.ctx.english
    return Answer(
        HandlingFiguresOut(
            since=since,
            until=until,
            errors=figures.errors,
            annulled=[CountedOut.of(each, english=english) for each in figures.annulled],
            asked_again=[CountedOut.of(each, english=english) for each in figures.asked_again],
            deemed_accepted=[CountedOut.of(each, english=english) for each in figures.deemed_accepted],
        )
    )
