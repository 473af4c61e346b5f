"""Make what an installation needs before it starts: folders, keys, the schema, the calendar, the face network.

What is there stays as it is, so this can run before every start.
"""

import argparse
import asyncio
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console

from api.wiring.domains import MODELS
from api.wiring.embedded import EmbeddedFolder
from api.wiring.running.warm import fill_calendar, warm_face_models
from api.wiring.settings import Settings, read_settings
from core.crypto import make_keys
from core.database import close_database, open_database, orm_config
from core.db import DatabaseUnavailable
from core.migrate import migrate, pending
from core.server_lock import ServerLock
from core.settings import UnsafeSettings

console = Console(highlight=False, stderr=True)


def _step(text: str) -> None:
    console.print(f"[cyan]▸[/cyan] {text}")


async def bring_up(settings: Settings) -> None:
    """Bring the database to the newest schema and fill its calendar, unless a server runs on it that needs neither.

    Raises:
        UnsafeSettings: a server runs on the SQLite file and migrations are missing.
        DatabaseUnavailable: the database cannot be reached.
    """
    config = orm_config(settings, MODELS)
    if not settings.is_sqlite:
        await _migrate_and_fill(config)
        return
    lock = ServerLock.of_database(settings.effective_database_url)
    try:
        lock.take()
    except UnsafeSettings:
        if await _missing(config):
            raise
        _step("a server is running on this database, which is up to date: left as it is")
        return
    try:
        await _migrate_and_fill(config)
    finally:
        lock.release()


async def _missing(config: Mapping[str, Any]) -> list[str]:
    await open_database(config)
    try:
        return await pending(config)
    finally:
        await close_database()


async def _migrate_and_fill(config: Mapping[str, Any]) -> None:
    done: list[str] = []
    with console.status("bringing the database to the newest schema…"):
        await migrate(config, done.append)
    migrations = [line for line in done if line.startswith("migration")]
    if migrations:
        _step(f"{len(migrations)} migrations applied")
    years = await fill_calendar(config)
    if years:
        _step(f"working-day calendar filled for {', '.join(map(str, years))}")


async def _prepare(settings: Settings) -> None:
    await bring_up(settings)
    with console.status("converting the face network (once, some seconds)…"):
        made = await asyncio.to_thread(warm_face_models, settings)
    if made:
        _step("face network converted")


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m scripts.prepare", description=__doc__)
    parser.add_argument("--keys", metavar="FOLDER", type=Path, help="only make keys in this folder, for production")
    chosen = parser.parse_args(arguments)
    # Folders, keys and the database are for the user who runs this.
    os.umask(0o077)
    try:
        if chosen.keys is not None:
            for name in make_keys(chosen.keys):
                _step(f"made {name}; keep a copy outside this machine")
            return 0
        settings = read_settings()
        if not settings.is_production:
            for name in EmbeddedFolder(settings.data_dir).prepare():
                _step(f"made {name}")
        asyncio.run(_prepare(settings))
    except UnsafeSettings as error:
        console.print(f"[red]✗[/red] {error}")
        return 2
    except DatabaseUnavailable:
        console.print("[red]✗[/red] The database cannot be reached: check ZHIJIAN_DATABASE_URL and that it runs.")
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
