"""What issuers have on record: the certificates of the cast, and what was changed since."""

import json
import sqlite3
from datetime import date
from functools import partial
from typing import Any

from sandbox.ground.clock import Clock
from sandbox.ground.store import Store
from sandbox.people import Person, certificate

UNCONFIRMED = "99"
"""The state of what is on record and not confirmed."""


class Drawer:
    """The certificates as they stand today. Each change is a version more."""

    def __init__(self, *, store: Store, clock: Clock, opened_on: date) -> None:
        self._store = store
        self._clock = clock
        self._opened_on = opened_on

    async def find(self, person: Person | None, kind: str) -> dict[str, Any] | None:
        """Find somebody's certificate of a kind."""
        if person is None:
            return None
        return await self._store.run(partial(self.read, person=person, kind=kind))

    def read(self, db: sqlite3.Connection, *, person: Person, kind: str) -> dict[str, Any] | None:
        """Read a certificate, inside a transaction: from the cast, or as a change left it."""
        row = db.execute(
            "SELECT document FROM certificates WHERE person = ? AND kind = ?", (person.slug, kind)
        ).fetchone()
        if row is not None:
            document: dict[str, Any] = json.loads(row["document"])
            return document
        return certificate(person, kind, today=self._clock.today(), opened_on=self._opened_on)


def put(db: sqlite3.Connection, *, person: str, kind: str, document: str) -> None:
    """Put a changed certificate into the drawer, inside a transaction."""
    db.execute(
        "INSERT OR REPLACE INTO certificates (person, kind, document) VALUES (?, ?, ?)", (person, kind, document)
    )
