"""The session that a request comes with: its row, read now, or by this process within the last second.

A remembered row spares a read its round trip. It never decides against anybody, and nothing is changed on its word
(docs/decisions/0021).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from auth.settings import SessionSettings
from core.clock import Clock
from core.db import after_commit, as_uuid, fetch_one

# An officer who was let go acts for nobody any more.
CALLER: Final = """
SELECT s.citizen_id, s.level, s.present_until, s.elder, s.last_used_at, s.operator_id
FROM citizen_session s JOIN citizen c ON c.id = s.citizen_id
WHERE s.id = $1 AND s.ended_at IS NULL AND s.expires_at > $2 AND c.state = 'active'
      AND (s.operator_id IS NULL
           OR EXISTS (SELECT 1 FROM operator_account o WHERE o.id = s.operator_id AND o.state = 'active'))
"""
# Of one resident; more than these at once are no resident, and begin anew.
_PLACES: Final = 16


@dataclass(slots=True)
class _Remembered:
    """A row and when the question for it was sent, in monotonic seconds."""

    row: dict[str, Any]
    asked: float


class RecentSessions:
    """Rows of open sessions by resident. An entry lives a second at most and goes with any change of the resident's.

    `changed` is the one place that every change of a session, or of a resident's state, has to call.
    """

    def __init__(self, *, clock: Clock, settings: SessionSettings) -> None:
        self._clock = clock
        self._seconds = settings.recent_seconds
        self._residents = settings.recent_residents
        self._rows: dict[UUID, dict[UUID, _Remembered]] = {}
        self._changes = 0

    async def read(self, citizen_id: UUID, session_id: UUID, now: datetime) -> Mapping[str, Any] | None:
        """Return the row of a resident's open session as it is now, None when it is over or somebody else's.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        asked, changes = self._clock.monotonic(), self._changes
        row = await fetch_one(CALLER, session_id, now)
        if row is None or as_uuid(row["citizen_id"]) != citizen_id:
            self._rows.pop(citizen_id, None)
            return None
        if changes == self._changes:  # Else it may have been read before a change that is over by now.
            self._keep(citizen_id, session_id, _Remembered(row, asked))
        return row

    def remembered(self, citizen_id: UUID, session_id: UUID) -> Mapping[str, Any] | None:
        """Return the row as it was at some time within the last second, if this process has read it then."""
        places = self._rows.get(citizen_id)
        found = None if places is None else places.get(session_id)
        if found is None or self._clock.monotonic() - found.asked >= self._seconds:
            return None
        return found.row

    def changed(self, citizen_id: UUID | None) -> None:
        """Forget a resident's sessions, now and with the commit of the running transaction, which changes them.

        Without a resident everybody's are forgotten.

        Raises:
            OutsideTransaction: no transaction is running.
        """
        self._forget(citizen_id)
        after_commit(lambda: self._forget(citizen_id))

    def _forget(self, citizen_id: UUID | None) -> None:
        self._changes += 1
        if citizen_id is None:
            self._rows.clear()
        else:
            self._rows.pop(citizen_id, None)

    def _keep(self, citizen_id: UUID, session_id: UUID, entry: _Remembered) -> None:
        if not self._seconds:
            return
        # Taken out and put in again, so that the first of all is the one that nobody has read for longest.
        places = self._rows.pop(citizen_id, {})
        if len(places) >= _PLACES:
            places.clear()
        places[session_id] = entry
        self._rows[citizen_id] = places
        while len(self._rows) > self._residents:
            del self._rows[next(iter(self._rows))]
