"""Submitting an application and bringing it to whoever decides: nothing accepted here may be lost or doubled."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from auth.delegation.effects import use_mandate
from auth.errors import LevelTooLow
from auth.types import Caller, Level, ReadPurpose
from core.audit.actors import SYSTEM, Actor
from core.audit.record import Audit
from core.cache import TooManyRequests
from core.clock import Clock, china_date
from core.crypto import Vault
from core.db import execute, fetch_one, later, require_transaction, transaction
from core.ids import Ids
from core.jobs.queue import Jobs
from core.log import get_logger
from matters.applications.eligibility import Eligibility, Examined
from matters.applications.numbers import Numbers
from matters.applications.progress import query_code_hash
from matters.applications.records import Record, read_files, read_own, read_record
from matters.applications.rules import form_errors, missing_materials
from matters.cases.history import Entry, History
from matters.cases.rules import step_to
from matters.cases.tracking import Tracking
from matters.catalogue.catalogue import Catalogue
from matters.catalogue.guides import Guides
from matters.catalogue.types import DecisionTable, Handling, Matter
from matters.errors import (
    DepartmentUnavailable,
    DossierDeclined,
    FormInvalid,
    MaterialsMissing,
    NoSuchApplication,
    QuestionRefused,
    StateForbids,
)
from matters.ports import Department, People
from matters.settings import MatterSettings
from matters.types import Applicant, Dedupe, DeliveryState, Dossier, Receipt, State, Step, Submitted

log = get_logger(__name__)

Change = Callable[[], Awaitable[None]]

_MINE: Final = "SELECT matter_code, state FROM application WHERE id = $1 AND citizen_id = $2"
_RECENT: Final = """
SELECT count(*) AS n FROM application WHERE citizen_id = $1 AND matter_code = $2 AND submitted_at > $3
"""
_NUMBERED: Final = """
UPDATE application SET number = $2, query_code_hash = $3, submitted_at = $4 WHERE id = $1 AND number IS NULL
"""
_PLAN: Final = """
INSERT INTO delivery (id, application_id, department, state, failures, receipt_number, reason, created_at)
VALUES ($1, $2, $3, 'pending', 0, '', '', $4) RETURNING id
"""
_DELIVERY: Final = "SELECT state, sent_at FROM delivery WHERE application_id = $1"
_CLAIM: Final = "UPDATE delivery SET state = 'sent', sent_at = $3 WHERE application_id = $1 AND state = $2"
_FAILED: Final = """
UPDATE delivery SET state = $2, failures = failures + 1 WHERE application_id = $1 AND state = 'sent'
"""
_ACKNOWLEDGED: Final = """
UPDATE delivery SET state = 'acknowledged', receipt_number = $2, settled_at = COALESCE(settled_at, $3)
WHERE application_id = $1 AND state IN ('sent', 'acknowledged')
"""
_REFUSED: Final = """
UPDATE delivery SET state = 'refused', reason = $2, settled_at = $3 WHERE application_id = $1 AND state = 'sent'
"""


@dataclass(frozen=True, slots=True)
class _Claimed:
    """A dossier about to be sent. `before`: how the delivery stood; `sent` means that it may have arrived already."""

    before: DeliveryState


class Submission:
    """Accepts applications and delivers them to the departments that own the matter, or decides them by rules."""

    def __init__(
        self,
        *,
        catalogue: Catalogue,
        guides: Guides,
        people: People,
        departments: Mapping[str, Department],
        eligibility: Eligibility,
        history: History,
        tracking: Tracking,
        numbers: Numbers,
        audit: Audit,
        jobs: Jobs,
        vault: Vault,
        clock: Clock,
        ids: Ids,
        public_url: str,
        settings: MatterSettings,
    ) -> None:
        self._catalogue = catalogue
        self._guides = guides
        self._people = people
        self._departments = departments
        self._eligibility = eligibility
        self._history = history
        self._tracking = tracking
        self._numbers = numbers
        self._audit = audit
        self._jobs = jobs
        self._vault = vault
        self._clock = clock
        self._ids = ids
        self._public_url = public_url
        self._settings = settings
        for each in catalogue.all:
            if each.matter.handling is Handling.DEPARTMENT and each.department.slug not in departments:
                raise ValueError(f"no department takes {each.matter.slug}: {each.department.slug}")

    # --- asking ---------------------------------------------------------------------------------------------------

    async def reserve(self, caller: Caller, application_id: UUID) -> str | None:
        """Take a number for a draft before the transaction that submits it; None when it is no draft any more.

        Raises:
            NoSuchApplication: there is none, or it is somebody else's.
            NumbersExhausted: the day's numbers are used up.
        """
        row = await fetch_one(_MINE, application_id, caller.citizen_id)
        if row is None or not caller.covers_matter(row["matter_code"]):
            raise NoSuchApplication
        if row["state"] != State.DRAFT.value:
            return None
        return await self._numbers.take(row["matter_code"])

    async def submit(self, caller: Caller, application_id: UUID, number: str | None) -> Submitted:
        """Submit a draft under its number: application, ledger and the promise to deliver in one transaction.

        Raises:
            NoSuchApplication: there is none, or it is somebody else's.
            StateForbids: it is no draft any more.
            MandateMissing: the mandate has ended or is used up.
            LevelTooLow: the matter needs a surer level.
            FormInvalid: fields have to be mended.
            MaterialsMissing: a file is missing.
            TooManyRequests: too many submissions of this matter within the hour.
            OutsideTransaction: no transaction is running.
        """
        require_transaction()
        record = await read_own(self._vault, application_id, caller)
        if record.state is not State.DRAFT or number is None:
            raise StateForbids(state=record.state.value)
        published = self._catalogue.find(record.matter_code)
        await self._check(caller, record, published.matter)
        now, actor = self._clock.now(), caller.actor
        await use_mandate(caller, now)
        query_code = self._ids.digits(6)
        # The move takes the row's lock and refuses whoever comes second.
        moved = await self._history.append(application_id, Entry(step=Step.SUBMITTED, actor=actor))
        await execute(_NUMBERED, application_id, number, query_code_hash(self._vault, number, query_code), now)
        await later(_PLAN, self._ids.uuid(), application_id, published.department.slug, now)
        await self._audit.record(
            "matters.submitted",
            actor=actor,
            subject_id=caller.citizen_id,
            purpose=published.matter.title.zh,
            object_kind="application",
            object_id=application_id,
            field_names=sorted(record.form),
        )
        await self._jobs.enqueue("matters.deliver", application_id=application_id)
        return Submitted(application_id, number, query_code, moved.after)

    async def _check(self, caller: Caller, record: Record, matter: Matter) -> None:
        needed = Level(matter.level)
        if caller.level.rank < needed.rank:
            raise LevelTooLow.needing(needed)
        if errors := form_errors(matter.form, record.form):
            raise FormInvalid(errors=errors)
        uploaded = {file.material for file in await read_files(record.id)}
        if errors := missing_materials(await self._guides.materials_of(caller, matter), uploaded):
            raise MaterialsMissing(errors=errors)
        hour_ago = self._clock.now() - timedelta(hours=1)
        recent = await fetch_one(_RECENT, caller.citizen_id, matter.code, hour_ago)
        if recent and int(recent["n"]) >= self._settings.submissions_per_hour:
            raise TooManyRequests(retry_after=3600)

    # --- delivering (job `matters.deliver`) -----------------------------------------------------------------------

    async def deliver(self, application_id: str) -> Change | None:
        """Bring a submitted application to its department, or decide it by its rules; return what is to be written.

        A dossier whose answer was lost is sent again under the same reference where the department knows it by that;
        elsewhere the delivery becomes `unknown` and waits for a person.

        Raises:
            DepartmentUnavailable: try again later; the application stays submitted.
            QuestionRefused: an operator has to mend how we ask; the application stays submitted.
        """
        record = await read_record(self._vault, UUID(application_id))
        if record.number is None or record.submitted_at is None:
            return None
        matter = self._catalogue.find(record.matter_code).matter
        if matter.decision is not None:
            return await self._decide(record, matter, matter.decision)
        try:
            dossier = await self._dossier(record, record.number, record.submitted_at)
        except LevelTooLow:
            # The applicant has closed their account: what had not left yet was withdrawn then.
            if await self._is_on_its_way(record.id):
                raise
            return None
        return await self._hand_over(record, dossier)

    async def _decide(self, record: Record, matter: Matter, table: DecisionTable) -> Change | None:
        if await self._claim(record.id) is None:
            return None
        person = await self._people.person_of(record.citizen_id, ReadPurpose.DECISION)
        examined = await self._eligibility.examine(matter, table, person)
        if examined.decision is None:
            await self._note_failure(record.id, DeliveryState.PENDING)
            raise DepartmentUnavailable(record.department, ambiguous=False, retry_after=5)
        return lambda: self._write_decision(record, examined)

    async def _hand_over(self, record: Record, dossier: Dossier) -> Change | None:
        department = self._departments[record.department]
        claimed = await self._claim(record.id, disclosing=lambda: self._disclose(record, dossier))
        if claimed is None:
            return None
        if claimed.before is DeliveryState.SENT and department.dedupe is Dedupe.NONE:
            return lambda: self._write_unknown(record)
        try:
            receipt = await department.submit(dossier)
        except DossierDeclined as declined:
            reason = declined.reason
            return lambda: self._write_refusal(record, reason)
        except QuestionRefused:
            # Nothing was taken; the job is buried, and goes on from here when an operator digs it up.
            await self._note_failure(record.id, claimed.before)
            raise
        except DepartmentUnavailable as away:
            if away.ambiguous and department.dedupe is Dedupe.NONE:
                return lambda: self._write_unknown(record)
            never_left = claimed.before is DeliveryState.PENDING and not away.ambiguous
            await self._note_failure(record.id, DeliveryState.PENDING if never_left else DeliveryState.SENT)
            raise
        return lambda: self._write_receipt(record, receipt)

    async def _is_on_its_way(self, application_id: UUID) -> bool:
        row = await fetch_one(_DELIVERY, application_id)
        return row is not None and row["state"] in {DeliveryState.PENDING.value, DeliveryState.SENT.value}

    async def _claim(
        self, application_id: UUID, *, disclosing: Callable[[], Awaitable[None]] | None = None
    ) -> _Claimed | None:
        """Mark the dossier as on its way: from here on a withdrawal comes too late.

        `disclosing` tells the ledger in the same transaction, before the first try: whatever comes of the call, and
        whoever hears of it first, what may have been seen stands there.
        """

        async def work() -> _Claimed | None:
            row = await fetch_one(_DELIVERY, application_id)
            before = DeliveryState(row["state"]) if row else DeliveryState.CANCELLED
            if row is None or before not in {DeliveryState.PENDING, DeliveryState.SENT}:
                return None
            if not await execute(_CLAIM, application_id, before.value, self._clock.now()):
                return None
            if disclosing is not None and row["sent_at"] is None:
                await disclosing()
            return _Claimed(before)

        return await transaction(work)

    async def _note_failure(self, application_id: UUID, state: DeliveryState) -> None:
        async def work() -> int:
            return await execute(_FAILED, application_id, state.value)

        await transaction(work)

    async def _dossier(self, record: Record, number: str, submitted_at: datetime) -> Dossier:
        person = await self._people.person_of(record.citizen_id, ReadPurpose.APPLICATION)
        return Dossier(
            reference=number,
            matter=record.matter_code,
            applicant=Applicant(person.name, person.id_number, person.mobile),
            form=record.form,
            callback_url=f"{self._public_url}/v1/departments/{record.department}/progress",
            submitted_at=submitted_at,
            year=china_date(submitted_at).year,
        )

    async def _write_receipt(self, record: Record, receipt: Receipt) -> None:
        now = self._clock.now()
        await execute(_ACKNOWLEDGED, record.id, receipt.receipt_number[:64], now)
        department = Actor.department(record.department)
        # The department's news may have been here first: then the receipt changes nothing.
        await self._history.append(record.id, Entry(step=Step.HANDED_OVER, actor=SYSTEM), strict=False)
        await self._tell_ledger(record, "ok")
        if receipt.approved is not None:
            await self._history.append(record.id, Entry(step=Step.ACCEPTED, actor=department))
            moved = await self._history.append(
                record.id, Entry(step=Step.APPROVED, actor=department, result=receipt.approved)
            )
            await self._tracking.announce(moved, record.id, record.citizen_id, record.matter_code)

    async def _write_refusal(self, record: Record, reason: str) -> None:
        await execute(_REFUSED, record.id, reason, self._clock.now())
        entry = Entry(step=Step.NOT_ACCEPTED, actor=Actor.department(record.department), reason=reason)
        moved = await self._history.append(record.id, entry, strict=False)
        await self._tell_ledger(record, reason)
        await self._tracking.announce(moved, record.id, record.citizen_id, record.matter_code)

    async def _write_unknown(self, record: Record) -> None:
        log.error("a dossier may have arrived and cannot be sent again", partner=record.department)
        await execute(_FAILED, record.id, DeliveryState.UNKNOWN.value)
        await self._tell_ledger(record, "unknown")

    async def _write_decision(self, record: Record, examined: Examined) -> None:
        decision = examined.decision
        if decision is None:
            return
        data: dict[str, Any] = {
            "rule": decision.rule,
            "rule_version": decision.version,
            "branches": [
                {"check": b.check, "department": b.department, "outcome": b.outcome, "code": b.code}
                for b in (each.branch for each in examined.checks)
            ],
        }
        await execute(_ACKNOWLEDGED, record.id, "", self._clock.now())
        await self._history.append(record.id, Entry(step=Step.ACCEPTED, actor=SYSTEM))
        step = Step.REVIEWED if decision.state is None else step_to(decision.state)
        reason = "" if decision.state is None else decision.rule
        moved = await self._history.append(record.id, Entry(step=step, actor=SYSTEM, reason=reason, data=data))
        await self._audit.record(
            "matters.decided",
            actor=SYSTEM,
            subject_id=record.citizen_id,
            purpose=self._catalogue.find(record.matter_code).matter.title.zh,
            object_kind="application",
            object_id=record.id,
            outcome=moved.after.value,
        )
        await self._tracking.announce(moved, record.id, record.citizen_id, record.matter_code)

    async def _disclose(self, record: Record, dossier: Dossier) -> None:
        """Tell the ledger what a department gets to see."""
        known = ["name", "id_number", *(["mobile"] if dossier.applicant.mobile else [])]
        await self._tell_ledger(record, "sent", [*known, *sorted(dossier.form.keys() - set(known))])

    async def _tell_ledger(self, record: Record, outcome: str, names: Sequence[str] = ()) -> None:
        await self._audit.record(
            "matters.delivered",
            actor=Actor.department(record.department),
            subject_id=record.citizen_id,
            purpose=self._catalogue.find(record.matter_code).matter.title.zh,
            object_kind="application",
            object_id=record.id,
            field_names=names,
            outcome=outcome,
        )
