"""Taking one's account over from a new WeChat account: shown by face, told to the old one, done after a cool-down.

A person has one account. Who comes with a second WeChat account does not get a second one: they show their face, the
holder sees it in their ledger and may stop it, and after the cool-down the account is reached by the new one alone.
Stopping needs a proof of presence, so that a stranger who has bound the account cannot keep its owner out.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from auth.account.errors import TakeoverImpossible
from auth.account.types import Side, TakeoverState, TakeoverView
from auth.errors import LevelTooLow
from auth.places.recent import RecentSessions
from auth.records import ID_NUMBER, add_newcomer
from auth.settings import TakeoverSettings
from auth.types import Caller, Level
from core.audit.actors import SYSTEM, Actor
from core.audit.record import Audit
from core.clock import Clock
from core.crypto import Vault
from core.db import as_moment, as_uuid, execute, fetch, fetch_one, require_transaction, transaction
from core.ids import Ids
from core.jobs.queue import Jobs
from core.jobs.runner import Change
from core.pii import IdNumber

_HOLDER: Final = "SELECT id FROM citizen WHERE id_number_hash IN ($1, $2) AND state = 'active'"
# The account by which the session came, while it belongs to somebody without a name.
_CLAIM: Final = """
SELECT w.id AS account_id FROM citizen_session s JOIN wechat_account w ON w.id = s.account_id
JOIN citizen c ON c.id = w.citizen_id
WHERE s.id = $1 AND s.ended_at IS NULL AND w.citizen_id = $2 AND c.id_number_hash IS NULL AND c.state = 'active'
"""
_STOP_OTHERS: Final = """
UPDATE takeover SET state = 'stopped', ended_at = $3
WHERE (holder_id = $1 OR claimant_id = $2) AND state = 'waiting' RETURNING id
"""
_ASK: Final = """
INSERT INTO takeover (id, holder_id, claimant_id, account_id, state, asked_at, effective_at)
VALUES ($1, $2, $3, $4, 'waiting', $5, $6) RETURNING id
"""
_LIST: Final = """
SELECT t.id, t.holder_id, t.state, t.asked_at, t.effective_at, t.ended_at, w.openid_hash
FROM takeover t JOIN wechat_account w ON w.id = t.account_id
WHERE (t.holder_id = $1 OR t.claimant_id = $1) AND (t.asked_at < $2 OR (t.asked_at = $2 AND t.id < $3))
ORDER BY t.asked_at DESC, t.id DESC LIMIT $4
"""
_SIDES: Final = "SELECT holder_id, claimant_id FROM takeover WHERE id = $1 AND state = 'waiting'"
_END: Final = """
UPDATE takeover SET state = $2, ended_at = $3 WHERE id = $1 AND state = 'waiting' AND effective_at <= $4
RETURNING holder_id, claimant_id, account_id
"""
# Changes nothing: whoever removes an account or binds a name at the same moment waits here, or is waited for.
_HOLD: Final = "UPDATE citizen SET state = state WHERE id = $1 AND state = 'active'"
_OLD_ACCOUNTS: Final = "SELECT id FROM wechat_account WHERE citizen_id = $1"
_PART: Final = "UPDATE wechat_account SET citizen_id = $2, bound_at = NULL WHERE id = $1"
_MOVE: Final = "UPDATE wechat_account SET citizen_id = $2, bound_at = $4 WHERE id = $1 AND citizen_id = $3"
_MERGE: Final = "UPDATE citizen SET state = 'merged' WHERE id = $1 AND state = 'active' AND id_number_hash IS NULL"
_END_SESSIONS: Final = """
UPDATE citizen_session SET ended_at = $2, end_reason = 'taken-over', present_until = NULL
WHERE citizen_id = $1 AND ended_at IS NULL
"""
_AFTER_ALL: Final = (datetime(9999, 1, 1, tzinfo=UTC), UUID(int=0))
_NEVER: Final = datetime(9999, 1, 1, tzinfo=UTC)

COMPLETE: Final = "auth.complete-takeover"


class Takeovers:
    """Takeovers, from the passed face check to the end of the cool-down."""

    def __init__(
        self,
        *,
        recent: RecentSessions,
        vault: Vault,
        audit: Audit,
        jobs: Jobs,
        clock: Clock,
        ids: Ids,
        settings: TakeoverSettings,
    ) -> None:
        self._recent = recent
        self._vault = vault
        self._audit = audit
        self._jobs = jobs
        self._clock = clock
        self._ids = ids
        self._cool_down = timedelta(hours=settings.cool_down_hours)

    async def require_possible(self, caller: Caller) -> None:
        """See that the caller came by a WeChat account that is bound to nobody.

        Raises:
            TakeoverImpossible: they did not.
        """
        await self._account_of(caller)

    async def ask(self, caller: Caller, id_number: IdNumber) -> TakeoverView | None:
        """Ask for the account of the person whose face the caller has just shown, in the running transaction.

        It takes the place of an earlier one. None: nobody holds that person any more.

        Raises:
            TakeoverImpossible: the caller's WeChat account was bound to somebody meanwhile.
            OutsideTransaction: no transaction is running.
        """
        require_transaction()
        account_id = await self._account_of(caller)
        row = await fetch_one(_HOLDER, *self._vault.indexes(ID_NUMBER, id_number.reveal()))
        if row is None:
            return None
        holder_id, takeover_id, now = as_uuid(row["id"]), self._ids.uuid(), self._clock.now()
        # Two at once for one person wait here for each other: the second stops the first.
        await execute(_HOLD, holder_id)
        await fetch(_STOP_OTHERS, holder_id, caller.citizen_id, now)
        effective_at = now + self._cool_down
        await fetch(_ASK, takeover_id, holder_id, caller.citizen_id, account_id, now, effective_at)
        await self._jobs.enqueue(COMPLETE, after=self._cool_down, takeover_id=takeover_id)
        await self._tell("auth.takeover-asked", caller.actor, holder_id, takeover_id)
        return TakeoverView(takeover_id, Side.CLAIMANT, TakeoverState.WAITING, "", now, effective_at)

    async def list_takeovers(
        self, caller: Caller, *, before: tuple[datetime, UUID] | None = None, limit: int = 20
    ) -> list[TakeoverView]:
        """Return the takeovers that concern the caller on either side, newest first, those before one when given.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        rows = await fetch(_LIST, caller.citizen_id, *(before or _AFTER_ALL), limit)
        return [_view(row, caller.citizen_id) for row in rows]

    async def stop(self, caller: Caller, takeover_id: UUID) -> bool:
        """Stop a takeover that waits, as its holder or as who has asked; return whether there was such a one.

        Raises:
            LevelTooLow: the caller holds the account and is not at `present`.
        """

        async def work() -> bool:
            row = await fetch_one(_SIDES, takeover_id)
            if row is None or caller.citizen_id not in {as_uuid(row["holder_id"]), as_uuid(row["claimant_id"])}:
                return False
            holder_id = as_uuid(row["holder_id"])
            if caller.citizen_id == holder_id and caller.level is not Level.PRESENT:
                raise LevelTooLow.needing(Level.PRESENT)
            if not await fetch(_END, takeover_id, TakeoverState.STOPPED.value, self._clock.now(), _NEVER):
                return False
            await self._tell("auth.takeover-stopped", caller.actor, holder_id, takeover_id)
            return True

        return await transaction(work)

    async def complete(self, takeover_id: str) -> Change:
        """Give the change that ends a takeover whose cool-down is over; nothing happens to one that was stopped."""
        return lambda: self._complete(UUID(takeover_id))

    async def _complete(self, takeover_id: UUID) -> None:
        now = self._clock.now()
        rows = await fetch(_END, takeover_id, TakeoverState.DONE.value, now, now)
        if not rows:
            return
        holder_id, claimant_id = as_uuid(rows[0]["holder_id"]), as_uuid(rows[0]["claimant_id"])
        account_id = as_uuid(rows[0]["account_id"])
        # The same order everywhere, so that two transactions never wait for each other.
        both = [await execute(_HOLD, citizen_id) for citizen_id in sorted((holder_id, claimant_id))]
        if sum(both) != len(both) or await execute(_MERGE, claimant_id) != 1:
            # One of the two was closed, or the new account got a name of its own meanwhile.
            await execute("UPDATE takeover SET state = 'stopped' WHERE id = $1", takeover_id)
            await self._tell("auth.takeover-stopped", SYSTEM, holder_id, takeover_id)
            return
        for row in await fetch(_OLD_ACCOUNTS, holder_id):
            newcomer = await add_newcomer(self._ids.uuid(), now)
            await execute(_PART, as_uuid(row["id"]), newcomer.citizen_id)
        await execute(_MOVE, account_id, holder_id, claimant_id, now)
        for citizen_id in (holder_id, claimant_id):
            await execute(_END_SESSIONS, citizen_id, now)
            self._recent.changed(citizen_id)
        await self._tell("auth.taken-over", SYSTEM, holder_id, takeover_id)

    async def _account_of(self, caller: Caller) -> UUID:
        row = await fetch_one(_CLAIM, caller.session_id, caller.citizen_id)
        if row is None:
            raise TakeoverImpossible
        return as_uuid(row["account_id"])

    async def _tell(self, action: str, actor: Actor, holder_id: UUID, takeover_id: UUID) -> None:
        """Tell the holder: in their ledger, and by every way they can be reached."""
        await self._audit.record(
            action, actor=actor, subject_id=holder_id, object_kind="takeover", object_id=takeover_id
        )  # fmt: skip
        await self._jobs.enqueue("notices.tell", event=action, citizen_id=holder_id, object_id=takeover_id)


def _view(row: Mapping[str, Any], me: UUID) -> TakeoverView:
    return TakeoverView(
        id=as_uuid(row["id"]),
        side=Side.HOLDER if as_uuid(row["holder_id"]) == me else Side.CLAIMANT,
        state=TakeoverState(row["state"]),
        mark=row["openid_hash"][:8],
        asked_at=as_moment(row["asked_at"]),
        effective_at=as_moment(row["effective_at"]),
        ended_at=None if row["ended_at"] is None else as_moment(row["ended_at"]),
    )
