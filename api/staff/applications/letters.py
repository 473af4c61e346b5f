"""Letters to departments that need a person: listed, and settled by what somebody has done about one."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from api.access import scopes_of
from api.operation import Answer, Body, Out, Page, PageQuery, Request, Routes, decode_place, encode_place
from api.staff.applications.acting import entered_by, in_edge_words, require_case
from matters.handling.errors import DeliverySettled
from matters.handling.rules import FORWARDING
from matters.handling.types import OpenLetter
from matters.handover.types import LetterKind
from matters.types import DeliveryState, State

routes = Routes(prefix="/v1/staff", tag="applications")


class LetterOutcome(StrEnum):
    """What an operator has done: told the department by another way, or found out that it may be sent again."""

    TOLD = "told"
    SEND_AGAIN = "send-again"


class StuckLetterOut(Out):
    """A letter that waits for a person: a supplement, a withdrawal or a result that its department may not know of.

    `reason`: `no-interface` where the department's system takes none, `declined` where it said no, `account-closed`.
    """

    id: UUID
    application_id: UUID
    number: str
    branch: str
    matter: str
    department: str
    kind: LetterKind
    state: DeliveryState
    case_state: State
    failures: int
    reason: str
    since: datetime

    @classmethod
    def of(cls, letter: OpenLetter) -> "StuckLetterOut":
        """Return the answer for one."""
        return cls(**{name: getattr(letter, name) for name in cls.model_fields})


class LetterIn(Body):
    """What was done about it."""

    outcome: LetterOutcome


@routes.get("/letters", access=entered_by(FORWARDING), answer=Page[StuckLetterOut])
async def list_stuck(request: Request, query: PageQuery) -> Answer:
    """List letters that need a person, the oldest first."""
    found = await request.app.ctx.services.matters.handling.letters.list_stuck(
        scopes_of(request), after=decode_place(query.cursor), limit=query.limit + 1
    )
    page = found[: query.limit]
    return Answer(
        Page[StuckLetterOut](
            items=[StuckLetterOut.of(each) for each in page],
            next_cursor=encode_place(page[-1].since, page[-1].id) if len(found) > len(page) else None,
        )
    )


@routes.post(
    "/letters/<letter_id:uuid>/settlements",
    access=entered_by(FORWARDING),
    status=204,
    answer=None,
    problems=(DeliverySettled,),
)
async def settle(request: Request, letter_id: UUID, body: LetterIn) -> Answer:
    """Say that the department knows by now, or let the letter be sent again, once."""
    letters = request.app.ctx.services.matters.handling.letters
    with in_edge_words():
        await require_case(request, (await letters.find(letter_id)).application_id)
        await letters.settle(request.ctx.operator, letter_id, told=body.outcome is LetterOutcome.TOLD)
    return Answer(status=204)
