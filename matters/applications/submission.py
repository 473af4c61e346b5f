"""Submitting an application and bringing it to whoever decides: nothing accepted here may be lost or doubled."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict
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
from core.errors import FieldError
from core.ids import Ids
from core.jobs.queue import Jobs
from core.log import get_logger
from core.outside.watching import on_behalf_of
from matters.applications.claims import Claims
from matters.applications.disclosures import Disclosures
from matters.applications.eligibility import Eligibility, Examined, facts_digest
from matters.applications.numbers import Numbers
from matters.applications.progress import query_code_hash
from matters.applications.records import Record, Submitted, read_files, read_own, read_record, seal_form, seal_submitted
from matters.cases.history import Entry, History
from matters.cases.rules import is_open, step_to
from matters.cases.tracking import Tracking
from matters.catalogue.catalogue import Catalogue
from matters.catalogue.knowing import Knowing
from matters.catalogue.types import DecisionTable, GuideMaterial, Handling, Matter, Published
from matters.errors import (
    DepartmentUnavailable,
    FormInvalid,
    MaterialsMissing,
    NoSuchApplication,
    StateForbids,
)
from matters.forms.rules import examined
from matters.handover.case_files import CaseFiles
from matters.handover.polling import Polling
from matters.handover.sending import hand_over
from matters.materials.resolving import Materials
from matters.materials.rules import missing_materials
from matters.ports import Department, People
from matters.routing.pulling import Pulls
from matters.settings import MatterSettings
from matters.texts.checking import TextChecks
from matters.texts.written import form_to_read
from matters.types import Applicant, DeliveryState, Dossier, Receipt, State, Step

log = get_logger(__name__)

Change = Callable[[], Awaitable[None]]

_MINE: Final = "SELECT matter_code, state FROM application WHERE id = $1 AND citizen_id = $2"
# COALESCE keeps the planner from the index over everybody's submissions, which it takes for empty before its statistics
# know of a rush; a resident's own are few.
_RECENT: Final = """
SELECT count(*) AS n FROM application
WHERE citizen_id = $1 AND matter_code = $2 AND COALESCE(submitted_at, $3) > $3
"""
_HOLD_DRAFT: Final = "UPDATE application SET state = state WHERE id = $1 AND citizen_id = $2 AND state = 'draft'"
_NUMBERED: Final = """
UPDATE application SET number = $2, query_code_hash = $3, submitted_at = $4, channel = $5, form_sealed = $6,
                       sources = $7, submitted_sealed = $8, expires_at = NULL
WHERE id = $1 AND number IS NULL RETURNING id
"""
_PLAN: Final = """
INSERT INTO delivery (id, application_id, department, state, failures, receipt_number, reason, created_at, rule,
                      rule_version)
VALUES ($1, $2, $3, 'pending', 0, '', '', $4, '', '') RETURNING id
"""
_FAILED: Final = """
UPDATE delivery SET state = $2, failures = failures + 1 WHERE application_id = $1 AND state = 'sent'
"""
_ACKNOWLEDGED: Final = """
UPDATE delivery SET state = 'acknowledged', receipt_number = $2, settled_at = COALESCE(settled_at, $3)
WHERE application_id = $1 AND state IN ('sent', 'acknowledged')
"""
_NEEDLESS: Final = """
UPDATE delivery SET state = 'cancelled', settled_at = $2 WHERE application_id = $1 AND state IN ('pending', 'held')
"""
_REFUSED: Final = """
UPDATE delivery SET state = 'refused', reason = $2, settled_at = $3 WHERE application_id = $1 AND state = 'sent'
"""
# By which way an application came (the national rating system's words are made of these at the edge).
MOBILE: Final = "mobile"
COUNTER: Final = "counter"


class Submission:
    """Accepts applications and delivers them to the departments that own the matter, or decides them by rules."""

    def __init__(
        self,
        *,
        catalogue: Catalogue,
        knowing: Knowing,
        materials: Materials,
        people: People,
        departments: Mapping[str, Department],
        eligibility: Eligibility,
        history: History,
        tracking: Tracking,
        polling: Polling,
        case_files: CaseFiles,
        numbers: Numbers,
        claims: Claims,
        pulls: Pulls,
        texts: TextChecks,
        audit: Audit,
        jobs: Jobs,
        vault: Vault,
        clock: Clock,
        ids: Ids,
        public_url: str,
        settings: MatterSettings,
    ) -> None:
        self._catalogue = catalogue
        self._knowing = knowing
        self._materials = materials
        self._people = people
        self._departments = departments
        self._eligibility = eligibility
        self._history = history
        self._tracking = tracking
        self._polling = polling
        self._case_files = case_files
        self._disclosures = Disclosures(catalogue=catalogue, audit=audit)
        self._numbers = numbers
        self._claims = claims
        self._pulls = pulls
        self._texts = texts
        self._audit = audit
        self._jobs = jobs
        self._vault = vault
        self._clock = clock
        self._ids = ids
        self._public_url = public_url
        self._settings = settings
        for each in catalogue.all:
            if each.matter.handling is Handling.DEPARTMENT and each.desk not in departments:
                raise ValueError(f"no department takes {each.matter.slug}: {each.desk}")

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
            RequirementUnmet: a requirement is not met.
            MaterialsMissing: a file is missing.
            TooManyRequests: too many submissions of this matter within the hour.
            OutsideTransaction: no transaction is running.
        """
        require_transaction()
        # Held from here on: what is changed or taken back meanwhile comes before the reading, or is refused after it.
        await execute(_HOLD_DRAFT, application_id, caller.citizen_id)
        record = await read_own(self._vault, application_id, caller)
        if record.state is not State.DRAFT or number is None:
            raise StateForbids(state=record.state.value)
        published = self._catalogue.of_case(record.matter_code, record.matter_version)
        files = {file.material: file.id for file in await read_files(record.id)}
        shaped, errors = examined(published.matter.form, record.form, china_date(self._clock.now()))
        resolved = await self._check(caller, record, published.matter, files, errors)
        now, actor = self._clock.now(), caller.actor
        await use_mandate(caller, now)
        query_code = self._ids.digits(6)
        # The move refuses whoever comes second.
        moved = await self._history.append(application_id, Entry(step=Step.SUBMITTED, actor=actor))
        code_hash = query_code_hash(self._vault, number, query_code)
        channel = COUNTER if caller.operator_id else MOBILE
        # The form as it goes out: computed today, without what is not asked for.
        form = shaped.form
        sources = {name: source for name, source in record.sources.items() if name in form}
        sealed = seal_form(self._vault, application_id, form)
        kept = seal_submitted(self._vault, application_id, form, sources)
        row = (application_id, number, code_hash, now, channel, sealed, sources, kept)
        await later(_NUMBERED, *row, read_from="application")
        await later(_PLAN, self._ids.uuid(), application_id, published.department.slug, now)
        await self._materials.settle(application_id, published, resolved, files)
        await self._audit.record(
            "matters.submitted",
            actor=actor,
            subject_id=caller.citizen_id,
            purpose=published.matter.title.zh,
            object_kind="application",
            object_id=application_id,
            field_names=sorted(form),
        )
        await self._jobs.enqueue("matters.deliver", lane=published.lane, application_id=application_id)
        return Submitted(application_id, number, query_code, moved.after)

    async def _check(
        self, caller: Caller, record: Record, matter: Matter, files: Mapping[str, UUID], errors: Sequence[FieldError]
    ) -> tuple[GuideMaterial, ...]:
        """See that everything is there, `errors` being the form's; return how each material is satisfied."""
        needed = Level(matter.level)
        if caller.level.rank < needed.rank:
            raise LevelTooLow.needing(needed)
        if errors:
            raise FormInvalid(errors=errors)
        standpoint = await self._knowing.of(caller, matter, record.form)
        standpoint.require_met()
        resolved = await self._materials.resolve_from(standpoint, caller.citizen_id)
        if missing := missing_materials(resolved, files.keys()):
            raise MaterialsMissing(errors=missing)
        hour_ago = self._clock.now() - timedelta(hours=1)
        recent = await fetch_one(_RECENT, caller.citizen_id, matter.code, hour_ago)
        if recent and int(recent["n"]) >= self._settings.submissions_per_hour:
            raise TooManyRequests(retry_after=3600)
        return resolved

    # --- delivering (job `matters.deliver`) -----------------------------------------------------------------------

    async def deliver(self, application_id: str) -> Change | None:
        """Bring a submitted application to its department, or decide it by its rules; return what is to be written.

        A dossier whose answer was lost is sent again under the same reference where the department knows it by that,
        after asking for it where it can be asked; elsewhere the delivery becomes `unknown` and waits for a person.

        Raises:
            DepartmentUnavailable: try again later; the application stays submitted.
            FileStoreUnavailable: a file is still being copied; try again later.
            QuestionRefused: an operator has to mend how we ask; the application stays submitted.
        """
        record = await read_record(self._vault, UUID(application_id))
        if record.number is None or record.submitted_at is None:
            return None
        published = self._catalogue.of_case(record.matter_code, record.matter_version)
        matter = published.matter
        if held := await self._texts.gate(record):
            return held
        if not is_open(record.state) and await transaction(lambda: self._drop_what_has_not_left(record.id)):
            return None
        if matter.decision is not None and record.department == published.department.slug:
            return await self._decide(record, published, matter.decision)
        try:
            dossier = await self._dossier(record, matter, record.number, record.submitted_at)
        except LevelTooLow:
            # The applicant has closed their account: what had not left yet was withdrawn then.
            if await self._claims.is_on_its_way(record.id):
                raise
            return None
        dossier = await self._pulls.into(dossier, published, record.citizen_id)
        return await self._hand_over(record, dossier, published)

    async def _decide(self, record: Record, published: Published, table: DecisionTable) -> Change | None:
        if await self._claims.take(record, published) is None:
            return None
        person = await self._people.person_of(record.citizen_id, ReadPurpose.DECISION)
        examined = await self._eligibility.examine(published.matter, table, person)
        if examined.decision is None:
            await self._note_failure(record.id, DeliveryState.PENDING)
            raise DepartmentUnavailable(record.department, ambiguous=False, retry_after=5)
        return lambda: self._write_decision(record, examined)

    async def _hand_over(self, record: Record, dossier: Dossier, published: Published) -> Change | None:
        desk = published.desk_for(record.department)
        department = self._departments[desk]
        claimed = await self._claims.take(
            record,
            published,
            number=dossier.applicant.id_number,
            disclosing=lambda: self._disclosures.disclose(record, dossier),
        )
        if claimed is None:
            return None
        with on_behalf_of(matter=record.matter_code, consumer=record.department):
            ended = await hand_over(
                department, dossier, claimed.before, lambda state: self._note_failure(record.id, state)
            )
        if ended.state is DeliveryState.UNKNOWN:
            return lambda: self._write_unknown(record)
        receipt = ended.receipt
        if receipt is None:
            return lambda: self._write_refusal(record, ended.reason)
        return lambda: self._write_receipt(record, receipt, desk)

    async def _note_failure(self, application_id: UUID, state: DeliveryState) -> None:
        await transaction(lambda: execute(_FAILED, application_id, state.value))

    async def _dossier(self, record: Record, matter: Matter, number: str, submitted_at: datetime) -> Dossier:
        person = await self._people.person_of(record.citizen_id, ReadPurpose.APPLICATION)
        return Dossier(
            reference=number,
            matter=record.matter_code,
            applicant=Applicant(person.name, person.id_number, person.mobile),
            form=await form_to_read(self._vault, matter.form, record),
            callback_url=f"{self._public_url}/v1/departments/{record.department}/progress",
            submitted_at=submitted_at,
            year=china_date(submitted_at).year,
            department=record.department,
            at_once=matter.promised_limit.is_at_once,
            files=await self._case_files.of(record.id, department=record.department, reference=number),
        )

    async def _drop_what_has_not_left(self, application_id: UUID) -> bool:
        """Cancel the delivery of a case that was decided or taken back while it waited: nobody is to act on it."""
        return bool(await execute(_NEEDLESS, application_id, self._clock.now()))

    async def _write_receipt(self, record: Record, receipt: Receipt, desk: str) -> None:
        now = self._clock.now()
        await execute(_ACKNOWLEDGED, record.id, receipt.receipt_number[:64], now)
        department = Actor.department(record.department)
        # The department's news may have been here first: then the receipt changes nothing.
        await self._history.append(record.id, Entry(step=Step.HANDED_OVER, actor=SYSTEM), strict=False)
        await self._disclosures.tell(record, "ok")
        parallel = self._catalogue.of_case(record.matter_code, record.matter_version).matter.parallel
        if receipt.approved is not None and parallel is None:
            # It may be accepted already: by law, because nobody said anything, or before it was moved here.
            await self._history.append(record.id, Entry(step=Step.ACCEPTED, actor=department), strict=False)
            approved = Entry(step=Step.APPROVED, actor=department, result=receipt.approved)
            moved = await self._history.append(record.id, approved, strict=False)
            await self._tracking.announce(moved, record.id, record.citizen_id, record.matter_code)
        else:
            await self._polling.begin(record.id, desk)

    async def _write_refusal(self, record: Record, reason: str) -> None:
        await execute(_REFUSED, record.id, reason, self._clock.now())
        entry = Entry(step=Step.NOT_ACCEPTED, actor=Actor.department(record.department), reason=reason)
        moved = await self._history.append(record.id, entry, strict=False)
        await self._disclosures.tell(record, reason)
        await self._tracking.announce(moved, record.id, record.citizen_id, record.matter_code)

    async def _write_unknown(self, record: Record) -> None:
        log.error("a dossier may have arrived and cannot be sent again", partner=record.department)
        await execute(_FAILED, record.id, DeliveryState.UNKNOWN.value)
        await self._disclosures.tell(record, "unknown")

    async def _write_decision(self, record: Record, examined: Examined) -> None:
        decision = examined.decision
        if decision is None:
            return
        data: dict[str, Any] = {
            "rule": decision.rule,
            "rule_version": decision.version,
            "facts_digest": facts_digest(self._vault, examined),
            "branches": [asdict(each.branch) for each in examined.checks],
        }
        await execute(_ACKNOWLEDGED, record.id, "", self._clock.now())
        await self._history.append(record.id, Entry(step=Step.ACCEPTED, actor=SYSTEM), strict=False)
        step = Step.REVIEWED if decision.state is None else step_to(decision.state)
        reason = "" if decision.state is None else decision.rule
        # A person may have taken it up meanwhile: then the rules come too late, and the history says what they found.
        entry = Entry(step=step, actor=SYSTEM, reason=reason, data=data)
        moved = await self._history.append(record.id, entry, strict=False)
        await self._audit.record(
            "matters.decided",
            actor=SYSTEM,
            subject_id=record.citizen_id,
            purpose=self._catalogue.of_case(record.matter_code, record.matter_version).matter.title.zh,
            object_kind="application",
            object_id=record.id,
            outcome=moved.after.value,
        )
        await self._tracking.announce(moved, record.id, record.citizen_id, record.matter_code)
