"""Family that is told too: offered by whose notices they are, accepted by who reads along, ended by either."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from auth.account.contacts import Contacts
from auth.types import Caller
from core.audit.record import Audit
from core.clock import Clock
from core.crypto import sha256_hex
from core.db import as_moment, as_uuid, execute, fetch, fetch_one, transaction
from core.ids import Ids
from notices.errors import CopyCodeInvalid, CopyOfOneself, TooManyCopies
from notices.settings import NoticeSettings
from notices.types import CopyOffer, CopyView

# 128 bits in base64url: nobody guesses it, so tries need not be counted.
_CODE_BYTES: Final = 16
_END_OLD: Final = """
UPDATE notice_copy SET state = 'ended', ended_at = $2, code_hash = NULL
WHERE citizen_id = $1 AND state = 'offered' AND expires_at <= $2
"""
# A partial unique index (migrations/notices/_guards.py) gives each place to one: of two at once one takes the next.
_OFFER: Final = """
INSERT INTO notice_copy (id, citizen_id, place, code_hash, state, created_at, expires_at)
VALUES ($1, $2, $3, $4, 'offered', $5, $6) ON CONFLICT DO NOTHING RETURNING id
"""
_ACCEPT: Final = """
UPDATE notice_copy SET state = 'active', reader_id = $2, code_hash = NULL, agreed_at = $3
WHERE code_hash = $1 AND state = 'offered' AND expires_at > $3 AND citizen_id <> $2 RETURNING id, citizen_id
"""
_OWN: Final = "SELECT 1 AS own FROM notice_copy WHERE code_hash = $1 AND citizen_id = $2"
_TWICE: Final = """
UPDATE notice_copy SET state = 'ended', ended_at = $3
WHERE citizen_id = $1 AND reader_id = $2 AND state = 'active' AND id <> $4
"""
_END: Final = """
UPDATE notice_copy SET state = 'ended', ended_at = $3, code_hash = NULL
WHERE id = $1 AND (citizen_id = $2 OR reader_id = $2) AND state IN ('offered', 'active') RETURNING citizen_id, reader_id
"""
_LIST: Final = """
SELECT id, citizen_id, reader_id, state, created_at FROM notice_copy
WHERE (citizen_id = $1 OR reader_id = $1) AND (state = 'active' OR (state = 'offered' AND expires_at > $5))
      AND (created_at < $2 OR (created_at = $2 AND id < $3)) ORDER BY created_at DESC, id DESC LIMIT $4
"""
_AFTER_ALL: Final = (datetime(9999, 1, 1, tzinfo=UTC), UUID(int=0))


class Copies:
    """Who reads along with whom. It takes two consents: the offer is the one, its acceptance the other."""

    def __init__(self, *, contacts: Contacts, audit: Audit, clock: Clock, ids: Ids, settings: NoticeSettings) -> None:
        self._contacts = contacts
        self._audit = audit
        self._clock = clock
        self._ids = ids
        self._at_most = settings.copies
        self._lifetime = timedelta(minutes=settings.copy_minutes)

    async def offer(self, caller: Caller) -> CopyOffer:
        """Offer somebody to read the caller's notices along; whoever accepts the code does.

        Raises:
            TooManyCopies: so many offers and readers there are already.
        """
        copy_id, code, now = self._ids.uuid(), self._ids.token(_CODE_BYTES), self._clock.now()

        async def work() -> None:
            await execute(_END_OLD, caller.citizen_id, now)
            code_hash, expires_at = sha256_hex(code.encode()), now + self._lifetime
            for place in range(self._at_most):
                if await fetch(_OFFER, copy_id, caller.citizen_id, place, code_hash, now, expires_at):
                    await self._record("notices.copy-offered", caller, caller.citizen_id, copy_id)
                    return
            raise TooManyCopies

        await transaction(work)
        return CopyOffer(copy_id, code, now + self._lifetime)

    async def accept(self, caller: Caller, code: str) -> CopyView:
        """Accept an offer: from now on the caller is told too.

        Raises:
            CopyCodeInvalid: the code was never given, was used, or has run out.
            CopyOfOneself: it is the caller's own.
        """
        code_hash, now = sha256_hex(code.encode()), self._clock.now()

        async def work() -> CopyView:
            row = await fetch_one(_ACCEPT, code_hash, caller.citizen_id, now)
            if row is None:
                if await fetch_one(_OWN, code_hash, caller.citizen_id) is not None:
                    raise CopyOfOneself
                raise CopyCodeInvalid
            citizen_id, copy_id = as_uuid(row["citizen_id"]), as_uuid(row["id"])
            await execute(_TWICE, citizen_id, caller.citizen_id, now, copy_id)
            # In both ledgers: it concerns the data of the one and binds the other.
            await self._record("notices.copy-accepted", caller, citizen_id, copy_id)
            await self._record("notices.copy-accepted", caller, caller.citizen_id, copy_id)
            return CopyView(copy_id, mine=False, name=await self._name(citizen_id), state="active", created_at=now)

        return await transaction(work)

    async def end(self, caller: Caller, copy_id: UUID) -> bool:
        """End an offer or the reading along, from either side; return whether there was such a one.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """

        async def work() -> bool:
            row = await fetch_one(_END, copy_id, caller.citizen_id, self._clock.now())
            if row is None:
                return False
            for side in (row["citizen_id"], row["reader_id"]):
                if side is not None:
                    await self._record("notices.copy-ended", caller, as_uuid(side), copy_id)
            return True

        return await transaction(work)

    async def list_copies(
        self, caller: Caller, *, before: tuple[datetime, UUID] | None = None, limit: int = 20
    ) -> list[CopyView]:
        """Return who reads along with the caller and with whom the caller does, newest first.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        rows = await fetch(_LIST, caller.citizen_id, *(before or _AFTER_ALL), limit, self._clock.now())
        return [await self._view(row, caller.citizen_id) for row in rows]

    async def _view(self, row: Mapping[str, Any], me: UUID) -> CopyView:
        mine = as_uuid(row["citizen_id"]) == me
        other = row["reader_id"] if mine else row["citizen_id"]
        return CopyView(
            id=as_uuid(row["id"]),
            mine=mine,
            name=None if other is None else await self._name(as_uuid(other)),
            state=row["state"],
            created_at=as_moment(row["created_at"]),
        )

    async def _name(self, citizen_id: UUID) -> str | None:
        contact = await self._contacts.find(citizen_id)
        return None if contact is None else contact.name

    async def _record(self, action: str, caller: Caller, subject_id: UUID, copy_id: UUID) -> None:
        await self._audit.record(
            action, actor=caller.actor, subject_id=subject_id, object_kind="notice-copy", object_id=copy_id
        )  # fmt: skip
