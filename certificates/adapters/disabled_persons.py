"""The disabled persons' federation as an issuer: XML (`docs/departments/disabled-persons.md`)."""

from collections.abc import Mapping
from typing import Final
from xml.etree.ElementTree import Element, ParseError, SubElement, register_namespace, tostring

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring
from pydantic import SecretStr

from certificates.adapters.reading import as_issuer, refused_question, text, version
from certificates.errors import IssuerUnavailable, NotConfirmed
from certificates.rules import STATES_TOLD
from certificates.types import CertificateQuery, Issued, Value
from core.clock import Clock
from core.ids import Ids
from core.outbound import Outbound, Partner
from core.signers.signed_json import hmac_hex

_SPACE: Final = "urn:disabled-persons:certificates:1"
_SEXES: Final[Mapping[str, str]] = {"1": "男", "2": "女"}
_CATEGORIES: Final[Mapping[str, str]] = {
    "1": "visual",
    "2": "hearing",
    "3": "speech",
    "4": "physical",
    "5": "intellectual",
    "6": "mental",
    "7": "multiple",
}

register_namespace("", _SPACE)


class DisabledPersons:
    """Asks the federation for disability certificates. The proof stands in the message, not in its headers."""

    def __init__(
        self, *, outbound: Outbound, partner: Partner, app_id: str, secret: SecretStr, clock: Clock, ids: Ids
    ) -> None:
        self._outbound = outbound
        self._partner = partner
        self._app_id = app_id
        self._secret = secret.get_secret_value().encode()
        self._clock = clock
        self._ids = ids

    async def fetch(self, query: CertificateQuery) -> Issued | None:
        """Return the certificate as it stands now, or None when none is held.

        Raises:
            NotConfirmed: it is on record, and not confirmed.
            IssuerUnavailable: no answer, or one that the page does not have.
        """
        with as_issuer(self._partner.name):
            answer = await self._outbound.call(
                self._partner,
                "POST",
                "/query",
                body=self._question(query),
                headers={"Content-Type": "application/xml; charset=utf-8"},
            )
            told = _read(answer.body)
            code = _text(told, "Code")
            if code == "NONE":
                return None
            if code == "OK":
                return _issued(told)
        if code == "UNCONFIRMED":
            raise NotConfirmed
        if code == "LATER":
            raise IssuerUnavailable
        raise refused_question(self._partner.name, code)

    def _question(self, query: CertificateQuery) -> bytes:
        timestamp, nonce = str(int(self._clock.now().timestamp())), self._ids.uuid().hex
        name, number = query.name.reveal(), query.id_number.reveal()
        signed = f"{self._app_id}\n{timestamp}\n{nonce}\n{name}\n{number}\n{query.purpose}"
        root = Element(f"{{{_SPACE}}}CertificateQuery")
        _fill(
            SubElement(root, f"{{{_SPACE}}}Caller"),
            {
                "AppId": self._app_id,
                "Timestamp": timestamp,
                "Nonce": nonce,
                "Signature": hmac_hex("sha256", self._secret, signed.encode()),
            },
        )
        _fill(SubElement(root, f"{{{_SPACE}}}Holder"), {"Name": name, "IdNumber": number})
        _fill(root, {"Purpose": query.purpose})
        content: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
        return content


def _read(content: bytes) -> Element:
    try:
        root: Element = fromstring(content, forbid_dtd=True)
    except (ParseError, DefusedXmlException) as error:
        raise ValueError("xml") from error
    if root.tag != f"{{{_SPACE}}}CertificateAnswer":
        raise ValueError("root")
    return root


def _issued(answer: Element) -> Issued:
    told = answer.find(f"{{{_SPACE}}}Certificate")
    issuer = None if told is None else told.find(f"{{{_SPACE}}}Issuer")
    if told is None or issuer is None:
        raise ValueError("Certificate")
    fields: dict[str, Value] = {
        "number": told.attrib["number"],
        "name": _text(told, "Name"),
        "sex": _SEXES[_text(told, "Sex")],
        "category": _CATEGORIES[_text(told, "Category")],
        "grade": int(_text(told, "Grade")),
        "guardian": _text(told, "Guardian") or None,
        "issued_on": _text(told, "IssuedOn"),
        "valid_until": _text(told, "ValidUntil"),
        "issuer": issuer.text,
    }
    return Issued(
        state=STATES_TOLD[told.attrib["state"]],
        issuer=text(fields, "issuer"),
        issuer_code=text(issuer.attrib, "code"),
        serial=text(told.attrib, "serial"),
        version=version(int(told.attrib["version"])),
        identifier=None,
        fields=fields,
    )


def _text(parent: Element, name: str) -> str:
    """Return the text of a child, empty when the child is."""
    child = parent.find(f"{{{_SPACE}}}{name}")
    if child is None:
        raise ValueError(name)
    return (child.text or "").strip()


def _fill(parent: Element, values: Mapping[str, str]) -> None:
    for name, value in values.items():
        SubElement(parent, f"{{{_SPACE}}}{name}").text = value
