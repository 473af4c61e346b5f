"""Make what an installation needs before it starts: folders, keys, the schema, the calendar, the face network.

What is there stays as it is, so this can run before every start.
"""

import argparse
import asyncio
import sys
from pathlib import Path

from rich.console import Console

from api.wiring.domains import MODELS
from api.wiring.embedded import EmbeddedFolder
from api.wiring.settings import Settings, read_settings
from api.wiring.warm import fill_calendar, warm_face_models
from core.crypto import make_keys
from core.db import DatabaseUnavailable, orm_config
from core.migrate import migrate
from core.settings import UnsafeSettings

console = Console(highlight=False, stderr=True)


def _step(text: str) -> None:
    console.print(f"[cyan]▸[/cyan] {text}")


async def _prepare(settings: Settings) -> None:
    config = orm_config(settings, MODELS)
    done: list[str] = []
    with console.status("bringing the database to the newest schema…"):
        await migrate(config, done.append)
    migrations = [line for line in done if line.startswith("migration")]
    if migrations:
        _step(f"{len(migrations)} migrations applied")
    years = await fill_calendar(config)
    if years:
        _step(f"working-day calendar filled for {', '.join(map(str, years))}")
    with console.status("converting the face network (once, some seconds)…"):
        made = await asyncio.to_thread(warm_face_models, settings)
    if made:
        _step("face network converted")


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m scripts.prepare", description=__doc__)
    parser.add_argument("--keys", metavar="FOLDER", type=Path, help="only make keys in this folder, for production")
    chosen = parser.parse_args(arguments)
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
