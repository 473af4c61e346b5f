"""Moving a case to the department that it is for: it gets the dossier by a delivery of its own."""

from collections.abc import Mapping
from typing import Any, Final

from auth.types import StaffCaller
from core.clock import Clock
from core.db import execute
from core.jobs.queue import Jobs
from matters.cases.holding import Held
from matters.catalogue.catalogue import Catalogue
from matters.handling.acting import Acting
from matters.handling.errors import DeliveryOpen, NotMovable
from matters.handling.types import Done, Move, Order
from matters.types import DeliveryState

# Whoever handled it there does not handle it here: it is routed anew when its dossier goes out.
_GIVE: Final = """
UPDATE application SET department = $2, unit = '', region = '', home_region = '' WHERE id = $1 AND department = $3
"""
# The row is the way to the department that has the case now; what became of the one before stands in the action.
_SEND: Final = """
UPDATE delivery SET department = $2, state = 'pending', failures = 0, receipt_number = '', reason = '', sent_at = NULL,
                    settled_at = NULL, created_at = $3
WHERE application_id = $1 AND state = $4
"""
_SENT: Final = frozenset({DeliveryState.ACKNOWLEDGED, DeliveryState.REFUSED, DeliveryState.CANCELLED})


class Moving:
    """Moves cases. Nothing that may still arrive at one department is sent to another."""

    def __init__(self, *, acting: Acting, catalogue: Catalogue, jobs: Jobs, clock: Clock) -> None:
        self._acting = acting
        self._catalogue = catalogue
        self._jobs = jobs
        self._clock = clock

    async def move(self, operator: StaffCaller, order: Order, department: str) -> Done:
        """Give a case to another department for a published reason; it stays where it stands.

        Raises:
            NotMovable: there is no such department, or it has the case.
            DeliveryOpen: the dossier is on its way to the department that has the case.
            Problem: what else `Acting.act` raises.
        """
        known = {each.department.slug for each in self._catalogue.all}

        async def more(held: Held) -> Mapping[str, Any]:
            if department not in known or department == held.department:
                raise NotMovable
            before = held.delivery
            if before is not None:
                if before.state is DeliveryState.PENDING or before.state in _SENT:
                    await self._send(held, department, before.state)
                else:
                    raise DeliveryOpen
            await execute(_GIVE, held.id, department, held.department)
            return {
                "from": held.department,
                "to": department,
                "delivery": "" if before is None else before.state.value,
                "receipt_number": "" if before is None else before.receipt_number,
            }

        return await self._acting.act(operator, Move.MOVE, order, more=more)

    async def _send(self, held: Held, department: str, before: DeliveryState) -> None:
        if await execute(_SEND, held.id, department, self._clock.now(), before.value) != 1:
            raise DeliveryOpen
        lane = self._catalogue.of_case(held.matter_code, held.matter_version).lane_for(department)
        await self._jobs.enqueue("matters.deliver", lane=lane, application_id=held.id)
