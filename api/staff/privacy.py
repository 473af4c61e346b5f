"""The registers of data protection: impact assessments, processing, breaches, filings; and what filings rest on."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints
from sanic.response import HTTPResponse

from api.access import staff
from api.operation import Answer, Body, Out, Page, PageQuery, Query, Request, Routes, decode_place, encode_place
from api.staff.sessions import AFTER_ALL
from api.staff.words import found
from auth.registers.types import PrivacyRecordView, RecordKind
from auth.types import Role

PREFIX = "/v1/staff/privacy-records"
routes = Routes(prefix="/v1/staff", tag="data protection")

_READING = staff(Role.SECURITY_ADMIN, Role.AUDIT_ADMIN, Role.AUDITOR)
Term = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]


class PrivacyRecordIn(Body):
    """An entry; `follows_id` is the earlier one that it carries on. `content` is named lines, nothing personal."""

    kind: RecordKind
    title: Annotated[str, StringConstraints(min_length=1, max_length=120, strip_whitespace=True)]
    content: Annotated[
        dict[Term, Annotated[str, StringConstraints(max_length=4000)]], Field(min_length=1, max_length=40)
    ]
    follows_id: UUID | None = None


class PrivacyRecordOut(Out):
    """An entry of a register."""

    id: UUID
    kind: RecordKind
    title: str
    content: dict[str, str]
    follows_id: UUID | None
    written_by: UUID
    written_at: datetime

    @classmethod
    def of(cls, view: PrivacyRecordView) -> "PrivacyRecordOut":
        """Return the answer for an entry."""
        return cls(
            id=view.id,
            kind=view.kind,
            title=view.title,
            content=dict(view.content),
            follows_id=view.follows_id,
            written_by=view.written_by,
            written_at=view.written_at,
        )


class CountersOut(Out):
    """What filings rest on: people under their real name, and the entries of each register."""

    people: int
    assessment: int
    processing: int
    breach: int
    filing: int


class KindPageQuery(PageQuery):
    """Which register, and where in it."""

    kind: RecordKind


class KindQuery(Query):
    """Which register."""

    kind: RecordKind


@routes.post("/privacy-records", access=staff(Role.SECURITY_ADMIN), status=201, answer=PrivacyRecordOut)
async def write(request: Request, body: PrivacyRecordIn) -> Answer:
    """Write an entry; entries are never changed, only carried on."""
    with found():
        view = await request.app.ctx.services.privacy_records.write(
            request.ctx.operator, body.kind, body.title, body.content, follows_id=body.follows_id
        )
    return Answer(PrivacyRecordOut.of(view), location=f"{PREFIX}?kind={view.kind.value}")


@routes.get("/privacy-records", access=_READING, answer=Page[PrivacyRecordOut])
async def list_records(request: Request, query: KindPageQuery) -> Answer:
    """List a register, newest first."""
    views = await request.app.ctx.services.privacy_records.list_records(
        query.kind, before=decode_place(query.cursor) or AFTER_ALL, limit=query.limit + 1
    )
    shown = views[: query.limit]
    return Answer(
        Page[PrivacyRecordOut](
            items=[PrivacyRecordOut.of(view) for view in shown],
            next_cursor=encode_place(shown[-1].written_at, shown[-1].id) if len(views) > len(shown) else None,
        )
    )


@routes.get("/privacy-records/exports", access=_READING, media_type="text/csv")
async def export(request: Request, query: KindQuery) -> HTTPResponse:
    """Export a whole register as CSV."""
    text = await request.app.ctx.services.privacy_records.export(request.ctx.operator, query.kind)
    return HTTPResponse(
        text,
        content_type="text/csv; charset=utf-8",
        headers={
            "Cache-Control": "no-store",
            "Content-Disposition": f'attachment; filename="{query.kind.value}.csv"',
            "Content-Language": "zh-CN",
        },
    )


@routes.get("/filing-counters", access=_READING, answer=CountersOut)
async def counters(request: Request) -> Answer:
    """Show what filings with the authorities rest on."""
    return Answer(CountersOut.model_validate(await request.app.ctx.services.privacy_records.counters()))
