"""How often somebody may try: checks count when they start, on the person and on the account.

Some stop counting when they end: what the engine or the registry could not look at, and what a resident passed who is
logged in. A passed elder session goes on counting: it was asked for by nobody known.
"""

from datetime import datetime
from typing import Final
from uuid import UUID

from core.clock import Clock
from core.db import as_moment, fetch, fetch_one, require_transaction
from face.errors import TooManyAttempts
from face.ports import Others
from face.rules import hall_or_phone, seconds_until
from face.settings import FaceSettings

# Two starts at once wait here for each other: the second counts the first.
_HOLD: Final = """
INSERT INTO face_subject (key, counted_at) VALUES ($1, $2)
ON CONFLICT (key) DO UPDATE SET counted_at = excluded.counted_at RETURNING key
"""
_ON_PERSON: Final = """
SELECT count(*) AS started, min(started_at) AS earliest FROM face_check
WHERE person_hash IN ($1, $3) AND started_at > $2 AND reason NOT IN ('overtime', 'unavailable')
      AND (outcome <> 'passed' OR purpose = 'elder-session')
"""
_ON_ACCOUNT: Final = """
SELECT count(*) AS started, min(started_at) AS earliest FROM face_check
WHERE citizen_id = $1 AND started_at > $2 AND reason NOT IN ('overtime', 'unavailable') AND outcome <> 'passed'
"""


class Attempts:
    """Counts checks in the database, not in a cache: wiping a cache gives nobody more of them.

    A check counts from its start. One that a resident passes is given back, so that nobody who is who they say runs
    out.
    """

    def __init__(self, *, clock: Clock, settings: FaceSettings, others: Others = hall_or_phone) -> None:
        self._clock = clock
        self._settings = settings
        self._others = others

    async def require(self, person_hashes: tuple[str, str], citizen_id: UUID | None, *, elder: bool) -> None:
        """See that one more check may start, and keep others from starting until this transaction ends.

        Raises:
            TooManyAttempts: none is left; `retry_after` says when the earliest stops counting.
            OutsideTransaction: no transaction is running.
        """
        require_transaction()
        now = self._clock.now()
        # The same order everywhere, so that two transactions never wait for each other.
        for key in sorted(key for key in (f"p:{min(person_hashes)}", citizen_id and f"a:{citizen_id}") if key):
            await fetch(_HOLD, key, now)
        started, earliest = await self._started(person_hashes, citizen_id)
        if started >= self._settings.attempts_for(elder=elder):
            again = earliest + self._settings.window if earliest else now
            others = self._others(logged_in=citizen_id is not None, elder=elder)
            raise TooManyAttempts(retry_after=seconds_until(again, now), alternatives=others)

    async def left(self, person_hash: str, citizen_id: UUID | None, *, elder: bool) -> int:
        """Return how many checks may still be started.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        started, _ = await self._started((person_hash, person_hash), citizen_id)
        return max(0, self._settings.attempts_for(elder=elder) - started)

    async def _started(self, person_hashes: tuple[str, str], citizen_id: UUID | None) -> tuple[int, datetime | None]:
        """Return the larger of the two counts and the earliest start among those that make it."""
        since = self._clock.now() - self._settings.window
        rows = [await fetch_one(_ON_PERSON, person_hashes[0], since, person_hashes[1])]
        if citizen_id is not None:
            rows.append(await fetch_one(_ON_ACCOUNT, citizen_id, since))
        most = max((row for row in rows if row), key=lambda row: int(row["started"]))
        earliest = most["earliest"]
        return int(most["started"]), None if earliest is None else as_moment(earliest)
