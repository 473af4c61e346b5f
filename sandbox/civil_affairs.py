"""Civil affairs, pretended from `docs/departments/civil-affairs.md`: families as the cast's records have them."""

from typing import Any

from aiohttp import web

from sandbox.ground.answers import Json, part, text
from sandbox.ground.clock import Clock
from sandbox.ground.signing import SignedDesk
from sandbox.people import People, Person, later

_OF_AGE = 18


class CivilAffairs:
    """Who is whose child, parent or spouse, and whose guardian."""

    def __init__(self, *, people: People, desk: SignedDesk, clock: Clock) -> None:
        self._people = people
        self._desk = desk
        self._clock = clock

    def routes(self) -> list[web.RouteDef]:
        """List the addresses of this system."""
        return [web.post("/civil-affairs/v1/kinship", self._desk.takes(self._kinship))]

    async def _kinship(self, told: Json) -> Json:
        text(told, "request_id")
        text(told, "purpose", most=200)
        asker, other = (self._named(part(told, side)) for side in ("asker", "other"))
        answer = {"code": "0000", "message": "done", "relation": "none", "guardian": "none"}
        if asker is None or other is None:
            return answer
        for record, relation in (("children", "child"), ("parents", "parent"), ("spouses", "spouse")):
            if other.slug in _listed(asker, record):
                answer["relation"] = relation
        if answer["relation"] == "child" and self._is_minor(other):
            answer["guardian"] = "minor"
        elif other.slug in _listed(asker, "wards"):
            answer["guardian"] = "minor" if self._is_minor(other) else "adult"
        return answer

    def _named(self, told: Json) -> Person | None:
        return self._people.find_named(text(told, "id_number"), text(told, "name"))

    def _is_minor(self, person: Person) -> bool:
        born = person.id_number[6:14]
        return later(self._clock.today(), years=-_OF_AGE).strftime("%Y%m%d") < born


def _listed(person: Person, record: str) -> tuple[Any, ...]:
    return tuple(person.records.get(record, ()))
