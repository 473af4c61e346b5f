"""What I promised or may hand in later: what became of it, and objecting."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import StringConstraints

from api.access import Delegable, citizen
from api.operation import Answer, Body, Out, Page, Request, Routes
from api.problems import RequestNotFound
from auth.types import Level
from core.errors import NotFound
from matters.materials.errors import CommitmentSettled, NoSuchCommitment
from matters.materials.types import Commitment, CommitmentKind, CommitmentState

PREFIX = "/v1/citizen/applications"
routes = Routes(prefix=PREFIX, tag="applications")


class CommitmentOut(Out):
    """Something promised or put off, until when it counts, and what became of it."""

    id: str
    title: str
    kind: CommitmentKind
    state: CommitmentState
    due_at: datetime
    reason: str | None
    objection: str | None
    answer: str | None

    @classmethod
    def of(cls, commitment: Commitment, *, english: bool) -> "CommitmentOut":
        """Return the answer for one; `id` is the code of its material."""
        return cls(
            id=commitment.material,
            title=commitment.title.en if english else commitment.title.zh,
            kind=commitment.kind,
            state=commitment.state,
            due_at=commitment.due_at,
            reason=commitment.reason,
            objection=commitment.objection,
            answer=commitment.answer,
        )


class ObjectionIn(Body):
    """For which material, and why it is not so."""

    material: Annotated[str, StringConstraints(min_length=1, max_length=48)]
    text: Annotated[str, StringConstraints(min_length=1, max_length=500, strip_whitespace=True)]


@routes.get(
    "/<application_id:uuid>/commitments",
    access=citizen(Level.REAL_NAME, delegable=Delegable.MATTERS),
    answer=Page[CommitmentOut],
    problems=(RequestNotFound,),
)
async def list_commitments(request: Request, application_id: UUID) -> Answer:
    """List what I promised or may hand in later with an application; all of it, there are few."""
    commitments = request.app.ctx.services.matters.commitments
    try:
        items = await commitments.list_of(request.ctx.caller, application_id)
    except NotFound as error:
        raise RequestNotFound from error
    english = request.ctx.english
    page = [CommitmentOut.of(each, english=english) for each in items]
    return Answer(Page[CommitmentOut](items=page, next_cursor=None))


@routes.post(
    "/<application_id:uuid>/objections",
    access=citizen(Level.REAL_NAME, delegable=Delegable.MATTERS),
    status=201,
    answer=None,
    problems=(RequestNotFound, NoSuchCommitment, CommitmentSettled),
)
async def object_to(request: Request, application_id: UUID, body: ObjectionIn) -> Answer:
    """Object to a promise of mine being called broken; somebody answers."""
    commitments = request.app.ctx.services.matters.commitments
    try:
        await commitments.object(request.ctx.caller, application_id, body.material, body.text)
    except NotFound as error:
        raise RequestNotFound from error
    return Answer(status=201, location=f"{PREFIX}/{application_id}/commitments")
