"""Public security as an issuer: signed JSON (`docs/departments/public-security.md`, "Certificates")."""

from collections.abc import Mapping
from typing import Any, Final

from certificates.errors import IssuerUnavailable
from certificates.types import CertificateQuery, Issued, State, Value
from core.ids import Ids
from core.log import get_logger
from core.outbound import Outbound, Partner, unavailable_as

log = get_logger(__name__)

_DONE: Final = "0000"
_NONE_HELD: Final = "1404"
_MOST_VERSIONS: Final = 999_999
_TEXT_LENGTH: Final = 120
_STATES: Final[Mapping[str, State]] = {
    "01": State.ACTIVE,
    "03": State.REVOKED,
    "04": State.CANCELLED,
    "05": State.EXPIRED,
    "06": State.MOVED,
    "07": State.REVOKED,  # withdrawn (吊销): as final as revoked (撤销) for whoever looks at it
    "08": State.FROZEN,
}


class PublicSecurity:
    """Asks public security for driving licences and residence permits. The partner's signer signs."""

    def __init__(self, *, outbound: Outbound, partner: Partner, ids: Ids) -> None:
        self._outbound = outbound
        self._partner = partner
        self._ids = ids

    async def fetch(self, query: CertificateQuery) -> Issued | None:
        """Return the certificate as it stands now, or None when none is held.

        Raises:
            IssuerUnavailable: no answer, or one that the page does not have.
        """
        asked = {
            "request_id": self._ids.uuid().hex,
            "kind": query.kind,
            "id_number": query.id_number.reveal(),
            "name": query.name.reveal(),
            "purpose": query.purpose,
        }
        with unavailable_as(IssuerUnavailable):
            answer = await self._outbound.call(self._partner, "POST", "/v1/certificates/query", json_body=asked)
            told = answer.mapping()
        code = told.get("code")
        if code == _NONE_HELD:
            return None
        if code != _DONE:
            # 4010 is a wrong signature: our credentials, not the resident. Other codes are not on the page.
            log.error("the issuer refused the question", issuer=self._partner.name, code=str(code)[:8])
            raise IssuerUnavailable
        try:
            return _issued(told["certificate"])
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            log.warning("the issuer's answer is not as its page says", issuer=self._partner.name)
            raise IssuerUnavailable from error


def _issued(told: Mapping[str, Any]) -> Issued:
    version = told["version"]
    fields: dict[str, Value] = {
        **told["fields"],
        "number": told["number"],
        "valid_until": told["valid_until"],
    }
    if isinstance(version, bool) or not isinstance(version, int) or not 1 <= version <= _MOST_VERSIONS:
        raise ValueError("version")
    return Issued(
        state=_STATES[told["state"]],
        issuer=_text(told, "issuer"),
        issuer_code=_text(told, "issuer_code"),
        serial=_text(told, "serial"),
        version=version,
        identifier=None,
        fields=fields,
    )


def _text(told: Mapping[str, Any], name: str) -> str:
    value = told[name]
    if not isinstance(value, str) or not 0 < len(value) <= _TEXT_LENGTH:
        raise ValueError(name)
    return value
