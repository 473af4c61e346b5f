"""The database as the floor speaks to it: asyncpg, or aiosqlite where there is no PostgreSQL; nothing in between."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from functools import lru_cache
from typing import Any, Final, Protocol
from uuid import UUID

import aiosqlite
import asyncpg

Row = Mapping[str, Any]
_POOL: Final = 16


class Statements(Protocol):
    """Something that runs statements with `$1` parameters."""

    async def fetch(self, sql: str, *values: object) -> Sequence[Row]:
        """Run a statement and return its rows."""
        ...


class Store(Statements, Protocol):
    """A database: single statements, or several in one transaction."""

    async def close(self) -> None:
        """Close every connection."""
        ...

    def transaction(self) -> Any:  # noqa: ANN401 — an async context manager that gives `Statements`
        """Begin a transaction; it is committed at the end of the context."""
        ...


class _Unreset(asyncpg.Connection):  # type: ignore[misc]
    """As the product's pool: no session state, so no round trip to reset it on release."""

    def get_reset_query(self) -> str:
        return ""


class PostgresStore:
    """asyncpg with a pool as large as the product's."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    @classmethod
    async def open(cls, url: str) -> "PostgresStore":
        """Open the pool with all its connections."""
        settings = {"jit": "off"}
        pool = await asyncpg.create_pool(
            url, min_size=_POOL, max_size=_POOL, connection_class=_Unreset, server_settings=settings
        )
        return cls(pool)

    async def fetch(self, sql: str, *values: object) -> Sequence[Row]:
        """Run a statement and return its rows."""
        rows: Sequence[Row] = await self._pool.fetch(sql, *values)
        return rows

    async def close(self) -> None:
        """Close the pool."""
        await self._pool.close()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Statements]:
        """Begin a transaction on a connection of the pool."""
        async with self._pool.acquire() as connection, connection.transaction():
            yield connection


@lru_cache(maxsize=256)
def _for_sqlite(sql: str) -> str:
    return sql.replace("$", "?")


def _bound(value: object) -> object:
    if isinstance(value, UUID):
        return str(value)
    return value.isoformat(" ") if isinstance(value, datetime) else value


class SqliteStore:
    """aiosqlite with one connection; transactions take turns, as there is one writer."""

    def __init__(self, connection: aiosqlite.Connection) -> None:
        self._connection = connection
        self._turn = asyncio.Lock()

    @classmethod
    async def open(cls, path: str) -> "SqliteStore":
        """Open the file as durably as the product does."""
        connection = await aiosqlite.connect(path, isolation_level=None)
        connection.row_factory = aiosqlite.Row
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "busy_timeout = 5000", "foreign_keys = ON"):
            await connection.execute(f"PRAGMA {pragma}")
        return cls(connection)

    async def fetch(self, sql: str, *values: object) -> Sequence[Row]:
        """Run a statement and return its rows."""
        async with self._turn:
            return await self.fetch_in_turn(sql, *values)

    async def fetch_in_turn(self, sql: str, *values: object) -> Sequence[Row]:
        """Run a statement of the transaction that has the turn."""
        bound = [_bound(value) for value in values]
        rows: list[Any] = list(await self._connection.execute_fetchall(_for_sqlite(sql), bound))
        return rows

    async def close(self) -> None:
        """Close the connection."""
        await self._connection.close()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Statements]:
        """Begin a transaction when the one before has ended."""
        async with self._turn:
            await self._connection.execute("BEGIN")
            try:
                yield _InTurn(self)
            except BaseException:
                await self._connection.execute("ROLLBACK")
                raise
            await self._connection.execute("COMMIT")


class _InTurn:
    """The statements of a running SQLite transaction."""

    def __init__(self, store: SqliteStore) -> None:
        self._store = store

    async def fetch(self, sql: str, *values: object) -> Sequence[Row]:
        return await self._store.fetch_in_turn(sql, *values)


async def open_store(url: str) -> Store:
    """Open a database by its address."""
    if url.startswith("sqlite:///"):
        return await SqliteStore.open(url.removeprefix("sqlite:///"))
    return await PostgresStore.open(url)
