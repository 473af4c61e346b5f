"""Looking into accepted cases, standing still where the law lets time stand, and deciding."""

from collections.abc import Mapping
from typing import Any

from auth.types import StaffCaller
from matters.cases.documents import WORKING_DAYS
from matters.cases.holding import Held
from matters.handling.acting import Acting
from matters.handling.types import Done, Move, Order


class Review:
    """Reviews and decides. Whoever has accepted a case, or asked for a supplement to it, decides it in no case."""

    def __init__(self, *, acting: Acting) -> None:
        self._acting = acting

    async def take_up(self, operator: StaffCaller, order: Order) -> Done:
        """Begin to review an accepted case.

        Raises:
            Problem: what `Acting.act` raises.
        """
        return await self._acting.act(operator, Move.TAKE_UP, order)

    async def suspend(self, operator: StaffCaller, order: Order, working_days: int) -> Done:
        """Let a case stand for what the law does not count; the applicant is told how many working days it takes.

        Raises:
            Problem: what `Acting.act` raises.
        """

        async def more(held: Held) -> Mapping[str, Any]:
            del held
            return {WORKING_DAYS: working_days}

        return await self._acting.act(operator, Move.SUSPEND, order, more=more)

    async def resume(self, operator: StaffCaller, order: Order) -> Done:
        """Go on with a case that stood.

        Raises:
            Problem: what `Acting.act` raises.
        """
        return await self._acting.act(operator, Move.RESUME, order)

    async def decide(self, operator: StaffCaller, order: Order, *, approve: bool) -> Done:
        """Approve a case, or reject it for a published reason.

        Raises:
            SameHands: the operator has taken the case in.
            Problem: what else `Acting.act` raises.
        """
        return await self._acting.act(operator, Move.APPROVE if approve else Move.REJECT, order)
