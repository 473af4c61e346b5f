"""Tickets: given to the platform for a person it names, opened by whoever comes, with a result to be asked for."""

import secrets
import sqlite3
from collections.abc import Callable
from functools import partial

from sandbox.ground.clock import Clock
from sandbox.ground.store import Store

LIFE_S = 1800
# What becomes of a ticket when it is opened: its row in, its new result ("" while it stays open) out.
Open = Callable[[sqlite3.Row], str]


class Tickets:
    """The tickets of one system. A reference has one; a result once given stays."""

    def __init__(self, system: str, *, store: Store, clock: Clock) -> None:
        self._system = system
        self._store = store
        self._clock = clock

    async def give(self, reference: str, *, name: str, id_number: str) -> str:
        """Give the ticket of a reference."""
        row = (secrets.token_urlsafe(18), self._system, reference, name, id_number, self._clock.seconds())
        return await self._store.run(partial(_give, row=row))

    async def result(self, reference: str) -> str | None:
        """Tell the result of a reference: empty while it is open, `late` after its time, None for no such one."""
        return await self._store.run(partial(_result, key=(self._system, reference), now=self._clock.seconds()))

    async def open(self, ticket: str, decide: Open) -> str | None:
        """Open a ticket and tell the result; None for one that is not there, not open any more, or too old."""
        return await self._store.run(
            partial(_open, key=(self._system, ticket), decide=decide, now=self._clock.seconds())
        )


def _give(db: sqlite3.Connection, *, row: tuple[str | float, ...]) -> str:
    db.execute(
        "INSERT OR IGNORE INTO tickets (ticket, system, reference, name, id_number, at) VALUES (?, ?, ?, ?, ?, ?)", row
    )
    kept = db.execute("SELECT ticket FROM tickets WHERE system = ? AND reference = ?", row[1:3]).fetchone()
    return str(kept["ticket"])


def _result(db: sqlite3.Connection, *, key: tuple[str, str], now: float) -> str | None:
    row = db.execute("SELECT result, at FROM tickets WHERE system = ? AND reference = ?", key).fetchone()
    if row is None:
        return None
    return "late" if not row["result"] and row["at"] < now - LIFE_S else str(row["result"])


def _open(db: sqlite3.Connection, *, key: tuple[str, str], decide: Open, now: float) -> str | None:
    row = db.execute("SELECT * FROM tickets WHERE system = ? AND ticket = ?", key).fetchone()
    if row is None or row["result"] or row["at"] < now - LIFE_S:
        return None
    result = decide(row)
    db.execute("UPDATE tickets SET result = ?, wrong = wrong + 1 WHERE ticket = ?", (result, key[1]))
    return result
