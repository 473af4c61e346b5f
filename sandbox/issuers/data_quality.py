"""The city's data quality desk, pretended from `docs/departments/data-quality.md`."""

import secrets
import sqlite3
from functools import partial

from aiohttp import web

from sandbox.ground.answers import Json, NotUnderstood, answer, part, read_object, text
from sandbox.ground.signing import SignedDesk
from sandbox.ground.store import Store

_STATES = ("open", "corrected", "confirmed")


class DataQuality:
    """Reports that residents have made. `PUT /sandbox/data-quality/reports/{reference}` answers one for the issuer."""

    def __init__(self, *, desk: SignedDesk, store: Store) -> None:
        self._desk = desk
        self._store = store

    def routes(self) -> list[web.RouteDef]:
        """List the addresses of this system."""
        return [
            web.post("/data-quality/v1/reports", self._desk.takes(self._take)),
            web.get("/data-quality/v1/reports/{reference}", self._desk.looks_up(self._tell)),
            web.get("/sandbox/data-quality/reports", self._list),
            web.put("/sandbox/data-quality/reports/{reference}", self._answer),
        ]

    async def _take(self, told: Json) -> Json:
        holder = part(told, "holder")
        text(holder, "name")
        text(holder, "id_number")
        text(told, "identifier", most=120)
        text(told, "told", most=500)
        row = tuple(text(told, name) for name in ("reference", "department", "kind", "item"))
        return {"code": "0000", "message": "done", "ticket": await self._store.run(partial(_keep, row=row))}

    async def _tell(self, reference: str) -> Json:
        row = await self._store.run(partial(_find, reference=reference))
        if row is None:
            return {"code": "1404", "message": "unknown"}
        return {"code": "0000", "message": "done", "state": row["state"], "note": row["note"]}

    async def _list(self, _request: web.Request) -> web.Response:
        def read(db: sqlite3.Connection) -> list[Json]:
            rows = db.execute("SELECT reference, department, kind, item, ticket, state FROM reports ORDER BY rowid")
            return [dict(row) for row in rows]

        return answer({"items": await self._store.run(read)})

    async def _answer(self, request: web.Request) -> web.Response:
        reference = request.match_info["reference"]
        try:
            told = read_object(await request.read())
            state, note = text(told, "state"), text(told, "note", most=400)
        except NotUnderstood as refusal:
            return answer({"error": str(refusal)}, status=422)
        if state not in _STATES:
            return answer({"error": f"state must be one of {', '.join(_STATES)}."}, status=422)

        def write(db: sqlite3.Connection) -> int:
            changed = db.execute("UPDATE reports SET state = ?, note = ? WHERE reference = ?", (state, note, reference))
            return changed.rowcount

        if not await self._store.run(write):
            return answer({"error": "There is no report of that reference."}, status=404)
        return answer({"reference": reference, "state": state})


def _keep(db: sqlite3.Connection, *, row: tuple[str, ...]) -> str:
    db.execute(
        "INSERT OR IGNORE INTO reports (reference, department, kind, item, ticket) VALUES (?, ?, ?, ?, ?)",
        (*row, f"DQ{secrets.token_hex(5).upper()}"),
    )
    ticket: str = db.execute("SELECT ticket FROM reports WHERE reference = ?", row[:1]).fetchone()["ticket"]
    return ticket


def _find(db: sqlite3.Connection, *, reference: str) -> sqlite3.Row | None:
    row: sqlite3.Row | None = db.execute("SELECT * FROM reports WHERE reference = ?", (reference,)).fetchone()
    return row
