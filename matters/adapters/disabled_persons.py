"""The disabled persons' federation: cases over JSON signed with SM2 (`docs/departments/disabled-persons.md`)."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from core.outbound import Outbound, Partner
from core.signers.sm2_json import Sm2Json
from matters.adapters.reading import as_department, refused_question, text
from matters.adapters.writing import files_of
from matters.errors import DossierDeclined, QuestionRefused
from matters.handover.errors import WithdrawalDeclined
from matters.types import Capability, CaseStatus, Dedupe, Dossier, Filed, Receipt, Supplement

_REASONS: Final = frozenset({"not-due", "not-eligible", "incomplete"})


class DisabledPersons:
    """Takes cases, knows our reference again, and tells of them by callback. Every answer of theirs is signed."""

    dedupe: Final = Dedupe.KEY
    capabilities: Final = frozenset({Capability.SUBMIT, Capability.STATUS, Capability.WITHDRAW, Capability.CALLBACK})

    def __init__(self, *, outbound: Outbound, partner: Partner, signer: Sm2Json) -> None:
        self._outbound = outbound
        self._partner = partner
        self._signer = signer

    async def submit(self, dossier: Dossier) -> Receipt:
        """Open a case, or find the one opened for the same reference before.

        Raises:
            DossierDeclined: HTTP 422, with one of the page's reasons.
            DepartmentUnavailable: no usable answer.
        """
        mobile = dossier.applicant.mobile
        asked = {
            "reference": dossier.reference,
            "service": dossier.matter,
            "applied_at": dossier.submitted_at.isoformat(timespec="seconds"),
            "person": {
                "name": dossier.applicant.name.reveal(),
                "id_number": dossier.applicant.id_number.reveal(),
                "mobile": mobile.reveal() if mobile else None,
            },
            "answers": dict(dossier.form),
            "files": files_of(dossier.files),
            "tell": dossier.callback_url,
        }
        with as_department(self._partner.name):
            status, told = await self._ask("/v1/cases", asked)
            if status == HTTPStatus.UNPROCESSABLE_ENTITY:
                reason = told.get("reason")
                raise DossierDeclined(self._partner.name, reason if reason in _REASONS else "declined")
            if status not in {HTTPStatus.OK, HTTPStatus.CREATED}:
                raise refused_question(self._partner.name, status)
            return Receipt(text(told, "acceptance"))

    async def status(self, filed: Filed) -> CaseStatus | None:
        """Return whether a case was opened for a reference; how it goes is told by callback.

        Raises:
            DepartmentUnavailable: no usable answer.
        """
        with as_department(self._partner.name):
            status, told = await self._ask("/v1/cases/status", {"reference": filed.reference})
            if status == HTTPStatus.NOT_FOUND:
                return None
            if status != HTTPStatus.OK:
                raise refused_question(self._partner.name, status)
            return CaseStatus(text(told, "acceptance"))

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
            status, _ = await self._ask("/v1/cases/withdrawals", {"reference": filed.reference})
            if status in {HTTPStatus.CONFLICT, HTTPStatus.NOT_FOUND}:
                raise WithdrawalDeclined
            if status != HTTPStatus.OK:
                raise refused_question(self._partner.name, status)

    async def _ask(self, path: str, asked: Mapping[str, object]) -> tuple[int, dict[str, Any]]:
        """Ask something and read the signed answer; each try is signed anew, so the door repeats nothing by itself."""
        proven = await self._signer.prove("POST", path, asked)
        answer = await self._outbound.call(
            self._partner, "POST", path, body=proven.body, headers=proven.headers, repeatable=False
        )
        if answer.status == HTTPStatus.UNAUTHORIZED:  # Whom they do not know they answer without a signature.
            raise refused_question(self._partner.name, answer.status)
        return answer.status, await self._signer.open(answer.status, answer.headers, answer.body, proven.nonce)
