"""The acceptance desk of civil affairs, pretended from `docs/departments/civil-affairs.md`: SOAP, and no memory."""

import base64
import binascii
import hashlib
import hmac
import secrets
import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from xml.etree import ElementTree as ET

from aiohttp import web
from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from sandbox.ground.answers import NotAllowed, NotUnderstood
from sandbox.ground.callbacks import Callbacks, Step
from sandbox.ground.clock import Clock
from sandbox.ground.faults import Faults, Mode, hang_up
from sandbox.ground.filing import Filing, Listed, listed_in
from sandbox.ground.settings import AppSecret
from sandbox.ground.signing import TOLERANCE_S, Nonces, same
from sandbox.ground.store import Store
from sandbox.ground.submissions import count_again, take
from sandbox.people import People, Person

_NAME = "civil-affairs"
_SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
_CASES = "urn:civil-affairs:acceptance:1"
_OASIS = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-"
_IN = {
    "soap": _SOAP,
    "c": _CASES,
    "wsse": f"{_OASIS}wssecurity-secext-1.0.xsd",
    "wsu": f"{_OASIS}wssecurity-utility-1.0.xsd",
}
_USER = "soap:Header/wsse:Security/wsse:UsernameToken"
_NONCE_BYTES = 16
_CALLS = frozenset({"Accept", "Supplement"})
_KINDS = frozenset({"text", "number", "truth", "none", "json"})
ET.register_namespace("soap", _SOAP)
ET.register_namespace("c", _CASES)


@dataclass(frozen=True, slots=True, repr=False)
class _Case:
    """What came in a document."""

    reference: str
    matter: str
    callback_url: str
    has_form: bool
    person: Person | None
    files: list[Listed]


class CivilAffairsCases:
    """Opens a case for every document that comes. Nobody can ask about one."""

    def __init__(
        self,
        *,
        people: People,
        caller: AppSecret,
        store: Store,
        faults: Faults,
        callbacks: Callbacks,
        filing: Filing,
        clock: Clock,
        nonces: Nonces,
    ) -> None:
        self._people = people
        self._caller = caller
        self._store = store
        self._faults = faults
        self._callbacks = callbacks
        self._filing = filing
        self._clock = clock
        self._nonces = nonces

    def routes(self) -> list[web.RouteDef]:
        """List the addresses of this system."""
        return [web.post(f"/{_NAME}/soap/acceptance", self._receive)]

    async def _receive(self, request: web.Request) -> web.Response:
        call = request.headers.get("SOAPAction", "").strip('"')
        try:
            document = self._open(request.content_type, call, await request.read())
            if call == "Supplement":
                return await self._supplement(document)
            return await self._accept(request, self._read(document))
        except (NotAllowed, NotUnderstood) as refusal:
            return _fault(str(refusal))

    async def _supplement(self, document: ET.Element) -> web.Response:
        """Take what was missing; the same again counts again, for this system knows nothing again."""
        told = {name: document.findtext(f"c:{name}", "", _IN).strip() for name in ("Reference", "Key")}
        if document.tag != f"{{{_CASES}}}Supplement" or not all(told.values()) or document.find("c:Form", _IN) is None:
            message = "Something is missing in the document."
            raise NotUnderstood(message)

        def work(db: sqlite3.Connection) -> dict[str, str]:
            case = db.execute(
                "SELECT matter, outcome FROM submissions WHERE department = ? AND reference = ?",
                (_NAME, told["Reference"]),
            ).fetchone()
            if case is None or case["outcome"] != "accepted":
                return {"Code": "REFUSED", "Reason": "UNKNOWN"}
            answer, key, at = {"Code": "ACCEPTED"}, told["Key"], self._clock.stamp()
            if not count_again(db, department=_NAME, reference=key):
                take(
                    db,
                    department=_NAME,
                    reference=key,
                    matter=case["matter"],
                    at=at,
                    outcome="supplement",
                    answer=answer,
                )
            return answer

        return _answered("Supplement", await self._store.run(work))

    async def _accept(self, request: web.Request, case: _Case) -> web.Response:
        if case.person is not None and case.person.ending == "hangs" and not await self._faults.hang(request, _NAME):
            return hang_up(request)
        try:
            await self._filing.collect(_NAME, case.reference, case.files)
        except NotUnderstood as refusal:
            return _fault(str(refusal))
        mode = await self._faults.meet_callbacks(_NAME)
        told = await self._store.run(partial(self._take_in, case=case, mode=mode))
        self._callbacks.wake()
        return _answered("Accept", told)

    def _take_in(self, db: sqlite3.Connection, *, case: _Case, mode: Mode) -> dict[str, str]:
        reason = None if case.has_form else "INCOMPLETE"
        if case.person is None or case.person.ending == "refuses":
            reason = "NOT_ELIGIBLE"
        number = f"MZ{self._clock.today():%Y%m%d}{secrets.token_hex(4).upper()}"
        told = {"Code": "REFUSED", "Reason": reason} if reason else {"Code": "ACCEPTED", "AcceptanceNumber": number}
        known = count_again(db, department=_NAME, reference=case.reference)
        if not known:
            take(
                db,
                department=_NAME,
                reference=case.reference,
                matter=case.matter,
                at=self._clock.stamp(),
                outcome="refused" if reason else "accepted",
                answer=told,
            )
        if reason is None:
            self._callbacks.owe(
                db,
                reference=case.reference,
                url=case.callback_url,
                steps=(
                    Step("accepted", "已受理 / Accepted."),
                    Step("in_review", "审查中 / In review."),
                    Step("approved", "准予办理 / Approved.", {"document_number": f"M{secrets.token_hex(5).upper()}"}),
                ),
                mode=mode,
            )
        return told

    def _open(self, content_type: str, call: str, body: bytes) -> ET.Element:
        if content_type != "text/xml" or call not in _CALLS:
            message = "Content-Type must be text/xml and SOAPAction one of the page's."
            raise NotUnderstood(message)
        envelope = _parsed(body)
        document = _decoded(envelope.findtext(f"soap:Body/c:{call}/c:Document", "", _IN))
        self._check(envelope, document)
        return _parsed(document)

    def _read(self, case: ET.Element) -> _Case:
        told = {
            name: case.findtext(path, "", _IN).strip()
            for name, path in {
                "reference": "c:Reference",
                "matter": "c:Matter",
                "submitted_at": "c:SubmittedAt",
                "url": "c:CallbackUrl",
                "name": "c:Applicant/c:Name",
                "number": "c:Applicant/c:IdNumber",
            }.items()
        }
        fields = case.findall("c:Form/c:Field", _IN)
        named = all(field.get("name") and field.get("type") in _KINDS for field in fields)
        if case.tag != f"{{{_CASES}}}Case" or not all(told.values()) or not named:
            message = "Something is missing in the document."
            raise NotUnderstood(message)
        if not self._callbacks.may_go_to(told["url"]):
            message = "CallbackUrl must be an http or https address on a host that may be called back."
            raise NotUnderstood(message)
        return _Case(
            reference=told["reference"],
            matter=told["matter"],
            callback_url=told["url"],
            has_form=case.find("c:Form", _IN) is not None,
            person=self._people.find_named(told["number"], told["name"]),
            files=listed_in(case.findall("c:Files/c:File", _IN)),
        )

    def _check(self, envelope: ET.Element, document: bytes) -> None:
        told = {
            name: envelope.findtext(f"{_USER}/{path}", "", _IN)
            for name, path in {
                "user": "wsse:Username",
                "digest": "wsse:Password",
                "nonce": "wsse:Nonce",
                "created": "wsu:Created",
            }.items()
        }
        nonce = _decoded(told["nonce"])
        try:
            created = datetime.strptime(told["created"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
        except ValueError:
            message = "Created is no time."
            raise NotAllowed(message) from None
        signed = nonce + told["created"].encode() + document
        code = hmac.new(self._caller.secret.encode(), signed, hashlib.sha256).digest()
        expected = base64.b64encode(code).decode()
        if not same(self._caller.app_id, told["user"]) or not same(expected, told["digest"]):
            message = "The caller is unknown or the digest is wrong."
            raise NotAllowed(message)
        late = abs((self._clock.now() - created).total_seconds()) > TOLERANCE_S
        if late or len(nonce) != _NONCE_BYTES or not self._nonces.use(told["user"], nonce.hex()):
            message = "Created is more than 300 s off, or the nonce is not 16 bytes or was used before."
            raise NotAllowed(message)


def _parsed(body: bytes) -> ET.Element:
    try:
        root: ET.Element = fromstring(body, forbid_dtd=True)
    except (ET.ParseError, DefusedXmlException, LookupError, ValueError):
        message = "The body is not the XML it should be."
        raise NotUnderstood(message) from None
    return root


def _decoded(told: str) -> bytes:
    try:
        return base64.b64decode(told, validate=True)
    except (binascii.Error, ValueError):
        message = "Something is not Base64."
        raise NotUnderstood(message) from None


def _answered(call: str, told: dict[str, str]) -> web.Response:
    envelope, body = _empty_envelope()
    response = ET.SubElement(body, f"{{{_CASES}}}{call}Response")
    for name, words in told.items():
        ET.SubElement(response, f"{{{_CASES}}}{name}").text = words
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
    content = ET.tostring(envelope, encoding="utf-8", xml_declaration=True)
    return web.Response(body=content, status=status, content_type="text/xml", charset="utf-8")
