"""Asking over the sharing interface (`docs/departments/human-resources.md`), as several departments speak it."""

from collections.abc import Mapping
from typing import Any, Final

from certificates.adapters.reading import as_issuer, refused_question
from certificates.errors import IssuerUnavailable, NotConfirmed
from certificates.types import CertificateQuery
from core.outbound import Outbound, Partner
from core.signers.sharing import SharingEnvelope

_DONE: Final = 0
_NONE_HELD: Final = 404
_NOT_CONFIRMED: Final = 409
_TRY_LATER: Final = 503
_CITIZEN_NUMBER: Final = "111"  # holderTypeCode of GB/T 36903
_CAUSE_LENGTH: Final = 200


class SharingDesk:
    """One department's sharing interface; the envelope makes the token and opens the answer."""

    def __init__(self, *, outbound: Outbound, partner: Partner, envelope: SharingEnvelope) -> None:
        self._outbound = outbound
        self._partner = partner
        self._envelope = envelope

    async def ask(self, path: str, type_code: str, query: CertificateQuery) -> Mapping[str, Any] | None:
        """Return the clear text of a certificate's data, or None when none is held.

        Raises:
            NotConfirmed: it is on record, and not confirmed.
            IssuerUnavailable: no answer, or one that the page does not have.
        """
        asked = self._envelope.wrap(
            {
                "certTypeCode": type_code,
                "holderCode": query.id_number.reveal(),
                "holderTypeCode": _CITIZEN_NUMBER,
                "holderName": query.name.reveal(),
                "useCause": query.purpose[:_CAUSE_LENGTH],
            }
        )
        with as_issuer(self._partner.name):
            answer = await self._outbound.call(self._partner, "POST", path, json_body=asked)
            told = answer.mapping()
            status = told["head"]["status"]
            if status == _NONE_HELD:
                return None
            if status == _DONE:
                return self._envelope.open(told["data"]["certData"])
        if status == _NOT_CONFIRMED:
            raise NotConfirmed
        if status == _TRY_LATER:
            raise IssuerUnavailable
        # 401 and 422: our credentials or our question are wrong.
        raise refused_question(self._partner.name, status)
