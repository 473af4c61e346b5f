"""What the routes of handling share: the tag that was read, whose case it is, and the answer to an action."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Final
from uuid import UUID

from pydantic import StringConstraints

from api.access import Access, Reach, require_scope, staff
from api.operation import Answer, Body, Out, Request
from api.problems import RequestNotFound, RequestStale, TagRequired
from auth.types import Role
from core.errors import NotFound
from matters.applications.concerned import whom_it_concerns
from matters.errors import ChangedMeanwhile
from matters.handling.rules import ROLES
from matters.handling.types import Done, Move, Order, Written
from matters.reach import scope_of
from matters.types import State

PREFIX: Final = "/v1/staff/applications"
CASE: Final = "/applications/<application_id:uuid>"
_TAG: Final = re.compile(r'"(\d{1,9})"')
Note = Annotated[str, StringConstraints(max_length=400, strip_whitespace=True)]
ReasonCode = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z-]{1,31}$")]


class NoteIn(Body):
    """A word for the applicant."""

    note: Note = ""


class ReasonedIn(Body):
    """One of the published reasons (`GET /v1/staff/case-reasons`), and a word for the applicant."""

    reason: ReasonCode
    note: Note = ""


class DocumentOut(Out):
    """A document that the step owed the applicant."""

    kind: str
    title: str
    number: str

    @classmethod
    def of(cls, document: Written, *, english: bool) -> "DocumentOut":
        """Return the answer for a document."""
        title = document.title.en if english else document.title.zh
        return cls(kind=document.kind, title=title, number=document.number)


class DoneOut(Out):
    """How the case stands after an action; its tag is in `ETag`."""

    id: UUID
    state: State
    document: DocumentOut | None


def entered_for(move: Move) -> Access:
    """Return who may enter the route of a move: those who hold one of its roles, as far as that reaches."""
    return staff(*sorted(ROLES[move]), scope=Reach.ROWS)


def entered_by(roles: frozenset[Role]) -> Access:
    """Return who may enter a route: those who hold one of the roles, as far as that reaches."""
    return staff(*sorted(roles), scope=Reach.ROWS)


async def require_case(request: Request, application_id: UUID) -> None:
    """See that a grant by which the operator entered reaches a case.

    Raises:
        NoSuchApplication: there is none.
        RoleForbidden: none does.
    """
    about = await whom_it_concerns(application_id)
    require_scope(request, scope_of(about))


def order_of(request: Request, application_id: UUID, body: NoteIn | ReasonedIn) -> Order:
    """Return what is ordered, for the version that was read.

    Raises:
        TagRequired: no tag came.
    """
    reason = body.reason if isinstance(body, ReasonedIn) else ""
    return Order(application_id, version_of(request), reason=reason, note=body.note)


def version_of(request: Request) -> int | None:
    """Return the version that an action is meant for; None for any that there is (`*`).

    Raises:
        TagRequired: no tag came.
    """
    tag = request.headers.get("if-match")
    if tag is None:
        raise TagRequired
    if tag.strip() == "*":
        return None
    match = _TAG.fullmatch(tag.strip())
    # A foreign tag is none that we gave: whatever it stands for, it is not the state of now.
    return int(match.group(1)) if match else -1


@contextmanager
def in_edge_words() -> Iterator[None]:
    """Answer what is not there, and what has changed, with the one body that all routes have for it.

    Raises:
        RequestNotFound: something is not there.
        RequestStale: it has changed since it was read.
    """
    try:
        yield
    except NotFound as error:
        raise RequestNotFound from error
    except ChangedMeanwhile as error:
        raise RequestStale from error


def done(request: Request, result: Done) -> Answer:
    """Return the answer to an action."""
    document = None if result.document is None else DocumentOut.of(result.document, english=request.ctx.english)
    return Answer(DoneOut(id=result.id, state=result.state, document=document), headers={"ETag": f'"{result.version}"'})
