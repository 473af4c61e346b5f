"""When a case is due: the promised working days after acceptance, from the published calendar."""

from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import Final
from uuid import UUID

from core.calendar import UnknownYear
from core.calendar_store import CalendarStore
from core.clock import CHINA, china_date
from core.db import as_moment, as_uuid, execute, fetch, transaction
from core.log import get_logger

log = get_logger(__name__)

# The year's table was not published when the case was accepted: nobody is stopped, an operator is alarmed.
CALENDAR_MISSING: Final = "calendar-missing"
_LAST_SECOND: Final = time(23, 59, 59)

_WAITING: Final = """
SELECT id, accepted_at, limit_days FROM application
WHERE due_note = $1 AND accepted_at IS NOT NULL ORDER BY accepted_at LIMIT $2
"""
_SET: Final = "UPDATE application SET due_at = $2, due_note = '', version = version + 1 WHERE id = $1 AND due_note = $3"


@dataclass(frozen=True, slots=True)
class Due:
    """When a case is due. `note` says why there is no date when there should be one."""

    at: datetime | None
    note: str = ""


class Deadlines:
    """Computes due dates; the last day ends at midnight in China."""

    def __init__(self, *, calendar: CalendarStore) -> None:
        self._calendar = calendar

    async def due(self, accepted_at: datetime | None, working_days: int) -> Due:
        """Return when a case accepted at a moment is due; a matter done at once, or not accepted, has no date.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        if accepted_at is None or not working_days:
            return Due(None)
        calendar = await self._calendar.current()
        try:
            last_day = calendar.after(china_date(accepted_at), working_days)
        except UnknownYear as unknown:
            log.error("no calendar is published for a year", code=CALENDAR_MISSING, count=unknown.year)
            return Due(None, CALENDAR_MISSING)
        return Due(datetime.combine(last_day, _LAST_SECOND, tzinfo=CHINA).astimezone(UTC))

    async def catch_up(self, *, at_most: int = 500) -> int:
        """Give dates to cases accepted before their year's table was published; return how many got one.

        The timetable calls this: nobody has to remember it after extending the table.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        found = 0
        for row in await fetch(_WAITING, CALENDAR_MISSING, at_most):
            due = await self.due(as_moment(row["accepted_at"]), int(row["limit_days"]))
            if due.at is not None:
                found += await self._set(as_uuid(row["id"]), due.at)
        return found

    async def _set(self, application_id: UUID, due_at: datetime) -> int:
        async def work() -> int:
            return await execute(_SET, application_id, due_at, CALENDAR_MISSING)

        return await transaction(work)
