"""Letters that need a person: no interface takes them, the department said no, or nobody knows whether they arrived."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from auth.types import StaffCaller, StaffScope
from core.audit.record import Audit
from core.clock import Clock
from core.db import as_moment, as_uuid, execute, fetch, fetch_one, transaction
from matters.catalogue.catalogue import Catalogue
from matters.errors import NoSuchApplication
from matters.handling.errors import DeliverySettled
from matters.handling.types import OpenLetter
from matters.handover.letters import Letters
from matters.handover.types import LetterKind
from matters.reach import Condition
from matters.types import DeliveryState, State

_COLUMNS: Final = """
letter.id, letter.application_id, letter.branch, letter.kind, letter.department, letter.desk,
letter.state AS letter_state, letter.failures, letter.reason, letter.created_at, application.number,
application.matter_code, application.matter_version, application.citizen_id, application.state
"""
_LIST: Final = f"""
SELECT {_COLUMNS} FROM letter JOIN application ON application.id = letter.application_id
WHERE {{condition}} ORDER BY letter.created_at, letter.id LIMIT $1
"""  # noqa: S608 — constant columns
_FIND: Final = f"""
SELECT {_COLUMNS} FROM letter JOIN application ON application.id = letter.application_id WHERE letter.id = $1
"""  # noqa: S608 — constant columns
_WAITING: Final = ("refused", "unknown")
_SETTLE: Final = """
UPDATE letter SET state = $2, settled_at = $3 WHERE id = $1 AND state IN ('refused', 'unknown')
"""


class StuckLetters:
    """Lists them, and takes in what an operator did about one. Each is settled once: who comes second is told so."""

    def __init__(self, *, catalogue: Catalogue, letters: Letters, audit: Audit, clock: Clock) -> None:
        self._catalogue = catalogue
        self._letters = letters
        self._audit = audit
        self._clock = clock

    async def list_stuck(
        self, scopes: Collection[StaffScope], *, after: tuple[datetime, UUID] | None, limit: int
    ) -> list[OpenLetter]:
        """Return letters that wait for a person, as far as one of the scopes reaches, the oldest first.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        condition = Condition(limit)
        condition.among("letter.state", _WAITING)
        if after is not None:
            condition.after("letter.created_at", *after, row="letter.id")
        condition.reach(scopes)
        rows = await fetch(_LIST.format(condition=condition.text), *condition.values)
        return [_open(row) for row in rows]

    async def find(self, letter_id: UUID) -> OpenLetter:
        """Return a letter.

        Raises:
            NoSuchApplication: there is none.
        """
        row = await fetch_one(_FIND, letter_id)
        if row is None:
            raise NoSuchApplication
        return _open(row)

    async def settle(self, operator: StaffCaller, letter_id: UUID, *, told: bool) -> None:
        """Say that the department knows by now, or let the letter be sent again, once.

        Raises:
            NoSuchApplication: there is none.
            DeliverySettled: it was settled already, or is on its way.
        """
        row = await fetch_one(_FIND, letter_id)
        if row is None:
            raise NoSuchApplication
        state = DeliveryState.ACKNOWLEDGED if told else DeliveryState.PENDING

        async def work() -> None:
            if not await execute(_SETTLE, letter_id, state.value, self._clock.now() if told else None):
                raise DeliverySettled
            if not told:
                await self._letters.send_on(letter_id, department=str(row["department"]), desk=str(row["desk"]))
            await self._audit.record(
                "matters.delivery-settled",
                actor=operator.actor,
                subject_id=as_uuid(row["citizen_id"]),
                purpose=self._catalogue.of_case(row["matter_code"], int(row["matter_version"])).matter.title.zh,
                object_kind="application",
                object_id=as_uuid(row["application_id"]),
                outcome="told" if told else "resent",
            )

        await transaction(work)


def _open(row: Mapping[str, Any]) -> OpenLetter:
    return OpenLetter(
        id=as_uuid(row["id"]),
        application_id=as_uuid(row["application_id"]),
        number=str(row["number"]),
        branch=str(row["branch"]),
        matter=str(row["matter_code"]),
        department=str(row["department"]),
        kind=LetterKind(row["kind"]),
        state=DeliveryState(row["letter_state"]),
        case_state=State(row["state"]),
        failures=int(row["failures"]),
        reason=str(row["reason"]),
        since=as_moment(row["created_at"]),
    )
