"""What mobiles have got: the messages of the provider, and those that the banks send themselves."""

import json
import sqlite3
from collections.abc import Mapping
from functools import partial
from typing import Any

from sandbox.ground.clock import Clock
from sandbox.ground.store import Store

_MOST_SHOWN = 100


class Outbox:
    """Every message that was sent, by mobile. A sender's reference is sent once."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def send(
        self, *, sender: str, reference: str, mobile: str, template: str, parameters: Mapping[str, Any], text: str
    ) -> int:
        """Send a message unless the reference was sent; give its number."""
        row = (sender, reference, mobile, template, json.dumps(dict(parameters)), text, self._clock.stamp())
        return await self._store.run(partial(_send, row=row))

    async def to(self, mobile: str) -> list[dict[str, Any]]:
        """Show what a mobile got, newest first."""
        return await self._store.run(partial(_sent_to, mobile=mobile))


def _send(db: sqlite3.Connection, *, row: tuple[str, ...]) -> int:
    db.execute(
        "INSERT OR IGNORE INTO messages (sender, reference, mobile, template, parameters, text, at) "
        "VALUES (?, ?, ?, ?, ?, ?, ?)",
        row,
    )
    found = db.execute("SELECT id FROM messages WHERE sender = ? AND reference = ?", row[:2]).fetchone()
    return int(found["id"])


def _sent_to(db: sqlite3.Connection, *, mobile: str) -> list[dict[str, Any]]:
    rows = db.execute(
        "SELECT mobile, template, parameters, text, at FROM messages WHERE mobile = ? ORDER BY id DESC LIMIT ?",
        (mobile, _MOST_SHOWN),
    ).fetchall()
    return [{**dict(row), "parameters": json.loads(row["parameters"])} for row in rows]
