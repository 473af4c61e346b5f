"""The carriers' register, pretended from `docs/departments/mobile-register.md`."""

from aiohttp import web

from sandbox.ground.answers import Json, NotUnderstood, text
from sandbox.ground.signing import SignedDesk
from sandbox.people import People
from sandbox.ways.sms import MOBILE


class MobileRegister:
    """Who holds which mobile: everybody of the cast their own."""

    def __init__(self, *, people: People, desk: SignedDesk) -> None:
        self._people = people
        self._desk = desk

    def routes(self) -> list[web.RouteDef]:
        """List the addresses of this system."""
        return [web.post("/mobile-register/v1/verifications", self._desk.takes(self._verify))]

    async def _verify(self, told: Json) -> Json:
        text(told, "request_id")
        name, id_number, mobile = text(told, "name"), text(told, "id_number"), text(told, "mobile")
        if not MOBILE.fullmatch(mobile):
            message = "mobile must be a mobile number of 11 digits."
            raise NotUnderstood(message)
        holder = next((person for person in self._people if person.mobile == mobile), None)
        if holder is None:
            return {"code": "0000", "message": "done", "result": "unknown"}
        agrees = (holder.name, holder.id_number) == (name, id_number)
        return {"code": "0000", "message": "done", "result": "match" if agrees else "mismatch"}
