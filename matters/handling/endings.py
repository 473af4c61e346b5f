"""Ending cases before their decision: annulled for a reason, or merged into another that asks for the same."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final
from uuid import UUID

from auth.types import StaffCaller
from core.clock import Clock
from core.db import as_uuid, execute, fetch_one
from matters.cases.holding import Held
from matters.cases.reasons import MERGED
from matters.handling.acting import Acting
from matters.handling.errors import NotDuplicates
from matters.handling.rules import FROM
from matters.handling.types import Done, Move, Order
from matters.types import State

# Only what has not left is called back; whoever changes the row first wins, this or the job that sends the dossier.
_CANCEL: Final = """
UPDATE delivery SET state = 'cancelled', settled_at = $2 WHERE application_id = $1 AND state IN ('pending', 'held')
"""
# The one that goes on is held too: it cannot end, or be merged into this one, at the same time.
_HOLD_OTHER: Final = """
UPDATE application SET actions = actions WHERE id = $1 AND number IS NOT NULL
RETURNING id, citizen_id, matter_code, state, number
"""
# What the action of a merged case says of the other one.
GOES_ON_AS: Final = "goes_on_as"


class Endings:
    """Ends cases. A department that has the dossier hears of it by telephone: no interface of theirs knows endings."""

    def __init__(self, *, acting: Acting, clock: Clock) -> None:
        self._acting = acting
        self._clock = clock

    async def terminate(self, operator: StaffCaller, order: Order) -> Done:
        """Annul a case for a published reason; errors of ours are counted.

        Raises:
            Problem: what `Acting.act` raises.
        """

        async def more(held: Held) -> Mapping[str, Any]:
            await self._call_back(held)
            return {}

        return await self._acting.act(operator, Move.TERMINATE, order, more=more)

    async def merge(self, operator: StaffCaller, order: Order, into: UUID) -> Done:
        """End a case that asks for the same as another of the same person, which goes on.

        Raises:
            NotDuplicates: they are not of one person and one matter, or the other has ended.
            Problem: what else `Acting.act` raises.
        """

        async def more(held: Held) -> Mapping[str, Any]:
            row = await fetch_one(_HOLD_OTHER, into)
            fits = (
                row is not None
                and into != held.id
                and as_uuid(row["citizen_id"]) == held.citizen_id
                and row["matter_code"] == held.matter_code
                and State(row["state"]) in FROM[Move.MERGE]
            )
            if row is None or not fits:
                raise NotDuplicates
            await self._call_back(held)
            return {GOES_ON_AS: {"id": str(into), "number": str(row["number"])}}

        return await self._acting.act(operator, Move.MERGE, replace(order, reason=MERGED), more=more)

    async def _call_back(self, held: Held) -> None:
        await execute(_CANCEL, held.id, self._clock.now())
