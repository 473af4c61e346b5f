"""Accountability records (问责): late cases for which nobody gave a reason; each is looked at once."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from auth.types import StaffCaller, StaffScope
from core.audit.actors import SYSTEM
from core.audit.record import Audit
from core.clock import Clock
from core.crypto import Vault
from core.db import as_moment, as_uuid, execute, fetch, fetch_one, require_transaction, transaction
from core.ids import Ids
from core.metrics import FAULTS
from matters.reach import Condition
from matters.supervision.errors import NoSuchRecord, SupervisionSettled
from matters.supervision.types import CardColour, Deadline, Ground, Record, RecordState

NOTE: Final = "accountability_record.note"
_CARD: Final = "SELECT * FROM supervision_card WHERE id = $1 AND colour = $2"
_MAKE: Final = """
INSERT INTO accountability_record (id, card_id, application_id, department, matter_code, deadline, ground, due_at,
                                   state, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'open', $9) ON CONFLICT DO NOTHING RETURNING id
"""
_FIND: Final = """
SELECT found.*, application.number
FROM accountability_record AS found JOIN application ON application.id = found.application_id WHERE found.id = $1
"""
_LIST: Final = """
SELECT found.*, application.number
FROM accountability_record AS found JOIN application ON application.id = found.application_id
WHERE {condition} ORDER BY found.created_at, found.id LIMIT $1
"""
_REVIEW: Final = """
UPDATE accountability_record SET state = $2, reviewed_by = $3, reviewed_at = $4, note_sealed = $5
WHERE id = $1 AND state = 'open'
"""


class Records:
    """Keeps the records: one for a red card at most, upheld or excused once."""

    def __init__(self, *, audit: Audit, vault: Vault, clock: Clock, ids: Ids) -> None:
        self._audit = audit
        self._vault = vault
        self._clock = clock
        self._ids = ids

    async def make(self, card_id: UUID, ground: Ground) -> None:
        """Write down in the running transaction that a red card has no reason; what is yellow is not late.

        Raises:
            OutsideTransaction: no transaction is running.
        """
        require_transaction()
        card = await fetch_one(_CARD, card_id, CardColour.RED.value)
        if card is None:
            return
        made = await fetch(
            _MAKE,
            self._ids.uuid(),
            card_id,
            as_uuid(card["application_id"]),
            card["department"],
            card["matter_code"],
            card["deadline"],
            ground.value,
            card["due_at"],
            self._clock.now(),
        )
        if made:
            FAULTS.labels(ground.value).inc()
            await self._audit.record(
                "matters.fault-recorded",
                actor=SYSTEM,
                object_kind="application",
                object_id=as_uuid(card["application_id"]),
                outcome=ground.value,
            )

    async def find(self, record_id: UUID) -> Record:
        """Return a record without what was written.

        Raises:
            NoSuchRecord: there is none.
        """
        row = await fetch_one(_FIND, record_id)
        if row is None:
            raise NoSuchRecord
        return _record(row)

    async def list_records(
        self, state: RecordState, scopes: Collection[StaffScope], *, after: tuple[datetime, UUID], limit: int
    ) -> list[Record]:
        """Return records of a state after a place, the oldest first, as far as one of the scopes reaches.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        condition = Condition(limit)
        condition.among("found.state", [state.value])
        condition.after("found.created_at", *after, row="found.id")
        condition.reach(scopes, row="found")
        return [_record(row) for row in await fetch(_LIST.format(condition=condition.text), *condition.values)]

    async def review(self, operator: StaffCaller, record_id: UUID, *, excused: bool, note: str) -> Record:
        """Uphold a record or excuse it, and say why.

        Raises:
            NoSuchRecord: there is none.
            SupervisionSettled: it was looked at before.
        """
        record = await self.find(record_id)
        state = RecordState.EXCUSED if excused else RecordState.UPHELD

        async def work() -> None:
            sealed = self._vault.seal(NOTE, record_id, note)
            if await execute(_REVIEW, record_id, state.value, operator.operator_id, self._clock.now(), sealed) != 1:
                raise SupervisionSettled
            await self._audit.record(
                "matters.fault-reviewed",
                actor=operator.actor,
                object_kind="application",
                object_id=record.application_id,
                outcome=state.value,
            )

        await transaction(work)
        return await self.find(record_id)


def _record(row: Mapping[str, Any]) -> Record:
    return Record(
        id=as_uuid(row["id"]),
        card_id=as_uuid(row["card_id"]),
        application_id=as_uuid(row["application_id"]),
        number=str(row["number"]),
        department=row["department"],
        matter=row["matter_code"],
        deadline=Deadline(row["deadline"]),
        ground=Ground(row["ground"]),
        due_at=as_moment(row["due_at"]),
        state=RecordState(row["state"]),
        created_at=as_moment(row["created_at"]),
        reviewed_by=None if row["reviewed_by"] is None else as_uuid(row["reviewed_by"]),
        reviewed_at=None if row["reviewed_at"] is None else as_moment(row["reviewed_at"]),
    )
