"""News about cases, told by the department that holds them."""

from datetime import UTC, datetime
from typing import Annotated, Final

from pydantic import AwareDatetime, Field, StringConstraints
from sanic.response import HTTPResponse

from api.access import NotYourCase, department
from api.operation import Answer, Body, Request, Routes
from api.problems import answer_problem
from core.errors import Conflict
from core.signers.http_signature import SignatureInvalid
from matters.branches.deliveries import is_branch
from matters.cases.errors import AskedBefore, BranchesOpen
from matters.cases.tracking import Heard
from matters.errors import CaseNotYours, DemandUnlawful, NewsOutOfTime, StateForbids
from matters.types import ProgressEvent, State

routes = Routes(prefix="/v1/departments", tag="departments")

# Moments outside cannot be turned into every calendar, and no case lies there; what is too late now, the use case says.
_EARLIEST: Final = datetime(2000, 1, 1, tzinfo=UTC)
_LATEST: Final = datetime(2100, 1, 1, tzinfo=UTC)

Reference = Annotated[str, StringConstraints(min_length=1, max_length=64)]
Detail = Annotated[str, StringConstraints(max_length=200)] | int | bool | None


class EventConflict(Conflict):
    """A department contradicts what it told before: another event with a used sequence, or other words for one id."""

    code = "departments.event-conflict"
    title = "这条进展与之前的不一致，已通知工作人员"
    title_en = "This contradicts earlier news of yours; the operators have been told"
    plain = "这条消息和之前的对不上。"


class ProgressIn(Body):
    """One piece of news, as the department's page says; `result` comes with a decision.

    `demands` are codes of materials that the department asks for, with `supplement_requested` and only with that: only
    what the case's version has may be asked for. The case then waits for the applicant, who is told.
    """

    event_id: Reference
    reference: Reference
    sequence: Annotated[int, Field(ge=1, le=100_000)]
    state: State
    at: Annotated[AwareDatetime, Field(ge=_EARLIEST, le=_LATEST)]
    note: Annotated[str, StringConstraints(max_length=400)] = ""
    result: Annotated[dict[Reference, Detail], Field(max_length=20)] | None = None
    demands: Annotated[list[Reference], Field(max_length=20)] = Field(default_factory=list)


async def let_in(request: Request, **_path: str) -> None:
    """Count the news before its transaction begins, so that waiting costs no connection."""
    await request.app.ctx.services.tracking.let_in(request.ctx.department)


@routes.post(
    "/<department:str>/progress",
    access=department(),
    status=204,
    problems=(
        SignatureInvalid,
        NotYourCase,
        DemandUnlawful,
        AskedBefore,
        StateForbids,
        BranchesOpen,
        EventConflict,
        NewsOutOfTime,
    ),
    idempotency="none",
    prepare=let_in,
)
async def tell(request: Request, body: ProgressIn) -> Answer | HTTPResponse:
    """Tell of a case's progress; the same news again has no effect."""
    event = ProgressEvent(
        event_id=body.event_id,
        reference=body.reference,
        sequence=body.sequence,
        state=body.state,
        at=body.at,
        note=body.note,
        result=body.result,
        demands=tuple(body.demands),
    )
    try:
        if body.demands:
            demands = request.app.ctx.services.matters.demands
            await demands.require_lawful(request.ctx.department, body.reference, body.demands)
        services = request.app.ctx.services
        tracking = services.matters.branches.tracking if is_branch(body.reference) else services.tracking
        heard = await tracking.hear(request.ctx.department, event, old_nonce=request.ctx.is_replay)
    except CaseNotYours as error:
        raise NotYourCase from error
    if heard is Heard.REPLAYED:
        # The message's nonce is spent, and what it tells is not what was told with it.
        raise SignatureInvalid
    if heard is Heard.CLASHED:
        # Answered, not raised: what was kept of it and the line of the audit are committed with the nonce.
        return answer_problem(
            EventConflict(),
            instance=request.ctx.request_id,
            english=request.ctx.english,
            elder=request.ctx.elder_words,
        )
    return Answer(status=204)
