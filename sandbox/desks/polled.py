"""Cases at systems that call nobody back: what has happened by now is read from the clock."""

import hashlib
import sqlite3
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sandbox.ground.clock import CHINA, Clock
from sandbox.ground.faults import Mode

_WORDS = (
    ("accepted", "已受理 / Accepted."),
    ("in_review", "审查中 / In review."),
    ("approved", "准予办理 / Approved."),
)
_REFUSED = (("not_accepted", "不予受理 / Not taken."),)


@dataclass(frozen=True, slots=True)
class Happened:
    """One step of a case that lies behind us."""

    number: int
    state: str
    at: str
    note: str
    result: dict[str, Any] | None


class PolledCases:
    """Cases that go on by themselves: one step each pause, until they are decided or taken back."""

    def __init__(self, *, clock: Clock, pause_ms: int) -> None:
        self._clock = clock
        self._pause_s = pause_ms / 1000

    def open(
        self,
        db: sqlite3.Connection,
        *,
        department: str,
        reference: str,
        receipt_number: str,
        mode: Mode,
        refused: bool = False,
    ) -> None:
        """Open a case, in the transaction that takes the dossier in."""
        db.execute(
            "INSERT INTO polled_cases (department, receipt_number, reference, opened_at, mode, refused)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (department, receipt_number, reference, self._clock.seconds(), mode.value, int(refused)),
        )

    def of(self, db: sqlite3.Connection, *, department: str, reference: str) -> list[tuple[str, list[Happened]]]:
        """List the cases of a reference, the first first: their numbers, and what has happened so far."""
        rows = db.execute(
            "SELECT * FROM polled_cases WHERE department = ? AND reference = ? ORDER BY rowid", (department, reference)
        ).fetchall()
        return [(str(row["receipt_number"]), self._happened(row)) for row in rows]

    def take_back(self, db: sqlite3.Connection, *, department: str, reference: str, receipt_number: str = "") -> str:
        """Take a case back: `done`, `decided` or `unknown`. Without a number it is the first of its reference."""
        row = db.execute(
            "SELECT * FROM polled_cases WHERE department = ? AND reference = ? AND ? IN ('', receipt_number)"
            " ORDER BY rowid LIMIT 1",
            (department, reference, receipt_number),
        ).fetchone()
        if row is None:
            return "unknown"
        if row["withdrawn_at"] is None:
            if any(step.state in {"approved", "not_accepted"} for step in self._happened(row)):
                return "decided"
            db.execute(
                "UPDATE polled_cases SET withdrawn_at = ? WHERE department = ? AND receipt_number = ?",
                (self._clock.seconds(), department, row["receipt_number"]),
            )
        return "done"

    def _happened(self, row: sqlite3.Row) -> list[Happened]:
        until = (
            self._clock.seconds() if row["withdrawn_at"] is None else min(self._clock.seconds(), row["withdrawn_at"])
        )
        document = hashlib.sha256(str(row["receipt_number"]).encode()).hexdigest()[:10].upper()
        steps = []
        for number, (state, note) in enumerate(_REFUSED if row["refused"] else _WORDS, 1):
            at = row["opened_at"] + number * self._pause_s
            if at <= until:
                result = {"document_number": f"D{document}"} if state == "approved" else None
                stamp = datetime.fromtimestamp(int(at), CHINA).isoformat()
                steps.append(Happened(number, state, stamp, note, result))
        if row["mode"] == Mode.DUPLICATE_CALLBACK.value:
            return [step for step in steps for _ in range(2)]
        return steps[::-1] if row["mode"] == Mode.REORDERED_CALLBACK.value else steps
