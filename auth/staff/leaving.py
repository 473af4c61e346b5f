"""Operators who are shut out, or whose roles change: all they are logged in to ends, also where they act for others."""

from typing import Final
from uuid import UUID

from auth.places.recent import RecentSessions
from core.audit.actors import Actor
from core.audit.record import Audit
from core.clock import Clock
from core.db import as_uuid, execute, fetch, require_transaction

_END: Final = """
UPDATE operator_session SET ended_at = $2 WHERE operator_id = $1 AND ended_at IS NULL AND id <> $3
"""
# By the requests, which are few, and not by the sessions of all residents.
_END_ASSISTED: Final = """
UPDATE citizen_session SET ended_at = $2, end_reason = 'officer-left', present_until = NULL
WHERE id IN (SELECT session_id FROM assistance WHERE operator_id = $1 AND session_id IS NOT NULL)
      AND operator_id = $1 AND ended_at IS NULL AND expires_at > $2
RETURNING id, citizen_id
"""
_NONE: Final = UUID(int=0)


class Leaving:
    """Ends what an operator has open, in the transaction that takes away by what right it was opened."""

    def __init__(self, *, recent: RecentSessions, audit: Audit, clock: Clock) -> None:
        self._recent = recent
        self._audit = audit
        self._clock = clock

    async def end(self, operator_id: UUID, *, by: Actor, but: UUID = _NONE) -> int:
        """End an operator's sessions, all but one when it is given, and those of residents in which they act.

        Return how many of their own ended. The residents see that they act no more.

        Raises:
            OutsideTransaction: no transaction is running.
        """
        require_transaction()
        now = self._clock.now()
        for row in await fetch(_END_ASSISTED, operator_id, now):
            citizen_id = as_uuid(row["citizen_id"])
            self._recent.changed(citizen_id)
            await self._audit.record(
                "auth.session-ended",
                actor=by,
                subject_id=citizen_id,
                object_kind="session",
                object_id=as_uuid(row["id"]),
            )
        return await execute(_END, operator_id, now, but)
