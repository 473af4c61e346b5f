"""Reading personal data as staff: masked, unless opened for a purpose and a case, counted, and seen by the resident."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from auth.errors import RoleForbidden
from auth.records import Record, Records
from auth.settings import OperatorSettings
from auth.staff.budgets import Budget
from auth.staff.errors import NothingToOpen, TooManyOpenings
from auth.staff.rules import require_scope
from auth.staff.types import OpeningReason, PersonField
from auth.types import StaffCaller, StaffScope
from core.audit.record import Audit
from core.clock import Clock
from core.db import fetch, transaction
from core.errors import Problem
from core.ids import Ids
from core.log import get_logger
from core.metrics import OPENINGS, OPENINGS_ALARMS

log = get_logger(__name__)

_COUNT: Final = (
    "SELECT count(*) AS n, min(opened_at) AS earliest FROM opening WHERE operator_id = $1 AND opened_at > $2"
)
_ADD: Final = "INSERT INTO opening (id, operator_id, opened_at) VALUES ($1, $2, $3) RETURNING id"
_CASE: Final = "case"
_OK: Final = "ok"
_REFUSALS: Final[Mapping[type[Problem], str]] = {
    RoleForbidden: "forbidden",
    NothingToOpen: "other-case",
    TooManyOpenings: "too-many",
}


class Openings:
    """Openings of personal values. Each is a line in the audit before the values are told, and so is each refusal."""

    def __init__(self, *, records: Records, audit: Audit, clock: Clock, ids: Ids, settings: OperatorSettings) -> None:
        self._records = records
        self._audit = audit
        self._clock = clock
        self._ids = ids
        self._budget = Budget(_COUNT, an_hour=settings.openings_an_hour, a_day=settings.openings_a_day)

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

    async def count(self, caller: StaffCaller) -> None:
        """Count that a caller opens personal values somewhere else, before they are told.

        Raises:
            TooManyOpenings: the caller has opened as many as anybody may in an hour or a day.
            DatabaseUnavailable: openings cannot be counted now, so nothing is opened.
        """
        self._noted(caller, near=await transaction(lambda: self._count(caller, self._clock.now())))

    async def open_person(
        self,
        caller: StaffCaller,
        scopes: Sequence[StaffScope],
        subject_id: UUID,
        fields: Sequence[PersonField],
        reason: OpeningReason,
    ) -> Mapping[PersonField, str | None]:
        """Return values of a resident for a purpose and a case; who is refused stands in the resident's ledger too.

        Raises:
            RoleForbidden: no grant of the caller reaches that case; without one, only who is not limited may open.
            NothingToOpen: there is no such resident, or the case is not that of what is opened.
            TooManyOpenings: the caller has opened as many as anybody may in an hour or a day.
            DatabaseUnavailable: openings cannot be counted now, so nothing is opened.
        """
        now = self._clock.now()

        async def note(outcome: str) -> None:
            await self._audit.record(
                "auth.data-opened" if outcome == _OK else "auth.opening-refused",
                actor=caller.actor,
                subject_id=subject_id,
                purpose=reason.purpose,
                object_kind=_CASE,
                object_id=reason.case,
                field_names=[field.value for field in fields],
                outcome=outcome,
            )

        async def work() -> tuple[Record, bool]:
            require_scope(scopes, reason.concerned)
            if not reason.is_of_the_case:
                raise NothingToOpen
            near = await self._count(caller, now)
            record = await self._records.find(subject_id)
            if record is None:
                raise NothingToOpen
            await note(_OK)
            return record, near

        try:
            record, near = await transaction(work)
        except (RoleForbidden, NothingToOpen, TooManyOpenings) as refused:
            if await self._records.find(subject_id) is not None:
                outcome = _REFUSALS[type(refused)]
                await transaction(lambda: note(outcome))
            raise
        self._noted(caller, near=near)
        return {field: _value(record, field) for field in fields}

    @staticmethod
    def _noted(caller: StaffCaller, *, near: bool) -> None:
        OPENINGS.inc()
        if near:
            OPENINGS_ALARMS.inc()
            log.warning("an operator has opened half of what anybody may", operator=str(caller.operator_id))

    async def _count(self, caller: StaffCaller, now: datetime) -> bool:
        """Count one opening; return whether it is the one that makes half of what is allowed."""
        spent = await self._budget.look(caller.operator_id, now)
        if spent.wait:
            raise TooManyOpenings(retry_after=spent.wait)
        await fetch(_ADD, self._ids.uuid(), caller.operator_id, now)
        return spent.is_half


def _value(record: Record, field: PersonField) -> str | None:
    found = {PersonField.NAME: record.name, PersonField.ID_NUMBER: record.id_number, PersonField.MOBILE: record.mobile}
    value = found[field]
    return None if value is None else value.reveal()
