"""Promising letters: what a department has to hear about a case that it has."""

from datetime import timedelta
from typing import Final
from uuid import UUID

from core.clock import Clock
from core.db import later, require_transaction
from core.ids import Ids
from core.jobs.queue import Jobs
from matters.handover.types import LetterKind

SEND: Final = "matters.send-letter"
_WRITE: Final = """
INSERT INTO letter (id, application_id, branch, kind, department, desk, state, failures, reason, created_at)
VALUES ($1, $2, $3, $4, $5, $6, 'pending', 0, '', $7) RETURNING id
"""


class Letters:
    """Writes letters down with the promise to send them, in the transaction of what they tell."""

    def __init__(self, *, jobs: Jobs, clock: Clock, ids: Ids) -> None:
        self._jobs = jobs
        self._clock = clock
        self._ids = ids

    async def promise(
        self, kind: LetterKind, application_id: UUID, *, department: str, desk: str, branch: str = ""
    ) -> None:
        """Promise that a department is told, through whoever takes dossiers for it.

        Raises:
            OutsideTransaction: no transaction is running.
        """
        require_transaction()
        letter_id = self._ids.uuid()
        row = (letter_id, application_id, branch, kind.value, department, desk, self._clock.now())
        await later(_WRITE, *row, read_from="letter")
        await self.send_on(letter_id, department=department, desk=desk)

    async def send_on(self, letter_id: UUID, *, department: str, desk: str, after: timedelta = timedelta()) -> None:
        """Promise to send a letter that is written, in the lane of the department that gets it.

        Raises:
            OutsideTransaction: no transaction is running.
        """
        await self._jobs.enqueue(SEND, after=after, lane=f"{desk}/{department}", letter_id=letter_id)
