"""The national network identity service, pretended from `docs/departments/network-identity.md`."""

import hashlib
import hmac
import secrets
import sqlite3
from functools import partial

from aiohttp import web

from sandbox.ground.answers import Json, NotUnderstood, answer, read_object, text
from sandbox.ground.signing import SignedDesk
from sandbox.ground.store import Store, remembered
from sandbox.people import People
from sandbox.ways.tickets import Tickets

_WORDS = {"": "pending", "declined": "declined", "different": "different", "late": "lapsed"}


class NetworkIdentity:
    """Gives tickets, lets the cast approve, tells whether it was the same person and by which pseudonym."""

    def __init__(self, *, people: People, desk: SignedDesk, tickets: Tickets, store: Store) -> None:
        self._people = people
        self._desk = desk
        self._tickets = tickets
        self._store = store

    def routes(self) -> list[web.RouteDef]:
        """List the addresses of this system, the service's own app among them."""
        return [
            web.post("/network-identity/v1/authentications", self._desk.takes(self._begin)),
            web.post("/network-identity/v1/authentications/results", self._desk.takes(self._tell)),
            web.post("/sandbox/network-identity/approvals", self._approve),
        ]

    async def _begin(self, told: Json) -> Json:
        text(told, "request_id")
        name, id_number = text(told, "name"), text(told, "id_number")
        ticket = await self._tickets.give(text(told, "reference"), name=name, id_number=id_number)
        return {"code": "0000", "message": "done", "ticket": ticket}

    async def _tell(self, told: Json) -> Json:
        text(told, "request_id")
        result = await self._tickets.result(text(told, "reference"))
        if result is None:
            return {"code": "1404", "message": "no such reference"}
        if result in _WORDS:
            return {"code": "0000", "message": "done", "result": _WORDS[result]}
        return {"code": "0000", "message": "done", "result": "same", "pseudonym": result}

    async def _approve(self, request: web.Request) -> web.Response:
        try:
            told = read_object(await request.read())
            ticket, person = text(told, "ticket"), self._people.find(text(told, "person"))
        except NotUnderstood as refusal:
            return answer({"error": str(refusal)}, status=422)
        approve = told.get("approve", True)
        if person is None or not isinstance(approve, bool):
            return answer({"error": "person must be one of the cast, approve true or false."}, status=422)
        salt = await self._store.run(
            partial(remembered, name="network identity salt", first=partial(secrets.token_hex, 32))
        )

        def decide(row: sqlite3.Row) -> str:
            if not approve:
                return "declined"
            is_same = person.in_registry and (person.name, person.id_number) == (row["name"], row["id_number"])
            return _pseudonym(salt, person.id_number) if is_same else "different"

        result = await self._tickets.open(ticket, decide)
        if result is None:
            return answer({"error": "There is no such ticket, or it has ended."}, status=404)
        return answer({"result": _WORDS.get(result, "same")}, status=201)


def _pseudonym(salt: str, id_number: str) -> str:
    return hmac.new(salt.encode(), id_number.encode(), hashlib.sha256).hexdigest()
