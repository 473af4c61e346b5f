"""What the law makes of silence: a case of which nobody says anything in five working days is accepted (art. 32)."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from core.audit.actors import SYSTEM
from core.audit.record import Audit
from core.clock import Clock
from core.db import as_moment, as_uuid, fetch, transaction
from core.log import get_logger
from matters.cases.deadlines import Deadlines
from matters.cases.documents import DOCUMENT, document_for
from matters.cases.history import Entry, History
from matters.cases.holding import hold
from matters.cases.reasons import DEEMED_ACCEPTED
from matters.cases.tracking import Tracking
from matters.catalogue.catalogue import Catalogue
from matters.errors import ChangedMeanwhile
from matters.types import Step

log = get_logger(__name__)

WORKING_DAYS: Final = 5
# Five working days are never fewer than five days.
_AT_LEAST: Final = timedelta(days=WORKING_DAYS)
_PAGE: Final = 200
_BEFORE_ALL: Final = (datetime(2000, 1, 1, tzinfo=UTC), UUID(int=0))
# What waits for a person who reads it has been received by nobody yet. Received is what was submitted, handed over for
# the first time or supplied, whichever was last; that it was moved on gives nobody more time.
_SILENT: Final = """
SELECT application.id, application.version, application.submitted_at,
       (SELECT max(at) FROM case_action WHERE case_action.application_id = application.id
        AND (case_action.step IN ('submitted', 'supplemented') OR case_action.seq = (
            SELECT min(seq) FROM case_action AS first
            WHERE first.application_id = application.id AND first.step = 'handed_over'))) AS received_at
FROM application LEFT JOIN delivery ON delivery.application_id = application.id
WHERE application.state IN ('submitted', 'pre_review') AND application.submitted_at < $1
  AND (delivery.state IS NULL OR delivery.state <> 'held')
  AND (application.submitted_at > $2 OR (application.submitted_at = $2 AND application.id > $3))
ORDER BY application.submitted_at, application.id LIMIT $4
"""


class Silence:
    """Accepts what was left lying. A year without a published table accepts nothing: nobody can count in it."""

    def __init__(
        self,
        *,
        catalogue: Catalogue,
        deadlines: Deadlines,
        history: History,
        tracking: Tracking,
        audit: Audit,
        clock: Clock,
    ) -> None:
        self._catalogue = catalogue
        self._deadlines = deadlines
        self._history = history
        self._tracking = tracking
        self._audit = audit
        self._clock = clock

    async def end(self) -> int:
        """Accept every case of which nobody said anything in time, from the day of its receipt; return how many.

        The timetable calls this.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        now, accepted = self._clock.now(), 0
        after = _BEFORE_ALL
        while rows := await fetch(_SILENT, now - _AT_LEAST, *after, _PAGE):
            for row in rows:
                received_at = as_moment(row["received_at"])
                due = await self._deadlines.due(received_at, WORKING_DAYS)
                if due.at is not None and due.at < now and await self._accept(row, received_at):
                    accepted += 1
            after = (as_moment(rows[-1]["submitted_at"]), as_uuid(rows[-1]["id"]))
        if accepted:
            log.warning("cases were accepted because nobody said anything in time", count=accepted)
        return accepted

    async def _accept(self, row: Mapping[str, Any], received_at: datetime) -> bool:
        """Accept one as it was looked at; whoever has said something meanwhile was in time."""

        async def work() -> None:
            held = await hold(as_uuid(row["id"]), int(row["version"]))
            document = document_for(Step.ACCEPTED, held.number, held.trace.documents)
            entry = Entry(
                step=Step.ACCEPTED,
                actor=SYSTEM,
                at=received_at,
                reason=DEEMED_ACCEPTED,
                data={} if document is None else {DOCUMENT: document.data},
            )
            moved = await self._history.append(held.id, entry)
            await self._audit.record(
                "matters.deemed-accepted",
                actor=SYSTEM,
                subject_id=held.citizen_id,
                purpose=self._catalogue.of_case(held.matter_code, held.matter_version).matter.title.zh,
                object_kind="application",
                object_id=held.id,
            )
            await self._tracking.announce(moved, held.id, held.citizen_id, held.matter_code)

        try:
            await transaction(work)
        except ChangedMeanwhile:
            return False
        return True
