"""Looking at a case as staff: how it stands; the form is opened for a purpose, and the ledger says so."""

from collections.abc import Collection, Mapping
from typing import Final
from uuid import UUID

from auth.types import StaffCaller
from core.audit.actors import Actor, ActorKind
from core.audit.record import Audit
from core.crypto import Vault
from core.db import as_moment, fetch_one, transaction
from matters.applications.records import read_files, read_record
from matters.cases.documents import document_in
from matters.cases.history import History, Line
from matters.cases.holding import HeldDelivery, read_trace
from matters.cases.rules import fold
from matters.cases.wording import reason_text
from matters.catalogue.catalogue import Catalogue
from matters.errors import NoSuchApplication
from matters.handling.acting import written
from matters.handling.queues import line_of
from matters.handling.rules import holder_of, may
from matters.handling.types import CaseEntry, CaseLine, CaseView, DeliveryView, Holder
from matters.reach import scope_of
from matters.texts.written import form_to_read, withheld_in
from matters.types import Step

_CASE: Final = """
SELECT id, citizen_id, number, matter_code, matter_version, department, region, state, version, submitted_at,
       accepted_at, decided_at, due_at, due_note
FROM application WHERE id = $1 AND submitted_at IS NOT NULL
"""
_DELIVERY: Final = """
SELECT department, state, failures, receipt_number, reason, sent_at FROM delivery WHERE application_id = $1
"""


class Looking:
    """Shows cases. Whoever the case is about reads who looked, and what was opened for which purpose."""

    def __init__(self, *, catalogue: Catalogue, history: History, vault: Vault, audit: Audit) -> None:
        self._catalogue = catalogue
        self._history = history
        self._vault = vault
        self._audit = audit

    async def look(self, operator: StaffCaller, application_id: UUID) -> CaseView:
        """Return how a case stands, with its whole history and what this operator may do now; no form.

        Raises:
            NoSuchApplication: there is none that was submitted.
            RecordUnreadable: a note does not open.
        """
        row = await fetch_one(_CASE, application_id)
        if row is None:
            raise NoSuchApplication
        line = line_of(row, self._catalogue)
        lines = await self._history.read(application_id)
        trace = await read_trace(application_id)
        sent = await fetch_one(_DELIVERY, application_id)
        delivery = None if sent is None else HeldDelivery.of(sent)
        holder = self._holder(line, int(row["matter_version"]), delivery)
        await self._tell_ledger("matters.case-read", operator.actor, row, [])
        return CaseView(
            line=line,
            version=int(row["version"]),
            accepted_at=None if row["accepted_at"] is None else as_moment(row["accepted_at"]),
            decided_at=None if row["decided_at"] is None else as_moment(row["decided_at"]),
            due_note=str(row["due_note"]),
            holder=holder,
            accepted_by=_accepted_by(lines),
            timeline=_entries(lines, await withheld_in(application_id)),
            files=await read_files(application_id),
            delivery=None if delivery is None else _shown(delivery),
            may=may(
                operator,
                scope_of(line),
                state=line.state,
                holder=holder,
                delivery=None if delivery is None else delivery.state,
                hands=trace.hands,
                decided_together=self._catalogue.is_decided_together(line.matter, int(row["matter_version"])),
            ),
        )

    async def open_form(self, operator: StaffCaller, application_id: UUID, purpose: str) -> Mapping[str, object]:
        """Return what a case asks for, value by value; the applicant reads who opened which fields, and what for.

        Texts that are changed for a supplement are left out until it is handed in, and while they are held.

        Raises:
            NoSuchApplication: there is none that was submitted.
            RecordUnreadable: the form does not open.
        """
        row = await fetch_one(_CASE, application_id)
        if row is None:
            raise NoSuchApplication
        record = await read_record(self._vault, application_id)
        schema = self._catalogue.of_case(record.matter_code, record.matter_version).matter.form
        form = await form_to_read(self._vault, schema, record)
        await self._tell_ledger("matters.form-opened", operator.actor, row, sorted(form), purpose=purpose)
        return form

    async def _tell_ledger(
        self, action: str, actor: Actor, row: Mapping[str, object], names: list[str], *, purpose: str = ""
    ) -> None:
        title = self._catalogue.of_case(str(row["matter_code"])).matter.title.zh

        async def work() -> None:
            await self._audit.record(
                action,
                actor=actor,
                subject_id=UUID(str(row["citizen_id"])),
                purpose=purpose or title,
                object_kind="application",
                object_id=UUID(str(row["id"])),
                field_names=names,
            )

        await transaction(work)

    def _holder(self, line: CaseLine, version: int, delivery: HeldDelivery | None) -> Holder:
        published = self._catalogue.of_case(line.matter, version)
        return holder_of(
            by_rules=published.matter.decision is not None and line.department == published.department.slug,
            desk=published.desk_for(line.department),
            delivery=None if delivery is None else delivery.state,
        )


def _accepted_by(lines: list[Line]) -> str:
    """Return which operator has accepted a case; empty where none has."""
    effective = {action.seq for action in fold(line.action for line in lines).effective}
    for line in lines:
        if line.action.step is Step.ACCEPTED and line.action.seq in effective:
            return line.actor.id or line.actor.kind.value
    return ""


def _entries(lines: list[Line], withheld: Collection[UUID]) -> list[CaseEntry]:
    effective = {action.seq for action in fold(line.action for line in lines).effective}
    return [
        CaseEntry(
            at=line.action.at,
            step=line.action.step,
            actor_kind=line.actor.kind.value,
            actor_id=line.actor.id if line.actor.kind is not ActorKind.CITIZEN else "",
            reason=line.action.reason,
            words=reason_text(line.action.reason) if line.action.reason else None,
            note="" if line.id in withheld else line.note,
            document=written(document_in(line.data)),
            effective=line.action.seq in effective,
            withheld=bool(line.note) and line.id in withheld,
        )
        for line in lines
    ]


def _shown(delivery: HeldDelivery) -> DeliveryView:
    return DeliveryView(
        department=delivery.department,
        state=delivery.state,
        failures=delivery.failures,
        receipt_number=delivery.receipt_number,
        reason=delivery.reason,
        sent_at=delivery.sent_at,
    )
