"""Human resources as an issuer: the sharing interface (`docs/departments/human-resources.md`)."""

from collections.abc import Mapping
from typing import Any, Final

from certificates.adapters.reading import as_issuer, compact_day, text, version
from certificates.adapters.sharing import SharingDesk
from certificates.rules import STATES_TOLD
from certificates.types import CertificateQuery, Issued, Value
from core.outbound import Outbound, Partner
from core.signers.sharing import SharingEnvelope

_DATES: Final = frozenset({"issued_on"})


class HumanResources:
    """Asks human resources for social security cards."""

    def __init__(self, *, outbound: Outbound, partner: Partner, envelope: SharingEnvelope) -> None:
        self._desk = SharingDesk(outbound=outbound, partner=partner, envelope=envelope)
        self._name = partner.name

    async def fetch(self, query: CertificateQuery) -> Issued | None:
        """Return the certificate as it stands now, or None when none is held.

        Raises:
            NotConfirmed: it is on record, and not confirmed.
            IssuerUnavailable: no answer, or one that the page does not have.
        """
        told = await self._desk.ask("/sharing/queryCertInfoByHolderCode", query.kind, query)
        if told is None:
            return None
        with as_issuer(self._name):
            return _issued(told)


def _issued(told: Mapping[str, Any]) -> Issued:
    fields: dict[str, Value] = {
        **{name: compact_day(value) if name in _DATES else value for name, value in told["items"].items()},
        "number": told["certno"],
        "valid_until": compact_day(told["valid_until"]),
    }
    return Issued(
        state=STATES_TOLD[told["state"]],
        issuer=text(told, "issuer"),
        issuer_code=text(told, "issuer_code"),
        serial=text(told, "serial"),
        version=version(told["version"]),
        identifier=text(told, "cert_identifier"),
        fields=fields,
    )
