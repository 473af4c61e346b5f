"""Sending one notice on one channel (job `notices.send`), and what follows from the channel's answer."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from auth.account.contacts import Contacts
from auth.account.types import Contact
from core.audit.actors import SYSTEM
from core.audit.record import Audit
from core.clock import Clock
from core.db import as_json, as_moment, as_uuid, execute, fetch_one, transaction
from core.jobs.backoff import pause
from core.jobs.runner import Change
from core.log import get_logger
from core.pii import Secret
from notices.deliveries import STILL_OPEN, Deliveries
from notices.errors import ChannelUnavailable
from notices.ports import SubscribeMessages, TextMessages
from notices.rules import not_before
from notices.settings import NoticeSettings
from notices.subscriptions import Subscriptions
from notices.texts import Texts, card_for
from notices.types import Card, Channel, DeliveryState, Event, Handed, Reason, Said, Urgency

log = get_logger(__name__)

_FIND: Final = """
SELECT d.id, d.channel, d.state, d.attempts, n.id AS notice_id, n.citizen_id, n.about_id, n.event, n.urgency,
       n.object_id, n.words, n.created_at
FROM notice_delivery d JOIN notice n ON n.id = d.notice_id WHERE d.id = $1
"""
_CLAIM: Final = """
UPDATE notice_delivery SET state = 'sending', attempts = attempts + 1
WHERE id = $1 AND state IN ('created', 'sending', 'temporary-failure') RETURNING attempts
"""
_SENT: Final = """
UPDATE notice_delivery SET state = 'sent', reason = '', number = $2, sent_at = $3 WHERE id = $1 AND state = 'sending'
"""
_WAIT: Final = """
UPDATE notice_delivery SET state = 'temporary-failure', reason = $2 WHERE id = $1 AND state = 'sending'
"""
# The card that family gets: it stands on the template that is long-term, and says nothing of the case.
_COPY_TEMPLATE: Final = "security"
_FIELDS: Final[Mapping[Channel, str]] = {Channel.SMS: "mobile", Channel.WECHAT: "openid"}


class Sending:
    """Hands notices to channels. A channel that says no is followed by the next; one that is away is tried again."""

    def __init__(
        self,
        *,
        texts: Texts,
        contacts: Contacts,
        wechat: SubscribeMessages,
        sms: TextMessages,
        subscriptions: Subscriptions,
        deliveries: Deliveries,
        audit: Audit,
        clock: Clock,
        settings: NoticeSettings,
    ) -> None:
        self._texts = texts
        self._contacts = contacts
        self._wechat = wechat
        self._sms = sms
        self._subscriptions = subscriptions
        self._deliveries = deliveries
        self._audit = audit
        self._clock = clock
        self._settings = settings
        self._quiet = settings.quiet()

    async def send(self, delivery_id: str) -> Change | None:
        """Send a delivery and give the change that writes what came of it; nothing happens to one that is settled.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        row = await fetch_one(_FIND, UUID(delivery_id))
        if row is None or DeliveryState(row["state"]) not in STILL_OPEN:
            return None
        now, found = self._clock.now(), as_uuid(row["id"])
        due = not_before(now, Urgency(row["urgency"]), self._quiet)
        if due > now:
            return lambda: self._deliveries.again(found, due - now)
        contact = await self._contacts.find(as_uuid(row["citizen_id"]))
        event = self._texts.find_known(row["event"])
        if contact is None or event is None:
            return self._failing(found, Reason.NO_ACCOUNT)
        if Channel(row["channel"]) is Channel.SMS:
            return await self._by_sms(row, contact, event)
        return await self._by_wechat(row, contact, event)

    async def _by_sms(self, row: Mapping[str, Any], contact: Contact, event: Event) -> Change:
        delivery_id = as_uuid(row["id"])
        if contact.mobile is None:
            return self._failing(delivery_id, Reason.NO_ACCOUNT)
        said = _said(row, event)
        attempts = await self._claim(row)
        try:
            handed = await self._sms.send(contact.mobile, said.sms, reference=delivery_id.hex)
        except ChannelUnavailable:
            return self._later(delivery_id, attempts)
        if handed.refused is not None:
            return self._failing(delivery_id, handed.refused)
        return lambda: self._write_sent(delivery_id, handed)

    async def _by_wechat(self, row: Mapping[str, Any], contact: Contact, event: Event) -> Change:
        delivery_id = as_uuid(row["id"])
        card, page = self._card(row, event)
        if not self._wechat.knows(card.template):
            return self._failing(delivery_id, Reason.NO_TEMPLATE)
        account = await self._subscriptions.find_ready(contact.accounts, card.template)
        if account is None:
            return self._failing(delivery_id, Reason.NO_CONSENT)
        attempts = await self._claim(row)
        try:
            handed = await self._wechat.send(Secret(account.openid.reveal()), card, page=page)
        except ChannelUnavailable:
            return self._later(delivery_id, attempts)

        async def write() -> None:
            if handed.refused is None:
                await self._subscriptions.use(account.account_id, card.template)
                await self._write_sent(delivery_id, handed)
                return
            if handed.refused is Reason.NO_CONSENT:
                await self._subscriptions.exhaust(account.account_id, card.template)
            await self._deliveries.fail(delivery_id, handed.refused)

        return write

    def _card(self, row: Mapping[str, Any], event: Event) -> tuple[Card, str]:
        at = as_moment(row["created_at"])
        if row["about_id"] is None or event.copy is None:
            object_id = None if row["object_id"] is None else as_uuid(row["object_id"])
            return card_for(event, as_json(row["words"]), at=at, object_id=object_id)
        values = {"thing1": event.copy.title.zh, "time2": "{at}", "thing3": "请打开小程序查看"}
        copied = Event(
            name=event.name,
            topic=event.topic,
            urgency=event.urgency,
            said=event.copy,
            card=Card(_COPY_TEMPLATE, values),
            page="pages/notices/index",
        )
        return card_for(copied, {}, at=at, object_id=None)

    async def _claim(self, row: Mapping[str, Any]) -> int:
        """Mark the delivery as on its way; before the first try the ledger is told what leaves the house."""
        delivery_id, channel = as_uuid(row["id"]), Channel(row["channel"])

        async def work() -> int:
            claimed = await fetch_one(_CLAIM, delivery_id)
            attempts = int(row["attempts"]) + 1 if claimed is None else int(claimed["attempts"])
            if attempts == 1:
                await self._audit.record(
                    "notices.sent",
                    actor=SYSTEM,
                    subject_id=as_uuid(row["citizen_id"]),
                    object_kind="notice",
                    object_id=as_uuid(row["notice_id"]),
                    field_names=(_FIELDS[channel],),
                    outcome=channel.value,
                )
            return attempts

        return await transaction(work)

    def _later(self, delivery_id: UUID, attempts: int) -> Change:
        """Try again after a while, or another way when it was tried often enough."""
        if attempts >= self._settings.attempts:
            return self._failing(delivery_id, Reason.UNREACHABLE)
        seconds = pause(
            attempts, first=self._settings.first_pause_seconds, longest=self._settings.longest_pause_seconds
        )

        async def write() -> None:
            await execute(_WAIT, delivery_id, Reason.UNREACHABLE.value)
            await self._deliveries.again(delivery_id, timedelta(seconds=seconds))

        return write

    def _failing(self, delivery_id: UUID, reason: Reason) -> Change:
        async def write() -> None:
            await self._deliveries.fail(delivery_id, reason)

        return write

    async def _write_sent(self, delivery_id: UUID, handed: Handed) -> None:
        await execute(_SENT, delivery_id, handed.number[:64], self._clock.now())


def _said(row: Mapping[str, Any], event: Event) -> Said:
    return event.said if row["about_id"] is None or event.copy is None else event.copy
