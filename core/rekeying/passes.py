"""Going over everything that was made with an earlier key, a batch of rows at a time.

A batch changes only what still stands as it was read, so residents who change it meanwhile win; a second look at the
same rows changes nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from core.crypto import RecordUnreadable, Vault, data_key_of
from core.db import IntegrityError, as_uuid, execute, fetch, transaction
from core.log import get_logger

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class SealedColumn:
    """A column that the vault seals. `bound_to` is the name that it is sealed under, `row_id` the id of its row."""

    table: str
    column: str
    bound_to: str
    row_id: str = "id"


@dataclass(frozen=True, slots=True)
class IndexedColumn:
    """A blind index, and the sealed column that holds the value it is made of.

    `bound_to` is the name of the index; the sealed column has the same, or `sealed_as`. `person` is the column that
    says under whose own key the value may be sealed; none: it is under the data keys.
    """

    table: str
    column: str
    sealed: str
    bound_to: str
    sealed_as: str | None = None
    person: str | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    """What came of one batch. `last` is where the next one begins; None: nothing is left."""

    last: UUID | None
    seen: int = 0
    rewritten: int = 0
    failed: int = 0


class Pass(Protocol):
    """One thing to go over from its first row to its last."""

    @property
    def name(self) -> str:
        """What it is: `table.column`, or `files`."""
        ...

    async def batch(self, after: UUID, limit: int) -> Batch:
        """Bring up to `limit` of what comes after an id to the current key.

        Raises:
            Unavailable: the database or the file store could not be reached; go on from the same place later.
        """
        ...


class SealedPass:
    """Seals a column anew under the current data key."""

    def __init__(self, column: SealedColumn, vault: Vault) -> None:
        self._vault = vault
        self._bound_to = column.bound_to
        self.name = f"{column.table}.{column.column}"
        # Names of tables and columns are constants of the code; values are parameters.
        self._read = (
            f"SELECT {column.row_id} AS id, {column.column} AS sealed FROM {column.table} "  # noqa: S608
            f"WHERE {column.column} IS NOT NULL AND {column.row_id} > $1 ORDER BY {column.row_id} LIMIT $2"
        )
        self._write = (
            f"UPDATE {column.table} SET {column.column} = $3 "  # noqa: S608
            f"WHERE {column.row_id} = $1 AND {column.column} = $2"
        )

    async def batch(self, after: UUID, limit: int) -> Batch:
        """Seal up to `limit` values anew.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        rows = await fetch(self._read, after, limit)

        async def work() -> Batch:
            rewritten = failed = 0
            for row in rows:
                # Under a person's own key: that key is sealed anew, and with it all that it has sealed.
                if data_key_of(row["sealed"]) in {self._vault.data_keys.current, None}:
                    continue
                changed = await self._seal_anew(row)
                rewritten += bool(changed)
                failed += changed is None
            return Batch(_last(rows, limit), len(rows), rewritten, failed)

        return await transaction(work)

    async def _seal_anew(self, row: Mapping[str, Any]) -> int | None:
        row_id, sealed = as_uuid(row["id"]), bytes(row["sealed"])
        try:
            text = self._vault.open(self._bound_to, row_id, sealed)
        except RecordUnreadable:
            log.error("a sealed value does not open", name=self.name)
            return None
        return await execute(self._write, row_id, sealed, self._vault.seal(self._bound_to, row_id, text))


class IndexPass:
    """Makes a blind index anew under the current key, from the sealed value beside it."""

    def __init__(self, column: IndexedColumn, vault: Vault) -> None:
        self._vault = vault
        self._bound_to = column.bound_to
        self._sealed_as = column.sealed_as or column.bound_to
        self.name = f"{column.table}.{column.column}"
        self._read = (
            f"SELECT t.id, t.{column.column} AS digest, t.{column.sealed} AS sealed, {_whose(column)} "
            f"WHERE t.{column.column} IS NOT NULL AND t.{column.sealed} IS NOT NULL AND t.id > $1 "
            "ORDER BY t.id LIMIT $2"
        )
        self._write = f"UPDATE {column.table} SET {column.column} = $3 WHERE id = $1 AND {column.column} = $2"  # noqa: S608

    async def batch(self, after: UUID, limit: int) -> Batch:
        """Make up to `limit` indexes anew.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        rows = await fetch(self._read, after, limit)
        rewritten = failed = 0
        stale = []
        for row in rows:
            try:
                value = self._open(row)
            except RecordUnreadable:
                log.error("a sealed value does not open", name=self.name)
                failed += 1
                continue
            digest = self._vault.index(self._bound_to, value)
            if digest != row["digest"]:
                stale.append((as_uuid(row["id"]), str(row["digest"]), digest))
        try:
            rewritten = await transaction(lambda: self._write_all(stale))
        except IntegrityError:
            # One of them is taken: then each by itself, so that one clash holds up nobody else.
            for each in stale:
                try:
                    rewritten += await transaction(lambda each=each: self._write_all([each]))  # type: ignore[misc]
                except IntegrityError:
                    log.error("two rows claim one value", name=self.name)
                    failed += 1
        return Batch(_last(rows, limit), len(rows), rewritten, failed)

    def _open(self, row: Mapping[str, Any]) -> str:
        row_id = as_uuid(row["id"])
        if row["person_id"] is None:
            return self._vault.open(self._sealed_as, row_id, row["sealed"])
        whose = self._vault.of_person(as_uuid(row["person_id"]), row["wrapped"])
        return whose.open(self._sealed_as, row_id, row["sealed"])

    async def _write_all(self, stale: list[tuple[UUID, str, str]]) -> int:
        return sum([await execute(self._write, *each) for each in stale])


def _whose(column: IndexedColumn) -> str:
    """Return the rest of the list of what is read, and where: with the key of the person whose value it may be."""
    if column.person is None:
        return f"NULL AS person_id, NULL AS wrapped FROM {column.table} t"
    return (
        f"t.{column.person} AS person_id, k.wrapped "
        f"FROM {column.table} t LEFT JOIN person_key k ON k.person_id = t.{column.person}"
    )


def _last(rows: list[dict[str, Any]], limit: int) -> UUID | None:
    return as_uuid(rows[-1]["id"]) if len(rows) == limit else None
