"""Bringing a branch's dossier to its department, and hearing what that says."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final
from uuid import UUID

from auth.errors import LevelTooLow
from auth.types import ReadPurpose
from core.audit.actors import Actor
from core.audit.record import Audit
from core.clock import china_date
from core.crypto import Vault
from core.db import as_uuid, execute, fetch_one, transaction
from core.log import get_logger
from core.outside.watching import on_behalf_of
from matters.applications.records import Record, read_record
from matters.branches.branches import Branches
from matters.branches.errors import BranchSettled
from matters.branches.types import BranchOutcome
from matters.cases.rules import is_open
from matters.cases.tracking import Tracking
from matters.catalogue.catalogue import Catalogue
from matters.catalogue.terms.types import BranchRule
from matters.errors import StateForbids
from matters.handover.case_files import CaseFiles
from matters.handover.sending import hand_over
from matters.handover.types import Attempt
from matters.ports import Department, People
from matters.texts.written import form_to_read
from matters.types import Applicant, DeliveryState, Dossier, ProgressEvent, State

log = get_logger(__name__)

Change = Callable[[], Awaitable[None]]

_FIND: Final = "SELECT id, application_id, name, state, reference, delivery FROM case_branch WHERE id = $1"
_CLAIM: Final = """
UPDATE case_branch SET delivery = 'sent' WHERE id = $1 AND delivery = $2 AND state = 'pending'
"""
_SET: Final = """
UPDATE case_branch SET delivery = $2, receipt_number = $3, reason = $4 WHERE id = $1 AND delivery = 'sent'
"""
_CLOSED: Final = """
UPDATE case_branch SET delivery = 'refused', reason = 'account-closed'
WHERE id = $1 AND delivery = 'pending' AND state = 'pending'
"""
_HEARD: Final = """
UPDATE case_branch SET delivery = 'acknowledged' WHERE id = $1 AND delivery IN ('pending', 'sent', 'unknown')
"""
_TAKE_CASE: Final = "UPDATE application SET state = state WHERE id = $1"
_ABOUT: Final = """
SELECT case_branch.id, case_branch.application_id, case_branch.name, case_branch.department, application.citizen_id,
       application.matter_code, 0 AS told_before
FROM case_branch JOIN application ON application.id = case_branch.application_id WHERE case_branch.reference = $1
"""
_SAID: Final[Mapping[State, BranchOutcome]] = {
    State.APPROVED: BranchOutcome.APPROVED,
    State.REJECTED: BranchOutcome.REJECTED,
    State.NOT_ACCEPTED: BranchOutcome.REJECTED,
}


def is_branch(reference: str) -> bool:
    """Tell whether a reference is a branch's: a case's number has no point in it."""
    return "." in reference


class BranchDeliveries:
    """Delivers the dossiers of branches as those of cases are: under one reference, and never twice by itself.

    A department that declines a dossier, or may have it and cannot tell, leaves the branch to a person.
    """

    def __init__(
        self,
        *,
        catalogue: Catalogue,
        people: People,
        departments: Mapping[str, Department],
        case_files: CaseFiles,
        audit: Audit,
        vault: Vault,
        public_url: str,
    ) -> None:
        self._catalogue = catalogue
        self._people = people
        self._departments = departments
        self._case_files = case_files
        self._audit = audit
        self._vault = vault
        self._public_url = public_url
        for each in catalogue.all:
            parallel = each.matter.parallel
            for branch in () if parallel is None else parallel.branches:
                if branch.desk not in departments:
                    raise ValueError(f"no department takes {each.matter.slug}, branch {branch.name}: {branch.desk}")

    async def deliver(self, branch_id: str) -> Change | None:
        """Bring a branch's dossier to its department (job `matters.deliver-branch`); return what is to be written.

        Raises:
            DepartmentUnavailable: try again later; the branch stays open.
            QuestionRefused: an operator has to mend how we ask.
        """
        row = await fetch_one(_FIND, UUID(branch_id))
        if row is None or row["delivery"] not in {DeliveryState.PENDING.value, DeliveryState.SENT.value}:
            return None
        record = await read_record(self._vault, as_uuid(row["application_id"]))
        matter = self._catalogue.of_case(record.matter_code, record.matter_version).matter
        parallel = matter.parallel
        rules = {} if parallel is None else {branch.name: branch for branch in parallel.branches}
        rule = rules.get(row["name"])
        if rule is None or not is_open(record.state):
            return None
        before = row["delivery"]
        try:
            dossier = await self._dossier(record, rule, row["reference"], matter.form)
        except LevelTooLow:
            # The applicant has closed their account: what may be there already is a person's to look at.
            if before != DeliveryState.PENDING.value:
                raise
            return lambda: self._write_closed(as_uuid(row["id"]))
        if dossier is None or not await self._claim(record, as_uuid(row["id"]), before, dossier):
            return None
        return await self._send(as_uuid(row["id"]), record, rule, dossier, DeliveryState(before))

    async def _send(
        self, branch_id: UUID, record: Record, rule: BranchRule, dossier: Dossier, before: DeliveryState
    ) -> Change:
        async def failed(state: DeliveryState) -> None:
            await transaction(self._setting(branch_id, Attempt(state)))

        with on_behalf_of(matter=record.matter_code, consumer=rule.department):
            ended = await hand_over(self._departments[rule.desk], dossier, before, failed)
        if ended.state is DeliveryState.REFUSED:
            log.warning("a department declines its branch", partner=dossier.department, reason=ended.reason)
        return self._setting(branch_id, ended)

    def _setting(self, branch_id: UUID, ended: Attempt) -> Change:
        receipt = "" if ended.receipt is None else ended.receipt.receipt_number[:64]

        async def work() -> None:
            if ended.state is DeliveryState.UNKNOWN:
                log.error("a branch's dossier may have arrived and cannot be sent again", branch_id=str(branch_id))
            await execute(_SET, branch_id, ended.state.value, receipt, ended.reason[:48])

        return work

    async def _claim(self, record: Record, branch_id: UUID, before: str, dossier: Dossier) -> bool:
        names = {*dossier.form, *(file.material for file in dossier.files)}

        async def work() -> bool:
            if not await execute(_CLAIM, branch_id, before):
                return False
            if before == DeliveryState.PENDING.value:
                await self._audit.record(
                    "matters.delivered",
                    actor=Actor.department(dossier.department),
                    subject_id=record.citizen_id,
                    purpose=self._catalogue.of_case(record.matter_code, record.matter_version).matter.title.zh,
                    object_kind="application",
                    object_id=record.id,
                    field_names=["name", "id_number", *sorted(names - {"name", "id_number"})],
                    outcome="sent",
                )
            return True

        return await transaction(work)

    async def _write_closed(self, branch_id: UUID) -> None:
        await execute(_CLOSED, branch_id)

    async def _dossier(
        self, record: Record, rule: BranchRule, reference: str, schema: Mapping[str, Any]
    ) -> Dossier | None:
        if record.submitted_at is None:
            return None
        person = await self._people.person_of(record.citizen_id, ReadPurpose.APPLICATION)
        return Dossier(
            reference=reference,
            matter=record.matter_code,
            applicant=Applicant(person.name, person.id_number, person.mobile),
            form=await form_to_read(self._vault, schema, record),
            callback_url=f"{self._public_url}/v1/departments/{rule.department}/progress",
            submitted_at=record.submitted_at,
            year=china_date(record.submitted_at).year,
            department=rule.department,
            files=await self._case_files.of(record.id, department=rule.department, reference=reference),
        )


class BranchTracking(Tracking):
    """Takes in what departments tell of their branches, once and in any order, as `Tracking` does of whole cases."""

    def __init__(self, branches: Branches, **parts: Any) -> None:  # noqa: ANN401 — what `Tracking` is built of
        """Build it of what `Tracking` is built of, and of who settles branches."""
        super().__init__(**parts)
        self._branches = branches

    async def _find(self, reference: str) -> dict[str, Any] | None:
        return await fetch_one(_ABOUT, reference)

    async def _follow(self, department: str, row: dict[str, Any], event: ProgressEvent) -> None:
        """Settle the branch where the news does; what comes after that, or on the way, changes nothing."""
        # The case's lock first, as whoever cancels its branches takes it: two last answers at once wait for each other.
        await execute(_TAKE_CASE, as_uuid(row["application_id"]))
        await execute(_HEARD, as_uuid(row["id"]))
        outcome = _SAID.get(event.state)
        if outcome is not None:
            branch = await self._branches.find(as_uuid(row["application_id"]), row["name"])
            try:
                await self._branches.settle_in(branch, outcome, actor=Actor.department(department), note=event.note)
            except (BranchSettled, StateForbids):
                log.warning("news about a branch comes too late", partner=department, branch=row["name"])
        await self._record("matters.progressed", department, row, outcome=event.state.value)
