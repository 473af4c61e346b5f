"""Cases at systems that know a reference again and call back, whatever their words are."""

import secrets
import sqlite3

from sandbox.ground.answers import Json
from sandbox.ground.callbacks import Callbacks, Step
from sandbox.ground.faults import Mode
from sandbox.ground.submissions import supplement

_ENDED = frozenset({"approved", "rejected", "not_accepted"})


class CalledBackCases:
    """Opens cases, and takes them back. Invariant: a reference opens one case at a department."""

    def __init__(self, callbacks: Callbacks) -> None:
        self._callbacks = callbacks

    def open(
        self,
        db: sqlite3.Connection,
        *,
        department: str,
        reference: str,
        receipt_number: str,
        url: str,
        mode: Mode,
        at_once: bool = False,
    ) -> dict[str, str]:
        """Open a case and owe the calls about it, unless it is decided at once; what its decision gives."""
        result = {"document_number": f"C{secrets.token_hex(5).upper()}"}
        db.execute(
            "INSERT INTO desk_cases (department, reference, receipt_number, state) VALUES (?, ?, ?, ?)",
            (department, reference, receipt_number, "approved" if at_once else "accepted"),
        )
        if not at_once:
            self._callbacks.owe(
                db,
                reference=reference,
                url=url,
                steps=(
                    Step("accepted", "已受理 / Accepted."),
                    Step("in_review", "审查中 / In review."),
                    Step("approved", "准予办理 / Approved.", result),
                ),
                mode=mode,
            )
        return result

    def find(self, db: sqlite3.Connection, *, department: str, reference: str) -> tuple[str, str] | None:
        """Find the number and the state of a case."""
        row = db.execute(
            "SELECT * FROM desk_cases WHERE department = ? AND reference = ?", (department, reference)
        ).fetchone()
        return None if row is None else (str(row["receipt_number"]), str(row["state"]))

    def supplement(self, db: sqlite3.Connection, *, department: str, reference: str, key: str, at: str) -> Json:
        """Take what was missing in a case."""
        case = self.find(db, department=department, reference=reference)
        ended = None if case is None else case[1] in _ENDED
        return supplement(db, department=department, reference=reference, key=key, ended=ended, at=at)

    def take_back(self, db: sqlite3.Connection, *, department: str, reference: str) -> str:
        """Take a case back: `0000`, `1409` where it has been decided, `1404` where there is none."""
        case = self.find(db, department=department, reference=reference)
        if case is None or case[1] in _ENDED:
            return "1404" if case is None else "1409"
        db.execute(
            "UPDATE desk_cases SET state = 'withdrawn' WHERE department = ? AND reference = ?", (department, reference)
        )
        db.execute("UPDATE callbacks SET ending = 'withdrawn' WHERE reference = ? AND ending IS NULL", (reference,))
        return "0000"
