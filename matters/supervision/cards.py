"""Finding cases near their dates and beyond them, by the clock: cards, orders that nobody answers, records."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from core.audit.actors import SYSTEM
from core.audit.record import Audit
from core.calendar import UnknownYear
from core.clock import Clock, china_date
from core.db import as_uuid, execute, fetch, transaction
from core.ids import Ids
from core.log import get_logger
from core.metrics import CARDS, ORDERS_OPEN
from matters.cases.deadlines import Deadlines
from matters.clocks.rules import end_of
from matters.settings import SupervisionSettings
from matters.supervision.records import Records
from matters.supervision.types import CardColour, Closed, Deadline, Ground, OrderLevel

log = get_logger(__name__)

_AT_ONCE: Final = 500
_EVER: Final = datetime(2000, 1, 1, tzinfo=UTC)
_NEVER: Final = datetime(2100, 1, 1, tzinfo=UTC)
# Each has a partial index (migrations/matters/_guards.py), which these very words make use of.
_HANDLED: Final = "state IN ('accepted', 'in_review')"
_LOOKED_AT: Final = "review_due_at IS NOT NULL"
_COLUMN: Final = {Deadline.PROMISED: "due_at", Deadline.LEGAL: "legal_due_at", Deadline.PRE_REVIEW: "review_due_at"}
_WHERE: Final = {Deadline.PROMISED: _HANDLED, Deadline.LEGAL: _HANDLED, Deadline.PRE_REVIEW: _LOOKED_AT}
# A limit that is not longer than the warning gets none.
_LONG_ENOUGH: Final = {
    Deadline.PROMISED: "limit_days > $5",
    Deadline.LEGAL: "legal_days > $5",
    Deadline.PRE_REVIEW: "$5 > 0",
}


def _due_sql(deadline: Deadline) -> str:
    column = _COLUMN[deadline]
    return f"""
SELECT id, department, matter_code, {column} AS due_at FROM application
WHERE {_WHERE[deadline]} AND {column} > $1 AND {column} <= $2 AND (CAST($3 AS TEXT) = 'red' OR {_LONG_ENOUGH[deadline]})
  AND NOT EXISTS (
    SELECT 1 FROM supervision_card AS card
    WHERE card.application_id = application.id AND card.deadline = '{deadline.value}' AND card.colour = $3
      AND card.due_at = application.{column})
ORDER BY {column} LIMIT $4
"""  # noqa: S608 — constant words and columns


def _still_sql(deadline: Deadline) -> str:
    """Take the row's lock and see that nothing has changed: nobody decides the case meanwhile."""
    column = _COLUMN[deadline]
    return f"UPDATE application SET id = id WHERE id = $1 AND {column} = $2 AND {_WHERE[deadline]}"  # noqa: S608 — as above


_DUE: Final[Mapping[Deadline, str]] = {deadline: _due_sql(deadline) for deadline in Deadline}
_STILL: Final[Mapping[Deadline, str]] = {deadline: _still_sql(deadline) for deadline in Deadline}
_ISSUE: Final = """
INSERT INTO supervision_card (id, application_id, department, matter_code, deadline, colour, due_at, state, issued_at,
                              closed_because)
VALUES ($1, $2, $3, $4, $5, $6, $7, 'open', $8, '') ON CONFLICT DO NOTHING RETURNING id
"""
_FOLLOWED: Final = """
UPDATE supervision_card SET state = 'closed', closed_at = $3, closed_because = 'overdue'
WHERE application_id = $1 AND deadline = $2 AND colour = 'yellow' AND state = 'open'
"""
_ORDER: Final = """
INSERT INTO supervision_order (id, card_id, application_id, department, matter_code, level, state, issued_at, answer_by,
                               reason)
VALUES ($1, $2, $3, $4, $5, 'department', 'open', $6, $7, '') ON CONFLICT DO NOTHING RETURNING id
"""
_OVER: Final = """
SELECT card.id, card.application_id, card.deadline, card.colour, card.due_at, card.department, card.matter_code,
       application.state AS case_state, application.review_due_at
FROM supervision_card AS card JOIN application ON application.id = card.application_id
WHERE card.state = 'open' AND (
  (card.deadline = 'pre-review' AND (application.review_due_at IS NULL OR application.review_due_at <> card.due_at))
  OR (card.deadline <> 'pre-review' AND application.state NOT IN ('accepted', 'in_review', 'suspended'))
  OR (card.deadline = 'promised'
      AND (application.due_at <> card.due_at OR (application.due_at IS NULL AND card.colour = 'yellow')))
  OR (card.deadline = 'legal'
      AND (application.legal_due_at <> card.due_at OR (application.legal_due_at IS NULL AND card.colour = 'yellow'))))
ORDER BY card.issued_at, card.id LIMIT $1
"""
_CLOSE: Final = """
UPDATE supervision_card SET state = 'closed', closed_at = $2, closed_because = $3 WHERE id = $1 AND state = 'open'
"""
_CLOSE_ORDER: Final = "UPDATE supervision_order SET state = 'closed' WHERE card_id = $1 AND state = 'open' RETURNING id"
_SILENT: Final = """
SELECT id, card_id, level FROM supervision_order WHERE state = 'open' AND answer_by < $1 ORDER BY answer_by LIMIT $2
"""
_ESCALATE: Final = """
UPDATE supervision_order SET level = 'superior', escalated_at = $2, answer_by = $3
WHERE id = $1 AND state = 'open' AND level = 'department'
"""
_GIVE_UP: Final = """
UPDATE supervision_order SET state = 'unanswered' WHERE id = $1 AND state = 'open' AND level = 'superior'
"""
_UNDATED: Final = """
SELECT id, level FROM supervision_order WHERE state = 'open' AND answer_by IS NULL ORDER BY issued_at LIMIT $1
"""
_DATE: Final = "UPDATE supervision_order SET answer_by = $2 WHERE id = $1 AND state = 'open' AND answer_by IS NULL"
_CARDS: Final = (
    "SELECT colour, deadline, count(*) AS n FROM supervision_card WHERE state = 'open' GROUP BY colour, deadline"
)
_ORDERS: Final = "SELECT level, count(*) AS n FROM supervision_order WHERE state = 'open' GROUP BY level"


class Cards:
    """Looks after dates by the clock. However often and by however many workers: one card of each colour for a date."""

    def __init__(
        self,
        *,
        deadlines: Deadlines,
        records: Records,
        audit: Audit,
        clock: Clock,
        ids: Ids,
        settings: SupervisionSettings,
    ) -> None:
        self._deadlines = deadlines
        self._records = records
        self._audit = audit
        self._clock = clock
        self._ids = ids
        self._settings = settings

    async def look(self) -> None:
        """Close what is over, give cards, pass on orders that nobody answers, and note the figures.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        await self.close()
        await self.issue()
        await self.escalate()
        await self._count()

    async def issue(self) -> int:
        """Give the cards that are due; return how many. A red one comes with an order to say why.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        now, given = self._clock.now(), 0
        for deadline in Deadline:
            for colour, after, until in (
                (CardColour.RED, _EVER, now),
                (CardColour.YELLOW, now, await self._soon(deadline)),
            ):
                rows = await fetch(_DUE[deadline], after, until, colour.value, _AT_ONCE, self._settings.yellow_days)
                for row in rows:
                    given += await self._give(deadline, colour, row)
        return given

    async def close(self) -> int:
        """Close cards whose case has ended or whose date has moved; return how many.

        A red card of a case that ended without a reason leaves a record.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        closed = 0
        for row in await fetch(_OVER, _AT_ONCE):
            closed += await self._close(row)
        return closed

    async def escalate(self) -> int:
        """Pass orders on that nobody answered in time, and write down what the superior did not answer either.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        passed = 0
        for row in await fetch(_UNDATED, _AT_ONCE):
            due = await self._answer_by(OrderLevel(row["level"]))
            if due is not None:
                await self._date(as_uuid(row["id"]), due)
        for row in await fetch(_SILENT, self._clock.now(), _AT_ONCE):
            passed += await self._pass_on(row)
        return passed

    async def _soon(self, deadline: Deadline) -> datetime:
        """Return until when a date is near. All dates beyond the published calendar are unknown, so none is too far."""
        if deadline is Deadline.PRE_REVIEW:
            return self._clock.now() + timedelta(hours=self._settings.yellow_hours)
        calendar = await self._deadlines.calendar()
        try:
            # Today counts as one of the days that are left.
            return end_of(calendar.after(china_date(self._clock.now()), self._settings.yellow_days))
        except UnknownYear:
            return _NEVER

    async def _answer_by(self, level: OrderLevel) -> datetime | None:
        days = self._settings.answer_days if level is OrderLevel.DEPARTMENT else self._settings.superior_days
        return (await self._deadlines.due(self._clock.now(), days)).at

    async def _give(self, deadline: Deadline, colour: CardColour, row: Mapping[str, Any]) -> int:
        application_id, card_id = as_uuid(row["id"]), self._ids.uuid()
        answer_by = await self._answer_by(OrderLevel.DEPARTMENT)

        async def work() -> int:
            if await execute(_STILL[deadline], application_id, row["due_at"]) != 1:
                return 0
            now, whose = self._clock.now(), (application_id, row["department"], row["matter_code"])
            if not await fetch(_ISSUE, card_id, *whose, deadline.value, colour.value, row["due_at"], now):
                return 0
            if colour is CardColour.RED:
                await execute(_FOLLOWED, application_id, deadline.value, now)
                await fetch(_ORDER, self._ids.uuid(), card_id, *whose, now, answer_by)
            await self._audit.record(
                "matters.card-given",
                actor=SYSTEM,
                object_kind="application",
                object_id=application_id,
                outcome=colour.value,
            )
            return 1

        return await transaction(work)

    async def _close(self, row: Mapping[str, Any]) -> int:
        card_id, ended = as_uuid(row["id"]), _has_ended(row)

        async def work() -> int:
            now = self._clock.now()
            because = Closed.ENDED if ended else Closed.MOVED
            if await execute(_CLOSE, card_id, now, because.value) != 1:
                return 0
            unanswered = await fetch(_CLOSE_ORDER, card_id)
            if ended and unanswered and row["colour"] == CardColour.RED:
                await self._records.make(card_id, Ground.NO_REASON)
            return 1

        return await transaction(work)

    async def _pass_on(self, row: Mapping[str, Any]) -> int:
        order_id = as_uuid(row["id"])
        answer_by = await self._answer_by(OrderLevel.SUPERIOR)

        async def work() -> int:
            if row["level"] == OrderLevel.DEPARTMENT:
                passed = await execute(_ESCALATE, order_id, self._clock.now(), answer_by)
            else:
                passed = await execute(_GIVE_UP, order_id)
                if passed:
                    await self._records.make(as_uuid(row["card_id"]), Ground.UNANSWERED)
            if passed:
                log.warning("a supervision order was not answered in time", order_id=str(order_id))
            return passed

        return await transaction(work)

    async def _date(self, order_id: UUID, answer_by: datetime) -> None:
        await transaction(lambda: execute(_DATE, order_id, answer_by))

    async def _count(self) -> None:
        cards = {(row["colour"], row["deadline"]): int(row["n"]) for row in await fetch(_CARDS)}
        for colour in CardColour:
            for deadline in Deadline:
                CARDS.labels(colour.value, deadline.value).set(cards.get((colour.value, deadline.value), 0))
        orders = {row["level"]: int(row["n"]) for row in await fetch(_ORDERS)}
        for level in OrderLevel:
            ORDERS_OPEN.labels(level.value).set(orders.get(level.value, 0))


def _has_ended(row: Mapping[str, Any]) -> bool:
    """Tell whether what a card waits for has happened, rather than that its date is another one."""
    if row["deadline"] == Deadline.PRE_REVIEW:
        return row["review_due_at"] is None
    return row["case_state"] not in {"accepted", "in_review", "suspended"}
