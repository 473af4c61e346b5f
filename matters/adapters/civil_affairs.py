"""Civil affairs: cases over SOAP with a digest of their own (`docs/departments/civil-affairs.md`)."""

import base64
import hmac
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC
from typing import Final
from xml.etree.ElementTree import Element, SubElement, register_namespace

from pydantic import SecretStr

from core.clock import Clock
from core.ids import Ids
from core.log import get_logger
from core.outbound import Incoming, Outbound, Partner
from matters.adapters.reading import as_department, read_xml, text
from matters.adapters.writing import add, add_case, add_files, add_form, written
from matters.errors import DossierDeclined, QuestionRefused
from matters.handover.errors import SupplementDeclined
from matters.types import Capability, CaseStatus, Dedupe, Dossier, Filed, Receipt, Supplement

log = get_logger(__name__)

_SOAP: Final = "http://schemas.xmlsoap.org/soap/envelope/"
_WSSE: Final = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
_WSU: Final = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
_DIGEST: Final = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#PasswordDigest"
_CASES: Final = "urn:civil-affairs:acceptance:1"
_REASONS: Final[Mapping[str, str]] = {
    "NOT_DUE": "not-due",
    "NOT_ELIGIBLE": "not-eligible",
    "INCOMPLETE": "incomplete",
}

register_namespace("soap", _SOAP)
register_namespace("wsse", _WSSE)
register_namespace("wsu", _WSU)
register_namespace("c", _CASES)


class CivilAffairs:
    """Takes cases and tells of them by callback. Knows no case again, so nothing is ever sent twice."""

    dedupe: Final = Dedupe.NONE
    capabilities: Final = frozenset({Capability.SUBMIT, Capability.SUPPLEMENT, Capability.CALLBACK})

    def __init__(
        self, *, outbound: Outbound, partner: Partner, app_id: str, secret: SecretStr, clock: Clock, ids: Ids
    ) -> None:
        self._outbound = outbound
        # A fault comes with 500 whoever is to blame; only the one that blames us is an answer.
        self._partner = replace(partner, is_answer=_blames_us)
        self._app_id = app_id
        self._secret = secret.get_secret_value().encode()
        self._clock = clock
        self._ids = ids

    async def submit(self, dossier: Dossier) -> Receipt:
        """Hand a case over, in one try.

        Raises:
            DossierDeclined: REFUSED, with one of the page's reasons.
            QuestionRefused: a fault of class Client, which the page calls final.
            DepartmentUnavailable: no usable answer, or a fault on their side.
        """
        with as_department(self._partner.name):
            response = await self._ask("Accept", _document(dossier))
            code = response.findtext(f"{{{_CASES}}}Code")
            if code == "REFUSED":
                reason = response.findtext(f"{{{_CASES}}}Reason") or ""
                raise DossierDeclined(self._partner.name, _REASONS.get(reason, "declined"))
            if code != "ACCEPTED":
                raise ValueError("Code")
            return Receipt(text({"number": response.findtext(f"{{{_CASES}}}AcceptanceNumber")}, "number"))

    async def status(self, filed: Filed) -> CaseStatus | None:
        """Refuse: there is no way to ask.

        Raises:
            QuestionRefused: always.
        """
        del filed
        raise QuestionRefused

    async def supplement(self, supplement: Supplement) -> None:
        """Pass on what was missing in a case, in one try.

        Raises:
            SupplementDeclined: REFUSED, because it has been decided or is not known.
            QuestionRefused: a fault of class Client, which the page calls final.
            DepartmentUnavailable: no usable answer, or a fault on their side.
        """
        with as_department(self._partner.name):
            response = await self._ask("Supplement", _supplement(supplement))
            code = response.findtext(f"{{{_CASES}}}Code")
            if code == "REFUSED":
                raise SupplementDeclined
            if code != "ACCEPTED":
                raise ValueError("Code")

    async def withdraw(self, filed: Filed) -> None:
        """Refuse: its page has no withdrawal.

        Raises:
            QuestionRefused: always.
        """
        del filed
        raise QuestionRefused

    async def _ask(self, call: str, document: bytes) -> Element:
        """Ask once and return the answer.

        Raises:
            QuestionRefused: a fault of class Client.
            ValueError: it is not the answer to this call.
        """
        answer = await self._outbound.call(
            self._partner,
            "POST",
            "/soap/acceptance",
            body=self._envelope(call, document),
            headers={"Content-Type": "text/xml; charset=utf-8", "SOAPAction": f'"{call}"'},
            repeatable=False,
        )
        if _blames_us(answer):
            log.error("a department refused the question", partner=self._partner.name, code="soap:Client")
            raise QuestionRefused
        response = read_xml(answer.body).find(f"{{{_SOAP}}}Body/{{{_CASES}}}{call}Response")
        if response is None:
            raise ValueError(f"{call}Response")
        return response

    def _envelope(self, name: str, document: bytes) -> bytes:
        nonce = self._ids.uuid().bytes
        created = self._clock.now().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        digest = hmac.digest(self._secret, nonce + created.encode() + document, "sha256")
        root = Element(f"{{{_SOAP}}}Envelope")
        security = SubElement(SubElement(root, f"{{{_SOAP}}}Header"), f"{{{_WSSE}}}Security")
        token = SubElement(security, f"{{{_WSSE}}}UsernameToken")
        SubElement(token, f"{{{_WSSE}}}Username").text = self._app_id
        SubElement(token, f"{{{_WSSE}}}Password", {"Type": _DIGEST}).text = base64.b64encode(digest).decode()
        SubElement(token, f"{{{_WSSE}}}Nonce").text = base64.b64encode(nonce).decode()
        SubElement(token, f"{{{_WSU}}}Created").text = created
        call = SubElement(SubElement(root, f"{{{_SOAP}}}Body"), f"{{{_CASES}}}{name}")
        SubElement(call, f"{{{_CASES}}}Document").text = base64.b64encode(document).decode()
        return written(root)


def _document(dossier: Dossier) -> bytes:
    root = Element(f"{{{_CASES}}}Case")
    add(root, _CASES, "Reference", dossier.reference)
    add(root, _CASES, "Matter", dossier.matter)
    add(root, _CASES, "SubmittedAt", dossier.submitted_at.isoformat(timespec="seconds"))
    add(root, _CASES, "CallbackUrl", dossier.callback_url)
    add_case(root, _CASES, dossier)
    add_files(root, _CASES, dossier.files)
    return written(root)


def _supplement(supplement: Supplement) -> bytes:
    root = Element(f"{{{_CASES}}}Supplement")
    add(root, _CASES, "Reference", supplement.filed.reference)
    add(root, _CASES, "AcceptanceNumber", supplement.filed.receipt_number)
    add(root, _CASES, "Key", supplement.key)
    add_form(root, _CASES, supplement.form)
    add_files(root, _CASES, supplement.files)
    return written(root)


def _blames_us(answer: Incoming) -> bool:
    """Tell whether an answer is a SOAP fault of class Client: the question itself is refused, now and later."""
    try:
        code = read_xml(answer.body).findtext(f"{{{_SOAP}}}Body/{{{_SOAP}}}Fault/faultcode") or ""
    except ValueError:
        return False
    return code.strip().rpartition(":")[2].partition(".")[0] == "Client"
