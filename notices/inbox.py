"""The inbox: what somebody was told, newest first, whatever became of it on other ways."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from auth.account.contacts import Contacts
from auth.types import Caller
from core.clock import Clock
from core.db import as_json, as_moment, as_uuid, execute, fetch, fetch_one, transaction
from notices.texts import Texts, render_text
from notices.types import NoticeView, Topic, Urgency

_PAGE: Final = """
SELECT id, about_id, event, topic, urgency, object_id, words, created_at, read_at FROM notice
WHERE citizen_id = $1 AND (created_at < $2 OR (created_at = $2 AND id < $3)) ORDER BY created_at DESC, id DESC LIMIT $4
"""
_UNREAD: Final = "SELECT count(*) AS n FROM notice WHERE citizen_id = $1 AND read_at IS NULL"
_READ: Final = "UPDATE notice SET read_at = COALESCE(read_at, $3) WHERE id = $1 AND citizen_id = $2"
_FORGET_WAYS: Final = """
DELETE FROM notice_delivery WHERE notice_id IN (SELECT id FROM notice WHERE created_at < $1 LIMIT 1000)
"""
_FORGET: Final = "DELETE FROM notice WHERE id IN (SELECT id FROM notice WHERE created_at < $1 LIMIT 1000)"
_AFTER_ALL: Final = (datetime(9999, 1, 1, tzinfo=UTC), UUID(int=0))


class Inbox:
    """What residents find in the mini program. It needs neither WeChat nor a mobile."""

    def __init__(self, *, texts: Texts, contacts: Contacts, clock: Clock) -> None:
        self._texts = texts
        self._contacts = contacts
        self._clock = clock

    async def list_notices(
        self, caller: Caller, *, before: tuple[datetime, UUID] | None = None, limit: int = 20
    ) -> list[NoticeView]:
        """Return the caller's notices, newest first, at most `limit`, those before one when given.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        rows = await fetch(_PAGE, caller.citizen_id, *(before or _AFTER_ALL), limit)
        names: dict[UUID, str | None] = {}
        for row in rows:
            if row["about_id"] is not None and (about := as_uuid(row["about_id"])) not in names:
                contact = await self._contacts.find(about)
                names[about] = None if contact is None else contact.name
        return [view for row in rows if (view := self._view(row, names)) is not None]

    async def count_unread(self, caller: Caller) -> int:
        """Return how many of the caller's notices were not read yet.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        row = await fetch_one(_UNREAD, caller.citizen_id)
        return int(row["n"]) if row else 0

    async def read(self, caller: Caller, notice_id: UUID) -> bool:
        """Mark a notice as read, once; return whether the caller has it.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        return await transaction(lambda: execute(_READ, notice_id, caller.citizen_id, self._clock.now())) == 1

    async def forget(self, days: int) -> int:
        """Delete notices older than so many days, a thousand at a time, and return how many went.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        before = self._clock.now() - timedelta(days=days)

        async def work() -> int:
            await execute(_FORGET_WAYS, before)
            return await execute(_FORGET, before)

        return await transaction(work)

    def _view(self, row: Mapping[str, Any], names: Mapping[UUID, str | None]) -> NoticeView | None:
        event = self._texts.find_known(row["event"])
        if event is None:
            return None
        about_id = None if row["about_id"] is None else as_uuid(row["about_id"])
        said = event.said if about_id is None or event.copy is None else event.copy
        words = as_json(row["words"])
        return NoticeView(
            id=as_uuid(row["id"]),
            event=event.name,
            topic=Topic(row["topic"]),
            urgency=Urgency(row["urgency"]),
            title=render_text(said.title, words),
            text=render_text(said.text, words),
            plain=said.plain,
            about=None if about_id is None else names.get(about_id),
            object_id=None if row["object_id"] is None else as_uuid(row["object_id"]),
            created_at=as_moment(row["created_at"]),
            read_at=None if row["read_at"] is None else as_moment(row["read_at"]),
        )
