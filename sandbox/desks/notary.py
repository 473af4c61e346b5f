"""The notary office, pretended from `docs/departments/notary.md`: a folder to put files in, and acknowledgements."""

import base64
import hashlib
import re
import secrets
import sqlite3
from dataclasses import dataclass
from functools import partial
from xml.etree.ElementTree import Element, ParseError, SubElement, register_namespace, tostring

from aiohttp import web
from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from sandbox.desks.polled import Happened, PolledCases
from sandbox.ground.answers import NotUnderstood
from sandbox.ground.clock import Clock
from sandbox.ground.faults import Faults, Mode, hang_up
from sandbox.ground.filing import Filing, Listed, listed_in
from sandbox.ground.settings import AppSecret
from sandbox.ground.signing import same
from sandbox.ground.store import Store
from sandbox.ground.submissions import take
from sandbox.people import People, Person

_NAME = "notary"
_SPACE = "urn:notary:exchange:1"
_IN = {"": _SPACE}
_REFERENCE = re.compile(r"[0-9A-Za-z-]{1,64}")
_STATES = {"accepted": "taken", "in_review": "drafting", "approved": "issued", "not_accepted": "not-taken"}
_ENDS = {"done": 201, "decided": 409, "unknown": 404}
register_namespace("n", _SPACE)


@dataclass(frozen=True, slots=True, repr=False)
class _Case:
    """What a file holds."""

    matter: str
    person: Person | None
    complete: bool
    files: list[Listed]


class Notary:
    """Keeps what is put into the folder, once for each name."""

    def __init__(
        self,
        *,
        people: People,
        caller: AppSecret,
        store: Store,
        faults: Faults,
        cases: PolledCases,
        filing: Filing,
        clock: Clock,
    ) -> None:
        self._people = people
        pair = f"{caller.app_id}:{caller.secret}".encode()
        self._proof = "Basic " + base64.b64encode(pair).decode()
        self._store = store
        self._faults = faults
        self._cases = cases
        self._filing = filing
        self._clock = clock

    def routes(self) -> list[web.RouteDef]:
        """List the addresses of this system."""
        return [
            web.put(f"/{_NAME}/in/{{reference}}.withdrawal.xml", self._withdraw),
            web.put(f"/{_NAME}/in/{{reference}}.xml", self._receive),
            web.put(f"/{_NAME}/in/{{reference}}/{{name}}", self._take_file),
            web.head(f"/{_NAME}/in/{{reference}}.xml", self._look),
            web.get(f"/{_NAME}/out/{{reference}}.ack.xml", self._acknowledge),
        ]

    def _is_stranger(self, request: web.Request) -> bool:
        return not same(self._proof, request.headers.get("Authorization", ""))

    async def _receive(self, request: web.Request) -> web.Response:
        reference, body = request.match_info["reference"], await request.read()
        if self._is_stranger(request):
            return web.Response(status=401)
        try:
            _require_digest(request, body)
            case = self._read(reference, body)
            await self._require_brought(reference, case.files)
        except NotUnderstood as refusal:
            return web.Response(text=str(refusal), status=422)
        if case.person is not None and case.person.ending == "hangs" and not await self._faults.hang(request, _NAME):
            return hang_up(request)
        mode = await self._faults.meet_callbacks(_NAME)
        status = await self._store.run(partial(self._take_in, reference=reference, case=case, mode=mode))
        return web.Response(status=status, headers={"X-Content-SHA256": hashlib.sha256(body).hexdigest()})

    def _take_in(self, db: sqlite3.Connection, *, reference: str, case: _Case, mode: Mode) -> int:
        if self._cases.of(db, department=_NAME, reference=reference):
            return 412
        refused = not case.complete or case.person is None or case.person.ending == "refuses"
        number = f"GZ{self._clock.today():%Y%m%d}{secrets.token_hex(4).upper()}"
        self._cases.open(db, department=_NAME, reference=reference, receipt_number=number, mode=mode, refused=refused)
        take(
            db,
            department=_NAME,
            reference=reference,
            matter=case.matter,
            at=self._clock.stamp(),
            outcome="refused" if refused else "accepted",
            answer={"number": number},
        )
        return 201

    async def _take_file(self, request: web.Request) -> web.Response:
        reference, name, body = request.match_info["reference"], request.match_info["name"], await request.read()
        if self._is_stranger(request):
            return web.Response(status=401)
        digest = hashlib.sha256(body).hexdigest()
        try:
            _require_digest(request, body)
        except NotUnderstood as refusal:
            return web.Response(text=str(refusal), status=422)
        lies_there = await self._filing.find(_NAME, reference)
        if name in lies_there:
            return web.Response(status=412)
        brought = Listed("", name, request.content_type, len(body), digest, "")
        await self._filing.note(_NAME, reference, brought, "brought")
        return web.Response(status=201, headers={"X-Content-SHA256": digest})

    async def _require_brought(self, reference: str, files: list[Listed]) -> None:
        lies_there = await self._filing.find(_NAME, reference)
        for file in files:
            if lies_there.get(file.name) != (file.media_type, file.size, file.sha256):
                message = "A file that the case names does not lie beside it, or is another one."
                raise NotUnderstood(message)
        for file in files:
            await self._filing.note(_NAME, reference, file, "same")

    async def _look(self, request: web.Request) -> web.Response:
        if self._is_stranger(request):
            return web.Response(status=401)
        reference = request.match_info["reference"]
        found = await self._store.run(partial(self._cases.of, department=_NAME, reference=reference))
        return web.Response(status=200 if found else 404)

    async def _acknowledge(self, request: web.Request) -> web.Response:
        if self._is_stranger(request):
            return web.Response(status=401)
        reference = request.match_info["reference"]
        found = await self._store.run(partial(self._cases.of, department=_NAME, reference=reference))
        if not found or not found[0][1]:
            return web.Response(status=404)
        number, steps = found[0]
        root = Element(f"{{{_SPACE}}}Acknowledgement", {"number": number})
        for step in steps:
            _add_step(root, step)
        return web.Response(body=tostring(root, encoding="utf-8", xml_declaration=True), content_type="application/xml")

    async def _withdraw(self, request: web.Request) -> web.Response:
        reference, body = request.match_info["reference"], await request.read()
        if self._is_stranger(request):
            return web.Response(status=401)
        try:
            _require_digest(request, body)
            if _parsed(body).findtext("Reference", "", _IN) != reference:
                return web.Response(status=422)
        except NotUnderstood as refusal:
            return web.Response(text=str(refusal), status=422)
        taken = await self._store.run(partial(self._cases.take_back, department=_NAME, reference=reference))
        return web.Response(status=_ENDS[taken])

    def _read(self, reference: str, body: bytes) -> _Case:
        case = _parsed(body)
        told = {name: case.findtext(name, "", _IN).strip() for name in ("Reference", "Matter", "SubmittedAt")}
        if case.tag != f"{{{_SPACE}}}Case" or not all(told.values()) or told["Reference"] != reference:
            message = "Something is missing in the file, or its reference is another one than its name."
            raise NotUnderstood(message)
        if not _REFERENCE.fullmatch(reference):
            message = "The reference is letters, digits and hyphens, at most 64."
            raise NotUnderstood(message)
        name, number = (case.findtext(f"Applicant/{part}", "", _IN) for part in ("Name", "IdNumber"))
        return _Case(
            matter=told["Matter"],
            person=self._people.find_named(number, name),
            complete=case.find("Form", _IN) is not None,
            files=listed_in(case.findall("Files/File", _IN)),
        )


def _require_digest(request: web.Request, body: bytes) -> None:
    if request.headers.get("If-None-Match") != "*":
        message = "If-None-Match must be *."
        raise NotUnderstood(message)
    if not same(hashlib.sha256(body).hexdigest(), request.headers.get("X-Content-SHA256", "")):
        message = "X-Content-SHA256 is not that of the body."
        raise NotUnderstood(message)


def _parsed(body: bytes) -> Element:
    try:
        root: Element = fromstring(body, forbid_dtd=True)
    except (ParseError, DefusedXmlException, LookupError, ValueError):
        message = "The body is not XML."
        raise NotUnderstood(message) from None
    return root


def _add_step(root: Element, step: Happened) -> None:
    told = SubElement(
        root,
        f"{{{_SPACE}}}Step",
        {"sequence": str(step.number), "state": _STATES[step.state], "at": step.at},
    )
    SubElement(told, f"{{{_SPACE}}}Note").text = step.note
    for name, value in (step.result or {}).items():
        result = SubElement(told, f"{{{_SPACE}}}Result", {"name": name})
        result.text = str(value)
