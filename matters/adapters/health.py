"""Health: cases as sealed JSON (`docs/departments/health.md`)."""

from collections.abc import Mapping
from typing import Any, Final

from core.outbound import Outbound, Partner
from core.signers.sealed_json import SealedJson
from matters.adapters.reading import as_department, details, refused_question, require_done, text
from matters.adapters.writing import files_of
from matters.errors import DossierDeclined
from matters.handover.errors import SupplementDeclined, WithdrawalDeclined
from matters.types import Capability, CaseStatus, Dedupe, Details, Dossier, Filed, Receipt, Supplement

_DONE: Final = "0000"
_UNKNOWN: Final = "1404"
_DECIDED: Final = "1409"
_WILL_NOT_TAKE: Final = "2422"
_REASONS: Final = frozenset({"not-due", "not-eligible", "incomplete"})


class Health:
    """Takes cases that nobody on the way can read; decides at once or tells by callback. Knows our reference again."""

    dedupe: Final = Dedupe.KEY
    capabilities: Final = frozenset(
        {Capability.SUBMIT, Capability.STATUS, Capability.SUPPLEMENT, Capability.WITHDRAW, Capability.CALLBACK}
    )

    def __init__(self, *, outbound: Outbound, partner: Partner, envelope: SealedJson) -> None:
        self._outbound = outbound
        self._partner = partner
        self._envelope = envelope

    async def submit(self, dossier: Dossier) -> Receipt:
        """Open a case, or find the one opened for the same reference before.

        Raises:
            DossierDeclined: code 2422, with one of the page's reasons.
            DepartmentUnavailable: no usable answer.
        """
        mobile = dossier.applicant.mobile
        told = await self._ask(
            "/v1/sealed/cases",
            {
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
            },
        )
        with as_department(self._partner.name):
            code = told.get("code")
            if code == _WILL_NOT_TAKE:
                reason = told.get("reason")
                raise DossierDeclined(self._partner.name, reason if reason in _REASONS else "declined")
            if code != _DONE:
                raise refused_question(self._partner.name, code)
            return Receipt(text(told, "receipt_number"), approved=_approved(told.get("decision")))

    async def status(self, filed: Filed) -> CaseStatus | None:
        """Return whether a case was opened for a reference; how it goes is told by callback.

        Raises:
            DepartmentUnavailable: no usable answer.
        """
        told = await self._ask("/v1/sealed/status", {"reference": filed.reference})
        with as_department(self._partner.name):
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
            "reference": supplement.filed.reference,
            "supplement": supplement.key,
            "form": dict(supplement.form),
            "files": files_of(supplement.files),
        }
        told = await self._ask("/v1/sealed/supplements", asked)
        with as_department(self._partner.name):
            code = told.get("code")
            require_done(self._partner.name, code, SupplementDeclined)

    async def withdraw(self, filed: Filed) -> None:
        """Take a case back.

        Raises:
            WithdrawalDeclined: it has been decided, or is not known.
            DepartmentUnavailable: no usable answer.
        """
        told = await self._ask("/v1/sealed/withdrawals", {"reference": filed.reference})
        with as_department(self._partner.name):
            if told.get("code") in {_DECIDED, _UNKNOWN}:
                raise WithdrawalDeclined
            if told.get("code") != _DONE:
                raise refused_question(self._partner.name, told.get("code"))

    async def _ask(self, path: str, asked: Mapping[str, object]) -> dict[str, Any]:
        """Ask something and open the answer; each try is sealed anew, so the door repeats nothing by itself."""
        with as_department(self._partner.name):
            sealed = self._envelope.seal(asked)
            answer = await self._outbound.call(
                self._partner, "POST", path, json_body=dict(sealed.body), repeatable=False
            )
            told = answer.mapping()
            if "code" in told:  # What could not be opened is answered in clear.
                raise refused_question(self._partner.name, told["code"])
            return self._envelope.open(told, sealed.nonce)


def _approved(decision: object) -> Details | None:
    """Read a decision that was made while we waited; None when there is none yet.

    Raises:
        ValueError: it is something else than the page says.
    """
    if decision is None:
        return None
    if not isinstance(decision, Mapping) or decision.get("state") != "approved":
        raise ValueError("decision")
    result = details(decision.get("result"))
    if result is None:
        raise ValueError("result")
    return result
