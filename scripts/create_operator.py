"""Make an operator: `python -m scripts.create_operator USERNAME`. The first of each kind can be made in no other way.

A one-time secret is shown, which its holder exchanges for a password of their own and the one-time codes; it works once
and for a day. `--again` gives a new one to somebody who has lost their way in. `--keep FILE` does the exchange at once
and keeps the way in in a file that only this user may read (for demonstrations; what is there already stays).
`--code FILE` prints the one-time code of the moment from such a file, for trying things out without an app.
"""

import argparse
import asyncio
import json
import os
import secrets
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pyotp
from rich.console import Console

from api.wiring.auth import AuthServices
from api.wiring.domains import MODELS
from api.wiring.ground import Ground
from api.wiring.settings import Settings, load_settings
from auth.staff.errors import NoSuchOperator, UsernameTaken
from auth.staff.operators import Operators
from auth.staff.types import Invitation
from auth.types import Role, RoleGrant
from core.clock import SystemClock
from core.database import close_database, open_database, orm_config
from core.db import DatabaseUnavailable
from core.migrate import require_current
from core.server_lock import ServerLock
from core.settings import UnsafeSettings

console = Console(highlight=False, stderr=True)


class NobodyOfThatName(Exception):
    """There is no operator to invite again."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A demonstration's way in."""

    username: str
    password: str = field(repr=False)
    otpauth_uri: str = field(repr=False)


@asynccontextmanager
async def staff_of(settings: Settings) -> AsyncIterator[Operators]:
    """Open the installation's database and give its staff.

    Raises:
        UnsafeSettings: a server is using the SQLite file, or the database lacks migrations.
        DatabaseUnavailable: the database cannot be reached.
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
            yield AuthServices.build(ground).staff.operators
        finally:
            await ground.cache.close()
            await ground.limits.close()
            await close_database()


async def invite(settings: Settings, username: str, role: Role, *, again: bool) -> Invitation:
    """Invite somebody into the installation, or once more.

    Raises:
        UnsafeSettings: a server is using the SQLite file, or the database lacks migrations.
        UsernameTaken: there is one of that name.
        NobodyOfThatName: there is none to invite again.
        DatabaseUnavailable: the database cannot be reached.
        ValueError: the name is not made of 3 to 64 lower-case letters, digits, dots and dashes.
    """
    async with staff_of(settings) as operators:
        if not again:
            return await operators.invite(username, [RoleGrant(role)])
        operator_id = await operators.find_by_name(username)
        if operator_id is None:
            raise NobodyOfThatName
        return await operators.invite_again(operator_id)


async def make(settings: Settings, people: Sequence[tuple[str, Role]]) -> list[Kept]:
    """Invite people and accept for them, with passwords drawn by chance.

    Raises:
        Exception: as `invite`.
    """
    made = []
    async with staff_of(settings) as operators:
        for username, role in people:
            password = secrets.token_urlsafe(15)
            invitation = await operators.invite(username, [RoleGrant(role)])
            activated = await operators.activate(invitation.secret, password, address="keyboard")
            made.append(Kept(username, password, activated.otpauth_uri))
    return made


def keep(operator: Kept, path: Path) -> None:
    """Write a way in into a new file that only this user may read."""
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(file, "w") as out:
        json.dump(
            {"username": operator.username, "password": operator.password, "otpauth_uri": operator.otpauth_uri},
            out,
            indent=2,
        )
        out.write("\n")


def keep_all(settings: Settings, chosen: argparse.Namespace) -> None:
    """Make the people of a demonstration and keep their ways in.

    Raises:
        Exception: as `invite`; OSError where a file cannot be written.
    """
    people, files = [(chosen.username, chosen.role)], [chosen.keep]
    if chosen.second is not None:
        people.append((f"{chosen.username}-second", Role.SECURITY_ADMIN))
        files.append(chosen.second)
    for operator, path in zip(asyncio.run(make(settings, people)), files, strict=True):
        keep(operator, path)


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
    parser.add_argument("--again", action="store_true", help="invite an operator once more who has lost their way in")
    parser.add_argument("--keep", metavar="FILE", type=Path, help="write the way in into this new file")
    parser.add_argument("--second", metavar="FILE", type=Path, help="with --keep: a security administrator as well")
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
        settings = load_settings()
        if chosen.keep is not None:
            keep_all(settings, chosen)
            return 0
        invitation = asyncio.run(invite(settings, chosen.username, chosen.role, again=chosen.again))
    except (UnsafeSettings, ValueError, OSError) as error:
        console.print(f"[red]✗[/red] {error}")
        return 2
    except (NobodyOfThatName, NoSuchOperator):
        console.print(f"[red]✗[/red] There is no operator {chosen.username}.")
        return 2
    except UsernameTaken:
        console.print(f"[red]✗[/red] There is an operator {chosen.username} already; choose another name.")
        return 2
    except DatabaseUnavailable:
        console.print("[red]✗[/red] The database cannot be reached: check ZHIJIAN_DATABASE_URL and that it runs.")
        return 3
    print(f"username  {invitation.username}")
    print(f"secret    {invitation.secret}")
    print(f"until     {invitation.until.isoformat(timespec='minutes')}")
    console.print(
        "Shown this once. Its holder sends it with a password of at least 12 characters to "
        f"{settings.effective_public_url}/v1/staff/activations\n"
        '  {"secret": "…", "password": "…"}\n'
        "and gets the address for the authenticator app and ten recovery codes."
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
