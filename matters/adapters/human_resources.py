"""Human resources: pensions over SOAP, insurance over the sharing interface (`docs/departments/human-resources.md`)."""

import hmac
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final
from xml.etree.ElementTree import Element, SubElement, register_namespace, tostring

from pydantic import SecretStr

from core.clock import Clock
from core.log import get_logger
from core.outbound import Incoming, Outbound, Partner
from core.signers.sharing import SharingEnvelope
from matters.adapters.reading import as_department, day, read_xml, refused_question, text
from matters.errors import DossierDeclined, QuestionRefused
from matters.types import Applicant, Capability, CaseStatus, Dedupe, Dossier, Fact, Filed, Receipt, Supplement

log = get_logger(__name__)

_SOAP: Final = "http://schemas.xmlsoap.org/soap/envelope/"
_PENSION: Final = "urn:human-resources:pension:1"
_BOUND: Final = 64
_REASONS: Final[Mapping[str, str]] = {
    "NOT_A_PENSIONER": "not-a-pensioner",
    "NOT_DUE": "not-due",
    "PAYMENT_ENDED": "payment-ended",
}
_CITIZEN_NUMBER: Final = "111"  # holderTypeCode of GB/T 36903
_STATUS_DONE: Final = 0
_STATUS_NONE: Final = 404
_STATUS_LATER: Final = 503
_CAUSE_LENGTH: Final = 200

register_namespace("soap", _SOAP)
register_namespace("p", _PENSION)


class PensionDesk:
    """Confirms that a pensioner is alive and entitled, at once. De-duplicates by our reference."""

    dedupe: Final = Dedupe.KEY
    capabilities: Final = frozenset({Capability.SUBMIT})

    def __init__(self, *, outbound: Outbound, partner: Partner, app_id: str, secret: SecretStr, clock: Clock) -> None:
        self._outbound = outbound
        # A fault comes with 500 whoever is to blame; only the one that blames us is an answer.
        self._partner = replace(partner, is_answer=_blames_us)
        self._app_id = app_id
        self._secret = secret.get_secret_value().encode()
        self._clock = clock

    async def submit(self, dossier: Dossier) -> Receipt:
        """Authenticate eligibility for the dossier's year; confirmed dossiers come back approved.

        Raises:
            DossierDeclined: REFUSED, with one of the page's reasons.
            QuestionRefused: a fault of class Client, which the page calls final.
            DepartmentUnavailable: no usable answer, or a fault on their side.
        """
        with as_department(self._partner.name):
            answer = await self._outbound.call(
                self._partner,
                "POST",
                "/soap/pension",
                body=self._envelope(dossier),
                headers={"Content-Type": "text/xml; charset=utf-8", "SOAPAction": '"AuthenticateEligibility"'},
                idempotency_key=dossier.reference,
            )
            if _blames_us(answer):
                log.error("a department refused the question", partner=self._partner.name, code="soap:Client")
                raise QuestionRefused
            response = read_xml(answer.body).find(f"{{{_SOAP}}}Body/{{{_PENSION}}}AuthenticateEligibilityResponse")
            if response is None:
                raise refused_question(self._partner.name, answer.status)
            told = {_local(child.tag): (child.text or "").strip() for child in response}
            if told.get("Result") == "REFUSED":
                raise DossierDeclined(self._partner.name, _REASONS.get(told.get("Reason", ""), "declined"))
            if told.get("Result") != "CONFIRMED":
                raise ValueError("Result")
            due = day(told.get("NextDueOn") or None)
            return Receipt(
                text(told, "ReceiptNumber"),
                approved={"year": dossier.year, "next_due_on": due.isoformat() if due else None},
            )

    async def status(self, filed: Filed) -> CaseStatus | None:
        """Refuse: what is decided at once is not asked for again.

        Raises:
            QuestionRefused: always.
        """
        del filed
        raise QuestionRefused

    async def supplement(self, supplement: Supplement) -> None:
        """Refuse: what is decided at once misses nothing.

        Raises:
            QuestionRefused: always.
        """
        del supplement
        raise QuestionRefused

    async def withdraw(self, filed: Filed) -> None:
        """Refuse: what is decided at once cannot be taken back.

        Raises:
            QuestionRefused: always.
        """
        del filed
        raise QuestionRefused

    def _envelope(self, dossier: Dossier) -> bytes:
        number = dossier.applicant.id_number.reveal()
        timestamp = str(int(self._clock.now().timestamp()))
        digest = hmac.digest(
            self._secret, f"{self._app_id}{timestamp}{dossier.reference}{number}".encode(), "sha256"
        ).hex()
        root = Element(f"{{{_SOAP}}}Envelope")
        access = SubElement(SubElement(root, f"{{{_SOAP}}}Header"), f"{{{_PENSION}}}Access")
        _fill(access, {"AppId": self._app_id, "Timestamp": timestamp, "Digest": digest})
        call = SubElement(SubElement(root, f"{{{_SOAP}}}Body"), f"{{{_PENSION}}}AuthenticateEligibility")
        _fill(
            call,
            {
                "Reference": dossier.reference,
                "Name": dossier.applicant.name.reveal(),
                "IdNumber": number,
                "Year": str(dossier.year),
                "Method": "face",
                "AuthenticatedAt": dossier.submitted_at.isoformat(timespec="seconds"),
            },
        )
        content: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
        return content


def _blames_us(answer: Incoming) -> bool:
    """Tell whether an answer is a SOAP fault of class Client: the question itself is refused, now and later."""
    try:
        code = read_xml(answer.body).findtext(f"{{{_SOAP}}}Body/{{{_SOAP}}}Fault/faultcode") or ""
    except ValueError:
        return False
    # A qualified name, whose class may be refined after a dot (SOAP 1.1, 4.4.1).
    return code.strip().rpartition(":")[2].partition(".")[0] == "Client"


def _fill(parent: Element, values: Mapping[str, str]) -> None:
    for name, value in values.items():
        SubElement(parent, f"{{{_PENSION}}}{name}").text = value


def _local(tag: str) -> str:
    return tag.rpartition("}")[2][:_BOUND]


class Insurance:
    """Answers about social insurance: fact `insured`; nobody on record is nobody insured."""

    capabilities: Final = frozenset({Capability.QUERY})

    def __init__(self, *, outbound: Outbound, partner: Partner, envelope: SharingEnvelope) -> None:
        self._outbound = outbound
        self._partner = partner
        self._envelope = envelope

    async def ask(self, applicant: Applicant, *, purpose: str) -> Mapping[str, Fact]:
        """Return whether the applicant is insured here.

        Raises:
            DepartmentUnavailable: no usable answer.
        """
        asked = self._envelope.wrap(
            {
                "holderCode": applicant.id_number.reveal(),
                "holderTypeCode": _CITIZEN_NUMBER,
                "holderName": applicant.name.reveal(),
                "useCause": purpose[:_CAUSE_LENGTH],
            },
        )
        with as_department(self._partner.name):
            answer = await self._outbound.call(self._partner, "POST", "/sharing/queryInsurance", json_body=asked)
            told = answer.mapping()
            status: Any = told["head"]["status"]
            if status == _STATUS_NONE:
                return {"insured": False}
            if status == _STATUS_LATER:
                raise ValueError("try later")
            if status != _STATUS_DONE:
                raise refused_question(self._partner.name, status)
            insured = self._envelope.open(told["data"]["certData"])["insured"]
            if not isinstance(insured, bool):
                raise ValueError("insured")  # noqa: TRY004 — a strange answer, like any other
            return {"insured": insured}
