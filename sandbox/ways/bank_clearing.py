"""Bank card authentication, pretended from `docs/departments/bank-clearing.md`."""

import re
import secrets
import sqlite3
from functools import partial

from aiohttp import web

from sandbox.ground.answers import Json, NotUnderstood, text
from sandbox.ground.clock import Clock
from sandbox.ground.signing import SignedDesk, same
from sandbox.ground.store import Store
from sandbox.people import People
from sandbox.ways.outbox import Outbox

_CARD = re.compile(r"[0-9]{16,19}")
_LIFE_S = 900
_MOST_WRONG = 10


class BankClearing:
    """Holds four elements against the cast's cards; the bank sends a code to the reserved mobile and takes it back."""

    def __init__(self, *, people: People, desk: SignedDesk, store: Store, outbox: Outbox, clock: Clock) -> None:
        self._people = people
        self._desk = desk
        self._store = store
        self._outbox = outbox
        self._clock = clock

    def routes(self) -> list[web.RouteDef]:
        """List the addresses of this system."""
        return [
            web.post("/bank-clearing/v1/authentications", self._desk.takes(self._begin)),
            web.post("/bank-clearing/v1/confirmations", self._desk.takes(self._confirm)),
        ]

    async def _begin(self, told: Json) -> Json:
        text(told, "request_id")
        reference, name, id_number = text(told, "reference"), text(told, "name"), text(told, "id_number")
        card, mobile = text(told, "card_number"), text(told, "mobile")
        if not _CARD.fullmatch(card):
            message = "card_number must be 16 to 19 digits."
            raise NotUnderstood(message)
        if card.startswith("3"):
            return {"code": "3001", "message": "this kind of card is not taken"}
        person = self._people.find_named(id_number, name)
        if person is None or (person.bank_card, person.mobile) != (card, mobile):
            return {"code": "0000", "message": "done", "result": "mismatch"}
        handle, code = await self._store.run(partial(_opened, reference=reference, now=self._clock.seconds()))
        await self._outbox.send(
            sender="bank",
            reference=reference,
            mobile=mobile,
            template="bank-code",
            parameters={"code": code},
            text=f"【示例银行】您正在办理银行卡身份核验，验证码{code}，15分钟内有效，请勿告诉任何人。",
        )
        return {"code": "0000", "message": "done", "result": "sent", "transaction": handle}

    async def _confirm(self, told: Json) -> Json:
        text(told, "request_id")
        handle, code = text(told, "transaction"), text(told, "code")
        result = await self._store.run(partial(_tried, handle=handle, code=code, now=self._clock.seconds()))
        return {"code": "0000", "message": "done", "result": result}


def _opened(db: sqlite3.Connection, *, reference: str, now: float) -> tuple[str, str]:
    row = (reference, secrets.token_hex(12), f"{secrets.randbelow(1_000_000):06d}", now)
    db.execute("INSERT OR IGNORE INTO card_transactions (reference, handle, code, at) VALUES (?, ?, ?, ?)", row)
    kept = db.execute("SELECT handle, code FROM card_transactions WHERE reference = ?", (reference,)).fetchone()
    return str(kept["handle"]), str(kept["code"])


def _tried(db: sqlite3.Connection, *, handle: str, code: str, now: float) -> str:
    row = db.execute("SELECT * FROM card_transactions WHERE handle = ?", (handle,)).fetchone()
    if row is None or row["ended"] or row["wrong"] >= _MOST_WRONG or row["at"] < now - _LIFE_S:
        return "ended"
    if not same(row["code"], code):
        db.execute("UPDATE card_transactions SET wrong = wrong + 1 WHERE handle = ?", (handle,))
        return "wrong_code"
    db.execute("UPDATE card_transactions SET ended = 1 WHERE handle = ?", (handle,))
    return "passed"
