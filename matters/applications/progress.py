"""How it stands: an application for its owner, all of them in a list, and for whoever has number and query code."""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from auth.types import Caller
from core.audit.actors import NOBODY, Actor, ActorKind
from core.audit.record import Audit
from core.cache import Limits, TooManyRequests
from core.clock import Clock, china_date
from core.crypto import Vault
from core.db import as_moment, as_uuid, fetch, fetch_one, transaction
from matters.applications.records import Record, form_view, read_files, read_own, read_record
from matters.cases.documents import words_in
from matters.cases.history import History, Line
from matters.cases.rules import fold, is_open, is_running, target_of
from matters.cases.standing import case_time
from matters.cases.wording import STEPS, next_action, reason_text
from matters.catalogue.catalogue import Catalogue
from matters.catalogue.types import Published
from matters.errors import ProgressLocked, ProgressNotFound
from matters.exchange.health import ServiceHealth
from matters.forms.rules import shape
from matters.materials.resolving import Materials
from matters.materials.types import Asked
from matters.routing.routing import Routing
from matters.settings import MatterSettings
from matters.types import Branch, DeliveryState, Result, Satisfaction, State, Text
from matters.views.types import ApplicationView, TimelineEntry

_PAGE: Final = """
SELECT id, matter_code, state, number, created_at, updated_at FROM application
WHERE citizen_id = $1 AND (created_at < $2 OR (created_at = $2 AND id < $3))
  AND (CAST($5 AS TEXT) = '' OR CAST($5 AS TEXT) LIKE '%,' || matter_code || ',%')
ORDER BY created_at DESC, id DESC LIMIT $4
"""
_FIRST: Final = """
SELECT id, matter_code, state, number, created_at, updated_at FROM application
WHERE citizen_id = $1 AND (CAST($3 AS TEXT) = '' OR CAST($3 AS TEXT) LIKE '%,' || matter_code || ',%')
ORDER BY created_at DESC, id DESC LIMIT $2
"""
_BRANCHES: Final = "SELECT name, state, due_at, due_note FROM case_branch WHERE application_id = $1"
_DELIVERY: Final = "SELECT state, failures FROM delivery WHERE application_id = $1"
# What nobody said is no rating of theirs.
_RATING: Final = """
SELECT level FROM rating WHERE application_id = $1 AND source = 'citizen' ORDER BY occasion DESC LIMIT 1
"""
_BY_NUMBER: Final = "SELECT id, citizen_id, query_code_hash FROM application WHERE number = $1"
_QUERY_CODE: Final = "application.query_code"
# Actors as residents read them; a department is named, people in it are not.
_ACTORS: Final = {
    ActorKind.CITIZEN: ("本人", "You"),
    ActorKind.OPERATOR: ("工作人员", "A clerk"),
    ActorKind.SYSTEM: ("系统", "The system"),
}
_AGENT: Final = Text("代办人", "Somebody acting for you")


def query_code_hash(vault: Vault, number: str, query_code: str) -> str:
    """Return what is kept of a query code."""
    return vault.mark(_QUERY_CODE, f"{number}:{query_code}")


@dataclass(frozen=True, slots=True)
class ApplicationLine:
    """An application in a list."""

    id: UUID
    matter: str
    title: str
    title_en: str
    state: State
    number: str | None
    created_at: datetime
    updated_at: datetime


class Progress:
    """Tells how applications stand."""

    def __init__(
        self,
        *,
        catalogue: Catalogue,
        history: History,
        materials: Materials,
        health: ServiceHealth,
        routing: Routing,
        vault: Vault,
        audit: Audit,
        limits: Limits,
        clock: Clock,
        settings: MatterSettings,
    ) -> None:
        self._catalogue = catalogue
        self._history = history
        self._materials = materials
        self._health = health
        self._routing = routing
        self._vault = vault
        self._audit = audit
        self._limits = limits
        self._clock = clock
        self._settings = settings

    async def list_applications(
        self, caller: Caller, *, before: tuple[datetime, UUID] | None, limit: int
    ) -> list[ApplicationLine]:
        """Return the caller's applications, newest first, those before one when it is given.

        Under a mandate only those of the matters in its scope are there.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        # Codes are digits and capitals: neither commas nor the letters that mean something to LIKE.
        only = "" if caller.matters is None else f",{','.join(sorted(caller.matters))},"
        rows = await (
            fetch(_PAGE, caller.citizen_id, *before, limit, only)
            if before
            else fetch(_FIRST, caller.citizen_id, limit, only)
        )
        lines = []
        for row in rows:
            matter = self._catalogue.of_case(row["matter_code"]).matter
            lines.append(
                ApplicationLine(
                    id=as_uuid(row["id"]),
                    matter=matter.code,
                    title=matter.title.zh,
                    title_en=matter.title.en,
                    state=State(row["state"]),
                    number=row["number"],
                    created_at=as_moment(row["created_at"]),
                    updated_at=as_moment(row["updated_at"]),
                ),
            )
        return lines

    async def get(self, caller: Caller, application_id: UUID) -> ApplicationView:
        """Return one of the caller's applications with everything about it.

        Raises:
            NoSuchApplication: there is none, or it is somebody else's.
            DatabaseUnavailable: the database could not be reached.
        """
        record = await read_own(self._vault, application_id, caller)
        published = self._catalogue.of_case(record.matter_code, record.matter_version)
        rating = await fetch_one(_RATING, application_id)
        files = await read_files(application_id)
        asked = Asked(application_id, record.number, record.form, {file.material for file in files})
        shaped = shape(published.matter.form, record.form, china_date(self._clock.now()))
        return replace(
            await self._view(record, published),
            hidden=sorted(shaped.hidden),
            missing=shaped.missing,
            expires_at=record.expires_at,
            form=form_view(record, published.matter.prefill, caller),
            attachments=files,
            materials=await self._materials.lines(caller, asked, published.matter),
            rated=Satisfaction(rating["level"]) if rating else None,
        )

    async def query(self, number: str, query_code: str, *, address: str) -> ApplicationView:
        """Return how a case stands to whoever has its number and query code: no form, no result's details.

        An unknown number costs the same and gets the same answer as a wrong code; both leave a line in the audit.

        Raises:
            ProgressNotFound: number and code do not belong together.
            ProgressLocked: too many tries for this number; the next ones wait.
            TooManyRequests: too many tries from this address.
        """
        await self._limits.hit_address("matters.query", self._settings.query_address_limit, address)
        try:
            # Known and unknown numbers are counted alike, so that the lock gives nothing away.
            await self._limits.hit("matters.query", self._settings.query_limit, f"number:{number}", fail_open=False)
        except TooManyRequests as error:
            raise ProgressLocked(retry_after=error.extras.retry_after) from error
        row = await fetch_one(_BY_NUMBER, number)
        kept = str(row["query_code_hash"]) if row else "-" * 32
        fits = hmac.compare_digest(kept, query_code_hash(self._vault, number, query_code))

        async def work() -> None:
            # An unknown number is written down too, about nobody: the time of an answer says nothing about a number.
            await self._audit.record(
                "matters.progress-queried",
                actor=NOBODY,
                subject_id=as_uuid(row["citizen_id"]) if row else None,
                purpose="凭编号和查询密码查询进度",
                object_kind="application",
                object_id=as_uuid(row["id"]) if row else "",
                outcome="ok" if fits else "wrong-code",
            )

        await transaction(work)
        if row is None or not fits:
            raise ProgressNotFound
        record = await read_record(self._vault, as_uuid(row["id"]))
        return await self._view(
            record, self._catalogue.of_case(record.matter_code, record.matter_version), details=False
        )

    async def _view(self, record: Record, published: Published, *, details: bool = True) -> ApplicationView:
        lines = await self._history.read(record.id)
        calendar, pre_review_hours = await self._history.calendar()
        delivery = await fetch_one(_DELIVERY, record.id)
        matter = published.matter
        service = self._health.of(published) if is_open(record.state) else None
        return ApplicationView(
            id=record.id,
            matter=matter.code,
            title=matter.title.zh,
            title_en=matter.title.en,
            state=record.state,
            version=record.version,
            number=record.number,
            created_at=record.created_at,
            updated_at=record.updated_at,
            submitted_at=record.submitted_at,
            due_at=record.due_at,
            due_note=(record.due_note or None) if record.due_at is None else None,
            clock="running" if is_running(record.state) else "stopped",
            next_action=next_action(
                record.state,
                delivery=DeliveryState(delivery["state"]) if delivery else None,
                failures=int(delivery["failures"]) if delivery else 0,
                phone=matter.enquiry_phone,
                service=service,
            ),
            service=service,
            handled_by=self._routing.handled_by(record.unit, record.region),
            time=case_time(
                fold(line.action for line in lines),
                published,
                calendar,
                now=self._clock.now(),
                pre_review_hours=pre_review_hours,
            ),
            timeline=timeline(lines, published, owner=record.citizen_id, with_notes=details),
            branches=await self._branches(record, lines, published),
            result=result(lines, with_details=details),
        )

    async def _branches(self, record: Record, lines: list[Line], published: Published) -> list[Branch]:
        """Return the parts of several departments: of their own rows where they decide together."""
        parallel = published.matter.parallel
        if parallel is None:
            return branches(lines, published)
        rows = {str(row["name"]): row for row in await fetch(_BRANCHES, record.id)}
        return [parallel_branch(rule.name, rule.department, rows.get(rule.name)) for rule in parallel.branches]


def parallel_branch(name: str, department: str, row: Mapping[str, Any] | None) -> Branch:
    """Return a department's part in what several decide together, `pending` before it was opened."""
    if row is None:
        return Branch(name, department, "pending", "")
    due_at = None if row["due_at"] is None else as_moment(row["due_at"])
    return Branch(name, department, str(row["state"]), "", due_at, row["due_note"] or None)


def timeline(lines: list[Line], published: Published, *, owner: UUID, with_notes: bool) -> list[TimelineEntry]:
    """Return what had an effect, in the case's own order, in words for the resident."""
    by_seq = {line.action.seq: line for line in lines}
    entries = []
    for action in fold(line.action for line in lines).effective:
        line = by_seq[action.seq]
        actor = _actor(line.actor, published, owner)
        text = STEPS[action.step]
        note, note_en = text.zh, text.en
        if action.reason:
            reason = reason_text(action.reason)
            note, note_en = f"{note}：{reason.zh}", f"{note_en}: {reason.en}"
        if (written := words_in(line.data)) is not None:
            note, note_en = f"{note}：{written.zh}", f"{note_en}: {written.en}"
        if with_notes and line.note:
            note, note_en = f"{note}。{line.note}", f"{note_en}. {line.note}"
        entries.append(TimelineEntry(action.at, action.step, actor.zh, actor.en, note, note_en))
    return entries


def _actor(actor: Actor, published: Published, owner: UUID) -> Text:
    if actor.kind is ActorKind.CITIZEN and actor.id != str(owner):
        return _AGENT
    if actor.kind in _ACTORS:
        return Text(*_ACTORS[actor.kind])
    return Text(published.department.name.zh, published.department.name.en)


def branches(lines: list[Line], published: Published) -> list[Branch]:
    """Return each department's part: what the decision kept of it, or `pending` before there is one."""
    for line in reversed(lines):
        if "branches" in line.data:
            return [Branch(**branch) for branch in line.data["branches"]]
    return [Branch(check.name, check.department, "pending", "") for check in published.matter.checks]


def result(lines: list[Line], *, with_details: bool) -> Result | None:
    """Return how the case ended, or None while it has not."""
    decision = fold(line.action for line in lines).decision
    if decision is None:
        return None
    line = next(each for each in lines if each.action.seq == decision.seq)
    text = reason_text(decision.reason) if decision.reason else STEPS[decision.step]
    return Result(
        outcome=target_of(decision.step),
        at=decision.at,
        reason=decision.reason or None,
        text=text.zh,
        text_en=text.en,
        details=line.result if with_details else None,
        rule_version=line.data.get("rule_version"),
    )
