"""What notices store about a person: what they were told and how, what they chose, and who reads along."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from auth.account.contacts import Contacts
from auth.types import Erasure, Outlook, Plain, Section
from core.db import as_json, as_moment, as_uuid, execute, fetch, require_transaction

_NOTICES: Final = """
SELECT id, about_id, event, topic, urgency, object_id, words, created_at, read_at FROM notice WHERE citizen_id = $1
ORDER BY id
"""
_DELIVERIES: Final = """
SELECT channel, state, reason, created_at, sent_at, settled_at FROM notice_delivery WHERE notice_id = $1 ORDER BY place
"""
_CHOICES: Final = "SELECT topic, wanted, changed_at FROM notice_choice WHERE citizen_id = $1 ORDER BY topic"
_COPIES: Final = """
SELECT id, citizen_id, state, created_at, agreed_at, ended_at FROM notice_copy WHERE citizen_id = $1 OR reader_id = $1
ORDER BY id
"""
_SUBSCRIPTIONS: Final = """
SELECT account_id, template, remaining, standing, changed_at FROM subscription WHERE account_id = $1 ORDER BY template
"""
_ENTRIES: Final = """
SELECT account_id, template, what, at FROM subscription_entry WHERE account_id = $1 ORDER BY at, id
"""
# What somebody of the family was told about the person goes too: it was told because it was the person's.
_GO: Final[Mapping[str, str]] = {
    "notice_delivery": """
        DELETE FROM notice_delivery WHERE notice_id IN (SELECT id FROM notice WHERE citizen_id = $1 OR about_id = $1)
    """,
    "notice": "DELETE FROM notice WHERE citizen_id = $1 OR about_id = $1",
    "notice_choice": "DELETE FROM notice_choice WHERE citizen_id = $1",
    "notice_copy": "DELETE FROM notice_copy WHERE citizen_id = $1 OR reader_id = $1",
}
_GO_WITH_ACCOUNT: Final[Mapping[str, str]] = {
    "subscription": "DELETE FROM subscription WHERE account_id = $1",
    "subscription_entry": "DELETE FROM subscription_entry WHERE account_id = $1",
}


class NoticeData:
    """What notices store about people. Consents to WeChat's messages belong to accounts: erase before those go."""

    def __init__(self, *, contacts: Contacts) -> None:
        self._contacts = contacts

    async def export(self, citizen_id: UUID) -> Sequence[Section]:
        """Return every notice with its ways out, the choices, who reads along, and the consents to messages.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        notices = [await _notice(row) for row in await fetch(_NOTICES, citizen_id)]
        choices = [_plain(row, wanted=bool(row["wanted"])) for row in await fetch(_CHOICES, citizen_id)]
        copies = [
            {
                **_plain({name: value for name, value in row.items() if name != "citizen_id"}),
                "whose": "mine" if as_uuid(row["citizen_id"]) == citizen_id else "of-family",
            }
            for row in await fetch(_COPIES, citizen_id)
        ]
        standing: list[dict[str, Plain]] = []
        entries: list[dict[str, Plain]] = []
        for account_id in await self._contacts.accounts_of(citizen_id):
            rows = await fetch(_SUBSCRIPTIONS, account_id)
            standing += [_plain(row, standing=bool(row["standing"])) for row in rows]
            entries += [_plain(row) for row in await fetch(_ENTRIES, account_id)]
        return [
            Section("notices", "通知", "Notices", ("notice", "notice_delivery"), notices),
            Section("notice-choices", "通知设置", "Choices of notices", ("notice_choice",), choices),
            Section("notice-copies", "家人接收通知", "Family that reads along", ("notice_copy",), copies),
            Section("subscriptions", "订阅消息", "Consents to messages", ("subscription",), standing),
            Section(
                "subscription-entries", "订阅消息记录", "Ledger of those consents", ("subscription_entry",), entries
            ),
        ]

    async def foresee(self, citizen_id: UUID, now: datetime) -> Outlook:
        """Return that nothing is kept.

        Raises:
            DatabaseUnavailable: never; nothing is asked.
        """
        del citizen_id, now
        return Outlook()

    async def erase(self, citizen_id: UUID, now: datetime) -> Erasure:
        """Erase all of it.

        Raises:
            OutsideTransaction: no transaction is running.
            DatabaseUnavailable: the database could not be reached.
        """
        require_transaction()
        del now
        erased = {table: await execute(sql, citizen_id) for table, sql in _GO.items()}
        accounts = await self._contacts.accounts_of(citizen_id)
        for table, sql in _GO_WITH_ACCOUNT.items():
            erased[table] = sum([await execute(sql, account_id) for account_id in accounts])
        return Erasure(erased)


async def _notice(row: Mapping[str, Any]) -> dict[str, Plain]:
    shown = {name: value for name, value in row.items() if name not in {"about_id", "words"}}
    return {
        **_plain(shown),
        "about": "self" if row["about_id"] is None else "family",
        "words": as_json(row["words"]),
        "ways": [_plain(each) for each in await fetch(_DELIVERIES, as_uuid(row["id"]))],
    }


def _plain(row: Mapping[str, Any], **instead: Plain) -> dict[str, Plain]:
    told: dict[str, Plain] = {}
    for name, value in row.items():
        if name == "at" or name.endswith("_at"):
            told[name] = None if value is None else as_moment(value).isoformat()
        else:
            told[name] = str(value) if isinstance(value, UUID) else value
    return {**told, **instead}
