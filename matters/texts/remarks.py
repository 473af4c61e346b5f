"""What residents write beside an application: looked at after it was taken, and read by nobody of staff before."""

from collections.abc import Awaitable, Callable
from typing import Final
from uuid import UUID

from core.clock import Clock
from core.crypto import Vault
from core.db import as_uuid, execute, later, require_transaction
from core.ids import Ids
from core.jobs.queue import Jobs
from matters.catalogue.catalogue import Catalogue
from matters.texts.checking import TextChecks
from matters.texts.types import About, CheckState
from matters.texts.written import find_written, texts_in

Change = Callable[[], Awaitable[None]]

_WAIT: Final = """
INSERT INTO text_check (id, about, subject_id, application_id, department, matter_code, state, source, label,
                        created_at)
SELECT $1, $2, $3, id, department, matter_code, 'waiting', 'nothing', 0, $5 FROM application WHERE id = $4
RETURNING id
"""
_LOOKED_AT: Final = """
UPDATE text_check SET state = $2, source = $3, label = $4 WHERE subject_id = $1 AND state = 'waiting'
"""


class Remarks:
    """Has a supplement, a rating and an objection looked at like the texts of an application, by the same list.

    What was done counts at once: the supplement is in, the rating stands, the objection is made. Only its words wait.
    """

    def __init__(
        self, *, checks: TextChecks, catalogue: Catalogue, vault: Vault, jobs: Jobs, clock: Clock, ids: Ids
    ) -> None:
        self._checks = checks
        self._catalogue = catalogue
        self._vault = vault
        self._jobs = jobs
        self._clock = clock
        self._ids = ids

    async def hold(self, about: About, subject_id: UUID, application_id: UUID) -> None:
        """Hold words back in the transaction that takes them, until a look at them has come to something.

        Raises:
            OutsideTransaction: no transaction is running.
        """
        require_transaction()
        await later(_WAIT, self._ids.uuid(), about.value, subject_id, application_id, self._clock.now())
        await self._jobs.enqueue("matters.look-at-text", subject_id=subject_id)

    async def look(self, subject_id: str) -> Change | None:
        """Look at what waits; return what is to be written (job `matters.look-at-text`).

        Raises:
            DatabaseUnavailable: the database could not be reached.
            RecordUnreadable: a text does not open.
        """
        row = await find_written(UUID(subject_id))
        if row is None or row["state"] != CheckState.WAITING.value:
            return None
        texts = [each.text for each in texts_in(row, self._vault, self._catalogue)]
        looked = await self._checks.judge(as_uuid(row["citizen_id"]), texts)
        state, source, label = looked.state.value, looked.source.value, looked.verdict.label

        async def change() -> None:
            await execute(_LOOKED_AT, UUID(subject_id), state, source, label)

        return change
