"""Deliveries that need a person: nobody knows whether it arrived, it was refused, or every try has failed."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from auth.types import StaffCaller, StaffScope
from core.audit.record import Audit
from core.clock import Clock
from core.db import as_moment, as_uuid, execute, fetch, transaction
from core.jobs.queue import Jobs
from matters.cases.history import Entry, History
from matters.cases.holding import Held, hold
from matters.catalogue.catalogue import Catalogue
from matters.errors import StateForbids
from matters.handling.errors import DeliverySettled
from matters.handling.rules import FROM
from matters.handling.types import Arrival, DeliveryQueue, Move, OpenDelivery
from matters.handover.polling import Polling
from matters.reach import Condition
from matters.types import DeliveryState, State, Step

_DELIVER: Final = "matters.deliver"
_LIST: Final = """
SELECT application.id, application.number, application.matter_code, application.department, application.state,
       delivery.state AS delivery_state, delivery.failures, delivery.reason, delivery.created_at
FROM delivery JOIN application ON application.id = delivery.application_id
WHERE {condition} ORDER BY delivery.created_at, application.id LIMIT $1
"""
_ARRIVED: Final = """
UPDATE delivery SET state = 'acknowledged', receipt_number = $2, settled_at = $3
WHERE application_id = $1 AND state = 'unknown'
"""
_SEND_AGAIN: Final = """
UPDATE delivery SET state = 'pending', reason = '', settled_at = NULL WHERE application_id = $1 AND state = $2
"""
_TRIED: Final = ("pending", "sent")


class StuckDeliveries:
    """Lists them, and takes in what an operator has found out. Each is settled once: who comes second is told so."""

    def __init__(
        self, *, catalogue: Catalogue, history: History, polling: Polling, audit: Audit, jobs: Jobs, clock: Clock
    ) -> None:
        self._catalogue = catalogue
        self._history = history
        self._polling = polling
        self._audit = audit
        self._jobs = jobs
        self._clock = clock

    async def list_stuck(
        self,
        queue: DeliveryQueue,
        scopes: Collection[StaffScope],
        *,
        after: tuple[datetime, UUID] | None,
        limit: int,
    ) -> list[OpenDelivery]:
        """Return deliveries that wait for a person, as far as one of the scopes reaches, the oldest first.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        condition = Condition(limit)
        if queue is DeliveryQueue.DEAD:
            dead = await self._jobs.list_buried(_DELIVER)
            # A table of jobs is no table of ours to join: what was given up is few, and named one by one.
            wanted = [condition.place(UUID(payload["application_id"])) for _, payload in dead]
            condition.add(f"application.id IN ({', '.join(wanted)})" if wanted else "1 = 0")
            condition.among("delivery.state", _TRIED)
        else:
            condition.among("delivery.state", [queue.value])
        if queue is DeliveryQueue.REFUSED:
            # A refusal that has ended the case is an answer, and the applicant has it.
            condition.among("application.state", sorted(FROM[Move.MOVE]))
        if after is not None:
            condition.after("delivery.created_at", *after)
        condition.reach(scopes)
        rows = await fetch(_LIST.format(condition=condition.text), *condition.values)
        return [_stuck(row, queue) for row in rows]

    async def settle(
        self, operator: StaffCaller, application_id: UUID, arrival: Arrival, *, receipt_number: str = ""
    ) -> None:
        """Say whether a dossier arrived of which nobody knew; what did not arrive is sent again, once.

        Raises:
            NoSuchApplication: there is none that was submitted.
            DeliverySettled: it was settled already, or there was never a doubt.
        """

        async def work() -> None:
            held = await hold(application_id, None)
            if arrival is Arrival.ARRIVED:
                if await execute(_ARRIVED, application_id, receipt_number, self._clock.now()) != 1:
                    raise DeliverySettled
                # The department's news may have been here first: then the receipt changes nothing.
                entry = Entry(step=Step.HANDED_OVER, actor=operator.actor)
                await self._history.append(application_id, entry, strict=False)
                published = self._catalogue.of_case(held.matter_code, held.matter_version)
                await self._polling.begin(application_id, published.desk_for(held.department))
            else:
                await self._send_again(held, DeliveryState.UNKNOWN)
            await self._tell_ledger(operator, held, arrival.value)

        await transaction(work)

    async def resend(self, operator: StaffCaller, application_id: UUID) -> None:
        """Send a dossier again that was refused, or that every try has failed to bring.

        Raises:
            NoSuchApplication: there is none that was submitted.
            StateForbids: the refusal has ended the case, and the applicant has it in writing.
            DeliverySettled: it is on its way, or has arrived.
        """

        async def work() -> None:
            held = await hold(application_id, None)
            state = None if held.delivery is None else held.delivery.state
            if state is DeliveryState.REFUSED:
                if held.state not in FROM[Move.MOVE]:
                    raise StateForbids(state=held.state.value)
                await self._send_again(held, DeliveryState.REFUSED)
            elif state in {DeliveryState.PENDING, DeliveryState.SENT}:
                await self._dig_up(application_id)
            else:
                raise DeliverySettled
            await self._tell_ledger(operator, held, "resent")

        await transaction(work)

    async def _send_again(self, held: Held, before: DeliveryState) -> None:
        if await execute(_SEND_AGAIN, held.id, before.value) != 1:
            raise DeliverySettled
        lane = self._catalogue.of_case(held.matter_code, held.matter_version).lane_for(held.department)
        await self._jobs.enqueue(_DELIVER, lane=lane, application_id=held.id)

    async def _dig_up(self, application_id: UUID) -> None:
        """Let the very job go on that was given up: two at once could send one dossier twice."""
        if not await self._jobs.dig_up(_DELIVER, application_id):
            raise DeliverySettled

    async def _tell_ledger(self, operator: StaffCaller, held: Held, outcome: str) -> None:
        await self._audit.record(
            "matters.delivery-settled",
            actor=operator.actor,
            subject_id=held.citizen_id,
            purpose=self._catalogue.of_case(held.matter_code, held.matter_version).matter.title.zh,
            object_kind="application",
            object_id=held.id,
            outcome=outcome,
        )


def _stuck(row: Mapping[str, Any], queue: DeliveryQueue) -> OpenDelivery:
    return OpenDelivery(
        id=as_uuid(row["id"]),
        number=str(row["number"]),
        matter=str(row["matter_code"]),
        department=str(row["department"]),
        queue=queue,
        state=DeliveryState(row["delivery_state"]),
        case_state=State(row["state"]),
        failures=int(row["failures"]),
        reason=str(row["reason"]),
        since=as_moment(row["created_at"]),
    )
