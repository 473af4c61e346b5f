"""The database: the only way to a transaction, and constant SQL for hot paths (`core/database.py` opens it).

`await transaction(work)` runs `work` in a task of its own behind a shield. Sanic cancels handlers when clients hang up,
and Tortoise keeps the connection for good when it is cancelled while beginning; so a caller may vanish, but the
transaction it began always runs to its end (docs/decisions/0005).
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextvars import ContextVar
from datetime import datetime
from typing import Any, Final, Literal, TypeVar, cast
from uuid import UUID

import asyncpg
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.connection import get_connection
from tortoise.exceptions import DBConnectionError, IntegrityError, OperationalError, TransactionManagementError
from tortoise.transactions import in_transaction

from core.errors import Unavailable
from core.sql.begun import Begun
from core.sql.together import for_sqlite, together, together_if

T = TypeVar("T")
Row = Mapping[str, Any]
Work = Callable[[], Awaitable[T]]

CONNECTION: Final = "default"


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
    """One running transaction and what to do once it is committed; `only_later` is what one statement can be."""

    __slots__ = ("after_commit", "connection", "only_later", "pending", "read_back")

    def __init__(self, *, only_later: bool = False) -> None:
        self.only_later = only_later
        self.connection: BaseDBAsyncClient | None = None
        self.pending: list[tuple[str, tuple[object, ...]]] = []
        self.read_back: set[str] = set()
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
    return await _to_its_end(_run(work))


async def in_one_statement(work: Work[T]) -> T:
    """Run `work`, which writes by `later` alone, and send its rows as one statement: without BEGIN, COMMIT and a wait.

    It is a transaction in all else: whole or not at all, and to its end even when the caller is cancelled. Nothing can
    be read inside on PostgreSQL; SQLite, which has no way to wait for, runs it as any other. Inside a transaction it
    joins that one, whose rows go out with it.

    Raises:
        DatabaseUnavailable: the database could not be reached or did not take the rows.
        IntegrityError: a constraint forbids a row, and nothing was written.
    """
    if _current.get() is not None or not is_postgres():
        return await transaction(work)
    return cast("T", await _to_its_end(_run_as_one(work)))


async def in_one_statement_if(taken: tuple[Any, ...], work: Work[T]) -> T | None:
    """Do the same behind a compare-and-set, an `UPDATE … RETURNING id` with its values: None, and no row, if it fails.

    `work` runs before that is known, unless a transaction is running: then both join it.

    Raises:
        DatabaseUnavailable: as `in_one_statement`, and so for the other.
    """
    if _current.get() is None and is_postgres():
        return await _to_its_end(_run_as_one(work, taken))

    async def both() -> T | None:
        return await work() if await fetch(*taken) else None

    return await transaction(both)


async def _to_its_end(running: Coroutine[Any, Any, T]) -> T:
    task = asyncio.create_task(running)
    _running.add(task)
    task.add_done_callback(_finished)
    return await asyncio.shield(task)


async def _run_as_one(work: Work[T], taken: tuple[Any, ...] = ()) -> T | None:
    unit = _Unit(only_later=True)
    token = _current.set(unit)
    try:
        result = await work()
    finally:
        _current.reset(token)
    if not await _flush(unit, taken):
        return None
    for hook in unit.after_commit:
        hook()
    return result


def _finished(task: asyncio.Task[Any]) -> None:
    _running.discard(task)
    if not task.cancelled():
        task.exception()  # Mark it as seen: the caller may be gone.


async def _run(work: Work[T]) -> T:
    unit = _Unit()
    token = _current.set(unit)
    try:
        async with Begun(in_transaction(CONNECTION)) as unit.connection:
            result = await work()
            await _flush(unit)
    except Exception as error:
        if is_outage(error):
            raise DatabaseUnavailable(retry_after=2) from error
        raise
    finally:
        unit.connection = None
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
    if isinstance(error, asyncpg.InterfaceError) and isinstance(error, ValueError):
        return False  # A value of ours that fits no column.
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
    unit = _current.get()
    if unit is not None and unit.connection is not None:
        return unit.connection
    return get_connection(CONNECTION)


def _bind(values: tuple[object, ...], *, sqlite: bool) -> list[object]:
    if sqlite:
        return [
            str(value) if isinstance(value, UUID) else _json(value) if isinstance(value, dict | list) else value
            for value in values
        ]
    return [_json(value) if isinstance(value, dict | list) else value for value in values]


_encoder: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def _json(value: object) -> str:
    return _encoder.encode(value)


async def fetch(sql: str, *values: object) -> list[dict[str, Any]]:
    """Run constant SQL with `$1` parameters and return its rows; also for `… RETURNING`.

    Raises:
        DatabaseUnavailable: the database could not be reached.
        IntegrityError: a constraint of the tables forbids it.
    """
    db = connection()
    if db.capabilities.dialect != "sqlite":
        return [dict(row) for row in await _ask(db, "fetch", sql, values)]
    try:
        return await db.execute_query_dict(for_sqlite(sql), _bind(values, sqlite=True))
    except Exception as error:
        if is_outage(error):
            raise DatabaseUnavailable(retry_after=2) from error
        raise


async def _ask(db: Any, how: Literal["fetch", "execute"], sql: str, values: tuple[object, ...]) -> Any:  # noqa: ANN401 — asyncpg's
    """Let PostgreSQL's own library run a statement, past Tortoise's wrapping of each call, with the same failures."""
    unit = _current.get()
    if unit is not None and unit.only_later:
        raise OutsideTransaction("one statement writes rows for later and can do nothing before")
    if unit is not None and unit.read_back and any(table in sql for table in unit.read_back):
        await _flush(unit)
    bound = _bind(values, sqlite=False)
    try:
        pool: asyncpg.Pool | None = db._pool if unit is None else None  # noqa: SLF001 — its own way costs three wrappers
        if pool is not None:
            return await getattr(pool, how)(sql, *bound)
        async with db.acquire_connection() as raw:
            return await getattr(raw, how)(sql, *bound)
    except asyncpg.IntegrityConstraintViolationError as error:
        raise IntegrityError(error) from error
    except Exception as error:
        if is_outage(error):
            raise DatabaseUnavailable(retry_after=2) from error
        raise


async def later(sql: str, *values: object, read_from: str = "") -> None:
    """Write a row within the running transaction; `sql` is a constant `INSERT` or `UPDATE … RETURNING`.

    On PostgreSQL such rows go out together, in one round trip just before the commit. `read_from` names the table where
    somebody may read the row back before: they go out ahead of such a statement. No two of them change one row.

    Raises:
        OutsideTransaction: no transaction is running.
        DatabaseUnavailable: the database could not be reached.
        IntegrityError: a constraint forbids the row; on PostgreSQL this ends the transaction at its commit.
    """
    unit = _current.get()
    if unit is None:
        raise OutsideTransaction("this write belongs into a transaction")
    if connection().capabilities.dialect == "sqlite":
        await fetch(sql, *values)
        return
    unit.pending.append((sql, values))
    if read_from:
        unit.read_back.add(read_from)


async def _flush(unit: _Unit, taken: tuple[Any, ...] = ()) -> bool:
    """Send what `later` has gathered, behind a compare-and-set where there is one; tell whether it was written."""
    pending, unit.pending = unit.pending, []
    unit.read_back.clear()
    texts = tuple((sql, len(values)) for sql, values in pending)
    given = [value for _, values in pending for value in values]
    if taken:
        sql, *first = taken
        return bool(await fetch(together_if(sql, len(first), texts), *first, *given))
    if pending:
        await fetch(together(texts), *given)
    return True


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
    if db.capabilities.dialect != "sqlite":
        status = await _ask(db, "execute", sql, values)
        # `UPDATE 3`; statements that touch no rows (`DROP TRIGGER`) end in no number.
        count = status.rpartition(" ")[2]
        return int(count) if count.isdigit() else 0
    try:
        count, _ = await db.execute_query(for_sqlite(sql), _bind(values, sqlite=True))
    except Exception as error:
        if is_outage(error):
            raise DatabaseUnavailable(retry_after=2) from error
        raise
    return count


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


__all__ = [
    "CONNECTION",
    "DatabaseUnavailable",
    "InsideTransaction",
    "IntegrityError",
    "OutsideTransaction",
    "Row",
    "Work",
    "after_commit",
    "as_json",
    "as_moment",
    "as_uuid",
    "connection",
    "drain",
    "execute",
    "fetch",
    "fetch_one",
    "forbid_inside_transaction",
    "in_one_statement",
    "in_one_statement_if",
    "is_outage",
    "is_postgres",
    "later",
    "require_transaction",
    "transaction",
]
