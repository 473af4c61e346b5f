"""Human resources as an issuer: the sharing interface (`docs/departments/human-resources.md`)."""

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from certificates.errors import IssuerUnavailable
from certificates.types import CertificateQuery, Issued, State, Value
from core.log import get_logger
from core.outbound import Outbound, Partner, unavailable_as
from core.signers.sharing import SharingEnvelope

log = get_logger(__name__)

_DONE: Final = 0
_NONE_HELD: Final = 404
_TRY_LATER: Final = 503
_CITIZEN_NUMBER: Final = "111"  # holderTypeCode of GB/T 36903
_CAUSE_LENGTH: Final = 200
_DATES: Final = frozenset({"issued_on"})
_MOST_VERSIONS: Final = 999_999
_TEXT_LENGTH: Final = 120
_STATES: Final[Mapping[str, State]] = {
    "01": State.ACTIVE,
    "03": State.REVOKED,
    "04": State.CANCELLED,
    "05": State.EXPIRED,
    "06": State.MOVED,
    "07": State.REVOKED,
    "08": State.FROZEN,
}


class HumanResources:
    """Asks human resources for social security cards; the envelope makes the token and opens the answer."""

    def __init__(self, *, outbound: Outbound, partner: Partner, envelope: SharingEnvelope) -> None:
        self._outbound = outbound
        self._partner = partner
        self._envelope = envelope

    async def fetch(self, query: CertificateQuery) -> Issued | None:
        """Return the certificate as it stands now, or None when none is held.

        Raises:
            IssuerUnavailable: no answer, or one that the page does not have.
        """
        asked = self._envelope.wrap(
            {
                "certTypeCode": query.kind,
                "holderCode": query.id_number.reveal(),
                "holderTypeCode": _CITIZEN_NUMBER,
                "holderName": query.name.reveal(),
                "useCause": query.purpose[:_CAUSE_LENGTH],
            }
        )
        with unavailable_as(IssuerUnavailable):
            answer = await self._outbound.call(
                self._partner, "POST", "/sharing/queryCertInfoByHolderCode", json_body=asked
            )
            told = answer.mapping()
        try:
            status = told["head"]["status"]
            if status == _NONE_HELD:
                return None
            if status == _DONE:
                return _issued(self._envelope.open(told["data"]["certData"]))
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            log.warning("the issuer's answer is not as its page says", issuer=self._partner.name)
            raise IssuerUnavailable from error
        if status != _TRY_LATER:
            # 401 and 422 mean that our credentials or our question are wrong: an operator has to look.
            log.error("the issuer refused the question", issuer=self._partner.name, code=str(status)[:8])
        raise IssuerUnavailable


def _issued(told: Mapping[str, Any]) -> Issued:
    version, items = told["version"], told["items"]
    if isinstance(version, bool) or not isinstance(version, int) or not 1 <= version <= _MOST_VERSIONS:
        raise ValueError("version")
    fields: dict[str, Value] = {
        **{name: _day(value) if name in _DATES else value for name, value in items.items()},
        "number": told["certno"],
        "valid_until": _day(told["valid_until"]),
    }
    return Issued(
        state=_STATES[told["state"]],
        issuer=_text(told, "issuer"),
        issuer_code=_text(told, "issuer_code"),
        serial=_text(told, "serial"),
        version=version,
        identifier=_text(told, "cert_identifier"),
        fields=fields,
    )


def _day(value: object) -> str | None:
    """Return a date written `YYYYMMDD` as ISO 8601."""
    if value is None or value == "":
        return None
    if not isinstance(value, str) or len(value) != len("YYYYMMDD"):
        raise ValueError("date")
    return date.fromisoformat(value).isoformat()


def _text(told: Mapping[str, Any], name: str) -> str:
    value = told[name]
    if not isinstance(value, str) or not 0 < len(value) <= _TEXT_LENGTH:
        raise ValueError(name)
    return value
