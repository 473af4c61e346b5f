"""The pension bureau's SOAP desk, pretended from `docs/departments/human-resources.md`."""

import re
import secrets
import sqlite3
from dataclasses import dataclass
from datetime import datetime
from xml.etree import ElementTree as ET

from aiohttp import web
from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from sandbox.ground.answers import Json, NotAllowed, NotUnderstood
from sandbox.ground.clock import CHINA, Clock
from sandbox.ground.faults import Faults, hang_up
from sandbox.ground.settings import AppSecret
from sandbox.ground.signing import check_seconds, same, sha256_hmac
from sandbox.ground.store import Store
from sandbox.ground.submissions import earlier_answer, take
from sandbox.people import People, later

_NAME = "human-resources"
_ACTION = "AuthenticateEligibility"
_SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
_PENSION = "urn:human-resources:pension:1"
_TAGS = {"soap": _SOAP, "p": _PENSION}
_YEAR = re.compile(r"[0-9]{4}")
ET.register_namespace("soap", _SOAP)
ET.register_namespace("p", _PENSION)


@dataclass(frozen=True, slots=True, repr=False)
class _Authentication:
    """What came in: who was authenticated, for which year, how and when."""

    reference: str
    name: str
    id_number: str
    authenticated_at: datetime


class Pension:
    """Who has shown to be alive and draws on. A reference is counted once."""

    def __init__(self, *, people: People, caller: AppSecret, store: Store, faults: Faults, clock: Clock) -> None:
        self._people = people
        self._caller = caller
        self._store = store
        self._faults = faults
        self._clock = clock

    def routes(self) -> list[web.RouteDef]:
        """List the addresses of this system."""
        return [web.post(f"/{_NAME}/soap/pension", self._authenticate)]

    async def _authenticate(self, request: web.Request) -> web.Response:
        try:
            authentication = self._read(request, await request.read())
        except (NotAllowed, NotUnderstood) as refusal:
            return _fault(str(refusal))
        person = self._people.find_named(authentication.id_number, authentication.name)
        hangs = person is not None and person.ending == "hangs"
        if hangs and not await self._faults.hang(request, _NAME):
            return hang_up(request)
        draws = person is not None and person.draws_pension

        def take_in(db: sqlite3.Connection) -> Json:
            earlier = earlier_answer(db, department=_NAME, reference=authentication.reference)
            if earlier is not None:
                return earlier
            decision = self._decide(authentication, draws=draws)
            take(
                db,
                department=_NAME,
                reference=authentication.reference,
                matter=_ACTION,
                at=self._clock.stamp(),
                outcome="accepted" if draws else "refused",
                answer=decision,
            )
            return decision

        return _envelope(await self._store.run(take_in))

    def _decide(self, authentication: _Authentication, *, draws: bool) -> Json:
        receipt = f"HR{self._clock.today():%Y%m%d}{secrets.token_hex(4).upper()}"
        if not draws:
            return {"ReceiptNumber": receipt, "Result": "REFUSED", "Reason": "NOT_A_PENSIONER", "NextDueOn": ""}
        # Once in twelve months, counted from the day of this one.
        next_due_on = later(authentication.authenticated_at.astimezone(CHINA).date(), years=1)
        return {"ReceiptNumber": receipt, "Result": "CONFIRMED", "Reason": "", "NextDueOn": next_due_on.isoformat()}

    def _read(self, request: web.Request, body: bytes) -> _Authentication:
        if request.content_type != "text/xml":
            message = "Content-Type must be text/xml."
            raise NotUnderstood(message)
        if request.headers.get("SOAPAction", "").strip('"') != _ACTION:
            message = f"SOAPAction must be {_ACTION}."
            raise NotUnderstood(message)
        try:
            envelope = fromstring(body, forbid_dtd=True)
        except (ET.ParseError, DefusedXmlException, ValueError):
            message = "The body is not the XML it should be."
            raise NotUnderstood(message) from None
        if envelope.tag != f"{{{_SOAP}}}Envelope":
            message = "The body is no SOAP 1.1 envelope."
            raise NotUnderstood(message)
        told = {
            name: _text(envelope, f"soap:Body/p:{_ACTION}/p:{name}")
            for name in ("Reference", "Name", "IdNumber", "Year", "Method", "AuthenticatedAt")
        }
        self._check(envelope, told["Reference"], told["IdNumber"])
        if not _YEAR.fullmatch(told["Year"]) or told["Method"] not in {"face", "counter"}:
            message = "Year must be four digits, Method face or counter."
            raise NotUnderstood(message)
        return _Authentication(
            reference=told["Reference"],
            name=told["Name"],
            id_number=told["IdNumber"],
            authenticated_at=_moment(told["AuthenticatedAt"]),
        )

    def _check(self, envelope: ET.Element, reference: str, id_number: str) -> None:
        app_id, timestamp, digest = (
            _text(envelope, f"soap:Header/p:Access/p:{name}") for name in ("AppId", "Timestamp", "Digest")
        )
        check_seconds(timestamp, self._clock)
        expected = sha256_hmac(self._caller.secret, f"{app_id}{timestamp}{reference}{id_number}".encode())
        if not same(self._caller.app_id, app_id) or not same(expected, digest):
            message = "The caller is unknown or the digest is wrong."
            raise NotAllowed(message)


def _text(envelope: ET.Element, path: str) -> str:
    told = (envelope.findtext(path, namespaces=_TAGS) or "").strip()
    if not told or len(told) > 128:  # noqa: PLR2004 — the page names no bound; no value of it is half as long
        message = f"{path.rpartition(':')[2]} is missing or too long."
        raise NotUnderstood(message)
    return told


def _moment(told: str) -> datetime:
    try:
        moment = datetime.fromisoformat(told)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        message = "AuthenticatedAt must be an ISO 8601 time with its offset."
        raise NotUnderstood(message)
    return moment


def _envelope(decision: Json) -> web.Response:
    envelope, body = _empty_envelope()
    response = ET.SubElement(body, f"{{{_PENSION}}}{_ACTION}Response")
    for name in ("ReceiptNumber", "Result", "Reason", "NextDueOn"):
        ET.SubElement(response, f"{{{_PENSION}}}{name}").text = decision[name]
    return _written(envelope, status=200)


def _fault(message: str) -> web.Response:
    envelope, body = _empty_envelope()
    fault = ET.SubElement(body, f"{{{_SOAP}}}Fault")
    # SOAP 1.1, 4.4: the two are in no namespace; the code is a qualified name.
    ET.SubElement(fault, "faultcode").text = "soap:Client"
    ET.SubElement(fault, "faultstring").text = message
    return _written(envelope, status=500)


def _empty_envelope() -> tuple[ET.Element, ET.Element]:
    envelope = ET.Element(f"{{{_SOAP}}}Envelope")
    return envelope, ET.SubElement(envelope, f"{{{_SOAP}}}Body")


def _written(envelope: ET.Element, *, status: int) -> web.Response:
    text = ET.tostring(envelope, encoding="utf-8", xml_declaration=True)
    return web.Response(body=text, status=status, content_type="text/xml", charset="utf-8")
