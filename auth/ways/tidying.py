"""Forgetting what has served its time: claims of checks nobody finished, slips, old attempts and requests."""

from datetime import timedelta

from auth.ways.assistances import Assistances
from auth.ways.attempts import Attempts
from auth.ways.counter import Counter
from auth.ways.records import Records
from auth.ways.settings import WaySettings
from core.clock import Clock
from core.db import transaction


class Tidying:
    """Keeps the rows of the ways to those that are of use; it runs from the timetable."""

    def __init__(
        self,
        *,
        records: Records,
        attempts: Attempts,
        counter: Counter,
        assistances: Assistances,
        clock: Clock,
        settings: WaySettings,
    ) -> None:
        self._records = records
        self._attempts = attempts
        self._counter = counter
        self._assistances = assistances
        self._clock = clock
        self._settings = settings

    async def tidy(self) -> int:
        """Wipe and forget what has served its time; return of how many checks the claim was wiped.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        old = self._clock.now() - timedelta(days=self._settings.keep_days)

        async def work() -> int:
            await self._attempts.forget()
            await self._counter.forget()
            await self._assistances.forget(old)
            return await self._records.tidy(old)

        return await transaction(work)
