"""What was done to the list, how it stands by department, and what may be demanded in a case."""

from datetime import datetime
from typing import Final
from uuid import UUID

from api.access import staff
from api.operation import Answer, Out, Page, PageQuery, Request, Routes, decode_place, encode_place
from api.staff.sessions import AFTER_ALL
from auth.types import Role
from matters.catalogue.revisions.store import list_operations as read_operations
from matters.catalogue.revisions.types import Count, OperationKind, OperationLine

routes = Routes(prefix="/v1/staff", tag="matters")

_LOOKING: Final = staff(Role.OPERATOR, Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN, Role.APPROVER, Role.AUDITOR)


class OperationOut(Out):
    """Something that was done to the list: codes that left it and codes that came onto it."""

    id: UUID
    kind: OperationKind
    department: str
    sources: list[str]
    targets: list[str]
    effective_at: datetime
    note: str
    approved_by: str
    created_at: datetime

    @classmethod
    def of(cls, line: OperationLine) -> "OperationOut":
        """Return the answer for an operation."""
        return cls(
            id=line.id,
            kind=line.kind,
            department=line.department,
            sources=list(line.sources),
            targets=list(line.targets),
            effective_at=line.effective_at,
            note=line.reason,
            approved_by=line.approved_by,
            created_at=line.created_at,
        )


class CountOut(Out):
    """How many matters a department had and has, and how often what was done to them."""

    department: str
    before: int
    after: int
    operations: dict[OperationKind, int]

    @classmethod
    def of(cls, count: Count) -> "CountOut":
        """Return a department's count."""
        return cls(department=count.department, before=count.before, after=count.after, operations=dict(count.by_kind))


class CountsOut(Out):
    """The list by department, and in all."""

    before: int
    after: int
    departments: list[CountOut]


@routes.get("/list-operations", access=_LOOKING, answer=Page[OperationOut])
async def list_operations(request: Request, query: PageQuery) -> Answer:
    """List what was done to the list, newest first."""
    del request
    lines = await read_operations(before=decode_place(query.cursor) or AFTER_ALL, limit=query.limit + 1)
    shown = lines[: query.limit]
    return Answer(
        Page[OperationOut](
            items=[OperationOut.of(line) for line in shown],
            next_cursor=encode_place(shown[-1].created_at, shown[-1].id) if len(lines) > len(shown) else None,
        )
    )


@routes.get("/list-counts", access=_LOOKING, answer=CountsOut)
async def count(request: Request) -> Answer:
    """Count the list by department: what came with the files, and what is in force."""
    counts = await request.app.ctx.services.publishing.counts()
    return Answer(
        CountsOut(
            before=sum(each.before for each in counts),
            after=sum(each.after for each in counts),
            departments=[CountOut.of(each) for each in counts],
        )
    )
