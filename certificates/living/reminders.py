"""Reminding holders before a certificate's last day: of how long it still holds, and of the matter that renews it."""

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from certificates import rules
from certificates.definitions import Kinds
from certificates.records import as_day
from certificates.types import Kind, State
from core.clock import Clock, china_date
from core.db import as_uuid, execute, fetch, transaction
from core.jobs.queue import Jobs

_DUE: Final = """
SELECT id, citizen_id, kind, state, valid_until, remind_on FROM certificate
WHERE remind_on <= $1 ORDER BY remind_on, id LIMIT $2
"""
# Whoever moves the date on tells the holder, whatever the number of processes.
_NEXT: Final = "UPDATE certificate SET remind_on = $3 WHERE id = $1 AND remind_on = $2"
_AT_ONCE: Final = 200


class Reminders:
    """Tells holders, once for each of the days that a kind names. A day that was missed is made up for once."""

    def __init__(self, *, kinds: Kinds, jobs: Jobs, clock: Clock) -> None:
        self._kinds = kinds
        self._jobs = jobs
        self._clock = clock

    async def remind(self) -> int:
        """Promise the reminders that are due, and return how many.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        today, told = china_date(self._clock.now()), 0
        while True:
            rows = await fetch(_DUE, today, _AT_ONCE)
            for row in rows:
                told += await transaction(lambda row=row: self._settle(row, today))  # type: ignore[misc]
            if len(rows) < _AT_ONCE:
                return told

    async def _settle(self, row: Mapping[str, Any], today: date) -> bool:
        kind, last_day, due = self._kinds.find(row["kind"]), as_day(row["valid_until"]), as_day(row["remind_on"])
        upcoming = None if kind is None else rules.next_reminder(kind, last_day, today)
        if await execute(_NEXT, as_uuid(row["id"]), due, upcoming) != 1 or kind is None:
            return False
        if row["state"] != State.ACTIVE.value or last_day is None or last_day < today:
            return False
        await self._tell(row, kind, last_day, today)
        return True

    async def _tell(self, row: Mapping[str, Any], kind: Kind, last_day: date, today: date) -> None:
        days, advice = str((last_day - today).days), kind.renewal
        await self._jobs.enqueue(
            "notices.tell",
            event="certificates.renewal-due" if kind.renewed_by else "certificates.expires-soon",
            citizen_id=as_uuid(row["citizen_id"]),
            object_id=as_uuid(row["id"]),
            certificate=kind.title,
            certificate_en=kind.title_en,
            days=days,
            last_day=last_day.isoformat(),
            advice="" if advice is None else advice.zh,
            advice_en="" if advice is None else advice.en,
            matter=kind.renewed_by,
        )
