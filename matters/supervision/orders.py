"""Supervision orders (督办): a department, or its superior, says why a case is late."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from auth.errors import RoleForbidden
from auth.types import EVERYWHERE, Role, StaffCaller, StaffScope
from core.audit.record import Audit
from core.clock import Clock
from core.crypto import Vault
from core.db import as_moment, as_uuid, execute, fetch, fetch_one, transaction
from core.ids import Ids
from matters.cases.deadlines import Deadlines
from matters.reach import Condition
from matters.settings import SupervisionSettings
from matters.supervision.errors import NoSuchCard, NoSuchOrder, SupervisionSettled
from matters.supervision.records import Records
from matters.supervision.types import (
    Card,
    CardColour,
    CardState,
    Deadline,
    Ground,
    LateReason,
    OpenedOrder,
    Order,
    OrderLevel,
    OrderState,
)

INSTRUCTION: Final = "supervision_order.instruction"
ANSWER: Final = "supervision_order.answer"
_CARD: Final = """
SELECT found.*, application.number, application.region
FROM supervision_card AS found JOIN application ON application.id = found.application_id WHERE found.id = $1
"""
_CARDS: Final = """
SELECT found.*, application.number, application.region
FROM supervision_card AS found JOIN application ON application.id = found.application_id
WHERE {condition} ORDER BY found.issued_at, found.id LIMIT $1
"""
_FIND: Final = """
SELECT found.*, application.number, application.region, application.citizen_id
FROM supervision_order AS found JOIN application ON application.id = found.application_id WHERE found.id = $1
"""
_LIST: Final = """
SELECT found.*, application.number, application.region
FROM supervision_order AS found JOIN application ON application.id = found.application_id
WHERE {condition} ORDER BY found.issued_at, found.id LIMIT $1
"""
_ISSUE: Final = """
INSERT INTO supervision_order (id, card_id, application_id, department, matter_code, level, state, issued_by, issued_at,
                               instruction_sealed, answer_by, reason)
VALUES ($1, $2, $3, $4, $5, 'department', 'open', $6, $7, $8, $9, '') ON CONFLICT DO NOTHING RETURNING id
"""
_ANSWER: Final = """
UPDATE supervision_order SET state = 'answered', answered_by = $2, answered_at = $3, reason = $4, answer_sealed = $5
WHERE id = $1 AND state = 'open' AND level = $6
"""


class Orders:
    """Lists cards and orders, gives orders by hand, takes answers. Each order is answered once."""

    def __init__(
        self,
        *,
        deadlines: Deadlines,
        records: Records,
        audit: Audit,
        vault: Vault,
        clock: Clock,
        ids: Ids,
        settings: SupervisionSettings,
    ) -> None:
        self._deadlines = deadlines
        self._records = records
        self._audit = audit
        self._vault = vault
        self._clock = clock
        self._ids = ids
        self._settings = settings

    async def list_cards(
        self,
        state: CardState,
        colour: CardColour | None,
        scopes: Collection[StaffScope],
        *,
        after: tuple[datetime, UUID],
        limit: int,
    ) -> list[Card]:
        """Return cards after a place, the oldest first, as far as one of the scopes reaches.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        condition = Condition(limit)
        condition.among("found.state", [state.value])
        if colour is not None:
            condition.among("found.colour", [colour.value])
        condition.after("found.issued_at", *after, row="found.id")
        condition.reach(scopes, row="found")
        return [_card(row) for row in await fetch(_CARDS.format(condition=condition.text), *condition.values)]

    async def find_card(self, card_id: UUID) -> Card:
        """Return a card.

        Raises:
            NoSuchCard: there is none.
        """
        row = await fetch_one(_CARD, card_id)
        if row is None:
            raise NoSuchCard
        return _card(row)

    async def list_orders(
        self,
        state: OrderState,
        level: OrderLevel | None,
        scopes: Collection[StaffScope],
        *,
        after: tuple[datetime, UUID],
        limit: int,
    ) -> list[Order]:
        """Return orders after a place, the oldest first, as far as one of the scopes reaches.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        condition = Condition(limit)
        condition.among("found.state", [state.value])
        if level is not None:
            condition.among("found.level", [level.value])
        condition.after("found.issued_at", *after, row="found.id")
        condition.reach(scopes, row="found")
        return [_order(row) for row in await fetch(_LIST.format(condition=condition.text), *condition.values)]

    async def find(self, order_id: UUID) -> Order:
        """Return an order without what was written.

        Raises:
            NoSuchOrder: there is none.
        """
        return _order(await self._row(order_id))

    async def read(self, operator: StaffCaller, order_id: UUID) -> OpenedOrder:
        """Return an order with what was written; the applicant's ledger says who read it.

        Raises:
            NoSuchOrder: there is none.
            RecordUnreadable: a text does not open.
        """
        row = await self._row(order_id)
        texts = [
            self._vault.open(mark, order_id, row[column]) if row[column] else ""
            for mark, column in ((INSTRUCTION, "instruction_sealed"), (ANSWER, "answer_sealed"))
        ]

        async def work() -> None:
            await self._tell("matters.order-read", operator, row)

        await transaction(work)
        return OpenedOrder(_order(row), *texts)

    async def give(self, operator: StaffCaller, card_id: UUID, instruction: str) -> Order:
        """Ask the department about a card that nothing was asked about yet.

        Raises:
            NoSuchCard: there is none.
            SupervisionSettled: the card is closed, or there is an order.
        """
        card = await self.find_card(card_id)
        order_id, now = self._ids.uuid(), self._clock.now()
        due = await self._deadlines.due(now, self._settings.answer_days)

        async def work() -> None:
            given = card.state is CardState.OPEN and await fetch(
                _ISSUE,
                order_id,
                card_id,
                card.application_id,
                card.department,
                card.matter,
                operator.operator_id,
                now,
                self._vault.seal(INSTRUCTION, order_id, instruction),
                due.at,
            )
            if not given:
                raise SupervisionSettled
            await self._tell("matters.order-given", operator, await self._row(order_id))

        await transaction(work)
        return await self.find(order_id)

    async def answer(self, operator: StaffCaller, order_id: UUID, *, reason: LateReason, note: str) -> Order:
        """Say why a case is late. That there is no reason is written down.

        Raises:
            NoSuchOrder: there is none.
            RoleForbidden: it has gone to the superior, and the caller is none.
            SupervisionSettled: it was answered or closed before.
        """
        row = await self._row(order_id)
        if row["level"] == OrderLevel.SUPERIOR and EVERYWHERE not in operator.scopes({Role.OPERATOR}):
            raise RoleForbidden

        async def work() -> None:
            sealed, now = self._vault.seal(ANSWER, order_id, note), self._clock.now()
            if await execute(_ANSWER, order_id, operator.operator_id, now, reason.value, sealed, row["level"]) != 1:
                raise SupervisionSettled
            if reason is LateReason.NONE:
                await self._records.make(as_uuid(row["card_id"]), Ground.NO_REASON)
            await self._tell("matters.order-answered", operator, row)

        await transaction(work)
        return await self.find(order_id)

    async def _row(self, order_id: UUID) -> dict[str, Any]:
        row = await fetch_one(_FIND, order_id)
        if row is None:
            raise NoSuchOrder
        return row

    async def _tell(self, action: str, operator: StaffCaller, row: Mapping[str, Any]) -> None:
        await self._audit.record(
            action,
            actor=operator.actor,
            subject_id=as_uuid(row["citizen_id"]),
            purpose="督办",
            object_kind="application",
            object_id=as_uuid(row["application_id"]),
        )


def _moment(value: object) -> datetime | None:
    return None if value is None else as_moment(value)


def _card(row: Mapping[str, Any]) -> Card:
    return Card(
        id=as_uuid(row["id"]),
        application_id=as_uuid(row["application_id"]),
        number=str(row["number"]),
        department=row["department"],
        region=row["region"],
        matter=row["matter_code"],
        deadline=Deadline(row["deadline"]),
        colour=CardColour(row["colour"]),
        due_at=as_moment(row["due_at"]),
        state=CardState(row["state"]),
        issued_at=as_moment(row["issued_at"]),
        closed_at=_moment(row["closed_at"]),
        closed_because=str(row["closed_because"]),
    )


def _order(row: Mapping[str, Any]) -> Order:
    return Order(
        id=as_uuid(row["id"]),
        card_id=as_uuid(row["card_id"]),
        application_id=as_uuid(row["application_id"]),
        number=str(row["number"]),
        department=row["department"],
        region=row["region"],
        matter=row["matter_code"],
        level=OrderLevel(row["level"]),
        state=OrderState(row["state"]),
        issued_by=None if row["issued_by"] is None else as_uuid(row["issued_by"]),
        issued_at=as_moment(row["issued_at"]),
        answer_by=_moment(row["answer_by"]),
        escalated_at=_moment(row["escalated_at"]),
        answered_by=None if row["answered_by"] is None else as_uuid(row["answered_by"]),
        answered_at=_moment(row["answered_at"]),
        reason=str(row["reason"]),
    )
