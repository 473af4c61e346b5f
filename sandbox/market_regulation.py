"""Market regulation, pretended from `docs/departments/market-regulation.md`, with the organisations of its own file."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from sandbox.ground.answers import Json, part, text
from sandbox.ground.signing import SignedDesk
from sandbox.people import People

_FILE = Path(__file__).with_name("organisations.json")


@dataclass(frozen=True, slots=True)
class Organisation:
    """An organisation on record; `representative` is the slug of one of the cast."""

    uscc: str
    name: str
    representative: str
    status: str


def load_organisations(path: Path = _FILE) -> tuple[Organisation, ...]:
    """Read the organisations from `organisations.json`."""
    return tuple(Organisation(**each) for each in json.loads(path.read_text(encoding="utf-8"))["organisations"])


class MarketRegulation:
    """Who represents which organisation."""

    def __init__(self, *, people: People, desk: SignedDesk, organisations: Iterable[Organisation]) -> None:
        self._people = people
        self._desk = desk
        self._by_code = {each.uscc: each for each in organisations}

    def routes(self) -> list[web.RouteDef]:
        """List the addresses of this system."""
        return [web.post("/market-regulation/v1/representatives", self._desk.takes(self._confirm))]

    async def _confirm(self, told: Json) -> Json:
        text(told, "request_id")
        text(told, "purpose", most=200)
        code, name, who = text(told, "uscc"), text(told, "name", most=120), part(told, "representative")
        organisation = self._by_code.get(code)
        person = self._people.find_named(text(who, "id_number"), text(who, "name"))
        if organisation is None or organisation.name != name or person is None:
            return {"code": "0000", "message": "done", "result": "none"}
        if person.slug != organisation.representative:
            return {"code": "0000", "message": "done", "result": "none"}
        return {"code": "0000", "message": "done", "result": "confirmed", "status": organisation.status}
