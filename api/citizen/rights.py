"""The rights over one's own data: having it all, having it corrected, closing the account."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BeforeValidator, StringConstraints
from pydantic_core import PydanticCustomError
from sanic.response import HTTPResponse

from api.access import Delegable, citizen
from api.operation import (
    Answer,
    Body,
    Out,
    Page,
    PageQuery,
    Query,
    Request,
    Routes,
    bad_cursor,
    decode_cursor,
    encode_cursor,
)
from auth.errors import AccountClosed
from auth.rights.errors import (
    CorrectionsTooMany,
    ExportExpired,
    ExportNotReady,
    ExportTooSoon,
    NoClosureWaits,
    NoSuchCorrection,
    NoSuchExport,
    NothingToCorrect,
)
from auth.rights.types import About, ClosureView, CorrectionState, CorrectionView, ExportFormat, ExportState, ExportView
from auth.types import Kept, Level, Stop
from core.crypto import RecordUnreadable

routes = Routes(prefix="/v1/citizen", tag="rights")


def after(cursor: str | None) -> UUID | None:
    """Return the id that a cursor of one id stands for.

    Raises:
        RequestInvalid: the cursor is none of ours.
    """
    parts = decode_cursor(cursor, parts=1)
    try:
        return None if parts is None else UUID(parts[0])
    except ValueError as error:
        raise bad_cursor() from error


def next_after(ids: list[UUID], limit: int) -> str | None:
    """Return the cursor behind a page of `limit`, when there is more than a page."""
    return encode_cursor([str(ids[limit - 1])]) if len(ids) > limit else None


# --- exports ----------------------------------------------------------------------------------------------------------


class ExportOut(Out):
    """One export; `ready` has its file until `expires_at`."""

    id: UUID
    state: ExportState
    requested_at: datetime
    ready_at: datetime | None
    expires_at: datetime | None
    downloads: int

    @classmethod
    def of(cls, view: ExportView) -> "ExportOut":
        """Return the answer for an export."""
        return cls(
            id=view.id,
            state=view.state,
            requested_at=view.requested_at,
            ready_at=view.ready_at,
            expires_at=view.expires_at,
            downloads=view.downloads,
        )


class FileQuery(Query):
    """In what form the file is wanted."""

    format: ExportFormat = ExportFormat.JSON


@routes.post(
    "/exports",
    access=citizen(Level.PRESENT, delegable=Delegable.OWN, in_person=True),
    status=202,
    answer=ExportOut,
    problems=(ExportTooSoon, AccountClosed),
)
async def request_export(request: Request) -> Answer:
    """Ask for all that is stored about me; it is put together in the background."""
    view = await request.app.ctx.services.exports.request(request.ctx.caller)
    return Answer(
        ExportOut.of(view),
        status=202,
        location=f"/v1/citizen/exports/{view.id}",
        headers={"Retry-After": "5"},
    )


@routes.get("/exports", access=citizen(Level.REAL_NAME, delegable=Delegable.OWN), answer=Page[ExportOut])
async def list_exports(request: Request, query: PageQuery) -> Answer:
    """List my exports, newest first."""
    views = await request.app.ctx.services.exports.list_exports(
        request.ctx.caller, before=after(query.cursor), limit=query.limit + 1
    )
    return Answer(
        Page[ExportOut](
            items=[ExportOut.of(view) for view in views[: query.limit]],
            next_cursor=next_after([view.id for view in views], query.limit),
        )
    )


@routes.get(
    "/exports/<export_id:uuid>",
    access=citizen(Level.REAL_NAME, delegable=Delegable.OWN),
    answer=ExportOut,
    problems=(NoSuchExport,),
)
async def get_export(request: Request, export_id: UUID) -> Answer:
    """Show how far an export is."""
    return Answer(ExportOut.of(await request.app.ctx.services.exports.get(request.ctx.caller, export_id)))


@routes.get(
    "/exports/<export_id:uuid>/file",
    access=citizen(Level.PRESENT, delegable=Delegable.OWN, in_person=True),
    answer=None,
    media_type="application/pdf",
    also_media=("application/json",),
    problems=(NoSuchExport, ExportNotReady, ExportExpired, RecordUnreadable),
)
async def fetch_export(request: Request, export_id: UUID, query: FileQuery) -> HTTPResponse:
    """Fetch an export's file, as JSON or as PDF; each fetching is in the ledger."""
    file = await request.app.ctx.services.exports.fetch_file(request.ctx.caller, export_id, query.format)
    return HTTPResponse(
        file.content,
        content_type=file.media_type,
        headers={
            "Content-Disposition": f'attachment; filename="{file.name}"',
            "Cache-Control": "no-store",
            # Its words are the same for everybody, whatever language was asked for.
            "Content-Language": "zh-CN",
        },
    )


# --- corrections ------------------------------------------------------------------------------------------------------


class CorrectionIn(Body):
    """What is wrong: about whom or what, and in my own words. `object_id` names the certificate or application."""

    about: Literal["identity", "mobile", "certificate", "application"]
    object_id: UUID | None = None
    text: Annotated[str, StringConstraints(min_length=2, max_length=2000, strip_whitespace=True)]


class CorrectionOut(Out):
    """A correction with its answer. `hint` says what I can do myself until it is answered."""

    id: UUID
    number: str
    about: About
    object_id: UUID | None
    state: CorrectionState
    text: str
    answer: str | None
    hint: str | None
    created_at: datetime
    answered_at: datetime | None

    @classmethod
    def of(cls, view: CorrectionView, *, english: bool) -> "CorrectionOut":
        """Return the answer for a correction."""
        line = view.line
        return cls(
            id=line.id,
            number=line.number,
            about=line.about,
            object_id=line.object_id,
            state=line.state,
            text=view.text,
            answer=view.answer,
            hint=_hint(view)[english] if view.answer is None else None,
            created_at=line.created_at,
            answered_at=line.answered_at,
        )


_NO_HINT: tuple[str | None, str | None] = (None, None)
_HINTS: dict[tuple[str, str], tuple[str | None, str | None]] = {
    ("identity", "differs"): (
        "人口库登记的信息已与这里不同。如果改过名字，可以用新名字重新提交实名（号码不变），马上生效。",
        "The population registry differs from what is kept here. A new name can be entered under the same number.",
    ),
    ("identity", "agrees"): (
        "人口库登记的信息与这里一致；如果人口库有误，请先到户籍派出所更正。",
        "The population registry agrees with what is kept here; if it is wrong itself, ask the police station first.",
    ),
    ("mobile", ""): (
        "换手机号可以自己办：在“我的”里重新授权手机号。",
        "You can change your mobile number yourself: authorise it anew.",
    ),
}


def _hint(view: CorrectionView) -> tuple[str | None, str | None]:
    return _HINTS.get((view.line.about.value, view.line.recheck.value), _NO_HINT)


@routes.post(
    "/corrections",
    access=citizen(Level.REAL_NAME, delegable=Delegable.PERSON),
    status=201,
    answer=CorrectionOut,
    problems=(NothingToCorrect, CorrectionsTooMany, AccountClosed),
)
async def ask_for_correction(request: Request, body: CorrectionIn) -> Answer:
    """Say what is wrong; an operator answers."""
    view = await request.app.ctx.services.corrections.ask(
        request.ctx.caller, About(body.about), body.object_id, body.text
    )
    return Answer(
        CorrectionOut.of(view, english=request.ctx.english),
        status=201,
        location=f"/v1/citizen/corrections/{view.line.id}",
    )


@routes.get("/corrections", access=citizen(Level.REAL_NAME, delegable=Delegable.PERSON), answer=Page[CorrectionOut])
async def list_corrections(request: Request, query: PageQuery) -> Answer:
    """List my corrections with their answers, newest first."""
    views = await request.app.ctx.services.corrections.list_own(
        request.ctx.caller, before=after(query.cursor), limit=query.limit + 1
    )
    return Answer(
        Page[CorrectionOut](
            items=[CorrectionOut.of(view, english=request.ctx.english) for view in views[: query.limit]],
            next_cursor=next_after([view.line.id for view in views], query.limit),
        )
    )


@routes.get(
    "/corrections/<correction_id:uuid>",
    access=citizen(Level.REAL_NAME, delegable=Delegable.PERSON),
    answer=CorrectionOut,
    problems=(NoSuchCorrection,),
)
async def get_correction(request: Request, correction_id: UUID) -> Answer:
    """Show one of my corrections with its answer."""
    view = await request.app.ctx.services.corrections.get_own(request.ctx.caller, correction_id)
    return Answer(CorrectionOut.of(view, english=request.ctx.english))


# --- closing the account ----------------------------------------------------------------------------------------------


def _is_true(value: object) -> object:
    """See that it is the word and not a number that equals it."""
    if value is not True:
        raise PydanticCustomError("not_confirmed", "true is needed")
    return value


class ClosureIn(Body):
    """That I have understood what closing means."""

    understood: Annotated[Literal[True], BeforeValidator(_is_true)]


class KeptOut(Out):
    """What outlives the account. `until` is null while the end is not known, or when there is none."""

    what: str
    title: str
    law: str
    basis: Literal["law", "configured"]
    until: datetime | None

    @classmethod
    def of(cls, kept: Kept, *, english: bool) -> "KeptOut":
        """Return the answer for one thing that is kept."""
        return cls(
            what=kept.what,
            title=kept.title_en if english else kept.title,
            law=kept.law_en if english else kept.law,
            basis="configured" if kept.is_configured else "law",
            until=kept.until,
        )


class StopOut(Out):
    """Something under way that ends with the account."""

    kind: str
    id: UUID
    title: str

    @classmethod
    def of(cls, stop: Stop, *, english: bool) -> "StopOut":
        """Return the answer for one thing that stops."""
        return cls(kind=stop.kind, id=stop.id, title=stop.title_en if english else stop.title)


class ClosureOut(Out):
    """A closing that waits. Until `closes_at` it can be taken back."""

    id: UUID
    state: Literal["closing"] = "closing"
    requested_at: datetime
    closes_at: datetime
    kept: list[KeptOut]
    stops: list[StopOut]

    @classmethod
    def of(cls, view: ClosureView, *, english: bool) -> "ClosureOut":
        """Return the answer for a closing."""
        return cls(
            id=view.id,
            requested_at=view.requested_at,
            closes_at=view.closes_at,
            kept=[KeptOut.of(each, english=english) for each in view.kept],
            stops=[StopOut.of(each, english=english) for each in view.stops],
        )


@routes.post(
    "/closures",
    access=citizen(Level.PRESENT, delegable=Delegable.OWN, in_person=True),
    status=201,
    answer=ClosureOut,
    also={200: ClosureOut},
    problems=(AccountClosed, NoClosureWaits),
)
async def close_account(request: Request, body: ClosureIn) -> Answer:
    """Close my account after a week; 200 when that waits already."""
    del body
    view = await request.app.ctx.services.closures.request(request.ctx.caller)
    answer = ClosureOut.of(view, english=request.ctx.english)
    if view.is_new:
        return Answer(answer, status=201, location="/v1/citizen/closures/current")
    return Answer(answer, status=200)


@routes.get(
    "/closures/current",
    access=citizen(Level.REAL_NAME, delegable=Delegable.OWN),
    answer=ClosureOut,
    problems=(NoClosureWaits,),
)
async def get_closure(request: Request) -> Answer:
    """Show the closing that waits, with what would be kept and what would stop as things are now."""
    view = await request.app.ctx.services.closures.get_current(request.ctx.caller)
    return Answer(ClosureOut.of(view, english=request.ctx.english))


@routes.delete(
    "/closures/current",
    access=citizen(Level.REAL_NAME, delegable=Delegable.OWN),
    status=204,
    problems=(NoClosureWaits,),
)
async def take_closure_back(request: Request) -> Answer:
    """Keep my account after all."""
    await request.app.ctx.services.closures.take_back(request.ctx.caller)
    return Answer()
