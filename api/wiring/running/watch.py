"""What is looked at every now and then, so that figures and readiness can tell how the whole installation stands."""

from datetime import timedelta

from api.health import State
from core.audit.watch import look_at_tail
from core.calendar_store import CalendarStore
from core.clock import Clock, china_date
from core.jobs.watch import JobFigures, look_at_jobs
from core.metrics import CALENDAR_CURRENT
from matters.cases.watch import look_at_deliveries

# The tail is sealed every second; the law's own bounds are hours (`security.md` 4.3).
_TAIL_SECONDS = 600.0
_DUE_SECONDS = 300.0
_NOVEMBER = 11
_REACH = timedelta(days=20)


class Watch:
    """Remembers what it saw last; probes ask it without asking the database each time."""

    def __init__(self, *, clock: Clock, calendar: CalendarStore) -> None:
        self._clock = clock
        self._calendar = calendar
        self._tail_seconds = 0.0
        self._jobs = JobFigures(0, 0.0, 0)

    async def look(self) -> None:
        """Look at everything and note the figures.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        now = self._clock.now()
        self._tail_seconds = await look_at_tail(now)
        self._jobs = await look_at_jobs(now)
        await look_at_deliveries(now)
        today = china_date(now)
        soon = today.year + 1 if today.month >= _NOVEMBER else today.year
        CALENDAR_CURRENT.set(await self._covers(today.year, soon))

    async def audit(self) -> State:
        """Whether the audit is sealed."""
        return "ok" if self._tail_seconds < _TAIL_SECONDS else "degraded"

    async def jobs(self) -> State:
        """Whether jobs are worked on, and none waits for an operator."""
        return "ok" if self._jobs.oldest_due_seconds < _DUE_SECONDS and not self._jobs.buried else "degraded"

    async def calendar(self) -> State:
        """Whether the calendar is published as far as deadlines of today reach.

        The figure asks for next year's from November on, when it is usually published: an operator hears of it in time.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        today = china_date(self._clock.now())
        return "ok" if await self._covers(today.year, (today + _REACH).year) else "degraded"

    async def _covers(self, *years: int) -> bool:
        return all([await self._calendar.covers(year) for year in years])
