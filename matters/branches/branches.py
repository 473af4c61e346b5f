"""The branches of a case: opened with its acceptance, settled by their departments, joined into one decision."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final
from uuid import UUID

from auth.types import StaffCaller
from core.audit.actors import SYSTEM, Actor, ActorKind
from core.audit.record import Audit
from core.clock import Clock
from core.crypto import Vault
from core.db import as_moment, as_uuid, execute, fetch, fetch_one, transaction
from core.ids import Ids
from core.jobs.queue import Jobs
from matters.applications.records import read_record
from matters.branches.errors import BranchSettled, NoSuchBranch
from matters.branches.rules import joined
from matters.branches.types import BranchOutcome, BranchState, OpenBranch
from matters.cases.deadlines import Deadlines
from matters.cases.errors import SameHands
from matters.cases.history import Entry, History
from matters.cases.holding import read_trace
from matters.cases.rules import is_open, may_step, step_to
from matters.cases.tracking import Tracking
from matters.catalogue.catalogue import Catalogue
from matters.catalogue.terms.types import Parallel
from matters.clocks.types import CALENDAR_MISSING
from matters.errors import StateForbids
from matters.handover.letters import Letters
from matters.handover.types import LetterKind
from matters.types import State, Step

Change = Callable[[], Awaitable[None]]

# A branch of which a department has the dossier, or may have it.
_MAY_BE_THERE: Final = frozenset({"sent", "acknowledged", "unknown"})
_REFUSED: Final = "a-department-refused"
_AGREED: Final = "all-departments-agreed"

# Takes the row's lock: of two branches that are settled at once, the second sees what the first has done.
_LOCK: Final = """
UPDATE application SET state = state WHERE id = $1 RETURNING id, state, citizen_id, matter_code, matter_version
"""
_ACCEPTED: Final = "SELECT accepted_at FROM application WHERE id = $1"
_OPEN: Final = """
INSERT INTO case_branch (id, application_id, name, department, state, reference, delivery, receipt_number, reason,
                         limit_days, opened_at, due_at, due_note, version)
VALUES ($1, $2, $3, $4, 'pending', $5, 'pending', '', '', $6, $7, $8, $9, 1) ON CONFLICT DO NOTHING RETURNING id
"""
_OF_CASE: Final = "SELECT * FROM case_branch WHERE application_id = $1 ORDER BY name"
_ONE: Final = "SELECT * FROM case_branch WHERE application_id = $1 AND name = $2"
_SETTLE: Final = """
UPDATE case_branch SET state = $2, settled_at = $3, version = version + 1 WHERE id = $1 AND state = 'pending'
"""
_CANCEL: Final = """
UPDATE case_branch SET state = 'cancelled', settled_at = $2, version = version + 1
WHERE application_id = $1 AND state = 'pending' RETURNING name, department, delivery
"""
_UNDATED: Final = """
SELECT id, opened_at, limit_days FROM case_branch WHERE due_note = $1 ORDER BY opened_at LIMIT $2
"""
_DATE: Final = "UPDATE case_branch SET due_at = $2, due_note = '', version = version + 1 WHERE id = $1"


class Branches:
    """Opens and settles branches. A case is decided in the transaction that settles the branch which decides it."""

    def __init__(
        self,
        *,
        catalogue: Catalogue,
        history: History,
        tracking: Tracking,
        deadlines: Deadlines,
        audit: Audit,
        jobs: Jobs,
        letters: Letters,
        vault: Vault,
        clock: Clock,
        ids: Ids,
    ) -> None:
        self._catalogue = catalogue
        self._history = history
        self._tracking = tracking
        self._deadlines = deadlines
        self._audit = audit
        self._jobs = jobs
        self._letters = letters
        self._vault = vault
        self._clock = clock
        self._ids = ids

    async def open(self, application_id: str) -> Change | None:
        """Open the branches of a case that was accepted (job `matters.open-branches`); again it does nothing.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        record = await read_record(self._vault, UUID(application_id))
        parallel = self._catalogue.of_case(record.matter_code, record.matter_version).matter.parallel
        row = await fetch_one(_ACCEPTED, record.id)
        if parallel is None or row is None or row["accepted_at"] is None:
            return None
        accepted_at = as_moment(row["accepted_at"])
        dues = {branch.name: await self._deadlines.due(accepted_at, branch.days) for branch in parallel.branches}

        async def work() -> None:
            case = await fetch_one(_LOCK, record.id)
            if case is None or not is_open(State(case["state"])):
                return
            for branch in parallel.branches:
                row_id, due = self._ids.uuid(), dues[branch.name]
                reference = f"{record.number}.{branch.name}"
                values = (row_id, record.id, branch.name, branch.department, reference, branch.days)
                if await fetch(_OPEN, *values, accepted_at, due.at, due.note):
                    lane = f"{branch.desk}/{branch.department}"
                    await self._jobs.enqueue("matters.deliver-branch", lane=lane, branch_id=row_id)

        return work

    async def list_of(self, application_id: UUID) -> list[OpenBranch]:
        """Return the branches of a case by their names.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        return [_branch(row) for row in await fetch(_OF_CASE, application_id)]

    async def find(self, application_id: UUID, name: str) -> OpenBranch:
        """Return one branch of a case.

        Raises:
            NoSuchBranch: there is none.
            DatabaseUnavailable: the database could not be reached.
        """
        row = await fetch_one(_ONE, application_id, name)
        if row is None:
            raise NoSuchBranch
        return _branch(row)

    async def settle(
        self, operator: StaffCaller, application_id: UUID, name: str, outcome: BranchOutcome, note: str
    ) -> None:
        """Give a department's word on its part, as one of its people.

        Raises:
            NoSuchBranch: there is none.
            BranchSettled: the department has answered already, or the case was decided without it.
            StateForbids: the case does not stand where anything is decided.
            SameHands: whoever took the case in does not decide a part of it either.
        """
        branch = await self.find(application_id, name)
        await transaction(lambda: self.settle_in(branch, outcome, actor=operator.actor, note=note))

    async def settle_in(self, branch: OpenBranch, outcome: BranchOutcome, *, actor: Actor, note: str) -> None:
        """Settle a branch in the running transaction, and decide the case where that decides it.

        Raises:
            BranchSettled: the department has answered already, or the case was decided without it.
            StateForbids: the case does not stand where anything is decided.
            SameHands: whoever took the case in does not decide a part of it either.
            OutsideTransaction: no transaction is running.
        """
        case = await fetch_one(_LOCK, branch.application_id)
        if case is None:
            raise NoSuchBranch
        if not may_step(State(case["state"]), Step.BRANCH_SETTLED):
            raise BranchSettled if branch.state is not BranchState.PENDING else StateForbids(state=case["state"])
        if actor.kind is ActorKind.OPERATOR and actor.id in (await read_trace(branch.application_id)).hands:
            raise SameHands
        now = self._clock.now()
        if not await execute(_SETTLE, branch.id, outcome.value, now):
            raise BranchSettled
        data = {"branch": branch.name, "outcome": outcome.value}
        entry = Entry(step=Step.BRANCH_SETTLED, actor=actor, note=note, data=data)
        await self._history.append(branch.application_id, entry)
        await self._note(case, "matters.branch-settled", branch.name, actor=actor, outcome=outcome.value)
        matter = self._catalogue.of_case(case["matter_code"], int(case["matter_version"])).matter
        if matter.parallel is not None:
            await self._join(case, branch.application_id, matter.parallel)

    async def _join(self, case: Mapping[str, Any], application_id: UUID, parallel: Parallel) -> None:
        rows = await fetch(_OF_CASE, application_id)
        outcomes = {
            str(row["name"]): BranchOutcome(row["state"])
            for row in rows
            if row["state"] in {BranchState.APPROVED.value, BranchState.REJECTED.value}
        }
        decision = joined(parallel, outcomes)
        if decision is None:
            return
        await self._cancel(case, application_id, parallel)
        reason = _AGREED if decision is State.APPROVED else _REFUSED
        data = {"join": parallel.join.value, "outcomes": {name: said.value for name, said in outcomes.items()}}
        entry = Entry(step=step_to(decision), actor=SYSTEM, reason=reason, data=data, joined=True)
        moved = await self._history.append(application_id, entry)
        await self._tracking.announce(moved, application_id, as_uuid(case["citizen_id"]), case["matter_code"])

    async def close(self, application_id: str) -> Change | None:
        """Cancel the branches of a case that was taken back or annulled (job `matters.close-branches`).

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """

        async def work() -> None:
            case = await fetch_one(_LOCK, UUID(application_id))
            if case is None or is_open(State(case["state"])):
                return
            parallel = self._catalogue.of_case(case["matter_code"], int(case["matter_version"])).matter.parallel
            if parallel is not None:
                await self._cancel(case, UUID(application_id), parallel)

        return work

    async def _cancel(self, case: Mapping[str, Any], application_id: UUID, parallel: Parallel) -> None:
        """Cancel what is not needed any more; the departments that have it, or may have, are told."""
        desks = {branch.name: branch.desk for branch in parallel.branches}
        for gone in await fetch(_CANCEL, application_id, self._clock.now()):
            name, department = str(gone["name"]), str(gone["department"])
            await self._note(case, "matters.branch-cancelled", name, actor=SYSTEM, outcome="cancelled")
            if gone["delivery"] in _MAY_BE_THERE:
                await self._letters.promise(
                    LetterKind.WITHDRAWAL, application_id, department=department, desk=desks[name], branch=name
                )

    async def _note(self, case: Mapping[str, Any], action: str, name: str, *, actor: Actor, outcome: str) -> None:
        await self._audit.record(
            action,
            actor=actor,
            subject_id=as_uuid(case["citizen_id"]),
            purpose=self._catalogue.of_case(case["matter_code"], int(case["matter_version"])).matter.title.zh,
            object_kind="application",
            object_id=as_uuid(case["id"]),
            field_names=[name],
            outcome=outcome,
        )

    async def catch_up(self, *, at_most: int = 500) -> int:
        """Give dates to branches opened before their year's table was published; return how many got one.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        found = 0
        for row in await fetch(_UNDATED, CALENDAR_MISSING, at_most):
            due = await self._deadlines.due(as_moment(row["opened_at"]), int(row["limit_days"]))
            if due.at is not None:
                values = (as_uuid(row["id"]), due.at)
                found += await transaction(lambda values=values: execute(_DATE, *values))  # type: ignore[misc]
        return found


def _branch(row: Mapping[str, Any]) -> OpenBranch:
    return OpenBranch(
        id=as_uuid(row["id"]),
        application_id=as_uuid(row["application_id"]),
        name=row["name"],
        department=row["department"],
        state=BranchState(row["state"]),
        due_at=None if row["due_at"] is None else as_moment(row["due_at"]),
        reference=row["reference"],
    )
