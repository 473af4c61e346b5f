"""Taking an application back, as long as no department has it."""

from typing import Final
from uuid import UUID

from auth.delegation.effects import hold_mandate
from auth.types import Caller
from core.audit.record import Audit
from core.clock import Clock
from core.crypto import Vault
from core.db import execute, transaction
from matters.applications.progress import Progress
from matters.applications.records import Record, read_own
from matters.cases.history import Entry, History
from matters.cases.rules import is_move
from matters.catalogue.catalogue import Catalogue
from matters.errors import StateForbids, WithdrawalTooLate, by_phone
from matters.types import ApplicationView, State, Step

# Whoever changes the delivery's row first wins: the withdrawal, or the job that sends the dossier.
_CANCEL: Final = """
UPDATE delivery SET state = 'cancelled', settled_at = $2 WHERE application_id = $1 AND state = 'pending'
"""


class Withdrawals:
    """Takes applications back. None of the departments' pages has a withdrawal: what they hold, they have to stop."""

    def __init__(
        self,
        *,
        catalogue: Catalogue,
        history: History,
        progress: Progress,
        audit: Audit,
        vault: Vault,
        clock: Clock,
    ) -> None:
        self._catalogue = catalogue
        self._history = history
        self._progress = progress
        self._audit = audit
        self._vault = vault
        self._clock = clock

    async def withdraw(self, caller: Caller, application_id: UUID) -> ApplicationView:
        """Take a draft or an application back that no department has, or may have, received.

        Raises:
            NoSuchApplication: there is none, or it is somebody else's.
            StateForbids: it has ended already.
            WithdrawalTooLate: the department has it, or may have it; its phone is the other way.
        """
        record = await read_own(self._vault, application_id, caller)
        if not is_move(record.state, State.WITHDRAWN):
            raise StateForbids(state=record.state.value)
        await transaction(lambda: self._take_back(caller, record))
        return await self._progress.get(caller, application_id)

    async def _take_back(self, caller: Caller, record: Record) -> None:
        await hold_mandate(caller, self._clock.now())
        actor = caller.actor
        moved = await self._history.append(record.id, Entry(step=Step.WITHDRAWN, actor=actor))
        cancelled = await execute(_CANCEL, record.id, self._clock.now())
        if moved.before is not State.DRAFT and not cancelled:
            phone = self._catalogue.find(record.matter_code).matter.enquiry_phone
            raise WithdrawalTooLate(alternatives=[by_phone(phone)])
        await self._audit.record(
            "matters.withdrawn",
            actor=actor,
            subject_id=caller.citizen_id,
            purpose=self._catalogue.find(record.matter_code).matter.title.zh,
            object_kind="application",
            object_id=record.id,
        )
