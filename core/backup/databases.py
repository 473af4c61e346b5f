"""Copying a database out and in: SQLite beside a running server, PostgreSQL with its own tools."""

import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import unquote, urlsplit

from core.backup.archive import BackupRefused
from core.server_lock import ServerLock
from core.settings import CoreSettings, UnsafeSettings

_APPLICATION: Final = "zhijian"
_LASTS: Final = 6 * 3600


def free_aside(path: Path) -> Path:
    """Return where something that is replaced may stay: never on what an earlier restore has set aside."""
    aside, number = path.with_name(f"{path.name}.before-restore"), 1
    while aside.exists():
        number += 1
        aside = path.with_name(f"{path.name}.before-restore-{number}")
    return aside


class Copier(Protocol):
    """One kind of database."""

    name: str

    def dump(self, folder: Path) -> None:
        """Write the database as it is at one moment; nobody has to stop.

        Raises:
            BackupRefused: it cannot be done here.
        """
        ...

    def load(self, folder: Path, *, replace: bool) -> None:
        """Bring the database to what the backup holds. Nothing may run on it.

        Raises:
            BackupRefused: something runs on it, or it holds something and `replace` is not set.
        """
        ...


class Sqlite:
    """A SQLite file, by its online backup: a page that is written meanwhile is copied again."""

    name = "sqlite"
    _file: Final = "database.sqlite3"

    def __init__(self, url: str) -> None:
        self._url = url
        self._path = Path(url.removeprefix("sqlite:///"))

    def dump(self, folder: Path) -> None:
        """Copy the file beside whoever uses it, and check the copy.

        Raises:
            BackupRefused: there is no database, or the copy is not sound.
        """
        if not self._path.exists():
            raise BackupRefused(f"There is no database at {self._path}.")
        with (
            closing(sqlite3.connect(f"file:{self._path}?mode=ro", uri=True, timeout=30)) as source,
            closing(sqlite3.connect(folder / self._file)) as target,
        ):
            source.backup(target)
            # One file: what is in the backup needs no log beside it.
            target.execute("PRAGMA journal_mode = DELETE")
            if target.execute("PRAGMA integrity_check").fetchone() != ("ok",):
                raise BackupRefused("The copy of the database is not sound; the disk may be failing.")
        (folder / self._file).chmod(0o600)

    def load(self, folder: Path, *, replace: bool) -> None:
        """Put the copy into place; what was there is kept beside it.

        Raises:
            BackupRefused: a server runs on it, or there is a database and `replace` is not set.
        """
        lock = ServerLock.of_database(self._url)
        try:
            lock.take()
        except UnsafeSettings as error:
            raise BackupRefused(f"A server runs on {self._path}: stop it first.") from error
        try:
            if self._path.exists() and not replace:
                raise BackupRefused(f"There is a database at {self._path}; --replace moves it aside.")
            draft = self._path.with_name(f"{self._path.name}.restoring")
            shutil.copyfile(folder / self._file, draft)
            draft.chmod(0o600)
            # Only now: a disk without room for the draft leaves the database where it is.
            if self._path.exists():
                aside = free_aside(self._path)
                for ending in ("", "-wal", "-shm"):
                    old = self._path.with_name(self._path.name + ending)
                    if old.exists():
                        old.replace(aside.with_name(aside.name + ending))
            draft.replace(self._path)
        finally:
            lock.release()


class Postgres:
    """A PostgreSQL database, by `pg_dump` and `pg_restore` in their custom format."""

    name = "postgresql"
    _file: Final = "database.dump"

    def __init__(self, url: str) -> None:
        self._parts = urlsplit(url)

    def dump(self, folder: Path) -> None:
        """Have `pg_dump` write one snapshot.

        Raises:
            BackupRefused: `pg_dump` is not installed or did not succeed.
        """
        target = folder / self._file
        self._run("pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--file={target}")
        target.chmod(0o600)

    def load(self, folder: Path, *, replace: bool) -> None:
        """Have `pg_restore` bring the dump in, whole or not at all.

        Raises:
            BackupRefused: portals or workers are connected, the database has tables and `replace` is not set, or
                `pg_restore` is not installed or did not succeed.
        """
        if int(self._ask(f"SELECT count(*) FROM pg_stat_activity WHERE application_name = '{_APPLICATION}' "  # noqa: S608
                         "AND datname = current_database()")):  # fmt: skip
            raise BackupRefused("Portals or workers are connected to the database: stop them first.")
        tables = int(self._ask("SELECT count(*) FROM pg_tables WHERE schemaname = current_schema()"))
        if tables and not replace:
            raise BackupRefused("The database has tables; --replace drops what the backup has, too.")
        clean = ["--clean", "--if-exists"] if tables else []
        self._run(
            "pg_restore", "--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges", *clean,
            f"--dbname={self._database}", str(folder / self._file), names_database=False,
        )  # fmt: skip

    @property
    def _database(self) -> str:
        return unquote(self._parts.path.lstrip("/"))

    def _ask(self, sql: str) -> str:
        return self._run("psql", "--no-psqlrc", "--tuples-only", "--no-align", f"--command={sql}").strip()

    def _run(self, tool: str, *words: str, names_database: bool = True) -> str:
        path = shutil.which(tool)
        if path is None:
            raise BackupRefused(f"{tool} is not installed here: install the client tools of your PostgreSQL's version.")
        # The password goes by the environment: the command line is there for everybody to see.
        environment = {**os.environ, "PGAPPNAME": "zhijian-backup"}
        given = {
            "PGHOST": self._parts.hostname or "",
            "PGPORT": str(self._parts.port or 5432),
            "PGUSER": unquote(self._parts.username or ""),
            "PGPASSWORD": unquote(self._parts.password or ""),
        }
        environment |= {name: value for name, value in given.items() if value}
        database = [f"--dbname={self._database}"] if names_database else []
        done = subprocess.run(  # noqa: S603 — a tool of PostgreSQL with a list of our own arguments
            [path, *database, *words], env=environment, capture_output=True, text=True, timeout=_LASTS, check=False
        )
        if done.returncode:
            last = (done.stderr.strip().splitlines() or ["no message"])[-1]
            raise BackupRefused(f"{tool} did not succeed (exit code {done.returncode}): {last}")
        return done.stdout


def copier_of(settings: CoreSettings) -> Copier:
    """Return who copies the database of the settings."""
    url = settings.effective_database_url
    return Sqlite(url) if settings.is_sqlite else Postgres(url)
