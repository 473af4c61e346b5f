"""The payment provider, pretended from `docs/departments/payment.md`."""

import sqlite3

from aiohttp import web

from sandbox.ground.answers import Json, NotUnderstood, answer, read_object, text
from sandbox.ground.signing import SignedDesk
from sandbox.people import People
from sandbox.ways.tickets import Tickets

_MOST_WRONG = 3
_WORDS = {"": "waiting", "passed": "passed", "failed": "failed", "late": "failed"}


class Payment:
    """Gives tickets, lets the cast enter their password, tells how it ended."""

    def __init__(self, *, people: People, desk: SignedDesk, tickets: Tickets) -> None:
        self._people = people
        self._desk = desk
        self._tickets = tickets

    def routes(self) -> list[web.RouteDef]:
        """List the addresses of this system, the provider's own window among them."""
        return [
            web.post("/payment/v1/authentications", self._desk.takes(self._begin)),
            web.post("/payment/v1/authentications/queries", self._desk.takes(self._query)),
            web.post("/sandbox/payment/entries", self._enter),
        ]

    async def _begin(self, told: Json) -> Json:
        text(told, "request_id")
        name, id_number = text(told, "name"), text(told, "id_number")
        ticket = await self._tickets.give(text(told, "reference"), name=name, id_number=id_number)
        return {"code": "0000", "message": "done", "ticket": ticket}

    async def _query(self, told: Json) -> Json:
        text(told, "request_id")
        result = await self._tickets.result(text(told, "reference"))
        if result is None:
            return {"code": "1404", "message": "no such reference"}
        return {"code": "0000", "message": "done", "result": _WORDS[result]}

    async def _enter(self, request: web.Request) -> web.Response:
        try:
            told = read_object(await request.read())
            ticket, person = text(told, "ticket"), self._people.find(text(told, "person"))
        except NotUnderstood as refusal:
            return answer({"error": str(refusal)}, status=422)
        password = told.get("password", "right")
        if person is None or password not in {"right", "wrong"}:
            return answer({"error": "person must be one of the cast, password right or wrong."}, status=422)

        def decide(row: sqlite3.Row) -> str:
            if (person.name, person.id_number) != (row["name"], row["id_number"]):
                return "failed"
            if password == "right":  # noqa: S105 — a word of the page, not a password
                return "passed"
            return "failed" if row["wrong"] + 1 >= _MOST_WRONG else ""

        result = await self._tickets.open(ticket, decide)
        if result is None:
            return answer({"error": "There is no such ticket, or it has ended."}, status=404)
        return answer({"result": _WORDS[result]}, status=201)
