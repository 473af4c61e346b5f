"""The city's data quality desk, which passes reports on to issuers (`docs/departments/data-quality.md`)."""

from typing import Final

from certificates.adapters.reading import as_issuer, refused_question, text
from certificates.errors import IssuerUnavailable
from certificates.types import ReportState, Ticket, Verdict
from core.outbound import Outbound, Partner

_DONE: Final = "0000"
_TRY_LATER: Final = "5030"
_OPEN: Final = "open"
_STATES: Final = {"corrected": ReportState.CORRECTED, "confirmed": ReportState.CONFIRMED}
_NOTE_LENGTH: Final = 400


class DataQuality:
    """Files reports and asks for what came of them. De-duplicates by our reference."""

    def __init__(self, *, outbound: Outbound, partner: Partner) -> None:
        self._outbound = outbound
        self._partner = partner

    async def file(self, ticket: Ticket) -> str:
        """Hand a report in and return the desk's number for it.

        Raises:
            IssuerUnavailable: no answer, or one that the page does not have.
        """
        filed = {
            "reference": ticket.reference,
            "department": ticket.department,
            "kind": ticket.kind,
            "identifier": ticket.identifier,
            "item": ticket.item,
            "told": ticket.told,
            "holder": {"name": ticket.name.reveal(), "id_number": ticket.id_number.reveal()},
        }
        with as_issuer(self._partner.name):
            answer = await self._outbound.call(
                self._partner, "POST", "/v1/reports", json_body=filed, idempotency_key=ticket.reference
            )
            told = answer.mapping()
            if told["code"] == _DONE:
                return text(told, "ticket")
        raise self._failure(told["code"])

    async def answer(self, reference: str) -> Verdict | None:
        """Return what came of a report, None while nobody has answered.

        Raises:
            IssuerUnavailable: no answer, or one that the page does not have.
        """
        with as_issuer(self._partner.name):
            answer = await self._outbound.call(self._partner, "GET", f"/v1/reports/{reference}")
            told = answer.mapping()
            if told["code"] == _DONE:
                state = told["state"]
                return None if state == _OPEN else Verdict(_STATES[state], str(told.get("note", ""))[:_NOTE_LENGTH])
        raise self._failure(told["code"])

    def _failure(self, code: object) -> IssuerUnavailable:
        return IssuerUnavailable() if code == _TRY_LATER else refused_question(self._partner.name, code)
