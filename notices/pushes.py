"""What WeChat pushes: consents given and taken back, and how messages arrived. Each push has its effect once."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final
from uuid import UUID

from auth.account.contacts import Contacts
from core.clock import Clock
from core.crypto import sha256_hex
from core.db import execute, fetch, transaction
from core.log import get_logger
from core.pii import Secret
from notices.ports import PushReader
from notices.reports import Reports
from notices.subscriptions import Subscriptions
from notices.types import Push, PushItem, Reason

log = get_logger(__name__)

# How long a push is remembered; the reader takes none that is nearly as old.
_KEPT: Final = timedelta(days=2)
_SEE: Final = "INSERT INTO seen_push (id, created_at) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING RETURNING id"
_FORGET: Final = "DELETE FROM seen_push WHERE created_at < $1"

_POPUP: Final = "subscribe_msg_popup_event"
_CHANGE: Final = "subscribe_msg_change_event"
_SENT: Final = "subscribe_msg_sent_event"
_NO_CONSENT: Final = 43101


class Pushes:
    """Takes pushes in. WeChat repeats what is not answered within 5 seconds: the second time has no effect."""

    def __init__(
        self,
        *,
        reader: PushReader,
        contacts: Contacts,
        subscriptions: Subscriptions,
        reports: Reports,
        clock: Clock,
    ) -> None:
        self._reader = reader
        self._contacts = contacts
        self._subscriptions = subscriptions
        self._reports = reports
        self._clock = clock

    def echo(self, query: Mapping[str, str]) -> str:
        """Return what WeChat wants to hear when it tries our address.

        Raises:
            PushRefused: the proof does not hold.
        """
        return self._reader.echo(query)

    async def take(self, query: Mapping[str, str], body: bytes) -> bool:
        """Take a push in; return whether it was new.

        Raises:
            PushRefused: it does not prove to be WeChat's, or cannot be read.
            DatabaseUnavailable: the database could not be reached; WeChat repeats it.
        """
        push = self._reader.read(query, body)
        # Hashed: the key holds who sent it.
        key = sha256_hex(push.key.encode())

        async def work() -> bool:
            if not await fetch(_SEE, key, self._clock.now()):
                return False
            account_id = await self._contacts.find_account(Secret(push.openid))
            if account_id is not None:
                for item in push.items:
                    await self._follow(push, item, account_id)
            return True

        return await transaction(work)

    async def forget(self) -> int:
        """Delete the marks of old pushes and return how many went.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        before = self._clock.now() - _KEPT
        return await transaction(lambda: execute(_FORGET, before))

    async def _follow(self, push: Push, item: PushItem, account_id: UUID) -> None:
        if push.event == _SENT:
            reason = None if not item.code else Reason.NO_CONSENT if item.code == _NO_CONSENT else Reason.NOT_RECEIVED
            await self._reports.promise(item.number, reason)
            return
        template = self._subscriptions.key_of(item.template_id)
        if template is None:
            log.warning("a push names a template that is none of ours", partner="wechat")
        elif push.event == _POPUP and item.status == "accept":
            await self._subscriptions.accept(account_id, template)
        elif push.event in {_POPUP, _CHANGE} and item.status == "reject":
            await self._subscriptions.reject(account_id, template, for_good=push.event == _CHANGE)
