"""What two people do to the list: publish, merge, split, cancel, delegate, each at its time.

All of it are deeds of approvals (`auth/staff/approvals.py`): they run in the transaction that approves them. What is in
force changes at its time everywhere; cases that were begun stay with the version they were begun with.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from auth.types import StaffCaller
from core.audit.record import Audit
from core.clock import Clock
from core.db import execute, fetch, require_transaction
from core.errors import FieldError
from core.ids import Ids
from matters.catalogue.catalogue import Catalogue
from matters.catalogue.comparing import raw_of
from matters.catalogue.revisions.errors import NoSuchRevision, OperationForbidden, RevisionSettled
from matters.catalogue.revisions.living import LivingCatalogue
from matters.catalogue.revisions.rules import counts, wrong_with
from matters.catalogue.revisions.store import read_done, read_of_code, read_revision
from matters.catalogue.revisions.types import Count, Entry, Operation, OperationKind, RevisionState, Row
from matters.catalogue.types import Published

_PUBLISH: Final = """
UPDATE matter_revision SET state = 'published', effective_at = $3, edition = edition + 1, updated_at = $4
WHERE id = $1 AND edition = $2 AND state = 'checked'
"""
# What was in force ends, if it does not end earlier anyway.
_END: Final = """
UPDATE matter_revision SET state = 'withdrawn', ends_at = $2, edition = edition + 1, updated_at = $3
WHERE code = $1 AND state = 'published' AND (ends_at IS NULL OR ends_at > $2)
"""
_ADOPT: Final = """
INSERT INTO matter_revision (id, code, slug, department, version, state, content, edition, effective_at, created_by,
                             created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, 'published', $6, 1, $7, 'file', $7, $7) ON CONFLICT DO NOTHING RETURNING id
"""
_NOTE: Final = """
INSERT INTO list_operation (id, kind, department, sources, targets, effective_at, reason, approved_by, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING id
"""


class Publishing:
    """Operations on the list, and how it stands."""

    def __init__(self, *, catalogue: Catalogue, living: LivingCatalogue, audit: Audit, clock: Clock, ids: Ids) -> None:
        self._catalogue = catalogue
        self._living = living
        self._audit = audit
        self._clock = clock
        self._ids = ids

    async def check(self, payload: Mapping[str, Any]) -> None:
        """See that an operation could be done now.

        Raises:
            OperationForbidden: it could not; why is said.
            RevisionSettled: a revision is not checked, or published already.
            DatabaseUnavailable: the database could not be reached.
        """
        await self._plan(payload)

    async def do(self, payload: Mapping[str, Any], caller: StaffCaller) -> None:
        """Do an operation that somebody else has asked for; `caller` approves it.

        Raises:
            OperationForbidden: it cannot be done any more; why is said.
            RevisionSettled: a revision is not checked, or published already.
            OutsideTransaction: no transaction is running.
            DatabaseUnavailable: the database could not be reached.
        """
        require_transaction()
        operation, targets = await self._plan(payload)
        now = self._clock.now()
        effective_at = _moment(payload.get("effective_at"), now)
        for code in operation.sources:
            await self._end(code, effective_at, now)
        for row in targets:
            if await execute(_PUBLISH, row.id, row.edition, effective_at, now) != 1:
                raise RevisionSettled(state=row.state.value)
        operation_id, department = self._ids.uuid(), self._department(operation)
        await fetch(
            _NOTE,
            operation_id,
            operation.kind.value,
            department,
            list(operation.sources),
            [target.code for target in operation.targets],
            effective_at,
            str(payload.get("note") or ""),
            str(caller.operator_id),
            now,
        )
        await self._audit.record(
            "matters.list-changed",
            actor=caller.actor,
            object_kind="list-operation",
            object_id=operation_id,
            outcome=operation.kind.value,
        )

    async def counts(self) -> list[Count]:
        """Return for each department how many matters came with the files, and how many are in force now.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        before = [_entry(each) for each in self._living.shipped]
        return counts(before, [_entry(each) for each in self._catalogue.all], await read_done())

    async def _plan(self, payload: Mapping[str, Any]) -> tuple[Operation, Sequence[Row]]:
        try:
            rows = [await read_revision(UUID(each)) for each in payload["revisions"]]
        except NoSuchRevision as error:
            raise _forbidden("/request/revisions", "a revision that there is not") from error
        for row in rows:
            if row.state is not RevisionState.CHECKED:
                raise RevisionSettled(state=row.state.value)
        kind = OperationKind(payload["kind"])
        targets = tuple(Entry(row.code, row.department, str(row.content["title"]["zh"])) for row in rows)
        operation = Operation(kind, tuple(payload["sources"]), targets)
        listed = {each.matter.code: _entry(each) for each in self._catalogue.all}
        if kind is OperationKind.PUBLISH:
            # A further version takes the place of the one before it: that one does not stand in its way.
            listed = {code: entry for code, entry in listed.items() if code not in {each.code for each in targets}}
        if wrong := list(wrong_with(listed, operation)):
            raise OperationForbidden(errors=[_told("/request", each) for each in wrong])
        return operation, rows

    async def _end(self, code: str, at: datetime, now: datetime) -> None:
        """Let a matter end; one that came with a file alone is written down first, as it stands there."""
        if not any(row.effective_at is not None for row in await read_of_code(code)):
            published = self._catalogue.find(code)
            matter = published.matter
            content = raw_of(matter)
            department = published.department.slug
            await fetch(_ADOPT, self._ids.uuid(), code, matter.slug, department, matter.version, content, now)
        if not await execute(_END, code, at, now):
            raise _forbidden("/request/sources", f"{code} ends already")

    def _department(self, operation: Operation) -> str:
        if operation.targets:
            return operation.targets[0].department
        return self._catalogue.find(operation.sources[0]).department.slug


def _entry(published: Published) -> Entry:
    return Entry(published.matter.code, published.department.slug, published.matter.title.zh)


def _moment(told: object, now: datetime) -> datetime:
    """Read from when on it counts: now, unless a later time is told."""
    at = datetime.fromisoformat(str(told)) if told else now
    return max(at, now)


def _told(pointer: str, text: str) -> FieldError:
    return FieldError(pointer, "forbidden", "清单不能这样调整", text)


def _forbidden(pointer: str, text: str) -> OperationForbidden:
    return OperationForbidden(errors=[_told(pointer, text)])
