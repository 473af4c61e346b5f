"""Cases that nobody rated in time count as the rules say, and are marked as such (粤: 七个自然日后默认“基本满意”)."""

from datetime import timedelta
from typing import Final

from core.clock import Clock
from core.db import after_commit, as_uuid, fetch, transaction
from core.ids import Ids
from core.metrics import RATINGS
from matters.ratings.types import RatingSource
from matters.settings import MatterSettings

_AT_ONCE: Final = 500
# Beyond this nothing is caught up: what happened while no worker ran, and no archive.
_REACH: Final = timedelta(days=90)
_UNRATED: Final = """
SELECT id, channel FROM application
WHERE decided_at <= $1 AND decided_at > $2
  AND state IN ('approved', 'rejected', 'not_accepted', 'delivered', 'closed')
  AND NOT EXISTS (SELECT 1 FROM rating WHERE rating.application_id = application.id)
ORDER BY decided_at, id LIMIT $3
"""
_INSERT: Final = """
INSERT INTO rating (id, application_id, occasion, level, reasons, dimensions, text_sealed, source, channel, created_at)
VALUES ($1, $2, 1, $3, $4, $5, NULL, 'default', $6, $7)
ON CONFLICT (application_id, occasion) DO NOTHING RETURNING id
"""


class DefaultRatings:
    """Fills in what was not said, by the clock."""

    def __init__(self, *, clock: Clock, ids: Ids, settings: MatterSettings) -> None:
        self._clock = clock
        self._ids = ids
        self._settings = settings

    async def fill_in(self) -> int:
        """Give each case that was decided long enough ago, and not rated, its default; return how many those are.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        now = self._clock.now()
        before = now - timedelta(days=self._settings.default_rating_days)
        level = self._settings.default_rating
        filled = 0
        for row in await fetch(_UNRATED, before, before - _REACH, _AT_ONCE):

            async def work(row: dict[str, object] = row) -> int:
                rows = await fetch(
                    _INSERT, self._ids.uuid(), as_uuid(row["id"]), level.value, [], {}, row["channel"], now
                )
                if rows:
                    after_commit(RATINGS.labels(level.value, RatingSource.DEFAULT.value).inc)
                return len(rows)

            filled += await transaction(work)
        return filled
