"""Health as an issuer: births, signed JSON with SM3 (`docs/departments/health.md`)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from certificates.adapters.reading import as_issuer, compact_day, refused_question, text, version
from certificates.errors import IssuerUnavailable, NotConfirmed
from certificates.types import CertificateQuery, Issued, State
from core.clock import CHINA
from core.ids import Ids
from core.outbound import Outbound, Partner

_DONE: Final = "0000"
_TRY_LATER: Final = "5030"
_UNCONFIRMED: Final = "unconfirmed"
_SEXES: Final[Mapping[str, str]] = {"1": "男", "2": "女"}
_STATES: Final[Mapping[str, State]] = {
    "valid": State.ACTIVE,
    "void": State.REVOKED,
    "replaced": State.CANCELLED,
    "locked": State.FROZEN,
}


class Health:
    """Asks health for the birth certificate of a child, under the child's name and number."""

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
            "child": {"name": query.name.reveal(), "id_number": query.id_number.reveal()},
            "purpose": query.purpose,
        }
        with as_issuer(self._partner.name):
            answer = await self._outbound.call(self._partner, "POST", "/v1/births/query", json_body=asked)
            told = answer.mapping()
            code = told["code"]
            if code == _DONE:
                births = told["births"]
                if births and births[0]["status"] == _UNCONFIRMED:
                    raise NotConfirmed
                return _issued(births[0]) if births else None
        if code == _TRY_LATER:
            raise IssuerUnavailable
        raise refused_question(self._partner.name, code)


def _issued(told: Mapping[str, Any]) -> Issued:
    father, mother = told["father"] or {}, told["mother"] or {}
    return Issued(
        state=_STATES[told["status"]],
        issuer=text(told, "institution"),
        issuer_code=text(told, "institution_code"),
        serial=text(told, "serial"),
        version=version(told["revision"]),
        identifier=None,
        fields={
            "number": text(told, "certificate_number"),
            "name": text(told, "child_name"),
            "sex": _SEXES[told["child_sex"]],
            "born_at": _moment(told["born"]),
            "born_in": told["place"],
            "gestation_weeks": told["gestation"],
            "weight_g": told["weight"],
            "length_cm": told["length"],
            "father": father.get("name"),
            "father_id_number": father.get("id_number"),
            "mother": mother.get("name"),
            "mother_id_number": mother.get("id_number"),
            "institution": text(told, "institution"),
            "issued_on": compact_day(told["issued"]),
        },
    )


def _moment(value: str) -> str:
    """Return a moment written `YYYY-MM-DD HH:MM` in China as ISO 8601."""
    return datetime.strptime(value, "%Y-%m-%d %H:%M").replace(tzinfo=CHINA).isoformat()
