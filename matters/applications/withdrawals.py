"""Taking an application back, and telling the department that has it."""

from collections.abc import Mapping
from typing import Final
from uuid import UUID

from auth.delegation.effects import hold_mandate
from auth.types import Caller
from core.audit.record import Audit
from core.clock import Clock
from core.crypto import Vault
from core.db import execute, fetch_one, transaction
from core.jobs.queue import Jobs
from matters.applications.progress import Progress
from matters.applications.records import Record, read_own
from matters.cases.history import Entry, History
from matters.cases.rules import is_move
from matters.catalogue.catalogue import Catalogue
from matters.errors import StateForbids, WithdrawalTooLate, by_phone
from matters.handover.letters import Letters
from matters.handover.types import LetterKind
from matters.ports import Department
from matters.types import Capability, DeliveryState, State, Step
from matters.views.types import ApplicationView

# Whoever changes the delivery's row first wins: the withdrawal, or the job that sends the dossier.
_CANCEL: Final = """
UPDATE delivery SET state = 'cancelled', settled_at = $2 WHERE application_id = $1 AND state IN ('pending', 'held')
"""
_DELIVERY: Final = "SELECT state FROM delivery WHERE application_id = $1"


class Withdrawals:
    """Takes applications back. What a department holds is taken back where its page has a withdrawal, and it is told.

    Elsewhere only the department can stop the case; so it is while nobody knows whether a dossier has arrived.
    """

    def __init__(
        self,
        *,
        catalogue: Catalogue,
        departments: Mapping[str, Department],
        history: History,
        progress: Progress,
        audit: Audit,
        jobs: Jobs,
        letters: Letters,
        vault: Vault,
        clock: Clock,
    ) -> None:
        self._catalogue = catalogue
        self._departments = departments
        self._history = history
        self._progress = progress
        self._audit = audit
        self._jobs = jobs
        self._letters = letters
        self._vault = vault
        self._clock = clock

    async def withdraw(self, caller: Caller, application_id: UUID) -> ApplicationView:
        """Take a draft or an application back that no department has, or one that takes it back.

        Raises:
            NoSuchApplication: there is none, or it is somebody else's.
            StateForbids: it has ended already.
            WithdrawalTooLate: the department has it or may have it, and cannot be told; its phone is the other way.
        """
        record = await read_own(self._vault, application_id, caller)
        if not is_move(record.state, State.WITHDRAWN):
            raise StateForbids(state=record.state.value)
        await transaction(lambda: self._take_back(caller, record))
        return await self._progress.get(caller, application_id)

    async def _take_back(self, caller: Caller, record: Record) -> None:
        await hold_mandate(caller, self._clock.now())
        actor = caller.actor
        # The delivery first, as whoever takes it up does: the two would wait for each other otherwise.
        cancelled = await execute(_CANCEL, record.id, self._clock.now())
        moved = await self._history.append(record.id, Entry(step=Step.WITHDRAWN, actor=actor))
        if moved.before is not State.DRAFT and not cancelled:
            await self._promise_to_tell(record)
        if self._catalogue.of_case(record.matter_code, record.matter_version).matter.parallel is not None:
            await self._jobs.enqueue("matters.close-branches", application_id=record.id)
        await self._audit.record(
            "matters.withdrawn",
            actor=actor,
            subject_id=caller.citizen_id,
            purpose=self._catalogue.of_case(record.matter_code, record.matter_version).matter.title.zh,
            object_kind="application",
            object_id=record.id,
        )

    async def _promise_to_tell(self, record: Record) -> None:
        """Promise to tell the department, which has the dossier for certain; nobody is kept waiting for it."""
        published = self._catalogue.of_case(record.matter_code, record.matter_version)
        delivery = await fetch_one(_DELIVERY, record.id)
        desk = published.desk_for(record.department)
        department = self._departments.get(desk)
        has_it = delivery is not None and delivery["state"] == DeliveryState.ACKNOWLEDGED.value
        if not has_it or department is None or Capability.WITHDRAW not in department.capabilities:
            raise WithdrawalTooLate(alternatives=[by_phone(published.matter.enquiry_phone)])
        await self._letters.promise(LetterKind.WITHDRAWAL, record.id, department=record.department, desk=desk)
