"""Where everything of one measurement stands: a data folder, a database and a Redis of its own, and the processes."""

import asyncio
import os
import secrets
import shutil
import sqlite3
import tempfile
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Final, Literal
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import msgspec
from rich.console import Console

from benchmarks.figures import Side
from benchmarks.machine import CannotMeasure, Cores, Program, family_of, free_port, module, pin
from benchmarks.store import Store, open_store

HOST: Final = "127.0.0.1"
# What `.ci/run` tries when nothing is said.
_USUAL: Final = "postgres://postgres@127.0.0.1:5432/postgres"
# What a caller writes rows into, in the measured operations.
TABLES: Final = (
    "citizen", "wechat_account", "citizen_session", "refresh_token", "audit_line", "kept_answer", "job", "application",
    "case_action", "delivery", "certificate_presentation",
)  # fmt: skip
# Limits that count per person would stop a load that comes from a few hundred of them.
_RAISED: Final = {
    "ZHIJIAN_ADDRESS_LIMITS": "off",
    "ZHIJIAN_AUTH__LIMITS__LOGIN_ALL": "1000000/second",
    "ZHIJIAN_AUTH__LIMITS__LOGIN_ACCOUNT": "1000000/minute",
    "ZHIJIAN_AUTH__LIMITS__IDENTITY_ACCOUNT": "1000000/6 hour",
    "ZHIJIAN_AUTH__LIMITS__IDENTITY_NUMBER": "1000000/6 hour",
    "ZHIJIAN_CERTIFICATES__FETCH_LIMIT": "1000000/minute",
    "ZHIJIAN_CERTIFICATES__SHOW_LIMIT": "1000000/minute",
    "ZHIJIAN_MATTERS__SUBMISSIONS_PER_HOUR": "1000000",
    "ZHIJIAN_MATTERS__START_LIMIT": "1000000/hour",
    "ZHIJIAN_MATTERS__CHECK_LIMIT": "1000000/minute",
    "ZHIJIAN_FACE__ATTEMPTS": "20",
    "ZHIJIAN_FACE__ELDER_ATTEMPTS": "20",
}

Database = Literal["PostgreSQL", "SQLite"]


class Place:
    """Starts everything, and leaves nothing behind."""

    def __init__(self, *, cores: Cores, console: Console, sqlite: bool, keep: bool) -> None:
        self._cores = cores
        self._console = console
        self._wants_sqlite = sqlite
        self._keep = keep
        self.folder = Path(tempfile.mkdtemp(prefix="zhijian-bench-"))
        self.database: Database = "SQLite"
        self.ports = {name: free_port() for name in ("portal", "sandbox", "front", "floor", "redis")}
        self._admin_url = ""
        self._database_name = f"zhijian_bench_{secrets.token_hex(4)}"
        self._programs: dict[str, Program] = {}
        self._has_redis = shutil.which("redis-server") is not None

    # --- what it is ---------------------------------------------------------------------------------------------------

    @property
    def portal(self) -> str:
        """The portal's address."""
        return f"http://{HOST}:{self.ports['portal']}"

    @property
    def sandbox(self) -> str:
        """The sandbox's address."""
        return f"http://{HOST}:{self.ports['sandbox']}"

    @property
    def shape(self) -> dict[str, str]:
        """What runs, for the report."""
        is_postgres = self.database == "PostgreSQL"
        return {
            "database": "PostgreSQL (asyncpg)" if is_postgres else "SQLite (aiosqlite): there is no PostgreSQL here",
            "redis": "a server of its own" if self._uses_redis else "inside the process",
            "processes": "portal, worker, sandbox" if is_postgres else "server with its worker inside, sandbox",
        }

    @property
    def _uses_redis(self) -> bool:
        return self._has_redis and self.database == "PostgreSQL"

    def port_of(self, side: Side) -> int:
        """Return where a side listens."""
        return self.ports["portal" if side == "ours" else "floor"]

    def pid_of(self, side: Side) -> int:
        """Return the number of the process that serves a side."""
        return self._programs["portal" if side == "ours" else "floor"].pid

    # --- starting and ending --------------------------------------------------------------------------------------

    async def open(self) -> None:
        """Start all that ours needs; the floor comes when the data is there.

        Raises:
            CannotMeasure: something does not start.
        """
        await self._find_database()
        (self.folder / "data").mkdir()
        if self._uses_redis:
            await self._start(
                "redis", ["redis-server", "--port", str(self.ports["redis"]), "--save", "", "--appendonly", "no"]
            )
        prepare = self._program("prepare", module("scripts.prepare"), self._product(), self._cores.loading)
        await prepare.start()
        await prepare.finish()
        await self._start("sandbox", module("sandbox"), self._sandbox(), f"{self.sandbox}/sandbox/people")
        await self._start("front", module("benchmarks.front", str(self.ports["front"]), self.sandbox))
        role = "portal" if self.database == "PostgreSQL" else "server"
        await self._start(
            "portal", module("api", role), self._product(), f"{self.portal}/health/ready", cores=self._cores.serving
        )

    async def start_floor(self) -> None:
        """Start the floor over the same data; with SQLite, over a copy of it.

        Raises:
            CannotMeasure: it does not start.
        """
        url = self._url
        if self.database == "SQLite":
            copy = self.folder / "floor.sqlite3"
            await asyncio.to_thread(_copy_sqlite, self._sqlite_file, copy)
            url = f"sqlite:///{copy}"
        settings = self.folder / "floor.json"
        told = {
            "database": url,
            "front": f"http://{HOST}:{self.ports['front']}",
            "token_key": str(self.folder / "data" / "keys" / "token.pem"),
        }
        settings.write_bytes(msgspec.json.encode(told))
        port = self.ports["floor"]
        await self._start(
            "floor",
            module("benchmarks.floor", str(port), str(settings)),
            None,
            f"http://{HOST}:{port}/health/live",
            cores=self._cores.serving,
        )

    async def start_worker(self) -> bool:
        """Start the worker, where it is a process of its own; return whether it is."""
        if self.database == "SQLite":
            return False
        await self._start("worker", module("api", "worker"), self._product())
        return True

    def words_of_worker(self) -> str:
        """Return the last words of the worker."""
        return self._programs["worker"].last_words()

    async def stop_worker(self) -> None:
        """End the worker, so that it takes no part in what is measured next."""
        await self._programs.pop("worker").stop()

    async def face(self, picture: Path, repeats: int) -> dict[str, float]:
        """Measure the face engine in a process of its own.

        Raises:
            CannotMeasure: it failed.
        """
        models = self.folder / "data" / "models"
        command = module("benchmarks.face", str(models), str(picture), str(repeats))
        # Its own children share the machine as they do in earnest.
        cores = self._cores.serving | self._cores.loading
        program = self._program("face", command, _without_settings(), cores)
        await program.start()
        await program.finish()
        told: dict[str, float] = msgspec.json.decode(program.log.read_bytes().splitlines()[-1])
        return told

    def let_all_cores_be_used(self) -> None:
        """Take portal, face engine and camera off their one processor, as they run in earnest."""
        for name in ("portal", "sandbox"):
            for pid in family_of(self._programs[name].pid):
                pin(pid, self._cores.serving | self._cores.loading)

    async def close(self) -> None:
        """End everything and remove what was made."""
        for program in reversed(self._programs.values()):
            await program.stop()
        if self._admin_url:
            connection = await asyncpg.connect(self._admin_url)
            await connection.execute(f"DROP DATABASE IF EXISTS {self._database_name} WITH (FORCE)")
            await connection.close()
        if self._keep:
            self._console.print(f"logs and data stay in {self.folder}")
        else:
            shutil.rmtree(self.folder, ignore_errors=True)

    # --- looking at the database ----------------------------------------------------------------------------------

    async def rows(self) -> dict[str, int]:
        """Count the rows of the tables that the measured operations write; PostgreSQL only."""
        connection = await asyncpg.connect(self._url)
        try:
            return {table: int(await connection.fetchval(f"SELECT count(*) FROM {table}")) for table in TABLES}  # noqa: S608 — our own names
        finally:
            await connection.close()

    async def store(self) -> Store:
        """Open the database of ours as the floor does, to write what takes a minute through the API."""
        return await open_store(self._url if self.database == "PostgreSQL" else f"sqlite:///{self._sqlite_file}")

    async def jobs_done(self) -> int:
        """Count the jobs that are done; PostgreSQL only."""
        connection = await asyncpg.connect(self._url)
        try:
            return int(await connection.fetchval("SELECT count(*) FROM job WHERE state = 'done'"))
        finally:
            await connection.close()

    async def backends(self) -> list[int]:
        """Return PostgreSQL's processes that serve this database, pinned beside the load; none with SQLite."""
        if self.database == "SQLite":
            return []
        connection = await asyncpg.connect(self._url)
        try:
            rows = await connection.fetch(
                "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        finally:
            await connection.close()
        pids = [int(row["pid"]) for row in rows]
        if self._cores.are_apart:
            for pid in pids:
                pin(pid, self._cores.loading)
        return pids

    # --- how each is started --------------------------------------------------------------------------------------

    async def _find_database(self) -> None:
        if self._wants_sqlite:
            return
        said = os.environ.get("ZHIJIAN_TEST_DATABASE_URL", "")
        try:
            connection = await asyncpg.connect(said or _USUAL, timeout=5)
        except (OSError, asyncpg.PostgresError, TimeoutError) as error:
            if said:
                raise CannotMeasure(f"ZHIJIAN_TEST_DATABASE_URL does not answer: {type(error).__name__}") from error
            return
        await connection.execute(f"CREATE DATABASE {self._database_name}")
        await connection.close()
        self._admin_url = said or _USUAL
        self.database = "PostgreSQL"

    @property
    def _url(self) -> str:
        return urlunsplit(urlsplit(self._admin_url)._replace(path=f"/{self._database_name}"))

    @property
    def _sqlite_file(self) -> Path:
        return self.folder / "data" / "zhijian.sqlite3"

    def _product(self) -> dict[str, str]:
        environment = _without_settings() | _RAISED
        environment |= {
            "ZHIJIAN_HOST": HOST,
            "ZHIJIAN_PORT": str(self.ports["portal"]),
            "ZHIJIAN_DATA_DIR": str(self.folder / "data"),
            "ZHIJIAN_SANDBOX_URL": f"http://{HOST}:{self.ports['front']}",
            "ZHIJIAN_LOG_LEVEL": "warning",
        }
        if self.database == "PostgreSQL":
            environment["ZHIJIAN_DATABASE_URL"] = self._url
        if self._uses_redis:
            environment["ZHIJIAN_REDIS_URL"] = f"redis://{HOST}:{self.ports['redis']}/0"
        return environment

    def _sandbox(self) -> dict[str, str]:
        folder = self.folder / "data" / "sandbox"
        return _without_settings() | {
            "SANDBOX_HOST": HOST,
            "SANDBOX_PORT": str(self.ports["sandbox"]),
            "SANDBOX_DATA": str(folder / "sandbox.sqlite3"),
            "SANDBOX_CREDENTIALS": str(folder / "credentials.json"),
        }

    async def _start(
        self,
        name: str,
        command: list[str],
        environment: Mapping[str, str] | None = None,
        ready: str = "",
        *,
        cores: frozenset[int] | None = None,
    ) -> None:
        program = self._program(name, command, environment or _without_settings(), cores or self._cores.loading)
        self._programs[name] = program
        with self._console.status(f"starting {name}…"):
            await program.start()
            if ready:
                await program.ready(ready)

    def _program(self, name: str, command: list[str], environment: Mapping[str, str], cores: frozenset[int]) -> Program:
        return Program(name, command, environment, self.folder / f"{name}.log", cores)


def _without_settings() -> dict[str, str]:
    """The environment without anybody's settings: what is measured is the same everywhere."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("ZHIJIAN_", "SANDBOX_"))}
    return ours | {"PYTHONUNBUFFERED": "1"}


def _copy_sqlite(source: Path, target: Path) -> None:
    with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(target)) as new:
        old.backup(new)
