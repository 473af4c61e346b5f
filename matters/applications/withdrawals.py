"""Taking an application back, and telling the department that has it."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final
from uuid import UUID

from auth.delegation.effects import hold_mandate
from auth.types import Caller
from core.audit.actors import Actor
from core.audit.record import Audit
from core.clock import Clock
from core.crypto import Vault
from core.db import as_uuid, execute, fetch_one, transaction
from core.jobs.queue import Jobs
from core.log import get_logger
from matters.applications.progress import Progress
from matters.applications.records import Record, read_own
from matters.cases.history import Entry, History
from matters.cases.rules import is_move
from matters.catalogue.catalogue import Catalogue
from matters.errors import StateForbids, WithdrawalTooLate, by_phone
from matters.handover.errors import WithdrawalDeclined
from matters.ports import Department
from matters.types import ApplicationView, Capability, DeliveryState, Filed, State, Step

log = get_logger(__name__)

Change = Callable[[], Awaitable[None]]

# Whoever changes the delivery's row first wins: the withdrawal, or the job that sends the dossier.
_CANCEL: Final = """
UPDATE delivery SET state = 'cancelled', settled_at = $2 WHERE application_id = $1 AND state IN ('pending', 'held')
"""
_DELIVERY: Final = "SELECT state FROM delivery WHERE application_id = $1"
_CASE: Final = """
SELECT a.id, a.number, a.department, a.citizen_id, a.matter_code, a.matter_version, d.receipt_number
FROM application a JOIN delivery d ON d.application_id = a.id WHERE a.id = $1
"""


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
        vault: Vault,
        clock: Clock,
    ) -> None:
        self._catalogue = catalogue
        self._departments = departments
        self._history = history
        self._progress = progress
        self._audit = audit
        self._jobs = jobs
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
        moved = await self._history.append(record.id, Entry(step=Step.WITHDRAWN, actor=actor))
        cancelled = await execute(_CANCEL, record.id, self._clock.now())
        if moved.before is not State.DRAFT and not cancelled:
            await self._promise_to_tell(record)
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
        department = self._departments.get(published.desk)
        has_it = delivery is not None and delivery["state"] == DeliveryState.ACKNOWLEDGED.value
        if not has_it or department is None or Capability.WITHDRAW not in department.capabilities:
            raise WithdrawalTooLate(alternatives=[by_phone(published.matter.enquiry_phone)])
        await self._jobs.enqueue("matters.tell-withdrawal", application_id=record.id)

    async def tell(self, application_id: str) -> Change | None:
        """Tell a department that a case was taken back (job `matters.tell-withdrawal`); return what is to be written.

        Raises:
            DepartmentUnavailable: try again later; it is told once more, which does no harm.
            QuestionRefused: an operator has to mend how we ask.
        """
        row = await fetch_one(_CASE, UUID(application_id))
        if row is None:
            return None
        desk = self._catalogue.of_case(row["matter_code"], int(row["matter_version"])).desk
        filed = Filed(str(row["number"]), str(row["department"]), str(row["receipt_number"]))
        outcome = "ok"
        try:
            await self._departments[desk].withdraw(filed)
        except WithdrawalDeclined:
            # It stays withdrawn here, whatever they tell of it: a person has to settle it with the department.
            log.error("a department does not take a case back", partner=filed.department)
            outcome = "declined"
        return lambda: self._write_told(row, outcome)

    async def _write_told(self, row: Mapping[str, Any], outcome: str) -> None:
        published = self._catalogue.of_case(row["matter_code"], int(row["matter_version"]))
        await self._audit.record(
            "matters.withdrawal-told",
            actor=Actor.department(str(row["department"])),
            subject_id=as_uuid(row["citizen_id"]),
            purpose=published.matter.title.zh,
            object_kind="application",
            object_id=as_uuid(row["id"]),
            outcome=outcome,
        )
