"""The rows of the wallet: reading them with constant SQL, sealing and opening what is personal in them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from certificates.types import State, Value
from core.clock import Clock
from core.crypto import PersonVault, Vault
from core.db import as_moment, as_uuid, execute, fetch, fetch_one, require_transaction
from core.ids import Ids

_NUMBER: Final = "certificate.number"
_IDENTIFIER: Final = "certificate.identifier"
_FIELDS: Final = "certificate.fields"

_LIST: Final = """
SELECT c.id, c.citizen_id, c.kind, c.state, c.valid_until, c.issuer, c.number_sealed, c.stale_since, k.wrapped
FROM certificate c LEFT JOIN person_key k ON k.person_id = c.citizen_id
WHERE c.citizen_id = $1 AND c.id > $2 AND (CAST($4 AS TEXT) = '' OR CAST($4 AS TEXT) LIKE '%,' || c.kind || ',%')
ORDER BY c.id LIMIT $3
"""
# The holder's own key comes with the row: everything personal in it is sealed under that.
_WITH_KEY: Final = "SELECT c.*, k.wrapped FROM certificate c LEFT JOIN person_key k ON k.person_id = c.citizen_id"
_FIND: Final = f"{_WITH_KEY} WHERE c.id = $1 AND c.citizen_id = $2"
_FIND_KIND: Final = f"{_WITH_KEY} WHERE c.citizen_id = $1 AND c.kind = $2"
_ALL: Final = f"{_WITH_KEY} WHERE c.citizen_id = $1 ORDER BY c.id"
_ADD: Final = """
INSERT INTO certificate (id, citizen_id, kind, state, version, valid_until, issuer, number_sealed, identifier_sealed,
                         fields_sealed, revision, fetched_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 1, $11) ON CONFLICT (citizen_id, kind) DO NOTHING RETURNING id
"""
_CHANGE: Final = """
UPDATE certificate SET state = $3, version = $4, valid_until = $5, issuer = $6, number_sealed = $7,
                       identifier_sealed = $8, fields_sealed = $9, fetched_at = $10, stale_since = NULL,
                       revision = revision + 1
WHERE id = $1 AND revision = $2
"""
_CONFIRM: Final = "UPDATE certificate SET fetched_at = $2, stale_since = NULL WHERE id = $1"
_CANCEL: Final = """
UPDATE certificate SET state = 'cancelled', fetched_at = $2, stale_since = NULL, revision = revision + 1
WHERE id = $1 AND state NOT IN ('cancelled', 'revoked')
"""
_MARK_STALE: Final = "UPDATE certificate SET stale_since = $2 WHERE id = $1 AND stale_since IS NULL"


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


@dataclass(frozen=True, slots=True, repr=False)
class Line:
    """A certificate as far as a list needs it."""

    id: UUID
    kind: str
    state: State
    valid_until: date | None
    issuer: str
    number: str
    stale_since: datetime | None


@dataclass(frozen=True, slots=True, repr=False)
class Record:
    """A row with its content opened. `revision` is what a change compares with."""

    id: UUID
    citizen_id: UUID
    kind: str
    content: Content
    revision: int
    fetched_at: datetime
    stale_since: datetime | None

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
            stale_since=self.stale_since,
        )


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
                valid_until=_as_day(row["valid_until"]),
                issuer=row["issuer"],
                number=holder.open(_NUMBER, row_id, row["number_sealed"]),
                stale_since=_as_moment(row["stale_since"]),
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
        return None if row is None else self._open(row)

    async def find_of_kind(self, citizen_id: UUID, kind: str) -> Record | None:
        """Return the certificate of a kind that a citizen holds, or None.

        Raises:
            DatabaseUnavailable: the database could not be reached.
            RecordUnreadable: the row does not open.
        """
        row = await fetch_one(_FIND_KIND, citizen_id, kind)
        return None if row is None else self._open(row)

    async def all_of(self, citizen_id: UUID) -> list[Record]:
        """Return everything a citizen holds, opened, oldest first.

        Raises:
            DatabaseUnavailable: the database could not be reached.
            RecordUnreadable: a row does not open.
        """
        return [self._open(row) for row in await fetch(_ALL, citizen_id)]

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
        )
        return row_id if rows else None

    async def change(self, record: Record, content: Content) -> bool:
        """Write new content; return False when somebody else has written since the record was read.

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
            content.state.value,
            content.version,
            content.valid_until,
            content.issuer,
            *_seal(holder, record.id, content),
            self._clock.now(),
        )
        return count == 1

    async def confirm(self, certificate_id: UUID) -> None:
        """Note that the issuer has just said the same again.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        await execute(_CONFIRM, certificate_id, self._clock.now())

    async def cancel(self, certificate_id: UUID) -> None:
        """Note that the issuer holds no such certificate any more.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        await execute(_CANCEL, certificate_id, self._clock.now())

    async def mark_stale(self, certificate_id: UUID) -> None:
        """Note since when the issuer cannot be asked; the first time counts.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        await execute(_MARK_STALE, certificate_id, self._clock.now())

    def _open(self, row: Mapping[str, Any]) -> Record:
        row_id, citizen_id = as_uuid(row["id"]), as_uuid(row["citizen_id"])
        holder = self._vault.of_person(citizen_id, row["wrapped"])
        return Record(
            id=row_id,
            citizen_id=citizen_id,
            kind=row["kind"],
            content=Content(
                state=State(row["state"]),
                version=int(row["version"]),
                valid_until=_as_day(row["valid_until"]),
                issuer=row["issuer"],
                number=holder.open(_NUMBER, row_id, row["number_sealed"]),
                identifier=holder.open(_IDENTIFIER, row_id, row["identifier_sealed"]),
                fields=json.loads(holder.open(_FIELDS, row_id, row["fields_sealed"])),
            ),
            revision=int(row["revision"]),
            fetched_at=as_moment(row["fetched_at"]),
            stale_since=_as_moment(row["stale_since"]),
        )


def _seal(holder: PersonVault, row_id: UUID, content: Content) -> tuple[bytes, bytes, bytes]:
    fields = json.dumps(dict(content.fields), ensure_ascii=False, separators=(",", ":"))
    return (
        holder.seal(_NUMBER, row_id, content.number),
        holder.seal(_IDENTIFIER, row_id, content.identifier),
        holder.seal(_FIELDS, row_id, fields),
    )


def _as_day(value: object) -> date | None:
    """Read a date column of a `fetch` row: SQLite keeps text."""
    return value if value is None or isinstance(value, date) else date.fromisoformat(str(value))


def _as_moment(value: object) -> datetime | None:
    return None if value is None else as_moment(value)
