"""What processes make of a change of keys: new ones are taken up, what stands under earlier ones is brought along.

Two clockworks call this. `look` is for every process: it takes up what the key folder and the database say now.
`go_on` is for workers: it goes over rows in batches, with a row that tells how far it is, until nothing needs the
earlier key; then `python -m scripts.keys retire` lets it be destroyed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from core.audit.actors import SYSTEM
from core.audit.record import Audit
from core.clock import Clock
from core.crypto import Vault
from core.db import as_moment, execute, fetch, fetch_one, transaction
from core.keyring.data_keys import retire_data_keys
from core.keyring.ring import KeyRing
from core.log import get_logger
from core.metrics import KEYS_BEHIND
from core.rekeying.passes import Batch, Pass
from core.settings import KeySettings

log = get_logger(__name__)

_FIRST: Final = UUID(int=0)
_LEASE: Final = timedelta(seconds=30)
# So long may one call go on: the timetable has other things to do, and stops between two of them.
_SLICE_SECONDS: Final = 0.5

_BEGIN: Final = """
INSERT INTO key_work (id, work, name, place, seen, rewritten, failed, passes, created_at)
VALUES ($1, $2, $3, $4, 0, 0, 0, 0, $5) ON CONFLICT (id) DO NOTHING RETURNING id
"""
# One worker at a time; one that died is followed when its lease has run out.
_TAKE: Final = """
UPDATE key_work SET leased_until = $2, began_at = COALESCE(began_at, $3)
WHERE id = $1 AND done_at IS NULL AND (leased_until IS NULL OR leased_until < $3)
RETURNING place, began_at, seen, rewritten, failed, passes
"""
_ON: Final = """
UPDATE key_work SET place = $3, seen = seen + $4, rewritten = rewritten + $5, failed = failed + $6, leased_until = $7
WHERE id = $1 AND place = $2 AND done_at IS NULL
"""
_STANDS: Final = "SELECT passes, began_at, done_at FROM key_work WHERE id = $1"
_LET_GO: Final = "UPDATE key_work SET leased_until = NULL WHERE id = $1"
_AGAIN: Final = """
UPDATE key_work SET place = $2, seen = 0, rewritten = 0, failed = 0, passes = passes + 1, began_at = NULL,
                    leased_until = NULL
WHERE id = $1 AND done_at IS NULL
"""
_DONE: Final = "UPDATE key_work SET done_at = $2, passes = passes + 1, leased_until = NULL WHERE id = $1"
_OF_WORK: Final = "SELECT name, seen, rewritten, failed, passes, done_at FROM key_work WHERE work = $1 ORDER BY name"
_DATA_KEYS: Final = "SELECT id, current_from FROM data_key WHERE retired_at IS NULL ORDER BY id"
_NOTED: Final = "SELECT id FROM key_note"
_NOTE: Final = "INSERT INTO key_note (id, at) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING RETURNING id"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far one pass of a work is. `failed` rows could not be brought along and are told in the log."""

    name: str
    seen: int
    rewritten: int
    failed: int
    passes: int
    is_done: bool


@dataclass(frozen=True, slots=True)
class Work:
    """Something to bring along: blind indexes or sealed values, to the key that is current since `since`."""

    id: str
    since: datetime


class KeyWork:
    """Takes up changed keys, and brings along what stands under earlier ones."""

    def __init__(
        self,
        *,
        ring: KeyRing,
        vault: Vault,
        audit: Audit,
        clock: Clock,
        settings: KeySettings,
        seals: Sequence[Pass],
        indexes: Sequence[Pass],
    ) -> None:
        self._ring = ring
        self._vault = vault
        self._audit = audit
        self._clock = clock
        self._settings = settings
        self._passes = {"data": tuple(seals), "index": tuple(indexes)}

    async def look(self) -> None:
        """Take up what changed in the key folder and among the data keys; every process does so once a second.

        Raises:
            DatabaseUnavailable: the database could not be reached.
            RecordUnreadable: a data key is wrapped by a key-encryption key that is not in the folder.
        """
        self._ring.refresh()
        await self._vault.load()

    async def go_on(self) -> None:
        """Follow the plan, note in the audit which keys came and went, and go over some more rows.

        Raises:
            DatabaseUnavailable: the database could not be reached.
            RecordUnreadable: a data key is wrapped by a key-encryption key that is not in the folder.
        """
        await transaction(self._follow)
        behind = 0
        for work in await open_works(self._ring, self._clock.now()):
            for each in self._passes[work.id.partition(":")[0]]:
                behind += not await self._pass(work, each)
        KEYS_BEHIND.set(behind)
        await self._retire()

    async def _follow(self) -> None:
        for words in await self._vault.data_keys.follow_plan():
            object_id, _, outcome = words.partition(" ")
            await self._tell(object_id, outcome)
        noted = {str(row["id"]) for row in await fetch(_NOTED)}
        sets = {
            "token": [key.kid for key in self._ring.tokens.keys],
            "issuer": [key.kid for key in self._ring.issuers.keys],
            "index": [key.kid for key in self._ring.indexes.keys],
            "kek": [key.kid for key in self._ring.keks.keys],
        }
        present = {f"{kind}:{kid}" for kind, kids in sets.items() for kid in kids}
        for each in sorted({f"{each}|came" for each in present} - noted):
            await self._note(each, "taken-up")
        for each in sorted({f"{each}|gone" for each in self._ring.retired} - noted):
            await self._note(each, "destroyed")

    async def _note(self, note: str, outcome: str) -> None:
        if await fetch(_NOTE, note, self._clock.now()):
            await self._tell(note.partition("|")[0], outcome)

    async def _tell(self, object_id: str, outcome: str) -> None:
        await self._audit.record(
            "core.key-changed", actor=SYSTEM, object_kind="key", object_id=object_id, outcome=outcome
        )

    async def _pass(self, work: Work, each: Pass) -> bool:
        """Go over some more rows of one pass; tell whether it has come to its end."""
        row_id, now = f"{work.id}|{each.name}", self._clock.now()
        settled_at = work.since + timedelta(seconds=self._settings.settle_seconds)

        async def take() -> dict[str, object] | None:
            await fetch(_BEGIN, row_id, work.id, each.name, _FIRST, now)
            return await fetch_one(_TAKE, row_id, now + _LEASE, now)

        stands = await fetch_one(_STANDS, row_id)
        if stands is not None and stands["done_at"] is not None:
            return True
        if stands is not None and int(stands["passes"]) and stands["began_at"] is None and now < settled_at:
            # What began before the change and is written after it would be missed: the last look comes later.
            return False
        row = await transaction(take)
        if row is None:
            return False
        return await self._go_over(row_id, each, row, may_end=as_moment(row["began_at"]) >= settled_at)

    async def _go_over(self, row_id: str, each: Pass, row: dict[str, object], *, may_end: bool) -> bool:
        place, until = UUID(str(row["place"])), self._clock.monotonic() + _SLICE_SECONDS
        rewritten = int(str(row["rewritten"]))
        while True:
            batch = await each.batch(place, self._settings.batch)
            rewritten += batch.rewritten
            if not await self._write(row_id, place, batch):
                return False
            if batch.last is None:
                return await self._end(row_id, is_last=may_end and rewritten == 0)
            place = batch.last
            if self._clock.monotonic() > until:
                await transaction(lambda: execute(_LET_GO, row_id))
                return False

    async def _write(self, row_id: str, place: UUID, batch: Batch) -> bool:
        lease = self._clock.now() + _LEASE
        return bool(
            await transaction(
                lambda: execute(
                    _ON, row_id, place, batch.last or place, batch.seen, batch.rewritten, batch.failed, lease
                ),
            ),
        )

    async def _end(self, row_id: str, *, is_last: bool) -> bool:
        now = self._clock.now()
        await transaction(lambda: execute(_DONE, row_id, now) if is_last else execute(_AGAIN, row_id, _FIRST))
        return is_last

    async def _retire(self) -> None:
        """Destroy the data keys that the folder says are to go, once nothing stands under them."""
        below = min(self._ring.data.retired_below, self._vault.data_keys.current)

        async def work() -> None:
            if not below or not await self.is_settled(f"data:{self._vault.data_keys.current}"):
                return
            if await retire_data_keys(below, self._clock.now()):
                await self._tell(f"data:{below - 1}", "destroyed")

        await transaction(work)

    async def is_settled(self, work_id: str) -> bool:
        """Tell whether everything of a work is brought along: every pass of it has come to its end without failures.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        names = {each.name for each in self._passes[work_id.partition(":")[0]]}
        return names <= {each.name for each in await progress_of(work_id) if each.is_done and not each.failed}


async def open_works(ring: KeyRing, now: datetime) -> list[Work]:
    """Return what is to be brought along now: a key is current and an earlier one is still there.

    Raises:
        DatabaseUnavailable: the database could not be reached.
    """
    works = []
    current = ring.indexes.current(now)
    if any(key is not current and key.current_from <= now for key in ring.indexes.keys):
        works.append(Work(f"index:{current.kid}", current.current_from))
    rows = await fetch(_DATA_KEYS)
    begun = [row for row in rows if row["current_from"] is None or as_moment(row["current_from"]) <= now]
    if len(begun) > 1:
        since = begun[-1]["current_from"]
        works.append(Work(f"data:{begun[-1]['id']}", as_moment(since) if since else datetime.min.replace(tzinfo=UTC)))
    return works


async def progress_of(work_id: str) -> list[Progress]:
    """Return how far each pass of a work is.

    Raises:
        DatabaseUnavailable: the database could not be reached.
    """
    return [
        Progress(
            name=row["name"],
            seen=int(row["seen"]),
            rewritten=int(row["rewritten"]),
            failed=int(row["failed"]),
            passes=int(row["passes"]),
            is_done=row["done_at"] is not None,
        )
        for row in await fetch(_OF_WORK, work_id)
    ]
