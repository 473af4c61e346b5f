"""Real estate registration: cases and residences over signed JSON with SM3 (`docs/departments/real-estate.md`)."""

from collections.abc import Mapping
from typing import Any, Final

from core.ids import Ids
from core.outbound import Outbound, Partner
from matters.adapters.reading import as_department, refused_question, require_done, text
from matters.adapters.writing import files_of
from matters.errors import DossierDeclined
from matters.handover.errors import SupplementDeclined, WithdrawalDeclined
from matters.types import Applicant, Capability, CaseStatus, Dedupe, Dossier, Fact, Filed, Receipt, Supplement

_DONE: Final = "0000"
_UNKNOWN: Final = "1404"
_DECIDED: Final = "1409"
_WILL_NOT_TAKE: Final = "2422"
_REASONS: Final = frozenset({"not-due", "not-eligible", "incomplete"})


class RealEstate:
    """Takes cases; tells of their progress by callback. De-duplicates by our reference."""

    dedupe: Final = Dedupe.KEY
    capabilities: Final = frozenset(
        {Capability.SUBMIT, Capability.STATUS, Capability.SUPPLEMENT, Capability.WITHDRAW, Capability.CALLBACK}
    )

    def __init__(self, *, outbound: Outbound, partner: Partner) -> None:
        self._outbound = outbound
        self._partner = partner

    async def submit(self, dossier: Dossier) -> Receipt:
        """Put a case before the register, or find the one put there under the same number before.

        Raises:
            DossierDeclined: code 2422, with one of the page's reasons.
            DepartmentUnavailable: no usable answer.
        """
        mobile = dossier.applicant.mobile
        asked = {
            "case_no": dossier.reference,
            "item": dossier.matter,
            "filed_at": int(dossier.submitted_at.timestamp()),
            "holder": {
                "name": dossier.applicant.name.reveal(),
                "id_number": dossier.applicant.id_number.reveal(),
                "phone": mobile.reveal() if mobile else "",
            },
            "fields": [{"name": name, "value": value} for name, value in dossier.form.items()],
            "papers": [
                {
                    "item": file.material,
                    "title": file.name,
                    "format": file.media_type,
                    "length": file.size,
                    "sha256": file.sha256,
                    "fetch_at": file.address,
                }
                for file in dossier.files
            ],
            "notify": dossier.callback_url,
        }
        with as_department(self._partner.name):
            told = await self._ask("/v1/acceptances", asked)
            code = told.get("code")
            if code == _WILL_NOT_TAKE:
                reason = told.get("reason")
                raise DossierDeclined(self._partner.name, reason if reason in _REASONS else "declined")
            if code != _DONE:
                raise refused_question(self._partner.name, code)
            return Receipt(text(told, "acceptance_no"))

    async def status(self, filed: Filed) -> CaseStatus | None:
        """Return whether a case is there; how it goes is told by callback.

        Raises:
            DepartmentUnavailable: no usable answer.
        """
        with as_department(self._partner.name):
            told = await self._ask("/v1/acceptances/query", {"case_no": filed.reference})
            if told.get("code") == _UNKNOWN:
                return None
            if told.get("code") != _DONE:
                raise refused_question(self._partner.name, told.get("code"))
            return CaseStatus(text(told, "acceptance_no"))

    async def supplement(self, supplement: Supplement) -> None:
        """Pass on what was missing in a case.

        Raises:
            SupplementDeclined: it has been decided, or is not known.
            DepartmentUnavailable: no usable answer.
        """
        asked = {
            "case_no": supplement.filed.reference,
            "supplement_no": supplement.key,
            "fields": [{"name": name, "value": value} for name, value in supplement.form.items()],
            "files": files_of(supplement.files),
        }
        with as_department(self._partner.name):
            code = (await self._ask("/v1/acceptances/supplement", asked)).get("code")
            require_done(self._partner.name, code, SupplementDeclined)

    async def withdraw(self, filed: Filed) -> None:
        """Take a case back.

        Raises:
            WithdrawalDeclined: it has been registered, or is not known.
            DepartmentUnavailable: no usable answer.
        """
        with as_department(self._partner.name):
            told = await self._ask("/v1/acceptances/cancel", {"case_no": filed.reference})
            if told.get("code") in {_DECIDED, _UNKNOWN}:
                raise WithdrawalDeclined
            if told.get("code") != _DONE:
                raise refused_question(self._partner.name, told.get("code"))

    async def _ask(self, path: str, asked: Mapping[str, object]) -> dict[str, Any]:
        answer = await self._outbound.call(self._partner, "POST", path, json_body=dict(asked))
        return answer.mapping()


class Residences:
    """Answers about residences: fact `result`. The address that comes along is not needed and is let go."""

    capabilities: Final = frozenset({Capability.QUERY})

    def __init__(self, *, outbound: Outbound, partner: Partner, ids: Ids) -> None:
        self._outbound = outbound
        self._partner = partner
        self._ids = ids

    async def ask(self, applicant: Applicant, *, purpose: str) -> Mapping[str, Fact]:
        """Return what the register has on record.

        Raises:
            DepartmentUnavailable: no usable answer.
        """
        del purpose
        asked = {
            "request_id": self._ids.uuid().hex,
            "id_number": applicant.id_number.reveal(),
            "name": applicant.name.reveal(),
        }
        with as_department(self._partner.name):
            answer = await self._outbound.call(self._partner, "POST", "/v1/checks/residence", json_body=asked)
            told = answer.mapping()
            if told.get("code") != _DONE:
                raise refused_question(self._partner.name, told.get("code"))
            return {"result": text(told, "result")}
