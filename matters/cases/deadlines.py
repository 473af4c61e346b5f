"""When a case is due: computed from its history, the limits it runs under and the published calendar."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from core.calendar import UnknownYear, WorkingCalendar
from core.calendar_store import CalendarStore
from core.clock import china_date
from core.db import as_uuid, execute, fetch, transaction
from core.log import get_logger
from core.metrics import CASES_WITHOUT_DATE
from matters.cases.course import action_of, course_of, review_due
from matters.cases.rules import Folded, fold
from matters.clocks.rules import due_of, end_of
from matters.clocks.types import CALENDAR_MISSING, Allowance

log = get_logger(__name__)

# The promised date is known and the legal one is not: the year that it reaches into has no table yet.
LEGAL_CALENDAR_MISSING: Final = "legal-calendar-missing"
_MISSING: Final = frozenset({CALENDAR_MISSING, LEGAL_CALENDAR_MISSING})

_WAITING: Final = """
SELECT id, due_note, limit_days, limit_hours, legal_days, legal_hours FROM application
WHERE due_note IN ('calendar-missing', 'legal-calendar-missing') AND id > $1 ORDER BY id LIMIT $2
"""
_COUNT: Final = """
SELECT count(*) AS n FROM application WHERE due_note IN ('calendar-missing', 'legal-calendar-missing')
"""
_TAKE: Final = """
UPDATE application SET version = version + 1 WHERE id = $1 AND due_note = $2
RETURNING limit_days, limit_hours, legal_days, legal_hours, due_note
"""
_ACTIONS: Final = """
SELECT seq, step, at, department_sequence, follows, reason, data FROM case_action WHERE application_id = $1 ORDER BY seq
"""
_SET: Final = "UPDATE application SET due_at = $2, due_note = $3, legal_due_at = $4 WHERE id = $1"
_FIRST: Final = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Due:
    """When something is due. `note` says why there is no date when there should be one."""

    at: datetime | None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a case may take: as promised, and by law."""

    promised: Allowance
    legal: Allowance


@dataclass(frozen=True, slots=True)
class Dates:
    """The dates of a case. `note` says why one is missing that there should be."""

    due_at: datetime | None = None
    note: str = ""
    legal_due_at: datetime | None = None
    review_due_at: datetime | None = None


class Deadlines:
    """Computes due dates; the last day ends at midnight in China. Before acceptance a case has `pre_review_hours`."""

    def __init__(self, *, calendar: CalendarStore, pre_review_hours: int = 24) -> None:
        self._calendar = calendar
        self.pre_review_hours = pre_review_hours
        self._after = _FIRST

    async def calendar(self) -> WorkingCalendar:
        """Return the calendar as published.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        return await self._calendar.current()

    async def due(self, begun_at: datetime | None, working_days: int) -> Due:
        """Return when something begun at a moment is due; what is done at once, or has not begun, has no date.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        if begun_at is None or not working_days:
            return Due(None)
        calendar = await self._calendar.current()
        try:
            return Due(end_of(calendar.after(china_date(begun_at), working_days)))
        except UnknownYear as unknown:
            log.error("no calendar is published for a year", code=CALENDAR_MISSING, count=unknown.year)
            return Due(None, CALENDAR_MISSING)

    async def dates(self, folded: Folded, limits: Limits, *, known_note: str = "") -> Dates:
        """Return the dates that follow from a history. Only an accepted case asks for the calendar.

        A date that cannot be computed for want of a table is told to the operators once, unless `known_note` says so
        already.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        course = course_of(folded)
        if course is None:
            return Dates(review_due_at=review_due(folded, self.pre_review_hours))
        calendar = await self._calendar.current()
        due_at, note = due_of(course, limits.promised, calendar)
        legal_due_at, legal_note = due_of(course, limits.legal, calendar)
        if not note and legal_note == CALENDAR_MISSING:
            note = LEGAL_CALENDAR_MISSING
        if note in _MISSING and note != known_note:
            log.error("no calendar is published for a year", code=CALENDAR_MISSING)
        return Dates(due_at, note, legal_due_at)

    async def catch_up(self, *, at_most: int = 500) -> int:
        """Give dates to cases that lack one because a year's table was missing; return how many got theirs.

        The timetable calls this: nobody has to remember it after extending the table. What still waits is a figure, on
        which an alarm rests.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        found, waiting = 0, await fetch(_WAITING, self._after, at_most)
        # Round and round: those that wait for a later year keep nobody back.
        self._after = as_uuid(waiting[-1]["id"]) if len(waiting) == at_most else _FIRST
        for row in waiting:
            application_id, note = as_uuid(row["id"]), str(row["due_note"])
            # Nothing is written as long as nothing is known.
            if (await self._dates_again(application_id, row)).note != note:
                found += await self._try_again(application_id, note)
        rows = await fetch(_COUNT)
        CASES_WITHOUT_DATE.set(int(rows[0]["n"]))
        return found

    async def _dates_again(self, application_id: UUID, row: Mapping[str, Any]) -> Dates:
        folded = fold([action_of(each) for each in await fetch(_ACTIONS, application_id)])
        return await self.dates(folded, limits_of(row), known_note=str(row["due_note"]))

    async def _try_again(self, application_id: UUID, note: str) -> int:
        async def work() -> int:
            # The update takes the row's lock: the history does not grow meanwhile.
            taken = await fetch(_TAKE, application_id, note)
            if not taken:
                return 0
            dates = await self._dates_again(application_id, taken[0])
            await execute(_SET, application_id, dates.due_at, dates.note, dates.legal_due_at)
            return int(dates.note not in _MISSING)

        return await transaction(work)


def limits_of(row: Mapping[str, Any]) -> Limits:
    """Return the limits that a row of `application` keeps."""
    return Limits(
        Allowance(int(row["limit_days"] or 0), int(row["limit_hours"] or 0)),
        Allowance(int(row["legal_days"] or 0), int(row["legal_hours"] or 0)),
    )
