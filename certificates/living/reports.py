"""Wrong values: a holder says which, the issuer looks into it, and the holder is told what came of it."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from auth.types import Caller, ReadPurpose
from certificates.definitions import Kinds
from certificates.errors import FieldUnknown
from certificates.ports import Persons, QualityDesk
from certificates.records import Record, Records
from certificates.settings import CertificateSettings
from certificates.types import Report, ReportState, Ticket
from core.audit.actors import Actor
from core.audit.record import Audit
from core.cache import Limits
from core.clock import Clock
from core.crypto import PersonVault, Vault
from core.db import as_moment, as_uuid, execute, fetch, fetch_one, transaction
from core.errors import FieldError
from core.ids import Ids
from core.jobs.queue import Jobs

Work = Callable[[], Awaitable[None]]

TEXT: Final = "certificate_report.text"
NOTE: Final = "certificate_report.note"
# An issuer that has not answered by then is asked no more; its answer to a correction still comes by its news.
_PATIENCE: Final = timedelta(days=60)
_ADD: Final = """
INSERT INTO certificate_report (id, citizen_id, certificate_id, kind, field, text_sealed, state, ticket,
                                created_at)
VALUES ($1, $2, $3, $4, $5, $6, 'waiting', '', $7) RETURNING id
"""
_FIND: Final = "SELECT * FROM certificate_report WHERE id = $1"
_OF: Final = "SELECT * FROM certificate_report WHERE certificate_id = $1 AND citizen_id = $2 ORDER BY id DESC LIMIT 50"
_SENT: Final = "UPDATE certificate_report SET state = 'sent', ticket = $2 WHERE id = $1 AND state = 'waiting'"
_ANSWERED: Final = """
UPDATE certificate_report SET state = $2, note_sealed = $3, answered_at = $4 WHERE id = $1 AND state = 'sent'
"""


class Reports:
    """Takes reports of wrong values to their issuers. What was written rests sealed under the holder's own key."""

    def __init__(
        self,
        *,
        kinds: Kinds,
        records: Records,
        desk: QualityDesk,
        persons: Persons,
        vault: Vault,
        audit: Audit,
        jobs: Jobs,
        limits: Limits,
        clock: Clock,
        ids: Ids,
        settings: CertificateSettings,
    ) -> None:
        self._kinds = kinds
        self._records = records
        self._desk = desk
        self._persons = persons
        self._vault = vault
        self._audit = audit
        self._jobs = jobs
        self._limits = limits
        self._clock = clock
        self._ids = ids
        self._settings = settings

    async def report(self, caller: Caller, certificate_id: UUID, *, field: str, text: str) -> Report | None:
        """Say that a field of a certificate is wrong; None when it does not exist, is not theirs or out of scope.

        Raises:
            FieldUnknown: the kind has no such field.
            TooManyRequests: too many reports within a day.
            DatabaseUnavailable: the database could not be reached.
        """
        await self._limits.hit("certificates.report", self._settings.report_limit, f"citizen:{caller.citizen_id}")

        async def work() -> Report | None:
            record = await self._of(caller, certificate_id)
            if record is None:
                return None
            if field not in self._kinds.get(record.kind).field_names:
                raise FieldUnknown(
                    errors=[FieldError("/field", "unknown", "这种证照没有这一项", "This kind has no such field")]
                )
            report_id, now = self._ids.uuid(), self._clock.now()
            holder = await self._vault.ensure_person(record.citizen_id)
            sealed = holder.seal(TEXT, report_id, text)
            await fetch(_ADD, report_id, record.citizen_id, record.id, record.kind, field, sealed, now)
            await self._jobs.enqueue("certificates.send-report", report_id=report_id)
            await self._tell("certificates.reported", caller.actor, record, field)
            return Report(report_id, field, text, ReportState.WAITING, now, None, None)

        return await transaction(work)

    async def list_of(self, caller: Caller, certificate_id: UUID) -> list[Report] | None:
        """Return the reports about one certificate, newest first, 50 at the most; None as `report` does.

        Raises:
            RecordUnreadable: a text does not open.
            DatabaseUnavailable: the database could not be reached.
        """
        record = await self._of(caller, certificate_id)
        if record is None:
            return None
        rows = await fetch(_OF, certificate_id, caller.citizen_id)
        # What somebody else reads of mine stands in my ledger; what I read myself is mine.
        if caller.actor.on_behalf_of is not None:
            names = sorted({row["field"] for row in rows})
            await transaction(lambda: self._tell("certificates.reports-read", caller.actor, record, *names))
        holder = await self._vault.find_person(caller.citizen_id)
        return [report_of(row, holder) for row in rows]

    async def send(self, report_id: str) -> Work | None:
        """Hand a report to its issuer (job `certificates.send-report`); sent twice it is one ticket.

        Raises:
            IssuerUnavailable: it cannot be taken now.
            DatabaseUnavailable: the database could not be reached.
        """
        row = await fetch_one(_FIND, UUID(report_id))
        record = (
            None
            if row is None
            else await self._records.find(as_uuid(row["certificate_id"]), as_uuid(row["citizen_id"]))
        )
        if row is None or record is None or row["state"] != ReportState.WAITING.value:
            return None
        person = await self._persons.person_of(record.citizen_id, ReadPurpose.CERTIFICATE)
        text = (await self._vault.find_person(record.citizen_id)).open(TEXT, as_uuid(row["id"]), row["text_sealed"])
        ticket = await self._desk.file(
            Ticket(
                reference=as_uuid(row["id"]).hex,
                department=self._kinds.get(record.kind).issuer,
                kind=record.kind,
                identifier=record.content.identifier,
                item=row["field"],
                told=text,
                name=person.name,
                id_number=person.id_number,
            )
        )

        async def change() -> None:
            if await execute(_SENT, as_uuid(row["id"]), ticket) == 1:
                await self._look_later(as_uuid(row["id"]))

        return change

    async def follow(self, report_id: str) -> Work | None:
        """Ask what came of a report (job `certificates.follow-report`); one that is open is asked for again later.

        Raises:
            IssuerUnavailable: nobody knows now.
            DatabaseUnavailable: the database could not be reached.
        """
        row = await fetch_one(_FIND, UUID(report_id))
        if row is None or row["state"] != ReportState.SENT.value:
            return None
        verdict = await self._desk.answer(as_uuid(row["id"]).hex)
        if verdict is None:
            waits = as_moment(row["created_at"]) + _PATIENCE > self._clock.now()
            return (lambda: self._look_later(as_uuid(row["id"]))) if waits else None

        async def change() -> None:
            record = await self._records.find(as_uuid(row["certificate_id"]), as_uuid(row["citizen_id"]))
            if record is None:
                return
            holder = await self._vault.find_person(record.citizen_id)
            note = holder.seal(NOTE, as_uuid(row["id"]), verdict.note)
            if await execute(_ANSWERED, as_uuid(row["id"]), verdict.state.value, note, self._clock.now()) != 1:
                return
            kind = self._kinds.get(record.kind)
            actor = Actor.department(kind.issuer)
            await self._tell("certificates.report-answered", actor, record, row["field"], outcome=verdict.state.value)
            if verdict.state is ReportState.CORRECTED:
                await self._jobs.enqueue("certificates.refresh", citizen_id=record.citizen_id, kind=record.kind)
            await self._jobs.enqueue(
                "notices.tell",
                event="certificates.report-answered",
                citizen_id=record.citizen_id,
                object_id=record.id,
                certificate=kind.title,
                certificate_en=kind.title_en,
            )

        return change

    async def _of(self, caller: Caller, certificate_id: UUID) -> Record | None:
        record = await self._records.find(certificate_id, caller.citizen_id)
        return record if record is not None and caller.covers_certificate(record.kind) else None

    async def _look_later(self, report_id: UUID) -> None:
        pause = timedelta(seconds=self._settings.report_pause_seconds)
        await self._jobs.enqueue("certificates.follow-report", after=pause, report_id=report_id)

    async def _tell(self, action: str, actor: Actor, record: Record, *fields: str, outcome: str = "ok") -> None:
        await self._audit.record(
            action,
            actor=actor,
            subject_id=record.citizen_id,
            object_kind=record.kind,
            object_id=record.id,
            field_names=fields,
            outcome=outcome,
        )


def report_of(row: Mapping[str, Any], holder: PersonVault) -> Report:
    """Return a report with its texts opened.

    Raises:
        RecordUnreadable: a text does not open.
    """
    report_id, note = as_uuid(row["id"]), row["note_sealed"]
    return Report(
        id=report_id,
        field=row["field"],
        text=holder.open(TEXT, report_id, row["text_sealed"]),
        state=ReportState(row["state"]),
        created_at=as_moment(row["created_at"]),
        answered_at=None if row["answered_at"] is None else as_moment(row["answered_at"]),
        note=None if note is None else holder.open(NOTE, report_id, note),
    )
