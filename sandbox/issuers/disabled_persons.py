"""The disabled persons' federation, pretended from `docs/departments/disabled-persons.md`: XML."""

import re
from typing import Any
from xml.etree.ElementTree import Element, ParseError, SubElement, register_namespace, tostring

from aiohttp import web
from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from sandbox.ground.answers import NotAllowed, NotUnderstood
from sandbox.ground.clock import Clock
from sandbox.ground.settings import AppSecret
from sandbox.ground.signing import Nonces, check_seconds, same, sha256_hmac
from sandbox.issuers.drawer import UNCONFIRMED, Drawer
from sandbox.people import People

_KIND = "disability-certificate"
_NS = "urn:disabled-persons:certificates:1"
_IN = {"": _NS}
_PARTS = {
    "AppId": "Caller/AppId",
    "Timestamp": "Caller/Timestamp",
    "Nonce": "Caller/Nonce",
    "Signature": "Caller/Signature",
    "Name": "Holder/Name",
    "IdNumber": "Holder/IdNumber",
    "Purpose": "Purpose",
}
_NONCE = re.compile(r"[0-9a-f]{32}")
_CATEGORIES = ("visual", "hearing", "speech", "physical", "intellectual", "mental", "multiple")
_LONGEST_PURPOSE = 200

register_namespace("", _NS)


class DisabledPersons:
    """Disability certificates. HTTP is 200 whatever the answer says."""

    def __init__(self, *, people: People, caller: AppSecret, drawer: Drawer, clock: Clock, nonces: Nonces) -> None:
        self._people = people
        self._caller = caller
        self._drawer = drawer
        self._clock = clock
        self._nonces = nonces

    def routes(self) -> list[web.RouteDef]:
        """List the addresses of this system."""
        return [web.post("/disabled-persons/query", self._query)]

    async def _query(self, request: web.Request) -> web.Response:
        try:
            told = _read(await request.read())
            self._check(told)
        except NotAllowed:
            return _answer("DENIED")
        except NotUnderstood:
            return _answer("MALFORMED")
        person = self._people.find_named(told["IdNumber"], told["Name"])
        document = await self._drawer.find(person, _KIND)
        if document is None:
            return _answer("NONE")
        return _answer("UNCONFIRMED") if document["state"] == UNCONFIRMED else _answer("OK", document)

    def _check(self, told: dict[str, str]) -> None:
        check_seconds(told["Timestamp"], self._clock)
        signed = "\n".join(told[name] for name in ("AppId", "Timestamp", "Nonce", "Name", "IdNumber", "Purpose"))
        expected = sha256_hmac(self._caller.secret, signed.encode())
        if not same(self._caller.app_id, told["AppId"]) or not same(expected, told["Signature"]):
            message = "The caller is unknown or the signature is wrong."
            raise NotAllowed(message)
        if not _NONCE.fullmatch(told["Nonce"]) or not self._nonces.use(told["AppId"], told["Nonce"]):
            message = "The nonce is not 32 lower-case hex digits, or was used before."
            raise NotAllowed(message)


def _read(body: bytes) -> dict[str, str]:
    try:
        root = fromstring(body, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError):
        message = "The body is not XML."
        raise NotUnderstood(message) from None
    told = {name: root.findtext(path, "", _IN) for name, path in _PARTS.items()}
    if root.tag != f"{{{_NS}}}CertificateQuery" or not all(told.values()) or len(told["Purpose"]) > _LONGEST_PURPOSE:
        message = "Something is missing, or too long."
        raise NotUnderstood(message)
    return told


def _answer(code: str, document: dict[str, Any] | None = None) -> web.Response:
    root = Element(f"{{{_NS}}}CertificateAnswer")
    _add(root, "Code", code)
    if document is not None:
        fields = document["fields"]
        told = SubElement(
            root,
            f"{{{_NS}}}Certificate",
            {name: str(document[name]) for name in ("number", "state", "version", "serial")},
        )
        _add(told, "Issuer", document["issuer"]).set("code", document["issuer_code"])
        _add(told, "Name", fields["name"])
        _add(told, "Sex", "1" if fields["sex"] == "男" else "2")
        _add(told, "Category", str(_CATEGORIES.index(fields["category"]) + 1))
        _add(told, "Grade", str(fields["grade"]))
        _add(told, "Guardian", fields["guardian"] or "")
        _add(told, "IssuedOn", fields["issued_on"])
        _add(told, "ValidUntil", fields["valid_until"])
    return web.Response(
        body=tostring(root, encoding="utf-8", xml_declaration=True), content_type="application/xml", charset="utf-8"
    )


def _add(parent: Element, name: str, text: str) -> Element:
    child = SubElement(parent, f"{{{_NS}}}{name}")
    child.text = text
    return child
