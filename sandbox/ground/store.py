"""The sandbox's own memory: one SQLite file that outlives a restart and a kill."""

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

_TABLES = """
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS faults (
    system TEXT PRIMARY KEY, mode TEXT NOT NULL, delay_ms INTEGER NOT NULL, remaining INTEGER
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS codes (
    code TEXT PRIMARY KEY, kind TEXT NOT NULL, account TEXT NOT NULL, issued_at REAL NOT NULL,
    used INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS frames (person TEXT PRIMARY KEY, pictures BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS submissions (
    id INTEGER PRIMARY KEY, department TEXT NOT NULL, reference TEXT NOT NULL, matter TEXT NOT NULL,
    at TEXT NOT NULL, outcome TEXT NOT NULL, effects INTEGER NOT NULL, deliveries INTEGER NOT NULL,
    answer TEXT NOT NULL, UNIQUE (department, reference)
);
CREATE TABLE IF NOT EXISTS cases (
    reference TEXT PRIMARY KEY, receipt_number TEXT NOT NULL, state TEXT NOT NULL, person TEXT NOT NULL,
    permit TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS desk_cases (
    department TEXT NOT NULL, reference TEXT NOT NULL, receipt_number TEXT NOT NULL, state TEXT NOT NULL,
    PRIMARY KEY (department, reference)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS polled_cases (
    department TEXT NOT NULL, receipt_number TEXT NOT NULL, reference TEXT NOT NULL, opened_at REAL NOT NULL,
    mode TEXT NOT NULL, refused INTEGER NOT NULL, withdrawn_at REAL, PRIMARY KEY (department, receipt_number)
);
CREATE INDEX IF NOT EXISTS polled_by_reference ON polled_cases (department, reference);
CREATE TABLE IF NOT EXISTS case_files (
    department TEXT NOT NULL, reference TEXT NOT NULL, name TEXT NOT NULL, material TEXT NOT NULL,
    media_type TEXT NOT NULL, size INTEGER NOT NULL, sha256 TEXT NOT NULL, outcome TEXT NOT NULL,
    PRIMARY KEY (department, reference, name)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS certificates (
    person TEXT NOT NULL, kind TEXT NOT NULL, document TEXT NOT NULL, PRIMARY KEY (person, kind)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS reports (
    reference TEXT PRIMARY KEY, department TEXT NOT NULL, kind TEXT NOT NULL, item TEXT NOT NULL, ticket TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'open', note TEXT NOT NULL DEFAULT ''
);
CREATE TABLE IF NOT EXISTS objects (key TEXT PRIMARY KEY, content BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS callbacks (
    id INTEGER PRIMARY KEY, reference TEXT NOT NULL, state TEXT NOT NULL, url TEXT NOT NULL, body BLOB NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0, due_at REAL NOT NULL, ending TEXT
);
CREATE TABLE IF NOT EXISTS messages (
    id INTEGER PRIMARY KEY, sender TEXT NOT NULL, reference TEXT NOT NULL, mobile TEXT NOT NULL, template TEXT NOT NULL,
    parameters TEXT NOT NULL, text TEXT NOT NULL, at TEXT NOT NULL, UNIQUE (sender, reference)
);
CREATE INDEX IF NOT EXISTS messages_to ON messages (mobile, id);
CREATE TABLE IF NOT EXISTS card_transactions (
    reference TEXT PRIMARY KEY, handle TEXT NOT NULL UNIQUE, code TEXT NOT NULL, wrong INTEGER NOT NULL DEFAULT 0,
    ended INTEGER NOT NULL DEFAULT 0, at REAL NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS tickets (
    ticket TEXT PRIMARY KEY, system TEXT NOT NULL, reference TEXT NOT NULL, name TEXT NOT NULL, id_number TEXT NOT NULL,
    result TEXT NOT NULL DEFAULT '', wrong INTEGER NOT NULL DEFAULT 0, at REAL NOT NULL, UNIQUE (system, reference)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS callbacks_open ON callbacks (reference, id) WHERE ending IS NULL;
"""


class Store:
    """The one connection to the file, in a thread of its own.

    Work is a plain function of the connection and runs as one transaction, one after the other. What `run` has
    returned is on the disk (`synchronous=FULL`): a case that was answered is never forgotten.
    """

    def __init__(self, connection: sqlite3.Connection, thread: ThreadPoolExecutor) -> None:
        self._connection = connection
        self._thread = thread

    @classmethod
    async def open(cls, path: Path) -> "Store":
        """Open the file, made when absent."""
        thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="sandbox-store")
        connection = await asyncio.get_running_loop().run_in_executor(thread, _connect, path)
        return cls(connection, thread)

    async def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do work as one transaction, committed or undone as a whole.

        Raises:
            Exception: whatever the work raises; nothing of it is kept then.
        """
        return await asyncio.get_running_loop().run_in_executor(self._thread, _transact, self._connection, work)

    async def close(self) -> None:
        """Close the file after the work that waits."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._connection.close)
        self._thread.shutdown()


def _connect(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path, isolation_level=None, timeout=5.0)
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.executescript(_TABLES)
    return connection


def _transact(connection: sqlite3.Connection, work: Callable[[sqlite3.Connection], T]) -> T:
    connection.execute("BEGIN IMMEDIATE")
    try:
        done = work(connection)
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")
    return done


def remembered(connection: sqlite3.Connection, name: str, first: Callable[[], str]) -> str:
    """Read a fact about this installation, made up the first time it is asked for."""
    row = connection.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
    if row is not None:
        return str(row["value"])
    value = first()
    connection.execute("INSERT INTO facts (name, value) VALUES (?, ?)", (name, value))
    return value
