"""The population registry, pretended from `docs/departments/population-registry.md`."""

import asyncio
import base64
import re
from collections.abc import Callable
from typing import Literal

from aiohttp import web

from sandbox.deaths import Deaths
from sandbox.ground.answers import Json, NotUnderstood, text
from sandbox.ground.signing import SignedDesk
from sandbox.people import People

Portrait = Callable[[Literal["a", "b"]], bytes]
_ID_NUMBER = re.compile(r"[0-9]{17}[0-9X]")


class PopulationRegistry:
    """Who exists, under what name, and the portrait of each."""

    def __init__(self, *, people: People, deaths: Deaths, desk: SignedDesk, portrait: Portrait) -> None:
        self._people = people
        self._deaths = deaths
        self._desk = desk
        self._portrait = portrait
        self._portraits: dict[str, str] = {}

    def routes(self) -> list[web.RouteDef]:
        """List the addresses of this system."""
        return [
            web.post("/population-registry/v1/verifications", self._desk.takes(self._verify)),
            web.post("/population-registry/v1/portraits", self._desk.takes(self._show)),
        ]

    async def _verify(self, told: Json) -> Json:
        text(told, "request_id")
        name, person = text(told, "name"), self._people.find_by_number(_id_number(told))
        result = "unknown" if person is None else "match" if person.name == name else "mismatch"
        alive = not self._deaths.includes(_id_number(told))
        return {"code": "0000", "message": "done", "result": result, "alive": alive}

    async def _show(self, told: Json) -> Json:
        text(told, "request_id")
        text(told, "purpose", most=200)
        person = self._people.find_by_number(_id_number(told))
        if person is None:
            return {"code": "1404", "message": "no portrait"}
        if person.portrait not in self._portraits:
            picture = await asyncio.to_thread(self._portrait, person.portrait)
            self._portraits[person.portrait] = base64.b64encode(picture).decode()
        return {"code": "0000", "message": "done", "portrait": self._portraits[person.portrait]}


def _id_number(told: Json) -> str:
    id_number = text(told, "id_number")
    if not _ID_NUMBER.fullmatch(id_number):
        message = "id_number must be 17 digits and a digit or X."
        raise NotUnderstood(message)
    return id_number
