"""The history of a case: actions are appended, the state is a fold of them, cached on the application."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from core.audit.actors import Actor, ActorKind
from core.calendar import WorkingCalendar
from core.clock import Clock
from core.crypto import Vault
from core.db import as_json, as_uuid, execute, fetch, fetch_one, later, require_transaction
from core.ids import Ids
from matters.cases.course import action_of, added_days
from matters.cases.deadlines import Deadlines, limits_of
from matters.cases.errors import BranchesOpen
from matters.cases.rules import Action, fold, is_open, may_step
from matters.errors import NoSuchApplication, StateForbids
from matters.types import Details, State, Step

# Tells of a matter's version whether several departments decide it together.
Gate = Callable[[str, int], bool]

_JOINED: Final = frozenset({Step.APPROVED, Step.REJECTED})
_NOTE: Final = "case_action.note"
_RESULT: Final = "case_action.result"

# The update takes the row's lock: whoever else appends to the same case waits for the end of this transaction.
_TAKE: Final = """
UPDATE application SET actions = actions + 1, version = version + 1, updated_at = $2 WHERE id = $1
RETURNING actions, state, limit_days, limit_hours, legal_days, legal_hours, due_note, matter_code, matter_version
"""
_ACTIONS: Final = """
SELECT id, seq, step, at, actor_kind, actor_id, department_sequence, follows, reason, note_sealed, result_sealed, data
FROM case_action WHERE application_id = $1 ORDER BY seq
"""
_APPEND: Final = """
INSERT INTO case_action (id, application_id, seq, step, at, actor_kind, actor_id, department_sequence, follows, reason,
                         note_sealed, result_sealed, data, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) RETURNING id
"""
_CACHE: Final = """
UPDATE application SET state = $2, accepted_at = $3, decided_at = $4, due_at = $5, due_note = $6, legal_due_at = $7,
                       review_due_at = $8
WHERE id = $1
"""


@dataclass(frozen=True, slots=True, repr=False, kw_only=True)
class Entry:
    """What is to be appended. `department_sequence` for a department's news; `data` names nobody.

    `joined`: several departments have decided this together, as their matter says.
    """

    step: Step
    actor: Actor
    at: datetime | None = None
    department_sequence: int | None = None
    reason: str = ""
    note: str = ""
    result: Details | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
    joined: bool = False


@dataclass(frozen=True, slots=True, repr=False)
class Line:
    """A written action with what was sealed opened; `id` is its row."""

    id: UUID
    action: Action
    actor: Actor
    note: str
    result: Details | None
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Moved:
    """The state before and after an action, and the action's row."""

    before: State
    after: State
    action_id: UUID

    def came_to(self, state: State) -> bool:
        """Tell whether this very action brought the case there."""
        return self.after is state and self.before is not state


class History:
    """Appends to histories and reads them."""

    def __init__(
        self, *, clock: Clock, ids: Ids, vault: Vault, deadlines: Deadlines, gate: Gate = lambda _code, _version: False
    ) -> None:
        """Build it; `gate` tells of a matter's version whether several departments decide it together."""
        self._gate = gate
        self._clock = clock
        self._ids = ids
        self._vault = vault
        self._deadlines = deadlines

    async def append(self, application_id: UUID, entry: Entry, *, strict: bool = True) -> Moved:
        """Write one action into the running transaction and bring the cached state up to date.

        `strict` refuses an action that leads nowhere from where the case stands; without it such an action is kept in
        the history and has no effect (a department's news that comes late, a receipt that the news has overtaken).

        Raises:
            StateForbids: the state machine has no such move.
            BranchesOpen: several departments decide this together, and have not.
            NoSuchApplication: there is no such application.
            OutsideTransaction: no transaction is running.
        """
        require_transaction()
        now = self._clock.now()
        row = await fetch_one(_TAKE, application_id, now)
        if row is None:
            raise NoSuchApplication
        known = [action_of(each) for each in await fetch(_ACTIONS, application_id)]
        before = State(row["state"])
        if entry.step in _JOINED and is_open(before) and not entry.joined and self._decided_together(row):
            raise BranchesOpen
        if strict and known and not may_step(before, entry.step):
            raise StateForbids(state=before.value)
        action = Action(
            seq=int(row["actions"]),
            step=entry.step,
            at=entry.at or now,
            department_sequence=entry.department_sequence,
            follows=max((each.department_sequence or 0 for each in known), default=0),
            reason=entry.reason,
            added_days=added_days(entry.step, entry.data),
        )
        action_id = await self._write(application_id, action, entry, now)
        folded = fold([*known, action])
        dates = await self._deadlines.dates(folded, limits_of(row), known_note=str(row["due_note"]))
        await execute(
            _CACHE,
            application_id,
            folded.state.value,
            folded.accepted_at,
            folded.decided_at,
            dates.due_at,
            dates.note,
            dates.legal_due_at,
            dates.review_due_at,
        )
        return Moved(before, folded.state, action_id)

    def _decided_together(self, row: Mapping[str, Any]) -> bool:
        return self._gate(str(row["matter_code"]), int(row["matter_version"]))

    async def _write(self, application_id: UUID, action: Action, entry: Entry, now: datetime) -> UUID:
        row_id = self._ids.uuid()
        note = self._vault.seal(_NOTE, row_id, entry.note) if entry.note else None
        result = None
        if entry.result is not None:
            result = self._vault.seal(_RESULT, row_id, json.dumps(dict(entry.result), ensure_ascii=False))
        await later(
            _APPEND,
            row_id,
            application_id,
            action.seq,
            action.step.value,
            action.at,
            entry.actor.kind.value,
            entry.actor.id,
            action.department_sequence,
            action.follows,
            action.reason,
            note,
            result,
            dict(entry.data),
            now,
            read_from="case_action",
        )
        return row_id

    async def calendar(self) -> tuple[WorkingCalendar, int]:
        """Return the calendar by which dates are computed, and the hours of a pre-review.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        return await self._deadlines.calendar(), self._deadlines.pre_review_hours

    async def read(self, application_id: UUID) -> list[Line]:
        """Return all actions in the order of writing.

        Raises:
            DatabaseUnavailable: the database could not be reached.
            RecordUnreadable: a note or result does not open.
        """
        return [self._line(row) for row in await fetch(_ACTIONS, application_id)]

    def _line(self, row: Mapping[str, Any]) -> Line:
        row_id = as_uuid(row["id"])
        note = self._vault.open(_NOTE, row_id, row["note_sealed"]) if row["note_sealed"] else ""
        result = None
        if row["result_sealed"]:
            result = json.loads(self._vault.open(_RESULT, row_id, row["result_sealed"]))
        actor = Actor(ActorKind(row["actor_kind"]), str(row["actor_id"]))
        return Line(row_id, action_of(row), actor, note, result, as_json(row["data"]))
