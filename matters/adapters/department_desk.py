"""The common desk of departments: dossiers over signed JSON (`docs/departments/department-desk.md`)."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from core.outbound import Outbound, Partner
from matters.adapters.reading import as_department, details, refused_question, require_done, text
from matters.adapters.writing import files_of
from matters.errors import DossierDeclined
from matters.handover.errors import SupplementDeclined, WithdrawalDeclined
from matters.types import Capability, CaseStatus, Dedupe, Details, Dossier, Filed, Receipt, Supplement

_DONE: Final = "0000"
_UNKNOWN: Final = "1404"
_WILL_NOT_TAKE: Final = "2422"
_APPROVED: Final = "approved"
_REASONS: Final = frozenset({"not-due", "not-eligible", "incomplete"})


def partner_name(department: str) -> str:
    """Return by what name a department at this desk is known at the door out: held back or not, it is so alone."""
    return f"department-desk.{department}"


class DepartmentDesk:
    """Takes dossiers for any department; decides at once what may be, tells of the rest by callback.

    De-duplicates by our reference. One department that is away holds back no other: each is a partner of its own.
    """

    dedupe: Final = Dedupe.KEY
    capabilities: Final = frozenset(
        {Capability.SUBMIT, Capability.STATUS, Capability.SUPPLEMENT, Capability.WITHDRAW, Capability.CALLBACK}
    )

    def __init__(self, *, outbound: Outbound, partner: Partner) -> None:
        self._outbound = outbound
        self._partner = partner

    async def submit(self, dossier: Dossier) -> Receipt:
        """Put a dossier before its department, or find what came of it before.

        Raises:
            DossierDeclined: code 2422, with one of the page's reasons.
            DepartmentUnavailable: no usable answer.
        """
        mobile = dossier.applicant.mobile
        asked = {
            "reference": dossier.reference,
            "matter": dossier.matter,
            "at_once": dossier.at_once,
            "submitted_at": dossier.submitted_at.isoformat(timespec="seconds"),
            "applicant": {
                "name": dossier.applicant.name.reveal(),
                "id_number": dossier.applicant.id_number.reveal(),
                "mobile": mobile.reveal() if mobile else None,
            },
            "form": dict(dossier.form),
            "files": files_of(dossier.files),
            "callback_url": dossier.callback_url,
        }
        partner = replace(self._partner, name=partner_name(dossier.department))
        with as_department(dossier.department):
            answer = await self._outbound.call(
                partner,
                "POST",
                f"/v1/{dossier.department}/cases",
                json_body=asked,
                idempotency_key=dossier.reference,
            )
            told = answer.mapping()
            code = told.get("code")
            if code == _WILL_NOT_TAKE:
                reason = told.get("reason")
                raise DossierDeclined(dossier.department, reason if reason in _REASONS else "declined")
            if code != _DONE:
                raise refused_question(dossier.department, code)
            return Receipt(text(told, "receipt_number"), approved=_approved(told.get("decision")))

    async def status(self, filed: Filed) -> CaseStatus | None:
        """Return whether a case was opened for a reference; how it goes is told by callback.

        Raises:
            DepartmentUnavailable: no usable answer.
        """
        partner = replace(self._partner, name=partner_name(filed.department))
        with as_department(filed.department):
            answer = await self._outbound.call(partner, "GET", f"/v1/{filed.department}/cases/{filed.reference}")
            told = answer.mapping()
            if told.get("code") == _UNKNOWN:
                return None
            if told.get("code") != _DONE:
                raise refused_question(filed.department, told.get("code"))
            return CaseStatus(text(told, "receipt_number"))

    async def supplement(self, supplement: Supplement) -> None:
        """Pass on what was missing in a case.

        Raises:
            SupplementDeclined: it has been decided, or is not known.
            DepartmentUnavailable: no usable answer.
        """
        filed = supplement.filed
        asked = {
            "supplement": supplement.key,
            "form": dict(supplement.form),
            "files": files_of(supplement.files),
        }
        partner = replace(self._partner, name=partner_name(filed.department))
        path = f"/v1/{filed.department}/cases/{filed.reference}/supplements"
        with as_department(filed.department):
            answer = await self._outbound.call(partner, "POST", path, json_body=asked, idempotency_key=supplement.key)
            code = answer.mapping().get("code")
            require_done(filed.department, code, SupplementDeclined)

    async def withdraw(self, filed: Filed) -> None:
        """Take a case back, or a department's part in one.

        Raises:
            WithdrawalDeclined: it has been decided, or is not known.
            DepartmentUnavailable: no usable answer.
        """
        partner = replace(self._partner, name=partner_name(filed.department))
        path = f"/v1/{filed.department}/cases/{filed.reference}/withdrawals"
        with as_department(filed.department):
            answer = await self._outbound.call(
                partner, "POST", path, json_body={"receipt_number": filed.receipt_number}
            )
            code = answer.mapping().get("code")
            require_done(filed.department, code, WithdrawalDeclined)


def _approved(decision: Any) -> Details | None:  # noqa: ANN401 — whatever the answer holds there
    """Read a decision that was made while we waited; None when there is none yet.

    Raises:
        ValueError: it is something else than the page says.
    """
    if decision is None:
        return None
    if not isinstance(decision, Mapping) or decision.get("state") != _APPROVED:
        raise ValueError("decision")
    result = details(decision.get("result"))
    if result is None:
        raise ValueError("result")
    return result
