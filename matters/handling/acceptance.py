"""Taking cases in, or saying why not: at any window, for any matter."""

from auth.types import StaffCaller
from matters.handling.acting import Acting
from matters.handling.types import Done, Move, Order


class Acceptance:
    """Accepts cases and refuses to; each owes the applicant a document with a date and a number (art. 32)."""

    def __init__(self, *, acting: Acting) -> None:
        self._acting = acting

    async def accept(self, operator: StaffCaller, order: Order) -> Done:
        """Accept a case: from here on the promised time runs.

        Raises:
            Problem: what `Acting.act` raises.
        """
        return await self._acting.act(operator, Move.ACCEPT, order)

    async def refuse(self, operator: StaffCaller, order: Order) -> Done:
        """Say that a case is not accepted, and why.

        Raises:
            Problem: what `Acting.act` raises.
        """
        return await self._acting.act(operator, Move.NOT_ACCEPT, order)
