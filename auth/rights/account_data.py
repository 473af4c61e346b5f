"""What is stored of what becomes of accounts: takeovers that concern a person, and the groups they belong to."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from auth.rights.own_data import plain_row
from auth.types import Erasure, Outlook, Section
from core.db import as_uuid, execute, fetch, require_transaction

_TAKEOVERS: Final = """
SELECT id, holder_id, state, asked_at, effective_at, ended_at FROM takeover WHERE holder_id = $1 OR claimant_id = $1
ORDER BY id
"""
_GROUPS: Final = """
SELECT id, name AS "group", source, until, granted_at FROM citizen_group WHERE citizen_id = $1 ORDER BY id
"""
# What the person asked for of somebody else's account is stopped; it holds ids alone, and is the other's to see.
_STOP: Final = "UPDATE takeover SET state = 'stopped', ended_at = $2 WHERE claimant_id = $1 AND state = 'waiting'"
_FORGET_TAKEOVERS: Final = "DELETE FROM takeover WHERE holder_id = $1"
_FORGET_GROUPS: Final = "DELETE FROM citizen_group WHERE citizen_id = $1"


class AccountData:
    """What the room of accounts stores about people."""

    async def export(self, citizen_id: UUID) -> Sequence[Section]:
        """Return the takeovers on either side, and the groups.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        takeovers = []
        for row in await fetch(_TAKEOVERS, citizen_id):
            side = "holder" if as_uuid(row["holder_id"]) == citizen_id else "claimant"
            shown = {name: value for name, value in row.items() if name != "holder_id"}
            takeovers.append({**plain_row(shown, "asked_at", "effective_at", "ended_at"), "side": side})
        groups = [
            {**plain_row(row, "granted_at"), "until": None if row["until"] is None else str(row["until"])}
            for row in await fetch(_GROUPS, citizen_id)
        ]
        return [
            Section("takeovers", "更换微信的申请", "Takeovers of the account", ("takeover",), takeovers),
            Section("groups", "所属人群", "Groups", ("citizen_group",), groups),
        ]

    async def foresee(self, citizen_id: UUID, now: datetime) -> Outlook:
        """Return that nothing is kept.

        Raises:
            DatabaseUnavailable: never; nothing is asked.
        """
        del citizen_id, now
        return Outlook()

    async def erase(self, citizen_id: UUID, now: datetime) -> Erasure:
        """Erase the takeovers of the person's account, and the groups.

        Raises:
            OutsideTransaction: no transaction is running.
            DatabaseUnavailable: the database could not be reached.
        """
        require_transaction()
        await execute(_STOP, citizen_id, now)
        takeovers = await execute(_FORGET_TAKEOVERS, citizen_id)
        return Erasure({"takeover": takeovers, "citizen_group": await execute(_FORGET_GROUPS, citizen_id)})
