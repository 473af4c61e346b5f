"""Make an operator: `python -m scripts.create_operator USERNAME`. The first one can be made in no other way.

The password and the secret of the one-time codes are shown this once, or kept in a file that only this user may read
(`--keep FILE`, for demonstrations; what is there already stays). `--code FILE` prints the one-time code of the moment
from such a file, for trying things out without an app.
"""

import argparse
import asyncio
import json
import os
import sys
from contextlib import ExitStack
from pathlib import Path

import pyotp
from rich.console import Console

from api.wiring.auth import AuthServices
from api.wiring.domains import MODELS
from api.wiring.ground import Ground
from api.wiring.settings import Settings, load_settings
from auth.errors import UsernameTaken
from auth.types import NewOperator, Role
from core.clock import SystemClock
from core.database import close_database, open_database, orm_config
from core.db import DatabaseUnavailable
from core.migrate import require_current
from core.server_lock import ServerLock
from core.settings import UnsafeSettings

console = Console(highlight=False, stderr=True)


async def create(settings: Settings, username: str, role: Role) -> NewOperator:
    """Make the operator in the installation's database.

    Raises:
        UnsafeSettings: a server is using the SQLite file, or the database lacks migrations.
        UsernameTaken: there is one of that name.
        DatabaseUnavailable: the database cannot be reached.
        ValueError: the name is not made of 3 to 64 lower-case letters, digits, dots and dashes.
    """
    with ExitStack() as held:
        if settings.is_sqlite:
            lock = ServerLock.of_database(settings.effective_database_url)
            lock.take()
            held.callback(lock.release)
        config = orm_config(settings, MODELS)
        await open_database(config)
        ground = Ground.build(settings)
        try:
            await require_current(config)
            await ground.vault.load()
            return await AuthServices.build(ground).operators.create(username, role)
        finally:
            await ground.cache.close()
            await ground.limits.close()
            await close_database()


def keep(operator: NewOperator, path: Path) -> None:
    """Write the operator's way in into a new file that only this user may read."""
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(file, "w") as out:
        json.dump(
            {"username": operator.username, "password": operator.password, "otpauth_uri": operator.otpauth_uri},
            out,
            indent=2,
        )
        out.write("\n")


def code_of(path: Path) -> str:
    """Return the one-time code of this moment for a kept operator.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is none that `keep` has written.
    """
    try:
        parsed = pyotp.parse_uri(json.loads(path.read_text())["otpauth_uri"])
    except (KeyError, TypeError) as error:
        raise ValueError("no operator is kept in this file") from error
    if not isinstance(parsed, pyotp.TOTP):
        raise ValueError("no operator is kept in this file")  # noqa: TRY004 — the contract says ValueError
    return parsed.at(SystemClock().now())


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m scripts.create_operator", description=__doc__)
    parser.add_argument("username", nargs="?", help="3 to 64 lower-case letters, digits, dots and dashes")
    parser.add_argument("--role", type=Role, choices=list(Role), default=Role.SYSTEM_ADMIN)
    parser.add_argument("--keep", metavar="FILE", type=Path, help="write the way in into this new file")
    parser.add_argument("--code", metavar="FILE", type=Path, help="print the code of the moment from such a file")
    chosen = parser.parse_args(arguments)
    try:
        if chosen.code is not None:
            print(code_of(chosen.code))
            return 0
        if chosen.username is None:
            parser.error("a username is needed")
        if chosen.keep is not None and chosen.keep.exists():
            return 0
        operator = asyncio.run(create(load_settings(), chosen.username, chosen.role))
    except (UnsafeSettings, ValueError, OSError) as error:
        console.print(f"[red]✗[/red] {error}")
        return 2
    except UsernameTaken:
        console.print(f"[red]✗[/red] There is an operator {chosen.username} already; choose another name.")
        return 2
    except DatabaseUnavailable:
        console.print("[red]✗[/red] The database cannot be reached: check ZHIJIAN_DATABASE_URL and that it runs.")
        return 3
    if chosen.keep is not None:
        keep(operator, chosen.keep)
        return 0
    print(f"username  {operator.username}")
    print(f"password  {operator.password}")
    print(f"one-time  {operator.otpauth_uri}")
    console.print("Shown this once: put the last line into an authenticator app and hand the password over.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
