"""Bad ratings are followed up: somebody calls within a working day, and says what came of it."""

from collections.abc import Collection, Mapping
from typing import Any, Final
from uuid import UUID

from auth.types import StaffCaller, StaffScope
from core.audit.record import Audit
from core.clock import Clock
from core.crypto import Vault
from core.db import as_json, as_moment, as_uuid, execute, fetch, fetch_one, require_transaction, transaction
from core.ids import Ids
from matters.applications.records import Record
from matters.cases.deadlines import Deadlines
from matters.errors import NoSuchTicket, StateForbids
from matters.ratings.types import Dimension, OpenedTicket, TicketLine, TicketState
from matters.reach import Condition
from matters.settings import MatterSettings
from matters.texts.written import withheld_in
from matters.types import Satisfaction

NOTE: Final = "rating_ticket.note"
_TEXT: Final = "rating.text"
_ADD: Final = """
INSERT INTO rating_ticket (id, rating_id, application_id, department, matter_code, state, contact_by, created_at)
VALUES ($1, $2, $3, $4, $5, 'open', $6, $7) RETURNING id
"""
_COLUMNS: Final = """
SELECT rating_ticket.*, rating.level, rating.reasons, rating.dimensions, rating.text_sealed, application.number,
       application.citizen_id, application.region
FROM rating_ticket JOIN rating ON rating.id = rating_ticket.rating_id
JOIN application ON application.id = rating_ticket.application_id
"""
_LIST: Final = _COLUMNS + "WHERE {condition} ORDER BY rating_ticket.created_at, rating_ticket.id LIMIT 500"
_FIND: Final = _COLUMNS + "WHERE rating_ticket.id = $1"
_CONTACT: Final = """
UPDATE rating_ticket SET state = 'contacted', contacted_at = $2 WHERE id = $1 AND state = 'open'
"""
_SETTLE: Final = """
UPDATE rating_ticket SET state = 'settled', settled_at = $2, handled_by = $3, note_sealed = $4
WHERE id = $1 AND state IN ('open', 'contacted')
"""


class RatingTickets:
    """The queue of bad ratings. Each is settled once."""

    def __init__(
        self, *, deadlines: Deadlines, audit: Audit, vault: Vault, clock: Clock, ids: Ids, settings: MatterSettings
    ) -> None:
        self._deadlines = deadlines
        self._audit = audit
        self._vault = vault
        self._clock = clock
        self._ids = ids
        self._settings = settings

    async def open(self, rating_id: UUID, record: Record) -> None:
        """Open a ticket for a bad rating in the running transaction.

        Raises:
            OutsideTransaction: no transaction is running.
        """
        require_transaction()
        now = self._clock.now()
        due = await self._deadlines.due(now, self._settings.rating_contact_days)
        await fetch(_ADD, self._ids.uuid(), rating_id, record.id, record.department, record.matter_code, due.at, now)

    async def list_tickets(self, state: TicketState, scopes: Collection[StaffScope]) -> list[TicketLine]:
        """Return tickets of a state, the oldest first, as far as one of the scopes reaches; nothing that was written.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        condition = Condition()
        condition.among("rating_ticket.state", [state.value])
        condition.reach(scopes, row="rating_ticket")
        return [_line(row) for row in await fetch(_LIST.format(condition=condition.text), *condition.values)]

    async def find(self, ticket_id: UUID) -> TicketLine:
        """Return a ticket without what was written.

        Raises:
            NoSuchTicket: there is none.
        """
        return _line(await self._row(ticket_id))

    async def read(self, operator: StaffCaller, ticket_id: UUID) -> OpenedTicket:
        """Return a ticket with what was written, in order to follow it up; the applicant's ledger says who read it.

        Words that are held (`withheld`) stay closed until a person lets them on.

        Raises:
            NoSuchTicket: there is none.
            RecordUnreadable: the text does not open.
        """
        row = await self._row(ticket_id)
        rating_id = as_uuid(row["rating_id"])
        withheld = rating_id in await withheld_in(as_uuid(row["application_id"]))
        sealed = None if withheld else row["text_sealed"]
        text = "" if sealed is None else self._vault.open(_TEXT, rating_id, sealed)

        async def work() -> None:
            await self._tell("matters.rating-read", operator, row)

        await transaction(work)
        return OpenedTicket(_line(row), text, _dimensions(row["dimensions"]), withheld=withheld)

    async def note_contact(self, operator: StaffCaller, ticket_id: UUID) -> None:
        """Note that the applicant was spoken to.

        Raises:
            NoSuchTicket: there is none.
            StateForbids: that was noted already, or it is settled.
        """
        row = await self._row(ticket_id)

        async def work() -> None:
            if await execute(_CONTACT, ticket_id, self._clock.now()) != 1:
                raise StateForbids
            await self._tell("matters.rating-contacted", operator, row)

        await transaction(work)

    async def settle(self, operator: StaffCaller, ticket_id: UUID, note: str) -> None:
        """Say what came of a bad rating; the applicant may rate again.

        Raises:
            NoSuchTicket: there is none.
            StateForbids: it is settled already.
        """
        row = await self._row(ticket_id)

        async def work() -> None:
            sealed = self._vault.seal(NOTE, ticket_id, note)
            if await execute(_SETTLE, ticket_id, self._clock.now(), operator.operator_id, sealed) != 1:
                raise StateForbids
            await self._tell("matters.rating-settled", operator, row)

        await transaction(work)

    async def _row(self, ticket_id: UUID) -> dict[str, Any]:
        row = await fetch_one(_FIND, ticket_id)
        if row is None:
            raise NoSuchTicket
        return row

    async def _tell(self, action: str, operator: StaffCaller, row: Mapping[str, Any]) -> None:
        await self._audit.record(
            action,
            actor=operator.actor,
            subject_id=as_uuid(row["citizen_id"]),
            purpose="评价办理情况",
            object_kind="application",
            object_id=as_uuid(row["application_id"]),
        )


def _line(row: Mapping[str, Any]) -> TicketLine:
    return TicketLine(
        id=as_uuid(row["id"]),
        number=str(row["number"]),
        matter=row["matter_code"],
        department=row["department"],
        region=row["region"],
        level=Satisfaction(row["level"]),
        reasons=as_json(row["reasons"]),
        state=TicketState(row["state"]),
        opened_at=as_moment(row["created_at"]),
        contact_by=None if row["contact_by"] is None else as_moment(row["contact_by"]),
        contacted_at=None if row["contacted_at"] is None else as_moment(row["contacted_at"]),
        settled_at=None if row["settled_at"] is None else as_moment(row["settled_at"]),
    )


def _dimensions(told: object) -> dict[Dimension, Satisfaction]:
    return {Dimension(name): Satisfaction(level) for name, level in as_json(told).items()}
