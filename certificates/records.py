"""The rows of the wallet: reading them with constant SQL, sealing and opening what is personal in them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from certificates.rules import at_version, in_effect
from certificates.types import State, Value
from core.clock import Clock
from core.crypto import PersonVault, Vault
from core.db import as_moment, as_uuid, execute, fetch, fetch_one, require_transaction
from core.ids import Ids

_NUMBER: Final = "certificate.number"
_IDENTIFIER: Final = "certificate.identifier"
_FIELDS: Final = "certificate.fields"

_LIST: Final = """
SELECT c.id, c.citizen_id, c.kind, c.state, c.valid_until, c.issuer, c.number_sealed, c.fetched_at,
       c.stale_since, c.looked_after_at, k.wrapped
FROM certificate c LEFT JOIN person_key k ON k.person_id = c.citizen_id
WHERE c.citizen_id = $1 AND c.id > $2 AND (CAST($4 AS TEXT) = '' OR CAST($4 AS TEXT) LIKE '%,' || c.kind || ',%')
ORDER BY c.id LIMIT $3
"""
# What somebody holds, without anything that has to be opened.
_STANDING: Final = """
SELECT id, kind, state, valid_until, fetched_at, stale_since, looked_after_at FROM certificate
WHERE citizen_id = $1 ORDER BY id LIMIT $2
"""
# The holder's own key comes with the row: everything personal in it is sealed under that.
_WITH_KEY: Final = "SELECT c.*, k.wrapped FROM certificate c LEFT JOIN person_key k ON k.person_id = c.citizen_id"
_FIND: Final = f"{_WITH_KEY} WHERE c.id = $1 AND c.citizen_id = $2"
_FIND_KIND: Final = f"{_WITH_KEY} WHERE c.citizen_id = $1 AND c.kind = $2"
_ALL: Final = f"{_WITH_KEY} WHERE c.citizen_id = $1 ORDER BY c.id"
_ADD: Final = """
INSERT INTO certificate (id, citizen_id, kind, state, told_state, held_back, version, valid_until, issuer,
                         number_sealed, identifier_sealed, fields_sealed, revision, fetched_at, remind_on)
VALUES ($1, $2, $3, $4, $4, '', $5, $6, $7, $8, $9, $10, 1, $11, $12)
ON CONFLICT (citizen_id, kind) DO NOTHING RETURNING id
"""
_CHANGE: Final = """
UPDATE certificate SET state = $3, told_state = $11, version = $4, valid_until = $5, issuer = $6, number_sealed = $7,
                       identifier_sealed = $8, fields_sealed = $9, fetched_at = $10, stale_since = NULL,
                       remind_on = CASE WHEN valid_until = $5 THEN remind_on ELSE $12 END, revision = revision + 1
WHERE id = $1 AND revision = $2
"""
_MOVE: Final = """
UPDATE certificate SET state = $3, told_state = $4, version = $5, identifier_sealed = $6, revision = revision + 1
WHERE id = $1 AND revision = $2
"""
_HOLD_STILL: Final = "UPDATE certificate SET revision = revision WHERE id = $1 AND revision = $2"
_CONFIRM: Final = "UPDATE certificate SET fetched_at = $2, stale_since = NULL WHERE id = $1"
_HOLD_BACK: Final = """
UPDATE certificate SET held_back = $2, revision = revision + 1,
    state = CASE WHEN told_state IN ('revoked', 'cancelled', 'moved') THEN told_state ELSE 'frozen' END
WHERE citizen_id = $1 AND held_back = '' RETURNING id
"""
_RELEASE: Final = """
UPDATE certificate SET held_back = '', revision = revision + 1, state = told_state
WHERE citizen_id = $1 AND held_back = $2 RETURNING id
"""
_MARK_STALE: Final = "UPDATE certificate SET stale_since = $2 WHERE id = $1 AND stale_since IS NULL"
_LOOK_AFTER: Final = """
UPDATE certificate SET looked_after_at = $2 WHERE id = $1 AND (looked_after_at IS NULL OR looked_after_at <= $3)
"""


@dataclass(frozen=True, slots=True, repr=False)
class Content:
    """What a certificate holds, in the clear."""

    state: State
    version: int
    valid_until: date | None
    issuer: str
    number: str
    identifier: str
    fields: Mapping[str, Value]
    # Only when writing: the day of the first reminder, should `valid_until` be new.
    remind_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """That a certificate is held, and how it stands: nothing about the person."""

    id: UUID
    kind: str
    state: State
    valid_until: date | None
    fetched_at: datetime
    stale_since: datetime | None
    looked_after_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Line(Standing):
    """A certificate as far as a list needs it."""

    issuer: str
    number: str


@dataclass(frozen=True, slots=True, repr=False)
class Record:
    """A row with its content opened. `revision` is what a change compares with.

    `content.state` is what holds, `told` what the issuer says; they differ while the certificate is `held_back`.
    """

    id: UUID
    citizen_id: UUID
    kind: str
    content: Content
    told: State
    held_back: str
    revision: int
    fetched_at: datetime
    stale_since: datetime | None
    looked_after_at: datetime | None

    @property
    def line(self) -> Line:
        """The same certificate as a list shows it."""
        return Line(
            id=self.id,
            kind=self.kind,
            state=self.content.state,
            valid_until=self.content.valid_until,
            issuer=self.content.issuer,
            number=self.content.number,
            fetched_at=self.fetched_at,
            stale_since=self.stale_since,
            looked_after_at=self.looked_after_at,
        )


async def standing_of(citizen_id: UUID, *, limit: int) -> list[Standing]:
    """Return how a citizen's certificates stand, oldest first, at most `limit`; nothing is opened for it.

    Raises:
        DatabaseUnavailable: the database could not be reached.
    """
    return [
        Standing(
            id=as_uuid(row["id"]),
            kind=row["kind"],
            state=State(row["state"]),
            valid_until=as_day(row["valid_until"]),
            fetched_at=as_moment(row["fetched_at"]),
            stale_since=_as_moment(row["stale_since"]),
            looked_after_at=_as_moment(row["looked_after_at"]),
        )
        for row in await fetch(_STANDING, citizen_id, limit)
    ]


class Records:
    """Certificates as they are kept. Writes belong into the caller's transaction, beside its audit line."""

    def __init__(self, *, vault: Vault, clock: Clock, ids: Ids) -> None:
        self._vault = vault
        self._clock = clock
        self._ids = ids

    async def list_of(
        self, citizen_id: UUID, *, after: UUID | None, limit: int, kinds: frozenset[str] | None = None
    ) -> list[Line]:
        """Return the certificates of a citizen, oldest first, at most `limit`, those after one when it is given.

        With `kinds` only those of these kinds.

        Raises:
            DatabaseUnavailable: the database could not be reached.
            RecordUnreadable: a row does not open.
        """
        # Slugs have neither commas nor the letters that mean something to LIKE.
        only = "" if kinds is None else f",{','.join(sorted(kinds))},"
        rows = await fetch(_LIST, citizen_id, after or UUID(int=0), limit, only)
        # All are one person's: their key is unwrapped once.
        holder = self._vault.of_person(citizen_id, rows[0]["wrapped"] if rows else None)
        return [
            Line(
                id=(row_id := as_uuid(row["id"])),
                kind=row["kind"],
                state=State(row["state"]),
                valid_until=as_day(row["valid_until"]),
                issuer=row["issuer"],
                number=holder.open(_NUMBER, row_id, row["number_sealed"]),
                fetched_at=as_moment(row["fetched_at"]),
                stale_since=_as_moment(row["stale_since"]),
                looked_after_at=_as_moment(row["looked_after_at"]),
            )
            for row in rows
        ]

    async def find(self, certificate_id: UUID, citizen_id: UUID) -> Record | None:
        """Return a certificate of a citizen, or None when it does not exist or is somebody else's.

        Raises:
            DatabaseUnavailable: the database could not be reached.
            RecordUnreadable: the row does not open.
        """
        row = await fetch_one(_FIND, certificate_id, citizen_id)
        return None if row is None else opened(row, self._vault)

    async def find_of_kind(self, citizen_id: UUID, kind: str) -> Record | None:
        """Return the certificate of a kind that a citizen holds, or None.

        Raises:
            DatabaseUnavailable: the database could not be reached.
            RecordUnreadable: the row does not open.
        """
        row = await fetch_one(_FIND_KIND, citizen_id, kind)
        return None if row is None else opened(row, self._vault)

    async def all_of(self, citizen_id: UUID) -> list[Record]:
        """Return everything a citizen holds, opened, oldest first.

        Raises:
            DatabaseUnavailable: the database could not be reached.
            RecordUnreadable: a row does not open.
        """
        return [opened(row, self._vault) for row in await fetch(_ALL, citizen_id)]

    async def add(self, citizen_id: UUID, kind: str, content: Content) -> UUID | None:
        """Write a new certificate and return its id, or None when one of the kind is there already.

        Raises:
            OutsideTransaction: no transaction is running.
            DatabaseUnavailable: the database could not be reached.
        """
        require_transaction()
        row_id = self._ids.uuid()
        holder = await self._vault.ensure_person(citizen_id)
        rows = await fetch(
            _ADD,
            row_id,
            citizen_id,
            kind,
            content.state.value,
            content.version,
            content.valid_until,
            content.issuer,
            *_seal(holder, row_id, content),
            self._clock.now(),
            content.remind_on,
        )
        return row_id if rows else None

    async def change(self, record: Record, content: Content) -> bool:
        """Write new content; return False when somebody else has written since the record was read.

        The state in it is the issuer's; what is held back stays frozen.

        Raises:
            OutsideTransaction: no transaction is running.
            DatabaseUnavailable: the database could not be reached.
        """
        require_transaction()
        holder = await self._vault.ensure_person(record.citizen_id)
        count = await execute(
            _CHANGE,
            record.id,
            record.revision,
            in_effect(content.state, record.held_back).value,
            content.version,
            content.valid_until,
            content.issuer,
            *_seal(holder, record.id, content),
            self._clock.now(),
            content.state.value,
            content.remind_on,
        )
        return count == 1

    async def move(self, record: Record, state: State, *, version: int) -> bool:
        """Write another state of the same certificate; return False when somebody else has written meanwhile.

        What it holds stays as it was last fetched.

        Raises:
            OutsideTransaction: no transaction is running.
            DatabaseUnavailable: the database could not be reached.
        """
        require_transaction()
        holder = await self._vault.ensure_person(record.citizen_id)
        identifier = at_version(record.content.identifier, version)
        count = await execute(
            _MOVE,
            record.id,
            record.revision,
            in_effect(state, record.held_back).value,
            state.value,
            version,
            holder.seal(_IDENTIFIER, record.id, identifier),
        )
        return count == 1

    async def confirm(self, certificate_id: UUID) -> None:
        """Note that the issuer has just said the same again.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        await execute(_CONFIRM, certificate_id, self._clock.now())

    async def mark_stale(self, certificate_id: UUID) -> None:
        """Note since when the issuer cannot be asked; the first time counts.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        await execute(_MARK_STALE, certificate_id, self._clock.now())

    async def look_after(self, certificate_id: UUID, *, not_since: datetime) -> bool:
        """Note that a certificate is fetched anew; return False when that was noted after `not_since` already.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        return await execute(_LOOK_AFTER, certificate_id, self._clock.now(), not_since) == 1


def opened(row: Mapping[str, Any], vault: Vault) -> Record:
    """Return a row of a certificate with its holder's key (`wrapped`) as it is in the clear.

    Raises:
        RecordUnreadable: it does not open.
    """
    row_id, citizen_id = as_uuid(row["id"]), as_uuid(row["citizen_id"])
    holder = vault.of_person(citizen_id, row["wrapped"])
    return Record(
        id=row_id,
        citizen_id=citizen_id,
        kind=row["kind"],
        content=Content(
            state=State(row["state"]),
            version=int(row["version"]),
            valid_until=as_day(row["valid_until"]),
            issuer=row["issuer"],
            number=holder.open(_NUMBER, row_id, row["number_sealed"]),
            identifier=holder.open(_IDENTIFIER, row_id, row["identifier_sealed"]),
            fields=json.loads(holder.open(_FIELDS, row_id, row["fields_sealed"])),
        ),
        told=State(row["told_state"]),
        held_back=row["held_back"],
        revision=int(row["revision"]),
        fetched_at=as_moment(row["fetched_at"]),
        stale_since=_as_moment(row["stale_since"]),
        looked_after_at=_as_moment(row["looked_after_at"]),
    )


async def hold_still(record: Record) -> bool:
    """Keep a row as it was read until the running transaction ends; False when somebody else has written since."""
    return await execute(_HOLD_STILL, record.id, record.revision) == 1


async def hold_back(citizen_id: UUID, reason: str) -> set[UUID]:
    """Freeze everything that somebody holds, whatever its issuers say; return what was not held back before.

    Raises:
        DatabaseUnavailable: the database could not be reached.
    """
    return {as_uuid(row["id"]) for row in await fetch(_HOLD_BACK, citizen_id, reason)}


async def release(citizen_id: UUID, reason: str) -> set[UUID]:
    """Let what was held back for a reason be again what its issuers say; return it.

    Raises:
        DatabaseUnavailable: the database could not be reached.
    """
    return {as_uuid(row["id"]) for row in await fetch(_RELEASE, citizen_id, reason)}


def _seal(holder: PersonVault, row_id: UUID, content: Content) -> tuple[bytes, bytes, bytes]:
    fields = json.dumps(dict(content.fields), ensure_ascii=False, separators=(",", ":"))
    return (
        holder.seal(_NUMBER, row_id, content.number),
        holder.seal(_IDENTIFIER, row_id, content.identifier),
        holder.seal(_FIELDS, row_id, fields),
    )


def as_day(value: object) -> date | None:
    """Read a date column of a `fetch` row: SQLite keeps text."""
    return value if value is None or isinstance(value, date) else date.fromisoformat(str(value))


def _as_moment(value: object) -> datetime | None:
    return None if value is None else as_moment(value)
