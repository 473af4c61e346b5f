"""A resident's applications: drafts, files, submission, how they stand, and what may be done afterwards."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Final
from uuid import UUID

from pydantic import Field, JsonValue, StringConstraints

from api.access import Delegable, citizen
from api.citizen.application_words import ApplicationLineOut, ApplicationOut, AttachmentOut
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
from api.problems import RequestInvalid, RequestNotFound, RequestStale, TagRequired
from api.reading import field_error, read_form
from auth.types import Level
from matters.errors import (
    AlreadyRated,
    ChangedMeanwhile,
    FileInfected,
    FileRefused,
    FileStoreUnavailable,
    FormInvalid,
    MaterialExempt,
    MaterialsMissing,
    MaterialUnknown,
    MatterUnknown,
    NoSuchApplication,
    NothingToApplyFor,
    NumbersExhausted,
    RatingInvalid,
    ReasonNeeded,
    RequirementUnmet,
    ScannerUnavailable,
    StateForbids,
    TooManyFiles,
    WithdrawalTooLate,
)
from matters.ratings.types import Dimension, Said
from matters.types import Satisfaction, State
from matters.views.types import ApplicationView

PREFIX = "/v1/citizen/applications"
routes = Routes(prefix=PREFIX, tag="applications")

_TAG: Final = re.compile(r'"(\d{1,9})"')
Form = Annotated[dict[Annotated[str, StringConstraints(max_length=64)], JsonValue], Field(max_length=100)]
Phrase = Annotated[str, StringConstraints(max_length=500)]


class StartIn(Body):
    """Which matter (code or slug), and what the applicant already says.

    `prefill: false` leaves the form empty, `without` the fields that it names; the applicant fills them in.
    """

    matter: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    form: Form = Field(default_factory=dict)
    prefill: bool = True
    without: Annotated[list[Annotated[str, StringConstraints(max_length=64)]], Field(max_length=100)] = Field(
        default_factory=list
    )


class AmendIn(Body):
    """Fields to change; null empties one."""

    form: Form


class AttachmentQuery(Query):
    """Which material the file is for, when the body does not say it."""

    material: Annotated[str, StringConstraints(min_length=1, max_length=48)] | None = None


class SupplementIn(Body):
    """A word with the supplement; fields and files are amended before."""

    note: Phrase = ""


class RatingIn(Body):
    """How it went; a bad level needs reasons or a text. `dimensions` say more closely what was good, and what not."""

    level: Satisfaction
    reasons: Annotated[list[Annotated[str, StringConstraints(min_length=1, max_length=40)]], Field(max_length=8)] = (
        Field(default_factory=list)
    )
    text: Phrase = ""
    dimensions: Annotated[dict[Dimension, Satisfaction], Field(max_length=len(Dimension))] = Field(default_factory=dict)


class SubmittedOut(Out):
    """The number and the query code of a submission; the code is shown this once."""

    id: UUID
    number: str
    query_code: str
    state: State


class RatingOut(Out):
    """A rating that was taken."""

    id: UUID
    level: Satisfaction


@contextmanager
def _in_edge_words() -> Iterator[None]:
    """Another person's application and none at all look the same, in the one body that all audiences know."""
    try:
        yield
    except NoSuchApplication as error:
        raise RequestNotFound from error
    except ChangedMeanwhile as error:
        raise RequestStale from error


def _answer(request: Request, view: ApplicationView, *, located: bool = False) -> Answer:
    return Answer(
        ApplicationOut.of(view, english=request.ctx.english),
        location=f"{PREFIX}/{view.id}" if located else None,
        headers={"ETag": f'"{view.version}"'},
    )


@routes.post(
    "",
    access=citizen(Level.REAL_NAME, delegable=Delegable.MATTERS),
    status=201,
    answer=ApplicationOut,
    problems=(MatterUnknown, NothingToApplyFor, FormInvalid, RequirementUnmet),
    idempotency="required",
    headers_out=("ETag",),
)
async def start(request: Request, body: StartIn) -> Answer:
    """Start an application: a draft filled with what the state knows already."""
    view = await request.app.ctx.services.drafts.start(
        request.ctx.caller, body.matter, body.form, prefill=body.prefill, without=body.without
    )
    return _answer(request, view, located=True)


@routes.get(
    "",
    access=citizen(Level.REAL_NAME, delegable=Delegable.MATTERS, organisations=True),
    answer=Page[ApplicationLineOut],
)
async def list_applications(request: Request, query: PageQuery) -> Answer:
    """List my applications, newest first."""
    lines = await request.app.ctx.services.progress.list_applications(
        request.ctx.caller, before=decode_place(query.cursor), limit=query.limit + 1
    )
    page = lines[: query.limit]
    more = len(lines) > len(page)
    return Answer(
        Page[ApplicationLineOut](
            items=[ApplicationLineOut.of(line, english=request.ctx.english) for line in page],
            next_cursor=encode_place(page[-1].created_at, page[-1].id) if more else None,
        ),
    )


@routes.get(
    "/<application_id:uuid>",
    access=citizen(Level.REAL_NAME, delegable=Delegable.MATTERS),
    answer=ApplicationOut,
    problems=(RequestNotFound,),
    headers_out=("ETag",),
)
async def get(request: Request, application_id: UUID) -> Answer:
    """Read one application: form, timeline, due date, next action, result."""
    with _in_edge_words():
        view = await request.app.ctx.services.progress.get(request.ctx.caller, application_id)
    return _answer(request, view)


@routes.patch(
    "/<application_id:uuid>",
    access=citizen(Level.REAL_NAME, delegable=Delegable.MATTERS),
    answer=ApplicationOut,
    problems=(RequestNotFound, RequestStale, TagRequired, StateForbids, FormInvalid, RequirementUnmet),
    headers_in=("If-Match",),
    headers_out=("ETag",),
)
async def amend(request: Request, application_id: UUID, body: AmendIn) -> Answer:
    """Change fields of a draft that has not been changed since it was read."""
    with _in_edge_words():
        view = await request.app.ctx.services.drafts.amend(
            request.ctx.caller, application_id, body.form, version=_version(request)
        )
    return _answer(request, view)


def _version(request: Request) -> int | None:
    """Return the version that a change is meant for; None for any that exists (`*`)."""
    tag = request.headers.get("if-match")
    if tag is None:
        raise TagRequired
    if tag.strip() == "*":
        return None
    found = _TAG.fullmatch(tag.strip())
    # A weak or foreign tag is none that we gave: whatever it stands for, it is not the state of now.
    return int(found.group(1)) if found else -1


@routes.post(
    "/<application_id:uuid>/attachments",
    access=citizen(Level.REAL_NAME, delegable=Delegable.MATTERS),
    status=201,
    answer=AttachmentOut,
    problems=(
        RequestNotFound,
        StateForbids,
        FileRefused,
        FileInfected,
        MaterialUnknown,
        MaterialExempt,
        TooManyFiles,
        FileStoreUnavailable,
        ScannerUnavailable,
    ),
    files="file",
    texts=("material",),
)
async def attach(request: Request, application_id: UUID, query: AttachmentQuery) -> Answer:
    """Give a file (JPEG, PNG or PDF, the field `file`) for a `material`, named when the matter has several."""
    attachments = request.app.ctx.services.attachments
    form = read_form(request, field="file", at_most=1, max_bytes=attachments.largest, texts=("material",))
    material = form.texts.get("material", query.material)
    if query.material not in {None, material}:
        raise RequestInvalid(errors=[field_error("/material", "doubled")])
    with _in_edge_words():
        view = await attachments.add(request.ctx.caller, application_id, material, form.files[0])
    return Answer(AttachmentOut.of(view), location=f"{PREFIX}/{application_id}")


async def reserve(request: Request, application_id: UUID) -> str | None:
    """Take the number before the transaction of the submission."""
    with _in_edge_words():
        number: str | None = await request.app.ctx.services.submission.reserve(request.ctx.caller, application_id)
    return number


@routes.post(
    "/<application_id:uuid>/submissions",
    access=citizen(Level.REAL_NAME, delegable=Delegable.MATTERS),
    status=202,
    answer=SubmittedOut,
    problems=(RequestNotFound, StateForbids, FormInvalid, RequirementUnmet, MaterialsMissing, NumbersExhausted),
    idempotency="required",
    prepare=reserve,
)
async def submit(request: Request, application_id: UUID) -> Answer:
    """Submit an application; what follows happens by itself."""
    with _in_edge_words():
        submitted = await request.app.ctx.services.submission.submit(
            request.ctx.caller, application_id, request.ctx.prepared
        )
    return Answer(
        SubmittedOut(
            id=application_id, number=submitted.number, query_code=submitted.query_code, state=submitted.state
        ),
        location=f"{PREFIX}/{application_id}",
        headers={"Retry-After": "2"},
    )


@routes.post(
    "/<application_id:uuid>/supplements",
    access=citizen(Level.REAL_NAME, delegable=Delegable.MATTERS),
    status=201,
    answer=ApplicationOut,
    problems=(RequestNotFound, StateForbids, FormInvalid, MaterialsMissing),
    headers_out=("ETag",),
)
async def supplement(request: Request, application_id: UUID, body: SupplementIn) -> Answer:
    """Say that what the department asked for is complete."""
    with _in_edge_words():
        view = await request.app.ctx.services.supplements.hand_in(request.ctx.caller, application_id, body.note)
    return _answer(request, view, located=True)


@routes.post(
    "/<application_id:uuid>/withdrawals",
    access=citizen(Level.REAL_NAME, delegable=Delegable.MATTERS),
    status=201,
    answer=ApplicationOut,
    problems=(RequestNotFound, StateForbids, WithdrawalTooLate),
    headers_out=("ETag",),
)
async def withdraw(request: Request, application_id: UUID) -> Answer:
    """Take an application back that no department has received."""
    with _in_edge_words():
        view = await request.app.ctx.services.withdrawals.withdraw(request.ctx.caller, application_id)
    return _answer(request, view, located=True)


@routes.post(
    "/<application_id:uuid>/ratings",
    access=citizen(Level.REAL_NAME, delegable=Delegable.MATTERS),
    status=201,
    answer=RatingOut,
    problems=(RequestNotFound, StateForbids, ReasonNeeded, RatingInvalid, AlreadyRated),
)
async def rate(request: Request, application_id: UUID, body: RatingIn) -> Answer:
    """Say how it went."""
    with _in_edge_words():
        rating_id = await request.app.ctx.services.ratings.rate(
            request.ctx.caller, application_id, Said(body.level, body.reasons, body.text, body.dimensions)
        )
    return Answer(RatingOut(id=rating_id, level=body.level), location=f"{PREFIX}/{application_id}")
