"""The education department, pretended from `docs/departments/education.md`."""

from aiohttp import web

from sandbox.ground.answers import Json, text
from sandbox.ground.clock import Clock
from sandbox.ground.signing import SignedDesk
from sandbox.people import People, dated


class Education:
    """Who holds which degree."""

    def __init__(self, *, people: People, desk: SignedDesk, clock: Clock) -> None:
        self._people = people
        self._desk = desk
        self._clock = clock

    def routes(self) -> list[web.RouteDef]:
        """List the addresses of this system."""
        return [web.post("/education/v1/checks/degree", self._desk.takes(self._check))]

    async def _check(self, told: Json) -> Json:
        text(told, "request_id")
        person = self._people.find_named(text(told, "id_number"), text(told, "name"))
        degree = person.records["degree"] if person is not None else None
        if degree is None:
            return {"code": "0000", "message": "done", "result": "none"}
        return {"code": "0000", "message": "done", "result": "confirmed", **dated(degree, self._clock.today())}
