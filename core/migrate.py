"""Bringing the database to the schema of this code, and refusing to serve another one.

Tortoise makes tables; what it cannot make on both databases (partial indexes, triggers) stands in each domain's
`_guards.py` under `migrations/` and is laid on after every run, since a remade SQLite table loses them silently.
"""

import importlib
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from typing import Any, Final

from tortoise.migrations.executor import MigrationExecutor, MigrationTarget, PlanStep

from core.database import close_database, open_database
from core.db import DatabaseUnavailable, connection, fetch, is_outage, is_postgres
from core.settings import UnsafeSettings

Report = Callable[[str], None]

_NO_LIMITS: Final = {"statement_timeout": "0", "idle_in_transaction_session_timeout": "0"}
_LOCK: Final = 0x7A686A_02  # Any constant that only migrations use.


async def migrate(config: Mapping[str, Any], report: Report = lambda _line: None) -> None:
    """Apply what is missing, then lay the guards on; several processes may start at once, one of them works.

    Raises:
        DatabaseUnavailable: the database cannot be reached.
    """
    await open_database(without_time_limits(config))
    try:
        alone: AbstractAsyncContextManager[None] = _only_one_process(_LOCK) if is_postgres() else nullcontext()
        async with alone:
            await _migrate(config, report)
    finally:
        await close_database()


@asynccontextmanager
async def _only_one_process(lock: int) -> AsyncIterator[None]:
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


async def _migrate(config: Mapping[str, Any], report: Report) -> None:
    executor = MigrationExecutor(connection(), dict(config["apps"]))
    targets = _newest(config)
    for step in await executor.plan(targets):
        report(f"migration {_name(step)}")
    await executor.migrate(targets)
    there = await indexes()
    for app in config["apps"]:
        for name, statements in guards_of(app).items():
            if name not in there:
                report(f"guard {name}")
            for sql in statements:
                await connection().execute_script(sql)


def without_time_limits(config: Mapping[str, Any]) -> dict[str, Any]:
    """An index over a large table may take minutes; so may waiting for another process that makes it."""
    connections = {}
    for name, made in config["connections"].items():
        credentials = dict(made["credentials"])
        if "server_settings" in credentials:
            credentials["command_timeout"] = None
            credentials["server_settings"] = credentials["server_settings"] | _NO_LIMITS
        connections[name] = {**made, "credentials": credentials}
    return {**config, "connections": connections}


def _name(step: PlanStep) -> str:
    return f"{step.migration.app_label}.{step.migration.name}"


def _newest(config: Mapping[str, Any]) -> list[MigrationTarget]:
    return [MigrationTarget(app_label=label, name="__latest__") for label in config["apps"]]


def guards_of(app: str) -> dict[str, list[str]]:
    """Return a domain's guards for the open database: name → statements that can be run again and again."""
    name = f"migrations.{app}._guards"
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name not in {name, f"migrations.{app}"}:
            raise
        return {}
    guards: dict[str, list[str]] = {name: [sql] for name, sql in getattr(module, "GUARDS", {}).items()}
    own = "POSTGRES_GUARDS" if is_postgres() else "SQLITE_GUARDS"
    guards.update({name: list(sqls) for name, sqls in getattr(module, own, {}).items()})
    return guards


async def pending(config: Mapping[str, Any]) -> list[str]:
    """Return the migrations that the open database lacks.

    Raises:
        DatabaseUnavailable: the database cannot be reached.
    """
    executor = MigrationExecutor(connection(), dict(config["apps"]))
    return [_name(step) for step in await executor.plan(_newest(config))]


async def require_current(config: Mapping[str, Any]) -> None:
    """Refuse to go on with a schema that is not this code's.

    Raises:
        UnsafeSettings: migrations are missing.
    """
    missing = await pending(config)
    if missing:
        raise UnsafeSettings(f"The database lacks {len(missing)} migrations; run `python -m scripts.prepare` first.")


async def indexes() -> set[str]:
    """Return the names of all indexes and triggers of the open database."""
    if is_postgres():
        rows = await fetch(
            "SELECT indexname AS name FROM pg_indexes WHERE schemaname = current_schema() "
            "UNION SELECT tgname AS name FROM pg_trigger WHERE NOT tgisinternal",
        )
    else:
        rows = await fetch("SELECT name FROM sqlite_master WHERE type IN ('index', 'trigger')")
    return {str(row["name"]) for row in rows}
