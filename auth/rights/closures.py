"""Closing an account: asked for, waited out, done for good, and looked at again until nothing is kept any more."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from auth.errors import AccountClosed
from auth.places.recent import RecentSessions
from auth.ports import PersonalData
from auth.records import HOLD_ACTIVE
from auth.rights.errors import NoClosureWaits
from auth.rights.types import ClosureView
from auth.settings import RightsSettings
from auth.types import Caller, Kept
from core.audit.actors import SYSTEM
from core.audit.record import Audit
from core.clock import Clock
from core.crypto import Vault, destroy_person_key
from core.db import IntegrityError, as_moment, as_uuid, execute, fetch, fetch_one, transaction
from core.ids import Ids
from core.jobs.queue import Jobs
from core.log import get_logger

log = get_logger(__name__)

Change = Callable[[], Awaitable[None]]

# A request that was let in just before the closing may still write: it has long ended by then.
_STRAGGLERS: Final = timedelta(minutes=10)
# What has no date yet (a case that goes on) is asked after once in a while.
_MONTH: Final = timedelta(days=30)
_AT_ONCE: Final = 50

_ASK: Final = """
INSERT INTO account_closure (id, citizen_id, state, reason, requested_at, closes_at)
VALUES ($1, $2, 'waiting', 'own-wish', $3, $4) RETURNING id
"""
_WAITING: Final = """
SELECT id, requested_at, closes_at FROM account_closure WHERE citizen_id = $1 AND state = 'waiting'
"""
_TAKE_BACK: Final = """
UPDATE account_closure SET state = 'taken_back', ended_at = $2 WHERE citizen_id = $1 AND state = 'waiting' RETURNING id
"""
_CLOSE: Final = """
UPDATE account_closure SET state = 'closed', ended_at = $2, look_again_at = $3
WHERE id = $1 AND state = 'waiting' AND closes_at <= $2 RETURNING citizen_id
"""
# From here on nobody comes in: `closed` is not `active`, and the hashes by which somebody would be found go with it.
# Who has died since they asked wanted it as well, and nobody opens the account again.
_SHUT: Final = "UPDATE citizen SET state = 'closed' WHERE id = $1 AND state IN ('active', 'deceased')"
# Waits for logins by these accounts that are under way; what they have opened is seen by the next statement. The rows
# go last: others know by them what was theirs.
_HOLD_ACCOUNTS: Final = "UPDATE wechat_account SET citizen_id = citizen_id WHERE citizen_id = $1"
_END_SESSIONS: Final = """
UPDATE citizen_session SET ended_at = $2, end_reason = 'account-closed', present_until = NULL
WHERE citizen_id = $1 AND ended_at IS NULL
"""
_DUE: Final = """
SELECT id, citizen_id FROM account_closure WHERE state = 'closed' AND look_again_at <= $1
ORDER BY look_again_at LIMIT $2
"""
_LOOKED: Final = "UPDATE account_closure SET look_again_at = $2 WHERE id = $1"


class Closures:
    """Closes accounts. A resident may take it back until the day; after it, what identified them opens never again.

    `sources` are erased in their order: auth comes last, since the others may have to know whose data they erase.
    """

    def __init__(
        self,
        *,
        recent: RecentSessions,
        sources: Sequence[PersonalData],
        vault: Vault,
        audit: Audit,
        jobs: Jobs,
        clock: Clock,
        ids: Ids,
        settings: RightsSettings,
    ) -> None:
        self._recent = recent
        self._sources = sources
        self._vault = vault
        self._audit = audit
        self._jobs = jobs
        self._clock = clock
        self._ids = ids
        self._waits = timedelta(days=settings.closing_days)

    async def request(self, caller: Caller) -> ClosureView:
        """Ask for the closing of the caller's account; asking again while it waits changes nothing.

        Raises:
            AccountClosed: it is closed already.
            DatabaseUnavailable: the database could not be reached.
        """

        async def work() -> bool:
            if await execute(HOLD_ACTIVE, caller.citizen_id) != 1:
                raise AccountClosed
            if await fetch_one(_WAITING, caller.citizen_id) is not None:
                return False
            closure_id, now = self._ids.uuid(), self._clock.now()
            await fetch(_ASK, closure_id, caller.citizen_id, now, now + self._waits)
            await self._jobs.enqueue("auth.close-account", after=self._waits, closure_id=closure_id)
            await self._tell(caller, "auth.closure-requested", closure_id)
            await self._jobs.enqueue(
                "notices.tell", event="auth.closure-requested", citizen_id=caller.citizen_id, object_id=closure_id
            )
            return True

        try:
            is_new = await transaction(work)
        except IntegrityError:  # The database itself lets one wait.
            is_new = False
        return await self._view(caller.citizen_id, is_new=is_new)

    async def get_current(self, caller: Caller) -> ClosureView:
        """Return the closing that waits, with what would be kept and what would stop if it happened as things are.

        Raises:
            NoClosureWaits: none does.
        """
        return await self._view(caller.citizen_id, is_new=False)

    async def take_back(self, caller: Caller) -> None:
        """Take the closing back; the account goes on as it was.

        Raises:
            NoClosureWaits: none waits, or it is being carried out at this very moment.
        """

        async def work() -> None:
            row = await fetch_one(_TAKE_BACK, caller.citizen_id, self._clock.now())
            if row is None:
                raise NoClosureWaits
            await self._tell(caller, "auth.closure-taken-back", as_uuid(row["id"]))

        await transaction(work)

    async def close(self, closure_id: str) -> Change:
        """Return the change that closes an account whose day has come (job `auth.close-account`).

        It is one transaction: nobody ever sees half of it. One that was taken back, or is done, is left alone.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        row_id = UUID(closure_id)

        async def change() -> None:
            now = self._clock.now()
            row = await fetch_one(_CLOSE, row_id, now, now + _STRAGGLERS)
            if row is None:
                return
            citizen_id = as_uuid(row["citizen_id"])
            await execute(_SHUT, citizen_id)
            await execute(_HOLD_ACCOUNTS, citizen_id)
            await execute(_END_SESSIONS, citizen_id, now)
            self._recent.changed(citizen_id)
            await self._erase(citizen_id, now)
            await destroy_person_key(citizen_id)
            await self._audit.record(
                "auth.account-closed",
                actor=SYSTEM,
                subject_id=citizen_id,
                object_kind="closure",
                object_id=row_id,
                outcome="own-wish",
            )

        return change

    async def look_again(self) -> int:
        """Erase what came in while accounts were closing, and what was kept and is due; return how many rows went.

        It runs from the timetable; running it twice erases nothing twice.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        now, gone = self._clock.now(), 0
        for row in await fetch(_DUE, now, _AT_ONCE):
            gone += await transaction(lambda row=row: self._look_at(row, now))  # type: ignore[misc]
        return gone

    async def _look_at(self, row: Mapping[str, Any], now: datetime) -> int:
        citizen_id, closure_id = as_uuid(row["citizen_id"]), as_uuid(row["id"])
        erased, kept = await self._erase(citizen_id, now)
        erased["person_key"] = int(await destroy_person_key(citizen_id))
        await execute(_LOOKED, closure_id, _next_look(kept, now))
        gone = sum(erased.values())
        if gone:
            log.info("erased after a closing", count=gone)
            await self._audit.record(
                "auth.remains-erased",
                actor=SYSTEM,
                subject_id=citizen_id,
                object_kind="closure",
                object_id=closure_id,
                field_names=sorted(table for table, count in erased.items() if count),
            )
        return gone

    async def _erase(self, citizen_id: UUID, now: datetime) -> tuple[dict[str, int], list[Kept]]:
        erased: dict[str, int] = {}
        kept: list[Kept] = []
        for source in self._sources:
            erasure = await source.erase(citizen_id, now)
            for table, count in erasure.erased.items():
                erased[table] = erased.get(table, 0) + count
            kept += erasure.kept
        return erased, kept

    async def _view(self, citizen_id: UUID, *, is_new: bool) -> ClosureView:
        row = await fetch_one(_WAITING, citizen_id)
        if row is None:
            raise NoClosureWaits
        closes_at = as_moment(row["closes_at"])
        outlooks = [await source.foresee(citizen_id, closes_at) for source in self._sources]
        return ClosureView(
            id=as_uuid(row["id"]),
            requested_at=as_moment(row["requested_at"]),
            closes_at=closes_at,
            kept=tuple(kept for outlook in outlooks for kept in outlook.kept),
            stops=tuple(stop for outlook in outlooks for stop in outlook.stops),
            is_new=is_new,
        )

    async def _tell(self, caller: Caller, action: str, closure_id: UUID) -> None:
        await self._audit.record(
            action,
            actor=caller.actor,
            subject_id=caller.citizen_id,
            object_kind="closure",
            object_id=closure_id,
        )


def _next_look(kept: Sequence[Kept], now: datetime) -> datetime | None:
    """Return when something may be due: the earliest date, or in a month where the date is not known yet."""
    return min((each.until or now + _MONTH for each in kept if not each.is_for_good), default=None)
