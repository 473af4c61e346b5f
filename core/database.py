"""Opening and closing the database: SQLite beside one server, or a PostgreSQL pool."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import asyncpg
from tortoise import Tortoise

from core.db import CONNECTION, drain, fetch
from core.settings import CoreSettings


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
                # What is deleted is overwritten: a destroyed key must not be found in the free pages of the file.
                "secure_delete": "ON",
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
