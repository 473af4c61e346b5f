"""The database: how it is opened, and the only way to a transaction.

`await transaction(work)` runs `work` in a task of its own behind a shield. Sanic cancels handlers when clients hang up,
and Tortoise keeps the connection for good when it is cancelled while beginning; so a caller may vanish, but the
transaction it began always runs to its end (docs/decisions/0005).
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from contextvars import ContextVar
from datetime import datetime
from functools import lru_cache
from typing import Any, Final, TypeVar
from urllib.parse import parse_qsl, unquote, urlsplit
from uuid import UUID

import asyncpg
from tortoise import Tortoise
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.connection import get_connection
from tortoise.exceptions import DBConnectionError, IntegrityError, OperationalError, TransactionManagementError
from tortoise.transactions import in_transaction

from core.errors import Unavailable
from core.server_lock import ServerLock
from core.settings import CoreSettings

T = TypeVar("T")
Row = Mapping[str, Any]
Work = Callable[[], Awaitable[T]]

CONNECTION: Final = "default"
# Each domain is a Tortoise app with its own migrations; the wiring passes those that exist.
APPS: Final = ("core", "auth", "face", "certificates", "matters")


class DatabaseUnavailable(Unavailable):
    """The database did not answer, or has no room."""

    code = "core.database-unavailable"
    title = "系统繁忙，请稍后再试"
    title_en = "The system is busy; please try again shortly"
    plain = "现在有点忙，请过一会儿再试。"


class OutsideTransaction(RuntimeError):
    """Something that belongs into a transaction was called outside one: a mistake in our code."""


class InsideTransaction(RuntimeError):
    """Something that must not happen in a transaction (a call out) was tried inside one: a mistake in our code."""


class _Unit:
    """One running transaction and what to do once it is committed."""

    __slots__ = ("after_commit",)

    def __init__(self) -> None:
        self.after_commit: list[Callable[[], None]] = []


_current: ContextVar[_Unit | None] = ContextVar("transaction", default=None)
_running: set[asyncio.Task[Any]] = set()


async def transaction(work: Work[T]) -> T:
    """Run `work` in one transaction and return what it returns; inside another it joins that one.

    The transaction goes on to its end even when the caller is cancelled.

    Raises:
        DatabaseUnavailable: the database could not be reached or did not take the change.
    """
    if _current.get() is not None:
        return await work()
    task = asyncio.create_task(_run(work))
    _running.add(task)
    task.add_done_callback(_finished)
    return await asyncio.shield(task)


def _finished(task: asyncio.Task[Any]) -> None:
    _running.discard(task)
    if not task.cancelled():
        task.exception()  # Mark it as seen: the caller may be gone.


async def _run(work: Work[T]) -> T:
    unit = _Unit()
    token = _current.set(unit)
    try:
        async with in_transaction(CONNECTION):
            result = await work()
    except Exception as error:
        if is_outage(error):
            raise DatabaseUnavailable(retry_after=2) from error
        raise
    finally:
        _current.reset(token)
    for hook in unit.after_commit:
        hook()
    return result


def after_commit(hook: Callable[[], None]) -> None:
    """Call `hook` once the running transaction is committed; it must neither block nor fail.

    Raises:
        OutsideTransaction: no transaction is running.
    """
    unit = _current.get()
    if unit is None:
        raise OutsideTransaction("after_commit outside a transaction")
    unit.after_commit.append(hook)


def require_transaction() -> None:
    """Refuse to go on outside a transaction.

    Raises:
        OutsideTransaction: no transaction is running.
    """
    if _current.get() is None:
        raise OutsideTransaction("this write belongs into a transaction")


def forbid_inside_transaction() -> None:
    """Refuse to go on inside a transaction: no call out may hold a connection.

    Raises:
        InsideTransaction: a transaction is running.
    """
    if _current.get() is not None:
        raise InsideTransaction("a call outside happens in no transaction")


async def drain() -> None:
    """Wait until every transaction that has begun has ended."""
    while _running:
        await asyncio.wait(set(_running))


def is_outage(error: BaseException) -> bool:
    """Tell whether an error means that the database is away, full or overloaded rather than that we asked wrongly."""
    if isinstance(error, OSError | TimeoutError | DBConnectionError | asyncpg.PostgresConnectionError):
        return True
    if isinstance(error, asyncpg.InsufficientResourcesError | asyncpg.OperatorInterventionError):
        return True
    # The third is what asyncpg says of a connection whose end it has read but not yet acted upon; nothing was sent.
    if isinstance(error, asyncpg.InterfaceError | asyncpg.TransactionRollbackError | asyncpg.InternalClientError):
        return True
    if isinstance(error, OperationalError | TransactionManagementError):
        text = str(error).lower()
        return any(word in text for word in ("locked", "disk", "full", "unable to open", "readonly", "i/o"))
    return False


# --- constant SQL for hot paths -------------------------------------------------------------------------------------


def connection() -> BaseDBAsyncClient:
    """Return Tortoise's connection: the running transaction's, or the pool."""
    return get_connection(CONNECTION)


@lru_cache(maxsize=512)
def _for_sqlite(sql: str) -> str:
    """`$1` is PostgreSQL's way to write a parameter; SQLite's is `?1`."""
    return sql.replace("$", "?")


def _bind(values: tuple[object, ...], *, sqlite: bool) -> list[object]:
    if sqlite:
        return [
            str(value) if isinstance(value, UUID) else _json(value) if isinstance(value, dict | list) else value
            for value in values
        ]
    return [_json(value) if isinstance(value, dict | list) else value for value in values]


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


async def fetch(sql: str, *values: object) -> list[dict[str, Any]]:
    """Run constant SQL with `$1` parameters and return its rows; also for `… RETURNING`.

    Raises:
        DatabaseUnavailable: the database could not be reached.
        IntegrityError: a constraint of the tables forbids it.
    """
    db = connection()
    sqlite = db.capabilities.dialect == "sqlite"
    try:
        return await db.execute_query_dict(_for_sqlite(sql) if sqlite else sql, _bind(values, sqlite=sqlite))
    except Exception as error:
        if is_outage(error):
            raise DatabaseUnavailable(retry_after=2) from error
        raise


async def fetch_one(sql: str, *values: object) -> dict[str, Any] | None:
    """Like `fetch`, for at most one row.

    Raises:
        DatabaseUnavailable: the database could not be reached.
    """
    rows = await fetch(sql, *values)
    return rows[0] if rows else None


async def execute(sql: str, *values: object) -> int:
    """Run a constant `UPDATE` or `DELETE` and return how many rows it touched.

    For an `INSERT` use `fetch(… RETURNING …)`: PostgreSQL counts inserts in another place.

    Raises:
        DatabaseUnavailable: the database could not be reached.
        IntegrityError: a constraint of the tables forbids it.
    """
    db = connection()
    sqlite = db.capabilities.dialect == "sqlite"
    try:
        count, _ = await db.execute_query(_for_sqlite(sql) if sqlite else sql, _bind(values, sqlite=sqlite))
    except Exception as error:
        if is_outage(error):
            raise DatabaseUnavailable(retry_after=2) from error
        raise
    return count


@asynccontextmanager
async def only_one_process(lock: int) -> AsyncIterator[None]:
    """Hold a lock of PostgreSQL that one process at a time can have; wait for it as long as statements may take.

    Raises:
        DatabaseUnavailable: the lock could not be had in time.
    """
    async with connection().acquire_connection() as raw:
        try:
            await raw.execute("SELECT pg_advisory_lock($1)", lock)
        except Exception as error:
            if is_outage(error):
                raise DatabaseUnavailable(retry_after=2) from error
            raise
        try:
            yield
        finally:
            await raw.execute("SELECT pg_advisory_unlock($1)", lock)


def is_postgres() -> bool:
    """Tell whether the open database is PostgreSQL."""
    return connection().capabilities.dialect != "sqlite"


def as_uuid(value: object) -> UUID:
    """Read a UUID column of a `fetch` row: SQLite keeps text."""
    return value if isinstance(value, UUID) else UUID(str(value))


def as_moment(value: object) -> datetime:
    """Read a time column of a `fetch` row: SQLite keeps text."""
    return value if isinstance(value, datetime) else datetime.fromisoformat(str(value))


def as_json(value: object) -> Any:  # noqa: ANN401 — JSON is what it is
    """Read a JSON column of a `fetch` row."""
    return json.loads(value) if isinstance(value, str | bytes) else value


# --- opening and closing -------------------------------------------------------------------------------------------


class _PooledConnection(asyncpg.Connection):  # type: ignore[misc]
    """A connection that is not reset on release: nobody here uses session state, and the reset is a round trip."""

    def get_reset_query(self) -> str:
        return ""


def orm_config(settings: CoreSettings, apps: Mapping[str, list[str]]) -> dict[str, Any]:
    """Return Tortoise's configuration; `apps` maps each domain to its model modules."""
    return {
        "connections": {CONNECTION: _connection_config(settings)},
        "apps": {
            name: {"models": modules, "default_connection": CONNECTION, "migrations": f"migrations.{name}"}
            for name, modules in apps.items()
        },
        "use_tz": True,
        "timezone": "UTC",
    }


def _connection_config(settings: CoreSettings) -> dict[str, Any]:
    url = settings.effective_database_url
    if settings.is_sqlite:
        return {
            "engine": "tortoise.backends.sqlite",
            # FULL: a 202 is only honest once the log is on the disk.
            "credentials": {
                "file_path": url.removeprefix("sqlite:///"),
                "journal_mode": "WAL",
                "synchronous": "FULL",
                "busy_timeout": 5000,
                "foreign_keys": "ON",
            },
        }
    parts = urlsplit(url)
    return {
        "engine": "tortoise.backends.asyncpg",
        "credentials": {
            "host": parts.hostname,
            "port": parts.port or 5432,
            "user": unquote(parts.username or ""),
            "password": unquote(parts.password) if parts.password else None,
            "database": unquote(parts.path.lstrip("/")),
            "ssl": dict(parse_qsl(parts.query)).get("sslmode", "prefer"),
            "minsize": 2,
            "maxsize": settings.database.pool,
            "connection_class": _PooledConnection,
            "command_timeout": settings.database.statement_timeout_ms / 1000 + 0.5,
            "timeout": 5,
            "server_settings": {
                "application_name": "zhijian",
                "statement_timeout": str(settings.database.statement_timeout_ms),
                "idle_in_transaction_session_timeout": str(settings.database.idle_in_transaction_timeout_ms),
                "jit": "off",
            },
        },
    }


async def open_database(config: Mapping[str, Any]) -> None:
    """Open the database for this process and make the pool before anything is served.

    Raises:
        DatabaseUnavailable: it cannot be reached.
    """
    await Tortoise.init(config=dict(config), _enable_global_fallback=True)
    try:
        await fetch("SELECT 1")
    except BaseException:
        await Tortoise.close_connections()
        raise


async def close_database() -> None:
    """Let running transactions end, then close the pool."""
    await drain()
    await Tortoise.close_connections()


__all__ = [
    "APPS",
    "DatabaseUnavailable",
    "InsideTransaction",
    "IntegrityError",
    "OutsideTransaction",
    "Row",
    "ServerLock",
    "Work",
    "after_commit",
    "as_json",
    "as_moment",
    "as_uuid",
    "close_database",
    "connection",
    "drain",
    "execute",
    "fetch",
    "fetch_one",
    "forbid_inside_transaction",
    "is_outage",
    "is_postgres",
    "only_one_process",
    "open_database",
    "orm_config",
    "require_transaction",
    "transaction",
]
