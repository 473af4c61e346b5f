"""Rating how it went (好差评): five levels, once for each case, with reasons for a bad one."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from auth.delegation.effects import hold_mandate
from auth.types import Caller
from core.audit.record import Audit
from core.clock import Clock
from core.crypto import Vault
from core.db import fetch, transaction
from core.ids import Ids
from matters.applications.records import Record, read_own
from matters.cases.rules import RATEABLE
from matters.errors import AlreadyRated, ReasonNeeded, StateForbids
from matters.types import Satisfaction

TEXT: Final = "rating.text"
_INSERT: Final = """
INSERT INTO rating (id, application_id, level, reasons, text_sealed, source, created_at)
VALUES ($1, $2, $3, $4, $5, 'citizen', $6) ON CONFLICT (application_id) DO NOTHING RETURNING id
"""


class Ratings:
    """Takes ratings. One is never changed; a bad one says why."""

    def __init__(self, *, audit: Audit, vault: Vault, clock: Clock, ids: Ids) -> None:
        self._audit = audit
        self._vault = vault
        self._clock = clock
        self._ids = ids

    async def rate(
        self, caller: Caller, application_id: UUID, level: Satisfaction, reasons: Sequence[str], text: str
    ) -> UUID:
        """Keep the applicant's word on a decided case and return the rating's id.

        Raises:
            NoSuchApplication: there is none, or it is somebody else's.
            StateForbids: it is not decided yet.
            ReasonNeeded: a bad rating without a reason or text.
            AlreadyRated: there is a rating already.
        """
        record = await read_own(self._vault, application_id, caller)
        if record.state not in RATEABLE:
            raise StateForbids(state=record.state.value)
        if level.is_bad and not reasons and not text.strip():
            raise ReasonNeeded
        return await transaction(lambda: self._write(caller, record, level, reasons, text))

    async def _write(
        self, caller: Caller, record: Record, level: Satisfaction, reasons: Sequence[str], text: str
    ) -> UUID:
        await hold_mandate(caller, self._clock.now())
        rating_id = self._ids.uuid()
        sealed = self._vault.seal(TEXT, rating_id, text) if text else None
        rows = await fetch(_INSERT, rating_id, record.id, level.value, sorted(set(reasons)), sealed, self._clock.now())
        if not rows:
            raise AlreadyRated
        await self._audit.record(
            "matters.rated",
            actor=caller.actor,
            subject_id=caller.citizen_id,
            purpose="评价办理情况",
            object_kind="application",
            object_id=record.id,
        )
        return rating_id
