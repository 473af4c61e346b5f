"""News from departments: what they tell about a case, once, in their own order, about their own cases only."""

import json
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import UTC, timedelta
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from core.audit.actors import Actor
from core.audit.record import Audit
from core.cache import Limits
from core.clock import Clock
from core.crypto import Vault
from core.db import as_uuid, execute, fetch, fetch_one, transaction
from core.errors import FieldError
from core.ids import Ids
from core.jobs.queue import Jobs
from core.log import get_logger
from matters.cases.errors import AskedBefore
from matters.cases.history import Entry, History, Moved
from matters.cases.holding import hold
from matters.cases.rules import DEMANDED, RATEABLE, TOLD_BY_DEPARTMENTS, news_of, step_to
from matters.catalogue.catalogue import Catalogue
from matters.errors import CaseNotYours, NewsOutOfTime, StateForbids
from matters.settings import MatterSettings
from matters.types import ProgressEvent, State

log = get_logger(__name__)

_CONTENT: Final = "department_event.content"
# So much a department's clock may be ahead of ours; what is later than that was not told by a clock.
_AHEAD: Final = timedelta(days=1)

# A department to which a case was moved begins to count at one: what it tells comes after all that was told before.
_FIND: Final = """
SELECT id, department, citizen_id, matter_code,
       (SELECT follows FROM case_action WHERE application_id = application.id AND step = 'moved'
        ORDER BY seq DESC LIMIT 1) AS told_before
FROM application WHERE number = $1
"""
_KNOWN: Final = "SELECT content_hash FROM department_event WHERE department = $1 AND event_id = $2"
_KEEP: Final = """
INSERT INTO department_event (id, department, event_id, application_id, sequence, content_hash, received_at)
VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING RETURNING id
"""
_CLASHED: Final = """
SELECT id FROM department_event_clash WHERE department = $1 AND event_id = $2 AND content_hash = $3
"""
_KEEP_CLASH: Final = """
INSERT INTO department_event_clash (id, department, event_id, application_id, sequence, content_hash, received_at)
VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING RETURNING id
"""
# A case that is being moved waits for the news, or the news for the move: no word on what lies elsewhere by now.
_HOLD_OURS: Final = "UPDATE delivery SET state = state WHERE application_id = $1 AND department = $2"
# News about a dossier proves that it arrived, even while our call has not returned or its answer was lost.
_ARRIVED: Final = """
UPDATE delivery SET state = 'acknowledged', settled_at = $2
WHERE application_id = $1 AND state IN ('pending', 'sent', 'unknown')
"""


class Heard(StrEnum):
    """What became of a piece of news. `CLASHED`: it contradicts earlier news; it is kept aside and has no effect."""

    NEW = "new"
    KNOWN = "known"
    CLASHED = "clashed"
    REPLAYED = "replayed"


class Tracking:
    """Takes news in. The same news again has no effect; any order of the same news gives the same state."""

    def __init__(
        self,
        *,
        history: History,
        catalogue: Catalogue,
        audit: Audit,
        jobs: Jobs,
        vault: Vault,
        limits: Limits,
        clock: Clock,
        ids: Ids,
        settings: MatterSettings,
        returned: Collection[str] = (),
    ) -> None:
        """Build it; `returned` are the matters whose results are told to a register."""
        self._history = history
        self._returned = returned
        self._catalogue = catalogue
        self._audit = audit
        self._jobs = jobs
        self._vault = vault
        self._limits = limits
        self._clock = clock
        self._ids = ids
        self._settings = settings

    async def let_in(self, department: str) -> None:
        """Count a piece of news, before the transaction that takes it in.

        Raises:
            TooManyRequests: more news than a department may send; it repeats them later.
        """
        await self._limits.hit("matters.callback", self._settings.callback_limit, f"department:{department}")

    async def hear(self, department: str, event: ProgressEvent, *, old_nonce: bool = False) -> Heard:
        """Take in what a department tells; return whether it was new.

        `old_nonce` says that the signed message itself was seen before: then it may only repeat what was told with it,
        and `REPLAYED` means that it tried to tell something else.

        Raises:
            CaseNotYours: the reference is another department's case, or nobody's.
            StateForbids: a state that no department may tell; materials are asked for with `supplement_requested` only,
                and that with nothing else. Whether they may be asked for, the caller has seen before.
            NewsOutOfTime: dated more than a day ahead.
            AskedBefore: materials were asked for before; a second time takes an exception, which an operator enters.
            DatabaseUnavailable: the database could not be reached.
        """
        is_demand = event.state is State.SUPPLEMENT_REQUESTED
        if not is_demand and event.state not in TOLD_BY_DEPARTMENTS:
            raise StateForbids(state=event.state.value)
        if is_demand != bool(event.demands):
            raise StateForbids(state=event.state.value)
        if event.at > self._clock.now() + _AHEAD:
            raise NewsOutOfTime(errors=[FieldError("/at", "future", "时间还没有到", "It lies in the future")])
        return await transaction(lambda: self._take_in(department, event, old_nonce=old_nonce))

    async def _take_in(self, department: str, event: ProgressEvent, *, old_nonce: bool) -> Heard:
        row = await self._find(event.reference)
        if row is None or row["department"] != department:
            raise CaseNotYours
        content = self._hash(event)
        event = replace(event, sequence=event.sequence + int(row["told_before"] or 0))
        # A demand is looked at with the case in hand: of two at once the second sees the first.
        asked = (await hold(as_uuid(row["id"]), None)).trace.asked if event.demands else 0
        known = await fetch_one(_KNOWN, department, event.event_id)
        if known is not None and known["content_hash"] == content:
            return Heard.KNOWN
        if known is None and asked:
            raise AskedBefore
        if old_nonce:
            clashed = await fetch_one(_CLASHED, department, event.event_id, content)
            return Heard.CLASHED if clashed else Heard.REPLAYED
        if known is None and await self._keep(_KEEP, department, row, event, content):
            await self._follow(department, row, event)
            return Heard.NEW
        # Kept a moment ago by the same news on another connection, or its place in the case is taken.
        known = await fetch_one(_KNOWN, department, event.event_id)
        if known is not None and known["content_hash"] == content:
            return Heard.KNOWN
        await self._set_aside(department, row, event, content)
        return Heard.CLASHED

    async def _find(self, reference: str) -> dict[str, Any] | None:
        """Return what news is about: its id in the inbox, whose it is, and the case where that is another id."""
        row = await fetch_one(_FIND, reference)
        if row is None or not await execute(_HOLD_OURS, as_uuid(row["id"]), row["department"]):
            return None
        return row

    def _hash(self, event: ProgressEvent) -> str:
        """Keyed, because a note may name somebody."""
        result = None if event.result is None else dict(event.result)
        told = [event.reference, event.sequence, event.state, event.at.astimezone(UTC).isoformat(), event.note, result]
        if event.demands:
            told.append(list(event.demands))
        return self._vault.mark(_CONTENT, json.dumps(told, ensure_ascii=False, sort_keys=True))

    async def _keep(self, sql: str, department: str, row: dict[str, Any], event: ProgressEvent, content: str) -> bool:
        kept = await fetch(
            sql,
            self._ids.uuid(),
            department,
            event.event_id,
            as_uuid(row["id"]),
            event.sequence,
            content,
            self._clock.now(),
        )
        return bool(kept)

    async def _set_aside(self, department: str, row: dict[str, Any], event: ProgressEvent, content: str) -> None:
        """Somebody has to ask the department which of the two is true: said once, however often it is repeated."""
        if not await self._keep(_KEEP_CLASH, department, row, event, content):
            return
        log.error("a department contradicts its own news", partner=department, application_id=str(row["id"]))
        await self._record("matters.news-clashed", department, row, outcome="conflict")

    async def _follow(self, department: str, row: dict[str, Any], event: ProgressEvent) -> None:
        application_id, now = as_uuid(row["id"]), self._clock.now()
        await execute(_ARRIVED, application_id, now)
        told_at = event.at.astimezone(UTC)
        moved = await self._history.append(
            application_id,
            Entry(
                step=step_to(event.state),
                actor=Actor.department(department),
                # Their clock may be ahead of ours; nothing is heard of before it has happened.
                at=min(told_at, now),
                department_sequence=event.sequence,
                note=event.note,
                result=event.result,
                data={"told_at": told_at.isoformat(), **({DEMANDED: list(event.demands)} if event.demands else {})},
            ),
            strict=False,
        )
        await self._record("matters.progressed", department, row, outcome=event.state.value)
        if event.demands:
            await self._record("matters.material-demanded", department, row, outcome="ok", names=sorted(event.demands))
        await self.announce(moved, application_id, as_uuid(row["citizen_id"]), row["matter_code"])

    async def _record(
        self, action: str, department: str, row: dict[str, Any], *, outcome: str, names: Sequence[str] = ()
    ) -> None:
        await self._audit.record(
            action,
            actor=Actor.department(department),
            subject_id=as_uuid(row["citizen_id"]),
            purpose=self._catalogue.of_case(row["matter_code"]).matter.title.zh,
            object_kind="application",
            object_id=as_uuid(row.get("application_id", row["id"])),
            field_names=names,
            outcome=outcome,
        )

    async def announce(self, moved: Moved, application_id: UUID, citizen_id: UUID, matter_code: str) -> None:
        """Promise what follows a move: the applicant is told, a decision is put on paper, a certificate is fetched.

        Raises:
            OutsideTransaction: no transaction is running.
        """
        matter = self._catalogue.of_case(matter_code).matter
        event = news_of(moved.after)
        if moved.came_to(moved.after) and event is not None:
            await self._jobs.enqueue(
                "notices.tell",
                event=event,
                citizen_id=citizen_id,
                object_id=application_id,
                matter=matter.title.zh,
                matter_en=matter.title.en,
            )
        if matter.parallel is not None and moved.after in {State.ACCEPTED, State.IN_REVIEW}:
            await self._jobs.enqueue("matters.open-branches", application_id=application_id)
        if moved.after in RATEABLE:
            await self._jobs.enqueue("matters.promise-decision", application_id=application_id)
        if matter.parallel is not None and moved.came_to(State.TERMINATED):
            await self._jobs.enqueue("matters.close-branches", application_id=application_id)
        if matter.slug in self._returned and (moved.came_to(State.APPROVED) or moved.came_to(State.REJECTED)):
            await self._jobs.enqueue("matters.return-result", application_id=application_id)
        kind = matter.refreshes_certificate
        if moved.came_to(State.APPROVED) and kind is not None:
            await self._jobs.enqueue("certificates.refresh", citizen_id=citizen_id, kind=kind)
