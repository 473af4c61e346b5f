"""Public security as an issuer: signed JSON (`docs/departments/public-security.md`, "Certificates")."""

from collections.abc import Mapping
from typing import Any, Final

from certificates.adapters.reading import as_issuer, refused_question, text, version
from certificates.errors import NotConfirmed
from certificates.rules import STATES_TOLD
from certificates.types import CertificateQuery, Issued, Value
from core.ids import Ids
from core.outbound import Outbound, Partner

_DONE: Final = "0000"
_NONE_HELD: Final = "1404"
_NOT_CONFIRMED: Final = "1409"


class PublicSecurity:
    """Asks public security for licences, permits and passports. The partner's signer signs."""

    def __init__(self, *, outbound: Outbound, partner: Partner, ids: Ids) -> None:
        self._outbound = outbound
        self._partner = partner
        self._ids = ids

    async def fetch(self, query: CertificateQuery) -> Issued | None:
        """Return the certificate as it stands now, or None when none is held.

        Raises:
            NotConfirmed: it is on record, and not confirmed.
            IssuerUnavailable: no answer, or one that the page does not have.
        """
        asked = {
            "request_id": self._ids.uuid().hex,
            "kind": query.kind,
            "id_number": query.id_number.reveal(),
            "name": query.name.reveal(),
            "purpose": query.purpose,
        }
        with as_issuer(self._partner.name):
            answer = await self._outbound.call(self._partner, "POST", "/v1/certificates/query", json_body=asked)
            told = answer.mapping()
            code = told.get("code")
            if code == _NONE_HELD:
                return None
            if code == _DONE:
                return _issued(told["certificate"])
        if code == _NOT_CONFIRMED:
            raise NotConfirmed
        # 4010 is a wrong signature: our credentials, not the resident. Other codes are not on the page.
        raise refused_question(self._partner.name, code)


def _issued(told: Mapping[str, Any]) -> Issued:
    fields: dict[str, Value] = {
        "issued_on": told["issued_on"],
        "issuer": told["issuer"],
        **told["fields"],
        "number": told["number"],
        "valid_until": told["valid_until"],
    }
    return Issued(
        state=STATES_TOLD[told["state"]],
        issuer=text(told, "issuer"),
        issuer_code=text(told, "issuer_code"),
        serial=text(told, "serial"),
        version=version(told["version"]),
        identifier=None,
        fields=fields,
    )
