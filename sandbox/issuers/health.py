"""Health, pretended from `docs/departments/health.md`: births."""

from typing import Any

from aiohttp import web

from sandbox.ground.answers import Json, part, text
from sandbox.ground.signing import SignedDesk
from sandbox.issuers.drawer import UNCONFIRMED, Drawer
from sandbox.people import People

_KIND = "birth-certificate"
_STATUSES = {
    "01": "valid",
    "03": "void",
    "04": "replaced",
    "05": "void",
    "06": "replaced",
    "07": "void",
    "08": "locked",
    UNCONFIRMED: "unconfirmed",
}


class Health:
    """The births of the cast, asked for under the child's name and number."""

    def __init__(self, *, people: People, desk: SignedDesk, drawer: Drawer) -> None:
        self._people = people
        self._desk = desk
        self._drawer = drawer

    def routes(self) -> list[web.RouteDef]:
        """List the addresses of this system."""
        return [web.post("/health/v1/births/query", self._desk.takes(self._query))]

    async def _query(self, told: Json) -> Json:
        text(told, "request_id")
        text(told, "purpose", most=200)
        child = part(told, "child")
        person = self._people.find_named(text(child, "id_number"), text(child, "name"))
        document = await self._drawer.find(person, _KIND)
        births = [] if document is None else [_as_told(document)]
        return {"code": "0000", "message": "done", "births": births}


def _as_told(document: dict[str, Any]) -> Json:
    fields = document["fields"]
    return {
        "certificate_number": document["number"],
        "status": _STATUSES[document["state"]],
        "child_name": fields["name"],
        "child_sex": "1" if fields["sex"] == "男" else "2",
        "born": fields["born_at"].replace("T", " ")[:16],
        "place": fields["born_in"],
        "gestation": fields.get("gestation_weeks"),
        "weight": fields["weight_g"],
        "length": fields["length_cm"],
        "father": _parent(fields, "father"),
        "mother": _parent(fields, "mother"),
        "issued": document["issued_on"].replace("-", ""),
        "institution": document["issuer"],
        "institution_code": document["issuer_code"],
        "serial": document["serial"],
        "revision": document["version"],
    }


def _parent(fields: dict[str, Any], which: str) -> Json | None:
    name = fields[which]
    return None if name is None else {"name": name, "id_number": fields[f"{which}_id_number"]}
