"""Consents to WeChat's messages: a ledger of what was accepted, rejected, used and found exhausted, by account."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

from auth.account.types import AccountContact
from core.clock import Clock
from core.db import execute, fetch, require_transaction, transaction
from core.ids import Ids
from notices.texts import Texts
from notices.types import Subscribed

_READY: Final = """
SELECT account_id FROM subscription WHERE account_id = $1 AND template = $2 AND (standing = $3 OR remaining > 0)
"""
# Nobody piles up more than fifty by tapping; it bounds what a forged event could do.
_ACCEPT: Final = """
INSERT INTO subscription (id, account_id, template, remaining, standing, changed_at) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (account_id, template) DO UPDATE
SET remaining = CASE WHEN subscription.remaining + excluded.remaining > 50 THEN 50
                     ELSE subscription.remaining + excluded.remaining END,
    standing = excluded.standing, changed_at = excluded.changed_at RETURNING id
"""
_USE: Final = """
UPDATE subscription SET remaining = remaining - 1, changed_at = $3
WHERE account_id = $1 AND template = $2 AND remaining > 0
"""
_END: Final = """
UPDATE subscription SET remaining = 0, standing = $3, changed_at = $4 WHERE account_id = $1 AND template = $2
"""
_NOTE: Final = """
INSERT INTO subscription_entry (id, account_id, template, what, at) VALUES ($1, $2, $3, $4, $5) RETURNING id
"""
_LEDGER: Final = "SELECT template, what FROM subscription_entry WHERE account_id = $1 ORDER BY at, id"
_FORGET: Final = "DELETE FROM subscription_entry WHERE at < $1"


class Subscriptions:
    """Knows what an account still agrees to. Where it is behind what WeChat knows, WeChat says so and is believed."""

    def __init__(self, *, texts: Texts, template_ids: Mapping[str, str], clock: Clock, ids: Ids) -> None:
        self._templates = texts.templates
        self._keys = {template_id: key for key, template_id in template_ids.items()}
        self._clock = clock
        self._ids = ids

    def key_of(self, template_id: str) -> str | None:
        """Return our key of a template by WeChat's id, None when it is none of ours."""
        key = self._keys.get(template_id)
        return key if key in self._templates else None

    async def find_ready(self, accounts: Sequence[AccountContact], template: str) -> AccountContact | None:
        """Return the first of somebody's accounts that agrees to one more message of a template.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        for account in accounts:
            if await fetch(_READY, account.account_id, template, True):
                return account
        return None

    async def accept(self, account_id: UUID, template: str) -> None:
        """Write down that somebody accepted: one message, or all from now on where the template is long-term.

        Raises:
            OutsideTransaction: no transaction is running.
        """
        require_transaction()
        long_term = self._templates[template].long_term
        await fetch(
            _ACCEPT, self._ids.uuid(), account_id, template, 0 if long_term else 1, long_term, self._clock.now()
        )  # fmt: skip
        await self._note(account_id, template, Subscribed.ACCEPTED)

    async def reject(self, account_id: UUID, template: str, *, for_good: bool) -> None:
        """Write down that somebody said no: to one more message, or, in WeChat's own settings, to all.

        Raises:
            OutsideTransaction: no transaction is running.
        """
        require_transaction()
        if for_good:
            await execute(_END, account_id, template, False, self._clock.now())
        await self._note(account_id, template, Subscribed.REJECTED)

    async def use(self, account_id: UUID, template: str) -> None:
        """Write down that a message was sent on a consent.

        Raises:
            OutsideTransaction: no transaction is running.
        """
        require_transaction()
        await execute(_USE, account_id, template, self._clock.now())
        await self._note(account_id, template, Subscribed.USED)

    async def exhaust(self, account_id: UUID, template: str) -> None:
        """Write down that WeChat knows of no consent where we knew of one (43101).

        Raises:
            OutsideTransaction: no transaction is running.
        """
        require_transaction()
        await execute(_END, account_id, template, False, self._clock.now())
        await self._note(account_id, template, Subscribed.EXHAUSTED)

    async def forget(self, days: int) -> int:
        """Delete ledger lines older than so many days and return how many went.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        before = self._clock.now() - timedelta(days=days)
        return await transaction(lambda: execute(_FORGET, before))

    async def ledger_of(self, account_id: UUID) -> list[tuple[str, Subscribed]]:
        """Return what happened to an account's consents, oldest first: template and what.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        return [(row["template"], Subscribed(row["what"])) for row in await fetch(_LEDGER, account_id)]

    async def _note(self, account_id: UUID, template: str, what: Subscribed) -> None:
        await fetch(_NOTE, self._ids.uuid(), account_id, template, what.value, self._clock.now())
