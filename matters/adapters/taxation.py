"""Taxation: tickets over signed JSON, asked about until they are done (`docs/departments/taxation.md`)."""

from collections.abc import Mapping
from typing import Any, Final

from core.outbound import Outbound, Partner
from matters.adapters.reading import as_department, details, moment, place, refused_question, require_done, text
from matters.adapters.writing import files_of
from matters.errors import DossierDeclined
from matters.handover.errors import SupplementDeclined, WithdrawalDeclined
from matters.types import Capability, CaseStatus, Dedupe, Dossier, Filed, ProgressEvent, Receipt, State, Supplement

_DONE: Final = "0000"
_UNKNOWN: Final = "1404"
_WILL_NOT_TAKE: Final = "2422"
_REASONS: Final = frozenset({"not-due", "not-eligible", "incomplete"})
_STATES: Final[Mapping[str, State]] = {
    "10": State.ACCEPTED,
    "20": State.IN_REVIEW,
    "30": State.SUPPLEMENT_REQUESTED,
    "80": State.APPROVED,
    "90": State.REJECTED,
    "91": State.NOT_ACCEPTED,
}
_STEPS: Final = 100
_WANTED: Final = 20
_REMARK: Final = 400


class Taxation:
    """Takes dossiers as tickets and is asked how they stand.

    It opens another ticket for a serial that it has seen, and says which tickets a serial has: so it is asked before a
    dossier goes out again.
    """

    dedupe: Final = Dedupe.QUERY
    capabilities: Final = frozenset({Capability.SUBMIT, Capability.STATUS, Capability.SUPPLEMENT, Capability.WITHDRAW})

    def __init__(self, *, outbound: Outbound, partner: Partner) -> None:
        self._outbound = outbound
        self._partner = partner

    async def submit(self, dossier: Dossier) -> Receipt:
        """Open a ticket; it is never sent twice within one call.

        Raises:
            DossierDeclined: code 2422, with one of the page's reasons.
            DepartmentUnavailable: no usable answer.
        """
        mobile = dossier.applicant.mobile
        asked = {
            "serial": dossier.reference,
            "service": dossier.matter,
            "taxpayer": {
                "name": dossier.applicant.name.reveal(),
                "number": dossier.applicant.id_number.reveal(),
                "mobile": mobile.reveal() if mobile else None,
            },
            "declared": dict(dossier.form),
            "declared_at": dossier.submitted_at.isoformat(timespec="seconds"),
            "enclosures": [
                {
                    "code": file.material,
                    "file": file.name,
                    "type": file.media_type,
                    "bytes": file.size,
                    "sha256": file.sha256,
                    "link": file.address,
                }
                for file in dossier.files
            ],
        }
        with as_department(self._partner.name):
            answer = await self._outbound.call(self._partner, "POST", "/v1/tickets", json_body=asked, repeatable=False)
            told = answer.mapping()
            code = told.get("code")
            if code == _WILL_NOT_TAKE:
                reason = told.get("reason")
                raise DossierDeclined(self._partner.name, reason if reason in _REASONS else "declined")
            if code != _DONE:
                raise refused_question(self._partner.name, code)
            return Receipt(text(told, "ticket"))

    async def status(self, filed: Filed) -> CaseStatus | None:
        """Return what became of a serial's first ticket: that is the one that is worked on.

        Raises:
            DepartmentUnavailable: no usable answer.
        """
        with as_department(self._partner.name):
            answer = await self._outbound.call(self._partner, "GET", f"/v1/serials/{filed.reference}")
            told = answer.mapping()
            if told.get("code") == _UNKNOWN:
                return None
            if told.get("code") != _DONE:
                raise refused_question(self._partner.name, told.get("code"))
            first = told["tickets"][0]
            ticket, steps = text(first, "ticket"), first["steps"]
            if not isinstance(steps, list) or len(steps) > _STEPS:
                raise ValueError("steps")
            return CaseStatus(ticket, tuple(_event(filed, ticket, step) for step in steps))

    async def supplement(self, supplement: Supplement) -> None:
        """Pass on what was missing in a case.

        Raises:
            SupplementDeclined: it has been decided, or is not known.
            DepartmentUnavailable: no usable answer.
        """
        asked = {
            "serial": supplement.filed.reference,
            "supplement": supplement.key,
            "declared": dict(supplement.form),
            "files": files_of(supplement.files),
        }
        with as_department(self._partner.name):
            answer = await self._outbound.call(self._partner, "POST", "/v1/supplements", json_body=asked)
            code = answer.mapping().get("code")
            require_done(self._partner.name, code, SupplementDeclined)

    async def withdraw(self, filed: Filed) -> None:
        """Take a ticket back.

        Raises:
            WithdrawalDeclined: it has been decided, or there is no such ticket.
            DepartmentUnavailable: no usable answer.
        """
        with as_department(self._partner.name):
            path = f"/v1/tickets/{filed.receipt_number}/withdrawals"
            answer = await self._outbound.call(self._partner, "POST", path, json_body={"serial": filed.reference})
            code = answer.mapping().get("code")
            require_done(self._partner.name, code, WithdrawalDeclined)


def _event(filed: Filed, ticket: str, step: Mapping[str, Any]) -> ProgressEvent:
    """Read one step of a ticket.

    Raises:
        ValueError: it is not as the page says.
    """
    sequence, remark, wanted = place(step["number"]), step.get("remark", ""), step.get("wanted", [])
    if not isinstance(remark, str) or len(remark) > _REMARK:
        raise ValueError("remark")
    if not isinstance(wanted, list) or len(wanted) > _WANTED:
        raise ValueError("wanted")
    return ProgressEvent(
        event_id=f"{ticket[:40]}.{sequence}",
        reference=filed.reference,
        sequence=sequence,
        state=_STATES[step["status"]],
        at=moment(step["at"]),
        note=remark,
        result=details(step.get("outcome")),
        demands=tuple(text({"code": code}, "code") for code in wanted),
    )
