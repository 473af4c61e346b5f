"""Telling somebody that something happened: into the inbox at once, and out of the house by the ways they have."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from auth.account.contacts import Contacts
from auth.account.types import Contact
from core.clock import Clock
from core.db import as_uuid, fetch, fetch_one
from core.ids import Ids
from core.jobs.runner import Change
from notices.choices import Choices
from notices.deliveries import Deliveries
from notices.rules import channels_for
from notices.texts import Texts
from notices.types import Event, Urgency

TELL: Final = "notices.tell"
# The word of a job's payload that a restore adds (`notices/outcomes/restoring.py`).
MAY_BE_TOLD: Final = "may_be_told"

_TOLD: Final = """
SELECT 1 AS told FROM notice
WHERE citizen_id = $1 AND created_at > $2 AND event = $3 AND about_id IS NULL AND COALESCE(object_id, $4) = $4 LIMIT 1
"""
_ADD: Final = """
INSERT INTO notice (id, citizen_id, about_id, event, topic, urgency, object_id, words, channels, failures, created_at,
                    undelivered_channel, undelivered_reason)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, $10, '', '') RETURNING id
"""
_READERS: Final = "SELECT DISTINCT reader_id FROM notice_copy WHERE citizen_id = $1 AND state = 'active'"
_NOTHING: Final = UUID(int=0)


@dataclass(frozen=True, slots=True)
class _Told:
    """Whom something is about, the thing it is about, and the public words. `goes_out`: not only into the inbox."""

    citizen_id: UUID
    object_id: UUID | None
    words: Mapping[str, str]
    goes_out: bool


class Telling:
    """Writes notices. What is promised as a job is told once, whatever happens on the way."""

    def __init__(
        self,
        *,
        texts: Texts,
        contacts: Contacts,
        choices: Choices,
        deliveries: Deliveries,
        clock: Clock,
        ids: Ids,
    ) -> None:
        self._texts = texts
        self._contacts = contacts
        self._choices = choices
        self._deliveries = deliveries
        self._clock = clock
        self._ids = ids

    async def tell(
        self, event: str, citizen_id: str, object_id: str = "", may_be_told: str = "", **words: str
    ) -> Change | None:
        """Give the change that tells a resident of an event (job `notices.tell`); `words` are public ones.

        Nobody is told when `citizen_id` is empty: callers who must not show whether they found somebody promise the
        same job for nobody. Who may have been told already, before a restore, finds it in the inbox alone.

        Raises:
            EventUnknown: there is no such event, or a word of its texts is missing.
        """
        known = self._texts.find(event, words)
        if not citizen_id:
            return None
        told = _Told(UUID(citizen_id), UUID(object_id) if object_id else None, words, goes_out=not may_be_told)
        return lambda: self._tell(known, told)

    async def _tell(self, event: Event, told: _Told) -> None:
        contact = await self._contacts.find(told.citizen_id)
        if contact is None or await self._was_told(event, told.citizen_id, told.object_id):
            return
        await self._write(event, contact, told)
        if event.copy is None:
            return
        for row in await fetch(_READERS, told.citizen_id):
            reader = await self._contacts.find(as_uuid(row["reader_id"]))
            if reader is not None:
                await self._write(event, reader, told)

    async def _was_told(self, event: Event, citizen_id: UUID, object_id: UUID | None) -> bool:
        """Say whether the same was told moments ago: who is looked up again and again reads of it once."""
        if not event.pause_minutes:
            return False
        since = self._clock.now() - timedelta(minutes=event.pause_minutes)
        return await fetch_one(_TOLD, citizen_id, since, event.name, object_id or _NOTHING) is not None

    async def _write(self, event: Event, contact: Contact, told: _Told) -> None:
        """Write the notice of whom it is about, or of who reads along: they learn neither of what nor in what words."""
        notice_id, is_copy = self._ids.uuid(), contact.citizen_id != told.citizen_id
        wanted = told.goes_out and await self._choices.wants(contact.citizen_id, event.topic)
        channels = channels_for(
            elder=contact.elder,
            urgency=event.urgency,
            wanted=wanted,
            has_wechat=bool(contact.accounts),
            has_mobile=contact.mobile is not None,
        )
        await fetch(
            _ADD,
            notice_id,
            contact.citizen_id,
            told.citizen_id if is_copy else None,
            event.name,
            event.topic.value,
            event.urgency.value,
            None if is_copy else told.object_id,
            {} if is_copy else dict(told.words),
            [channel.value for channel in channels],
            self._clock.now(),
        )
        if not channels and wanted and event.urgency is not Urgency.LOW:
            await self._deliveries.mark_unreachable(notice_id)
        await self._deliveries.begin(notice_id, channels, event.urgency)
