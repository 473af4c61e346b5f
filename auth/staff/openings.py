"""Reading personal data as staff: masked, unless opened for a purpose and a case, counted, and seen by the resident."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from auth.records import Record, Records
from auth.settings import OperatorSettings
from auth.staff.errors import NothingToOpen, TooManyOpenings
from auth.staff.grants import hold
from auth.staff.rules import require_scope
from auth.staff.types import PersonField
from auth.types import EVERYWHERE, StaffCaller, StaffScope
from core.audit.record import Audit
from core.clock import Clock
from core.db import as_moment, fetch, fetch_one, transaction
from core.ids import Ids
from core.log import get_logger
from core.metrics import OPENINGS, OPENINGS_ALARMS

log = get_logger(__name__)

_COUNT: Final = (
    "SELECT count(*) AS n, min(opened_at) AS earliest FROM opening WHERE operator_id = $1 AND opened_at > $2"
)
_ADD: Final = "INSERT INTO opening (id, operator_id, opened_at) VALUES ($1, $2, $3) RETURNING id"
_HOUR: Final = timedelta(hours=1)
_DAY: Final = timedelta(days=1)


class Openings:
    """Openings of personal values. Each is a line in the audit, written before the values are told."""

    def __init__(self, *, records: Records, audit: Audit, clock: Clock, ids: Ids, settings: OperatorSettings) -> None:
        self._records = records
        self._audit = audit
        self._clock = clock
        self._ids = ids
        self._most = ((_HOUR, settings.openings_an_hour), (_DAY, settings.openings_a_day))

    async def look(self, caller: StaffCaller, subject_id: UUID) -> Mapping[PersonField, str | None]:
        """Return what may be seen of a resident without a case: everything masked.

        Raises:
            NothingToOpen: there is no such resident.
        """
        record = await self._records.find(subject_id)
        if record is None:
            raise NothingToOpen
        await transaction(
            lambda: self._audit.record(
                "auth.resident-looked-up", actor=caller.actor, subject_id=subject_id, object_kind="resident"
            )
        )
        return {
            PersonField.NAME: None if record.name is None else record.name.masked(),
            PersonField.ID_NUMBER: None if record.id_number is None else record.id_number.masked(),
            PersonField.MOBILE: None if record.mobile is None else record.mobile.masked(),
        }

    async def open_person(
        self,
        caller: StaffCaller,
        scopes: Sequence[StaffScope],
        subject_id: UUID,
        fields: Sequence[PersonField],
        *,
        purpose: str,
        case: str,
        concerned: StaffScope = EVERYWHERE,
    ) -> Mapping[PersonField, str | None]:
        """Return values of a resident for a purpose and a case. `concerned` is where the case belongs.

        Raises:
            RoleForbidden: no grant of the caller reaches that case; without one, only who is not limited may open.
            NothingToOpen: there is no such resident.
            TooManyOpenings: the caller has opened as many as anybody may in an hour or a day.
            DatabaseUnavailable: openings cannot be counted now, so nothing is opened.
        """
        require_scope(scopes, concerned)
        now = self._clock.now()

        async def work() -> tuple[Record, bool]:
            near = await self._count(caller, now)
            record = await self._records.find(subject_id)
            if record is None:
                raise NothingToOpen
            await self._audit.record(
                "auth.data-opened",
                actor=caller.actor,
                subject_id=subject_id,
                purpose=purpose,
                object_kind="case",
                object_id=case,
                field_names=[field.value for field in fields],
            )
            return record, near

        record, near = await transaction(work)
        OPENINGS.inc()
        if near:
            OPENINGS_ALARMS.inc()
            log.warning("an operator has opened half of what anybody may", operator=str(caller.operator_id))
        return {field: _value(record, field) for field in fields}

    async def _count(self, caller: StaffCaller, now: datetime) -> bool:
        """Count one opening; return whether it is the one that makes half of what is allowed."""
        await hold((caller.operator_id,))  # Two at once wait here for each other.
        alarm = False
        for window, most in self._most:
            row = await fetch_one(_COUNT, caller.operator_id, now - window)
            count = 0 if row is None else int(row["n"])
            if row is not None and count >= most:
                wait = as_moment(row["earliest"]) + window - now
                raise TooManyOpenings(retry_after=max(1, int(wait.total_seconds()) + 1))
            alarm = alarm or count + 1 == (most + 1) // 2
        await fetch(_ADD, self._ids.uuid(), caller.operator_id, now)
        return alarm


def _value(record: Record, field: PersonField) -> str | None:
    found = {PersonField.NAME: record.name, PersonField.ID_NUMBER: record.id_number, PersonField.MOBILE: record.mobile}
    value = found[field]
    return None if value is None else value.reveal()
