"""Public security: cases and household checks over signed JSON (`docs/departments/public-security.md`)."""

from collections.abc import Mapping
from typing import Final

from core.ids import Ids
from core.outbound import Outbound, Partner
from matters.adapters.reading import as_department, refused_question, require_done, text
from matters.adapters.writing import files_of
from matters.errors import DossierDeclined, QuestionRefused
from matters.handover.errors import SupplementDeclined
from matters.types import Applicant, Capability, CaseStatus, Dedupe, Details, Dossier, Fact, Filed, Receipt, Supplement

_DONE: Final = "0000"
_UNKNOWN: Final = "1404"
_WILL_NOT_TAKE: Final = "2422"
_REASONS: Final = frozenset({"not-due", "not-eligible", "incomplete"})


class PublicSecurity:
    """Takes cases; tells of their progress by callback. De-duplicates by our reference."""

    dedupe: Final = Dedupe.KEY
    capabilities: Final = frozenset({Capability.SUBMIT, Capability.STATUS, Capability.SUPPLEMENT, Capability.CALLBACK})

    def __init__(self, *, outbound: Outbound, partner: Partner) -> None:
        self._outbound = outbound
        self._partner = partner

    async def submit(self, dossier: Dossier) -> Receipt:
        """Open a case, or find the one opened for the same reference before.

        Raises:
            DossierDeclined: code 2422, with one of the page's reasons.
            DepartmentUnavailable: no usable answer.
        """
        mobile = dossier.applicant.mobile
        asked = {
            "reference": dossier.reference,
            "matter": dossier.matter,
            "applicant": {
                "name": dossier.applicant.name.reveal(),
                "id_number": dossier.applicant.id_number.reveal(),
                "mobile": mobile.reveal() if mobile else None,
            },
            "form": dict(dossier.form),
            "files": files_of(dossier.files),
            "callback_url": dossier.callback_url,
        }
        with as_department(self._partner.name):
            answer = await self._outbound.call(
                self._partner, "POST", "/v1/cases", json_body=asked, idempotency_key=dossier.reference
            )
            told = answer.mapping()
            code = told.get("code")
            if code == _WILL_NOT_TAKE:
                reason = told.get("reason")
                raise DossierDeclined(self._partner.name, reason if reason in _REASONS else "declined")
            if code != _DONE:
                raise refused_question(self._partner.name, code)
            return Receipt(text(told, "receipt_number"))

    async def status(self, filed: Filed) -> CaseStatus | None:
        """Return whether a case was opened for a reference; how it goes is told by callback.

        Raises:
            DepartmentUnavailable: no usable answer.
        """
        with as_department(self._partner.name):
            answer = await self._outbound.call(self._partner, "GET", f"/v1/cases/{filed.reference}")
            told = answer.mapping()
            if told.get("code") == _UNKNOWN:
                return None
            if told.get("code") != _DONE:
                raise refused_question(self._partner.name, told.get("code"))
            return CaseStatus(text(told, "receipt_number"))

    async def supplement(self, supplement: Supplement) -> None:
        """Pass on what was missing in a case.

        Raises:
            SupplementDeclined: it has been decided, or is not known.
            DepartmentUnavailable: no usable answer.
        """
        asked = {
            "supplement": supplement.key,
            "form": dict(supplement.form),
            "files": files_of(supplement.files),
        }
        path = f"/v1/cases/{supplement.filed.reference}/supplements"
        with as_department(self._partner.name):
            answer = await self._outbound.call(
                self._partner, "POST", path, json_body=asked, idempotency_key=supplement.key
            )
            code = answer.mapping().get("code")
            require_done(self._partner.name, code, SupplementDeclined)

    async def withdraw(self, filed: Filed) -> None:
        """Refuse: its page has no withdrawal.

        Raises:
            QuestionRefused: always.
        """
        del filed
        raise QuestionRefused


class Households:
    """Answers about the household register: fact `result`. Takes what was decided about moves from here."""

    capabilities: Final = frozenset({Capability.VERIFY})

    def __init__(self, *, outbound: Outbound, partner: Partner, ids: Ids) -> None:
        self._outbound = outbound
        self._partner = partner
        self._ids = ids

    async def ask(self, applicant: Applicant, *, purpose: str) -> Mapping[str, Fact]:
        """Return whether anything stands against the applicant in the household register.

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
            answer = await self._outbound.call(self._partner, "POST", "/v1/checks/household", json_body=asked)
            told = answer.mapping()
            if told.get("code") != _DONE:
                raise refused_question(self._partner.name, told.get("code"))
            return {"result": text(told, "result")}

    async def take_result(self, key: str, matter: str, applicant: Applicant, result: Details) -> None:
        """Tell what was decided about a move away from here.

        Raises:
            DepartmentUnavailable: no usable answer.
        """
        asked = {
            "reference": key,
            "matter": matter,
            "id_number": applicant.id_number.reveal(),
            "name": applicant.name.reveal(),
            **result,
        }
        with as_department(self._partner.name):
            answer = await self._outbound.call(
                self._partner, "POST", "/v1/households/results", json_body=asked, idempotency_key=key
            )
            code = answer.mapping().get("code")
            if code != _DONE:
                raise refused_question(self._partner.name, code)
