"""Dossiers of branches that need a person: their department declines them, or nobody knows whether they arrived."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from auth.types import StaffCaller, StaffScope
from core.audit.record import Audit
from core.db import as_moment, as_uuid, execute, fetch, fetch_one, transaction
from core.jobs.queue import Jobs
from matters.branches.errors import NoSuchBranch
from matters.catalogue.catalogue import Catalogue
from matters.handling.errors import DeliverySettled
from matters.handling.types import Arrival, OpenBranchDelivery
from matters.reach import Condition
from matters.types import DeliveryState, State

_COLUMNS: Final = """
case_branch.id, case_branch.application_id, case_branch.name, case_branch.department, case_branch.delivery,
case_branch.reason, case_branch.opened_at, application.number, application.matter_code, application.matter_version,
application.citizen_id, application.state
"""
# A branch has its own department and the matter of its case; which operators it concerns follows both.
_LIST: Final = f"""
SELECT part.* FROM (
    SELECT {_COLUMNS} FROM case_branch JOIN application ON application.id = case_branch.application_id
    WHERE case_branch.state = 'pending' AND case_branch.delivery IN ('unknown', 'refused')
) AS part JOIN application ON application.id = part.application_id
WHERE {{condition}} ORDER BY part.opened_at, part.id LIMIT $1
"""  # noqa: S608 — constant columns
_FIND: Final = f"""
SELECT {_COLUMNS} FROM case_branch JOIN application ON application.id = case_branch.application_id
WHERE case_branch.application_id = $1 AND case_branch.name = $2
"""  # noqa: S608 — constant columns
_ARRIVED: Final = """
UPDATE case_branch SET delivery = 'acknowledged', receipt_number = $2
WHERE id = $1 AND delivery = 'unknown' AND state = 'pending'
"""
_SEND_AGAIN: Final = """
UPDATE case_branch SET delivery = 'pending', reason = ''
WHERE id = $1 AND delivery IN ('unknown', 'refused') AND state = 'pending'
"""


class StuckBranches:
    """Lists them, and takes in what an operator has found out. Each is settled once: who comes second is told so."""

    def __init__(self, *, catalogue: Catalogue, audit: Audit, jobs: Jobs) -> None:
        self._catalogue = catalogue
        self._audit = audit
        self._jobs = jobs

    async def list_stuck(
        self, scopes: Collection[StaffScope], *, after: tuple[datetime, UUID] | None, limit: int
    ) -> list[OpenBranchDelivery]:
        """Return branches whose dossier waits for a person, as far as one of the scopes reaches, the oldest first.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        condition = Condition(limit)
        if after is not None:
            condition.after("part.opened_at", *after, row="part.id")
        condition.reach(scopes, row="part")
        rows = await fetch(_LIST.format(condition=condition.text), *condition.values)
        return [_open(row) for row in rows]

    async def settle(
        self, operator: StaffCaller, application_id: UUID, name: str, arrival: Arrival, *, receipt_number: str = ""
    ) -> None:
        """Say whether a branch's dossier arrived; what did not arrive, or was declined, is sent again, once.

        Raises:
            NoSuchBranch: there is none.
            DeliverySettled: it was settled already, is on its way, or its department has said its word.
        """
        row = await fetch_one(_FIND, application_id, name)
        if row is None:
            raise NoSuchBranch
        branch_id = as_uuid(row["id"])

        async def work() -> None:
            if arrival is Arrival.ARRIVED:
                if not await execute(_ARRIVED, branch_id, receipt_number):
                    raise DeliverySettled
            else:
                if not await execute(_SEND_AGAIN, branch_id):
                    raise DeliverySettled
                lane = f"{self._desk_of(row)}/{row['department']}"
                await self._jobs.enqueue("matters.deliver-branch", lane=lane, branch_id=branch_id)
            await self._audit.record(
                "matters.delivery-settled",
                actor=operator.actor,
                subject_id=as_uuid(row["citizen_id"]),
                purpose=self._catalogue.of_case(row["matter_code"], int(row["matter_version"])).matter.title.zh,
                object_kind="application",
                object_id=application_id,
                field_names=[name],
                outcome=arrival.value,
            )

        await transaction(work)

    def _desk_of(self, row: Mapping[str, Any]) -> str:
        """Return who takes dossiers for the branch's department, as the version of the case says."""
        parallel = self._catalogue.of_case(row["matter_code"], int(row["matter_version"])).matter.parallel
        for branch in () if parallel is None else parallel.branches:
            if branch.name == row["name"]:
                return branch.desk
        raise NoSuchBranch


def _open(row: Mapping[str, Any]) -> OpenBranchDelivery:
    return OpenBranchDelivery(
        id=as_uuid(row["id"]),
        application_id=as_uuid(row["application_id"]),
        number=str(row["number"]),
        branch=str(row["name"]),
        matter=str(row["matter_code"]),
        department=str(row["department"]),
        state=DeliveryState(row["delivery"]),
        case_state=State(row["state"]),
        reason=str(row["reason"]),
        since=as_moment(row["opened_at"]),
    )
