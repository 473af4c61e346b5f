"""Rating how it went: five levels, once for each occasion, with reasons for a bad one, which somebody follows up."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from auth.delegation.effects import hold_mandate
from auth.types import Caller
from core.audit.record import Audit
from core.clock import Clock
from core.crypto import Vault
from core.db import after_commit, as_uuid, execute, fetch, fetch_one, transaction
from core.ids import Ids
from core.metrics import RATINGS
from matters.applications.records import Record, read_own
from matters.cases.rules import RATEABLE
from matters.errors import AlreadyRated, RatingInvalid, ReasonNeeded, StateForbids
from matters.ratings.rules import dimension_errors
from matters.ratings.tickets import RatingTickets
from matters.ratings.types import RatingSource, Said, TicketState
from matters.texts.remarks import Remarks
from matters.texts.types import About

TEXT: Final = "rating.text"
_CHANNEL: Final = "SELECT channel FROM application WHERE id = $1"
_LAST: Final = """
SELECT rating.id, rating.occasion, rating.source, rating_ticket.state AS ticket FROM rating
LEFT JOIN rating_ticket ON rating_ticket.rating_id = rating.id
WHERE rating.application_id = $1 ORDER BY rating.occasion DESC LIMIT 1
"""
_INSERT: Final = """
INSERT INTO rating (id, application_id, occasion, level, reasons, dimensions, text_sealed, source, channel, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, 'citizen', $8, $9)
ON CONFLICT (application_id, occasion) DO NOTHING RETURNING id
"""
# What nobody said gives way to what the applicant says.
_IN_ITS_PLACE: Final = "DELETE FROM rating WHERE id = $1 AND source = 'default'"


class Ratings:
    """Takes ratings. What an applicant has said is never changed; a bad one says why, and opens a ticket.

    Once its ticket is settled they may say on a further occasion how it is now.
    """

    def __init__(
        self, *, tickets: RatingTickets, remarks: Remarks, audit: Audit, vault: Vault, clock: Clock, ids: Ids
    ) -> None:
        self._tickets = tickets
        self._remarks = remarks
        self._audit = audit
        self._vault = vault
        self._clock = clock
        self._ids = ids

    async def rate(self, caller: Caller, application_id: UUID, said: Said) -> UUID:
        """Keep the applicant's word on a decided case and return the rating's id.

        Raises:
            NoSuchApplication: there is none, or it is somebody else's.
            StateForbids: it is not decided yet.
            ReasonNeeded: a bad rating without a reason or text.
            RatingInvalid: a dimension that the way by which the application came does not have.
            AlreadyRated: they have said it already.
        """
        record = await read_own(self._vault, application_id, caller)
        if record.state not in RATEABLE:
            raise StateForbids(state=record.state.value)
        if said.level.is_bad and not said.reasons and not said.text.strip():
            raise ReasonNeeded
        row = await fetch_one(_CHANNEL, application_id)
        channel = "" if row is None else str(row["channel"])
        if errors := dimension_errors(said.dimensions, channel):
            raise RatingInvalid(errors=errors)
        return await transaction(lambda: self._write(caller, record, said, channel))

    async def _write(self, caller: Caller, record: Record, said: Said, channel: str) -> UUID:
        await hold_mandate(caller, self._clock.now())
        occasion = await self._occasion(await fetch_one(_LAST, record.id))
        rating_id = self._ids.uuid()
        rows = await fetch(
            _INSERT,
            rating_id,
            record.id,
            occasion,
            said.level.value,
            sorted(set(said.reasons)),
            {name.value: level.value for name, level in said.dimensions.items()},
            self._vault.seal(TEXT, rating_id, said.text) if said.text else None,
            channel,
            self._clock.now(),
        )
        if not rows:
            raise AlreadyRated
        if said.text.strip():
            await self._remarks.hold(About.RATING, rating_id, record.id)
        if said.level.is_bad:
            await self._tickets.open(rating_id, record)
        await self._audit.record(
            "matters.rated",
            actor=caller.actor,
            subject_id=caller.citizen_id,
            purpose="评价办理情况",
            object_kind="application",
            object_id=record.id,
        )
        after_commit(RATINGS.labels(said.level.value, RatingSource.CITIZEN.value).inc)
        return rating_id

    async def _occasion(self, last: Mapping[str, Any] | None) -> int:
        if last is None:
            return 1
        occasion = int(last["occasion"])
        if last["source"] == RatingSource.DEFAULT.value:
            await execute(_IN_ITS_PLACE, as_uuid(last["id"]))
            return occasion
        if last["ticket"] != TicketState.SETTLED.value:
            raise AlreadyRated
        return occasion + 1
