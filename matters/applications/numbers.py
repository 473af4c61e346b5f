"""Numbers of applications: taken in a short transaction of their own, before the one that needs them; gaps are fine."""

from typing import Final

from core.clock import Clock, china_date
from core.db import fetch
from matters.applications.rules import application_number
from matters.errors import NumbersExhausted

_TAKE: Final = """
INSERT INTO counter (name, value) VALUES ($1, 1)
ON CONFLICT (name) DO UPDATE SET value = counter.value + 1 RETURNING value
"""


class Numbers:
    """One counter for each matter and day, so that no row is held while an application is written."""

    def __init__(self, *, clock: Clock) -> None:
        self._clock = clock

    async def take(self, matter_code: str) -> str:
        """Return the next number of a matter today (in China): 43 characters.

        Raises:
            NumbersExhausted: the day's serials are used up.
            DatabaseUnavailable: the database could not be reached.
        """
        day = china_date(self._clock.now())
        # One statement is a transaction of its own.
        rows = await fetch(_TAKE, f"application-number:{matter_code}:{day:%Y%m%d}")
        try:
            return application_number(matter_code, day, int(rows[0]["value"]))
        except ValueError as error:
            raise NumbersExhausted(retry_after=3600) from error
