"""Revisions of matters: drafted, amended, checked, compared. Publishing takes two people (`/v1/staff/approvals`)."""

import re
from datetime import datetime
from typing import Annotated, Any, Final
from uuid import UUID

from pydantic import Field, JsonValue, StringConstraints

from api.access import Reach, require_scope, scopes_of, staff
from api.citizen.rights import after
from api.operation import Answer, Body, Out, Page, PageQuery, Request, Routes, encode_cursor
from api.problems import RequestStale, TagRequired
from api.staff.words import Slug, found
from auth.types import Role, StaffScope
from matters.catalogue.comparing import Difference
from matters.catalogue.revisions.errors import (
    RevisionChanged,
    RevisionRejected,
    RevisionSettled,
    RevisionTaken,
    RevisionUnreadable,
)
from matters.catalogue.revisions.store import list_rows, read_revision
from matters.catalogue.revisions.types import RevisionState, Row

PREFIX = "/v1/staff/matter-revisions"
routes = Routes(prefix="/v1/staff", tag="matters")

# Who writes them: the department's own people for their matters, operators for all they reach.
_WRITING: Final = staff(Role.OPERATOR, Role.DEPARTMENT_OPERATOR, scope=Reach.ROWS)
_READING: Final = staff(
    Role.OPERATOR, Role.DEPARTMENT_OPERATOR, Role.APPROVER, Role.SECURITY_ADMIN, Role.AUDITOR, scope=Reach.ROWS
)
_FIRST: Final = UUID(int=0)
_TAG: Final = re.compile(r'"(\d{1,9})"')

Content = Annotated[dict[Annotated[str, StringConstraints(max_length=64)], JsonValue], Field(max_length=80)]


class RevisionIn(Body):
    """A matter of a department, as in its file: it may name a template and common materials."""

    department: Slug
    matter: Content


class AmendedIn(Body):
    """The matter, written anew."""

    matter: Content


class RevisionsQuery(PageQuery):
    """Which revisions: of a state, of a department."""

    state: RevisionState | None = None
    department: Slug | None = None


class RevisionLineOut(Out):
    """A revision in a list; it counts from `effective_at` until `ends_at`."""

    id: UUID
    code: str
    slug: str
    department: str
    version: int
    state: RevisionState
    effective_at: datetime | None
    ends_at: datetime | None
    created_by: str
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, row: Row) -> "RevisionLineOut":
        """Return the answer for one of a list."""
        return cls(**{name: getattr(row, name) for name in RevisionLineOut.model_fields})


class RevisionOut(RevisionLineOut):
    """A revision with all of the matter."""

    matter: dict[str, Any]

    @classmethod
    def of(cls, row: Row) -> "RevisionOut":
        """Return the answer for one that is looked at."""
        return cls(**RevisionLineOut.of(row).model_dump(), matter=dict(row.content))


class DifferenceOut(Out):
    """One place that differs from what is in force; a missing side is empty."""

    path: str
    before: str
    after: str

    @classmethod
    def of(cls, each: Difference) -> "DifferenceOut":
        """Return a place."""
        return cls(path=each.path, before=each.before, after=each.after)


class DifferencesOut(Out):
    """Where a revision differs from what is in force. `new`: nothing of its code is."""

    new: bool
    differences: list[DifferenceOut]


def _answer(row: Row, *, located: bool = False) -> Answer:
    return Answer(
        RevisionOut.of(row),
        location=f"{PREFIX}/{row.id}" if located else None,
        headers={"ETag": f'"{row.edition}"'},
    )


def _edition(request: Request) -> int:
    tag = request.headers.get("if-match")
    if tag is None:
        raise TagRequired
    match = _TAG.fullmatch(tag.strip())
    # A foreign tag is none that we gave: whatever it stands for, it is not the state of now.
    return int(match.group(1)) if match else -1


async def _row(request: Request, revision_id: UUID) -> Row:
    """Return a revision that the operator's grant reaches."""
    with found():
        row = await read_revision(revision_id)
    require_scope(request, StaffScope(department=row.department, matter=row.code))
    return row


@routes.post(
    "/matter-revisions",
    access=_WRITING,
    status=201,
    answer=RevisionOut,
    problems=(RevisionUnreadable, RevisionTaken),
    headers_out=("ETag",),
)
async def draft(request: Request, body: RevisionIn) -> Answer:
    """Begin a revision: of a new matter, or the next version of one that there is."""
    require_scope(request, StaffScope(department=body.department))
    row = await request.app.ctx.services.revisions.draft(request.ctx.operator, body.department, body.matter)
    return _answer(row, located=True)


@routes.get("/matter-revisions", access=_READING, answer=Page[RevisionLineOut])
async def list_revisions(request: Request, query: RevisionsQuery) -> Answer:
    """List revisions that the operator's grant reaches."""
    rows = await list_rows(
        state=query.state or "",
        department=query.department or "",
        after=after(query.cursor) or _FIRST,
        limit=query.limit + 1,
    )
    shown = rows[: query.limit]
    scopes = scopes_of(request)
    reached = [
        row
        for row in shown
        if any(scope.covers(StaffScope(department=row.department, matter=row.code)) for scope in scopes)
    ]
    return Answer(
        Page[RevisionLineOut](
            items=[RevisionLineOut.of(row) for row in reached],
            next_cursor=encode_cursor([str(shown[-1].id)]) if len(rows) > len(shown) else None,
        )
    )


@routes.get("/matter-revisions/<revision_id:uuid>", access=_READING, answer=RevisionOut, headers_out=("ETag",))
async def get(request: Request, revision_id: UUID) -> Answer:
    """Show a revision with all of the matter."""
    return _answer(await _row(request, revision_id))


@routes.put(
    "/matter-revisions/<revision_id:uuid>",
    access=_WRITING,
    answer=RevisionOut,
    problems=(RequestStale, TagRequired, RevisionSettled, RevisionUnreadable, RevisionTaken),
    headers_in=("If-Match",),
    headers_out=("ETag",),
)
async def amend(request: Request, revision_id: UUID, body: AmendedIn) -> Answer:
    """Write a draft anew; one that was checked has to be checked again."""
    await _row(request, revision_id)
    try:
        row = await request.app.ctx.services.revisions.amend(
            request.ctx.operator, revision_id, body.matter, edition=_edition(request)
        )
    except RevisionChanged as error:
        raise RequestStale from error
    return _answer(row)


@routes.delete(
    "/matter-revisions/<revision_id:uuid>",
    access=_WRITING,
    status=204,
    problems=(RequestStale, TagRequired, RevisionSettled),
    headers_in=("If-Match",),
)
async def drop(request: Request, revision_id: UUID) -> Answer:
    """Throw a draft away."""
    await _row(request, revision_id)
    try:
        await request.app.ctx.services.revisions.drop(request.ctx.operator, revision_id, edition=_edition(request))
    except RevisionChanged as error:
        raise RequestStale from error
    return Answer()


@routes.post(
    "/matter-revisions/<revision_id:uuid>/checks",
    access=_WRITING,
    answer=RevisionOut,
    problems=(RequestStale, TagRequired, RevisionSettled, RevisionRejected),
    headers_in=("If-Match",),
    headers_out=("ETag",),
)
async def check(request: Request, revision_id: UUID) -> Answer:
    """Hold a draft against every rule of the catalogue; then two people can publish it."""
    await _row(request, revision_id)
    try:
        row = await request.app.ctx.services.revisions.check(
            request.ctx.operator, revision_id, edition=_edition(request)
        )
    except RevisionChanged as error:
        raise RequestStale from error
    return _answer(row)


@routes.get("/matter-revisions/<revision_id:uuid>/differences", access=_READING, answer=DifferencesOut)
async def compare(request: Request, revision_id: UUID) -> Answer:
    """Show where a revision differs from what is in force."""
    await _row(request, revision_id)
    differences = await request.app.ctx.services.revisions.differences(revision_id)
    return Answer(
        DifferencesOut(
            new=differences is None,
            differences=[DifferenceOut.of(each) for each in differences or ()],
        )
    )
