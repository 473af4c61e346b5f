"""Supervision: cards of late cases, orders to say why, records of those without a reason."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from pydantic import Field

from api.access import Reach, require_scope, scopes_of, staff
from api.operation import Answer, Body, Out, Page, PageQuery, Request, Routes, decode_place, encode_place
from api.staff.supervision.extensions import BEFORE_ALL
from api.staff.words import Reason, found
from auth.types import Role
from core.crypto import RecordUnreadable
from matters.reach import scope_of
from matters.supervision.errors import SupervisionSettled
from matters.supervision.types import (
    Card,
    CardColour,
    CardState,
    Deadline,
    Ground,
    LateReason,
    Order,
    OrderLevel,
    OrderState,
    Record,
    RecordState,
)

PREFIX: Final = "/v1/staff/supervision"
routes = Routes(prefix=PREFIX, tag="supervision")

_LOOKING: Final = (Role.ACCEPTOR, Role.DEPARTMENT_OPERATOR, Role.APPROVER, Role.OPERATOR, Role.AUDITOR)
_ANSWERING: Final = (Role.ACCEPTOR, Role.DEPARTMENT_OPERATOR, Role.APPROVER, Role.OPERATOR)


class CardsQuery(PageQuery):
    """Which cards: the open ones of both colours unless told otherwise."""

    state: CardState = CardState.OPEN
    colour: CardColour | None = None


class OrdersQuery(PageQuery):
    """Which orders: those without an answer, whoever has them, unless told otherwise."""

    state: OrderState = OrderState.OPEN
    level: OrderLevel | None = None


class RecordsQuery(PageQuery):
    """Which records: those that nobody has looked at unless told otherwise."""

    state: RecordState = RecordState.OPEN


class OrderIn(Body):
    """What is asked of the department."""

    instruction: Reason


class OrderAnswerIn(Body):
    """Why the case is late (`none`: there is no reason), and in words."""

    reason: Annotated[LateReason, Field(strict=False)]
    note: Reason


class RecordReviewIn(Body):
    """What a look at a record came to, and why."""

    outcome: Literal["upheld", "excused"]
    note: Reason


class CardOut(Out):
    """A case that was near a date or beyond it."""

    id: UUID
    application_id: UUID
    number: str
    department: str
    matter: str
    deadline: Deadline
    colour: CardColour
    due_at: datetime
    state: CardState
    issued_at: datetime
    closed_at: datetime | None
    closed_because: str

    @classmethod
    def of(cls, card: Card) -> "CardOut":
        """Return the answer for a card."""
        return cls(**{name: getattr(card, name) for name in cls.model_fields})


class OrderOut(Out):
    """A question why a case is late, without what was written. No `issued_by`: it came by the clock."""

    id: UUID
    card_id: UUID
    application_id: UUID
    number: str
    department: str
    matter: str
    level: OrderLevel
    state: OrderState
    issued_by: UUID | None
    issued_at: datetime
    answer_by: datetime | None
    escalated_at: datetime | None
    answered_by: UUID | None
    answered_at: datetime | None
    reason: str

    @classmethod
    def of(cls, order: Order) -> "OrderOut":
        """Return the answer for an order."""
        return cls(**{name: getattr(order, name) for name in cls.model_fields})


class OpenedOrderOut(Out):
    """An order with what was written."""

    order: OrderOut
    instruction: str
    answer: str


class RecordOut(Out):
    """A case was late, and nobody gave a reason."""

    id: UUID
    card_id: UUID
    application_id: UUID
    number: str
    department: str
    matter: str
    deadline: Deadline
    ground: Ground
    due_at: datetime
    state: RecordState
    created_at: datetime
    reviewed_by: UUID | None
    reviewed_at: datetime | None

    @classmethod
    def of(cls, record: Record) -> "RecordOut":
        """Return the answer for a record."""
        return cls(**{name: getattr(record, name) for name in cls.model_fields})


@routes.get("/cards", access=staff(*_LOOKING, scope=Reach.ROWS), answer=Page[CardOut])
async def list_cards(request: Request, query: CardsQuery) -> Answer:
    """List cards, the oldest first."""
    cards = await request.app.ctx.services.matters.supervision.orders.list_cards(
        query.state, query.colour, scopes_of(request), **_page(query)
    )
    shown = cards[: query.limit]
    return Answer(
        Page[CardOut](items=[CardOut.of(card) for card in shown], next_cursor=_next(cards, shown, "issued_at"))
    )


@routes.post(
    "/cards/<card_id:uuid>/orders",
    access=staff(Role.OPERATOR, scope=Reach.ROWS),
    status=201,
    answer=OrderOut,
    problems=(SupervisionSettled,),
)
async def give_order(request: Request, card_id: UUID, body: OrderIn) -> Answer:
    """Ask a department about a card; red ones are asked about by the clock."""
    orders = request.app.ctx.services.matters.supervision.orders
    with found():
        card = await orders.find_card(card_id)
        require_scope(request, scope_of(card))
        order = await orders.give(request.ctx.operator, card_id, body.instruction)
    return Answer(OrderOut.of(order), status=201, location=f"{PREFIX}/orders/{order.id}")


@routes.get("/orders", access=staff(*_LOOKING, scope=Reach.ROWS), answer=Page[OrderOut])
async def list_orders(request: Request, query: OrdersQuery) -> Answer:
    """List supervision orders, the oldest first."""
    orders = await request.app.ctx.services.matters.supervision.orders.list_orders(
        query.state, query.level, scopes_of(request), **_page(query)
    )
    shown = orders[: query.limit]
    return Answer(
        Page[OrderOut](items=[OrderOut.of(order) for order in shown], next_cursor=_next(orders, shown, "issued_at"))
    )


@routes.get(
    "/orders/<order_id:uuid>",
    access=staff(*_LOOKING, scope=Reach.ROWS),
    answer=OpenedOrderOut,
    problems=(RecordUnreadable,),
)
async def read_order(request: Request, order_id: UUID) -> Answer:
    """Read a supervision order with what was written; the applicant's ledger says who did."""
    with found():
        await _require(request, order_id)
        opened = await request.app.ctx.services.matters.supervision.orders.read(request.ctx.operator, order_id)
    return Answer(OpenedOrderOut(order=OrderOut.of(opened.order), instruction=opened.instruction, answer=opened.answer))


@routes.post(
    "/orders/<order_id:uuid>/answers",
    access=staff(*_ANSWERING, scope=Reach.ROWS),
    status=201,
    answer=OrderOut,
    problems=(SupervisionSettled,),
)
async def answer_order(request: Request, order_id: UUID, body: OrderAnswerIn) -> Answer:
    """Say why a case is late, once; what has gone to the superior is answered by an operator without limits."""
    with found():
        await _require(request, order_id)
        order = await request.app.ctx.services.matters.supervision.orders.answer(
            request.ctx.operator, order_id, reason=body.reason, note=body.note
        )
    return Answer(OrderOut.of(order), status=201, location=f"{PREFIX}/orders/{order_id}")


@routes.get("/accountability-records", access=staff(*_LOOKING, scope=Reach.ROWS), answer=Page[RecordOut])
async def list_records(request: Request, query: RecordsQuery) -> Answer:
    """List records of late cases without a reason, the oldest first."""
    records = await request.app.ctx.services.matters.supervision.records.list_records(
        query.state, scopes_of(request), **_page(query)
    )
    shown = records[: query.limit]
    return Answer(
        Page[RecordOut](
            items=[RecordOut.of(record) for record in shown], next_cursor=_next(records, shown, "created_at")
        )
    )


@routes.post(
    "/accountability-records/<record_id:uuid>/reviews",
    access=staff(Role.OPERATOR, scope=Reach.WHOLE),
    status=201,
    answer=RecordOut,
    problems=(SupervisionSettled,),
)
async def review_record(request: Request, record_id: UUID, body: RecordReviewIn) -> Answer:
    """Uphold a record or excuse it, once."""
    with found():
        record = await request.app.ctx.services.matters.supervision.records.review(
            request.ctx.operator, record_id, excused=body.outcome == "excused", note=body.note
        )
    return Answer(RecordOut.of(record), status=201, location=f"{PREFIX}/accountability-records")


async def _require(request: Request, order_id: UUID) -> None:
    order = await request.app.ctx.services.matters.supervision.orders.find(order_id)
    require_scope(request, scope_of(order))


def _page(query: PageQuery) -> dict[str, Any]:
    """Return where a list goes on, and one more than it shows."""
    return {"after": decode_place(query.cursor) or BEFORE_ALL, "limit": query.limit + 1}


def _next(found_rows: Sequence[Any], shown: Sequence[Any], when: str) -> str | None:
    return encode_place(getattr(shown[-1], when), shown[-1].id) if len(found_rows) > len(shown) else None
