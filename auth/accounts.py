"""The WeChat accounts by which a resident comes in: seeing them, and removing one that is somebody else's.

Name and number are enough to bind an account to a person, and both are known to more people than that person. So who
proves to be that person by their face can part any account from themselves, whoever has bound it.
"""

from typing import Final
from uuid import UUID

from auth.errors import LastWayIn, TokenInvalid
from auth.places.recent import RecentSessions
from auth.records import HOLD_ACTIVE, add_newcomer
from auth.types import AccountView, Caller
from core.audit.record import Audit
from core.clock import Clock
from core.db import as_moment, as_uuid, execute, fetch, fetch_one, transaction
from core.ids import Ids

_LIST: Final = """
SELECT id, openid_hash, created_at, bound_at FROM wechat_account
WHERE citizen_id = $1 AND id > $2 ORDER BY id LIMIT $3
"""
_CAME_BY: Final = "SELECT account_id FROM citizen_session WHERE id = $1 AND ended_at IS NULL"
_OTHERS: Final = "SELECT count(*) AS others FROM wechat_account WHERE citizen_id = $1 AND id <> $2"
_HELD: Final = "SELECT id FROM wechat_account WHERE id = $1 AND citizen_id = $2"
_PART: Final = "UPDATE wechat_account SET citizen_id = $2, bound_at = NULL WHERE id = $1"
_END_SESSIONS: Final = """
UPDATE citizen_session SET ended_at = $3, end_reason = 'account-unbound', present_until = NULL
WHERE citizen_id = $1 AND account_id = $2 AND ended_at IS NULL
"""
_NO_ACCOUNT: Final = UUID(int=0)


class Accounts:
    """A resident's WeChat accounts. One that is removed stays an account, of somebody whose name is not known."""

    def __init__(self, *, recent: RecentSessions, audit: Audit, clock: Clock, ids: Ids) -> None:
        self._recent = recent
        self._audit = audit
        self._clock = clock
        self._ids = ids

    async def list_accounts(self, caller: Caller, *, after: UUID | None = None, limit: int = 20) -> list[AccountView]:
        """Return the caller's accounts, oldest first, at most `limit`, those after one when it is given.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        own = await self._came_by(caller)
        rows = await fetch(_LIST, caller.citizen_id, after or _NO_ACCOUNT, limit)
        return [
            AccountView(
                id=(account_id := as_uuid(row["id"])),
                mark=row["openid_hash"][:8],
                bound_at=as_moment(row["bound_at"] or row["created_at"]),
                current=account_id == own,
            )
            for row in rows
        ]

    async def remove(self, caller: Caller, account_id: UUID) -> bool:
        """Part an account from the caller, end its sessions at once, and return whether the caller had it.

        Who has come in by that very account needs another one to come in by next time; who has come in by face does
        not, for the face stays.

        Raises:
            LastWayIn: the caller came in by this account and has no other.
            TokenInvalid: the caller's session has ended meanwhile.
            DatabaseUnavailable: the database could not be reached.
        """

        async def work() -> bool:
            # Two removals at once wait here for each other, so that they never take the last two ways in together.
            if await execute(HOLD_ACTIVE, caller.citizen_id) != 1:
                raise TokenInvalid
            if await fetch_one(_HELD, account_id, caller.citizen_id) is None:
                return False
            if await self._came_by(caller) == account_id:
                left = await fetch_one(_OTHERS, caller.citizen_id, account_id)
                if left is None or not left["others"]:
                    raise LastWayIn
            now = self._clock.now()
            newcomer = await add_newcomer(self._ids.uuid(), now)
            await execute(_PART, account_id, newcomer.citizen_id)
            await execute(_END_SESSIONS, caller.citizen_id, account_id, now)
            self._recent.changed(caller.citizen_id)
            await self._audit.record(
                "auth.account-unbound",
                actor=caller.actor,
                subject_id=caller.citizen_id,
                object_kind="wechat-account",
                object_id=account_id,
            )
            return True

        return await transaction(work)

    @staticmethod
    async def _came_by(caller: Caller) -> UUID | None:
        """Return the account by which the caller's session was opened; None when it was opened by a face alone."""
        row = await fetch_one(_CAME_BY, caller.session_id)
        if row is None:
            raise TokenInvalid
        return None if row["account_id"] is None else as_uuid(row["account_id"])
