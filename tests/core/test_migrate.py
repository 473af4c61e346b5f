"""Migrations bring any database to this code's schema once, with its guards, and say what is missing."""

import asyncio
import sys
import uuid
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from core.database import close_database, open_database, orm_config
from core.db import connection, fetch, is_postgres
from core.migrate import guards_of, indexes, migrate, pending, require_current
from core.settings import CoreSettings, UnsafeSettings
from tests.conftest import SERVICES_DATABASE, _admin, models_that_exist

PROCESS = """
import asyncio, json, sys
from core.migrate import migrate
from tests.conftest import _config
asyncio.run(migrate(_config(sys.argv[1])))
"""


@pytest.fixture
async def empty(tmp_path: Path) -> AsyncIterator[str]:
    """The address of a database in which nothing is."""
    if not SERVICES_DATABASE:
        yield f"sqlite:///{tmp_path / 'empty.sqlite3'}"
        return
    name = f"zhijian_empty_{uuid.uuid4().hex[:12]}"
    await _admin(SERVICES_DATABASE, f'CREATE DATABASE "{name}"')
    yield urlsplit(SERVICES_DATABASE)._replace(path=f"/{name}").geturl()
    await _admin(SERVICES_DATABASE, f'DROP DATABASE "{name}" WITH (FORCE)')


def config_of(url: str) -> dict[str, Any]:
    return orm_config(CoreSettings(database_url=url), models_that_exist())


async def test_an_empty_database_gets_everything_and_a_second_run_is_quiet(empty: str) -> None:
    config = config_of(empty)
    first: list[str] = []
    await migrate(config, first.append)
    assert any(line.startswith("migration core.0001") for line in first)
    assert any(line.startswith("guard audit_line") for line in first)

    second: list[str] = []
    await migrate(config, second.append)
    # What is neither index nor trigger (functions) is laid on each time.
    assert [line for line in second if line.startswith("migration") or "audit_line" in line] == []

    await open_database(config)
    assert any(name.startswith("audit_line_no") for name in await indexes())
    assert await pending(config) == []
    await require_current(config)
    await close_database()


async def test_a_database_without_migrations_is_refused(empty: str) -> None:
    config = config_of(empty)
    await open_database(config)
    assert "core.0001_initial" in await pending(config)
    with pytest.raises(UnsafeSettings, match=r"scripts\.prepare"):
        await require_current(config)
    await close_database()


async def test_guards_that_were_lost_are_laid_on_again(database: Mapping[str, Any]) -> None:
    lost = "audit_line_no_change" if is_postgres() else "audit_line_no_update"
    assert lost in await indexes()
    await connection().execute_script(f"DROP TRIGGER {lost}" + (" ON audit_line" if is_postgres() else ""))
    assert lost not in await indexes()
    await close_database()
    told: list[str] = []
    await migrate(database, told.append)
    await open_database(database)
    assert f"guard {lost}" in told
    assert lost in await indexes()


async def test_an_app_without_guards_has_none(database: Mapping[str, Any]) -> None:
    assert guards_of("no_such_domain") == {}


async def test_the_limits_of_statements_hold_again_after_migrating(empty: str) -> None:
    config = config_of(empty)
    await migrate(config)
    await open_database(config)
    if is_postgres():
        assert await fetch("SHOW statement_timeout") == [{"statement_timeout": "2500ms"}]
    assert await fetch("SELECT count(*) AS n FROM job") == [{"n": 0}]
    await close_database()


async def test_processes_that_start_at_once_migrate_once(empty: str) -> None:
    if not SERVICES_DATABASE:
        pytest.skip("one process alone uses a SQLite file")
    started = [
        await asyncio.create_subprocess_exec(sys.executable, "-c", PROCESS, empty, stderr=asyncio.subprocess.PIPE)
        for _ in range(3)
    ]
    ends = await asyncio.gather(*(process.communicate() for process in started))
    assert [process.returncode for process in started] == [0, 0, 0], ends
