"""Education: degrees and cases over signed JSON (`docs/departments/education.md`)."""

from collections.abc import Mapping
from typing import Final

from core.ids import Ids
from core.outbound import Outbound, Partner
from matters.adapters.reading import as_department, day, refused_question, require_done, text
from matters.errors import DossierDeclined, QuestionRefused
from matters.handover.errors import WithdrawalDeclined
from matters.types import Applicant, Capability, CaseStatus, Dedupe, Dossier, Fact, Filed, Receipt, Supplement

_DONE: Final = "0000"
_UNKNOWN: Final = "1404"
_WILL_NOT_TAKE: Final = "2422"
_REASONS: Final = frozenset({"not-due", "not-eligible", "incomplete"})


class Degrees:
    """Answers about degrees: facts `result`, `degree`, `graduated_on`. The page has no place for a purpose."""

    capabilities: Final = frozenset({Capability.QUERY})

    def __init__(self, *, outbound: Outbound, partner: Partner, ids: Ids) -> None:
        self._outbound = outbound
        self._partner = partner
        self._ids = ids

    async def ask(self, applicant: Applicant, *, purpose: str) -> Mapping[str, Fact]:
        """Return what education has on record.

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
            answer = await self._outbound.call(self._partner, "POST", "/v1/checks/degree", json_body=asked)
            told = answer.mapping()
            if told.get("code") != _DONE:
                raise refused_question(self._partner.name, told.get("code"))
            result = text(told, "result")
            if result != "confirmed":
                return {"result": result}
            return {"result": result, "degree": text(told, "degree"), "graduated_on": day(told.get("graduated_on"))}


class Admissions:
    """Takes cases under our number, which it knows again, and tells of them by callback."""

    dedupe: Final = Dedupe.KEY
    capabilities: Final = frozenset({Capability.SUBMIT, Capability.STATUS, Capability.WITHDRAW, Capability.CALLBACK})

    def __init__(self, *, outbound: Outbound, partner: Partner) -> None:
        self._outbound = outbound
        self._partner = partner

    async def submit(self, dossier: Dossier) -> Receipt:
        """Put a case before education, or find the one put there under the same number before.

        Raises:
            DossierDeclined: code 2422, with one of the page's reasons.
            DepartmentUnavailable: no usable answer.
        """
        mobile = dossier.applicant.mobile
        asked = {
            "number": dossier.reference,
            "item": dossier.matter,
            "asked_at": dossier.submitted_at.isoformat(timespec="seconds"),
            "applicant": {
                "name": dossier.applicant.name.reveal(),
                "id_number": dossier.applicant.id_number.reveal(),
                "mobile": mobile.reveal() if mobile else None,
            },
            "sheet": dict(dossier.form),
            "scans": [
                {
                    "of": file.material,
                    "name": file.name,
                    "type": file.media_type,
                    "bytes": file.size,
                    "sha256": file.sha256,
                    "href": file.address,
                }
                for file in dossier.files
            ],
            "report_to": dossier.callback_url,
        }
        with as_department(self._partner.name):
            answer = await self._outbound.call(
                self._partner, "POST", "/v1/admissions", json_body=asked, idempotency_key=dossier.reference
            )
            told = answer.mapping()
            code = told.get("code")
            if code == _WILL_NOT_TAKE:
                reason = told.get("reason")
                raise DossierDeclined(self._partner.name, reason if reason in _REASONS else "declined")
            if code != _DONE:
                raise refused_question(self._partner.name, code)
            return Receipt(text(told, "admission"))

    async def status(self, filed: Filed) -> CaseStatus | None:
        """Return whether a case is there; how it goes is told by callback.

        Raises:
            DepartmentUnavailable: no usable answer.
        """
        with as_department(self._partner.name):
            answer = await self._outbound.call(self._partner, "GET", f"/v1/admissions/{filed.reference}")
            told = answer.mapping()
            if told.get("code") == _UNKNOWN:
                return None
            if told.get("code") != _DONE:
                raise refused_question(self._partner.name, told.get("code"))
            return CaseStatus(text(told, "admission"))

    async def supplement(self, supplement: Supplement) -> None:
        """Refuse: its page has no supplements.

        Raises:
            QuestionRefused: always.
        """
        del supplement
        raise QuestionRefused

    async def withdraw(self, filed: Filed) -> None:
        """Take a case back.

        Raises:
            WithdrawalDeclined: it has been decided, or is not known.
            DepartmentUnavailable: no usable answer.
        """
        with as_department(self._partner.name):
            answer = await self._outbound.call(
                self._partner, "POST", "/v1/admission-withdrawals", json_body={"number": filed.reference}
            )
            code = answer.mapping().get("code")
            require_done(self._partner.name, code, WithdrawalDeclined)
