"""The real estate register, pretended from `docs/departments/real-estate.md`."""

from aiohttp import web

from sandbox.ground.answers import Json, text
from sandbox.ground.signing import SignedDesk
from sandbox.people import People


class RealEstate:
    """Who owns or rents which home."""

    def __init__(self, *, people: People, desk: SignedDesk) -> None:
        self._people = people
        self._desk = desk

    def routes(self) -> list[web.RouteDef]:
        """List the addresses of this system."""
        return [web.post("/real-estate/v1/checks/residence", self._desk.takes(self._check))]

    async def _check(self, told: Json) -> Json:
        text(told, "request_id")
        person = self._people.find_named(text(told, "id_number"), text(told, "name"))
        residence = person.records["residence"] if person is not None else None
        return {"code": "0000", "message": "done", **(residence or {"result": "none"})}
