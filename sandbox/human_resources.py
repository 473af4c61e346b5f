"""Human resources and social security, pretended from `docs/departments/human-resources.md`: the sharing interface."""

from typing import Any

from aiohttp import web

from sandbox.ground.answers import Json
from sandbox.ground.clock import Clock
from sandbox.ground.sharing import NoneHeld, NotConfirmed, SharingDesk, check_type, compact
from sandbox.issuers.drawer import UNCONFIRMED, Drawer
from sandbox.people import Person, dated

_NAME = "human-resources"
_CARD = "social-security-card"
# GB/T 36904 wants the code of a type under its ministry's number; the official one is not public, so this is one of a
# department that does not exist (area 999999) with a local sequence.
_TYPE_CODE = "11999999MB0000019T901"
_ROOT = "1.2.156.3005.2"
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


class HumanResources:
    """Social security cards and insurance, answered encrypted to the caller."""

    def __init__(self, *, desk: SharingDesk, drawer: Drawer, clock: Clock) -> None:
        self._desk = desk
        self._drawer = drawer
        self._clock = clock

    def routes(self) -> list[web.RouteDef]:
        """List the addresses of this system."""
        return [
            web.post(f"/{_NAME}/sharing/queryCertInfoByHolderCode", self._desk.shares(self._certificate)),
            web.post(f"/{_NAME}/sharing/queryInsurance", self._desk.shares(self._insurance)),
        ]

    async def _certificate(self, person: Person, data: Json) -> Json:
        check_type(data, _CARD)
        card = await self._drawer.find(person, _CARD)
        if card is None:
            raise NoneHeld
        if card["state"] == UNCONFIRMED:
            raise NotConfirmed
        return _as_shared(card)

    async def _insurance(self, person: Person, _data: Json) -> Json:
        insurance = person.records["insurance"]
        if insurance is None:
            return {"name": person.name, "insured": False}
        told: Json = dated(insurance, self._clock.today())
        return {"name": person.name, "insured": True, **told, "since": compact(told["since"])}


def _as_shared(card: dict[str, Any]) -> Json:
    version = f"{card['version']:03d}"
    body = f"{_TYPE_CODE}{card['issuer_code']}{card['serial']}{version}"
    identifier = ".".join((_ROOT, _TYPE_CODE, card["issuer_code"], card["serial"], version, _check_digit(body)))
    return {
        "cert_identifier": identifier,
        "certno": card["number"],
        "name": card["fields"]["name"],
        "state": card["state"],
        "issue_date": compact(card["issued_on"]),
        "valid_until": compact(card["valid_until"]),
        "issuer": card["issuer"],
        "issuer_code": card["issuer_code"],
        "serial": card["serial"],
        "version": card["version"],
        "items": {**card["fields"], "issued_on": compact(card["fields"]["issued_on"])},
    }


def _check_digit(body: str) -> str:
    """Compute the check of a certificate identifier: ISO 7064 MOD 37,36 over its parts without dots (GB/T 36904)."""
    carry = 36
    for character in body:
        carry = (carry + _DIGITS.index(character)) % 36 or 36
        carry = carry * 2 % 37
    return _DIGITS[(37 - carry) % 36]
