"""The housing fund: cases over the sharing interface, asked about until done (`docs/departments/housing-fund.md`)."""

import json
from collections.abc import Collection, Mapping
from typing import Any, Final

from core.outbound import Outbound, Partner
from core.signers.sharing import SharingEnvelope
from matters.adapters.reading import as_department, details, moment, place, refused_question, text
from matters.errors import DossierDeclined, QuestionRefused
from matters.handover.errors import WithdrawalDeclined
from matters.types import Capability, CaseStatus, Dedupe, Dossier, Filed, ProgressEvent, Receipt, State, Supplement

_KIND: Final = "HFYW"
_DONE: Final = 0
_UNKNOWN: Final = 404
_DECIDED: Final = 409
_REASONS: Final[Mapping[str, str]] = {"01": "not-due", "02": "not-eligible", "03": "incomplete"}
_STATES: Final[Mapping[str, State]] = {
    "10": State.ACCEPTED,
    "20": State.IN_REVIEW,
    "80": State.APPROVED,
    "90": State.REJECTED,
    "91": State.NOT_ACCEPTED,
}
_STEPS: Final = 100
_NOTE: Final = 400


class HousingFund:
    """Takes cases under our reference, which it knows again, and is asked how they stand. Its answers come sealed."""

    dedupe: Final = Dedupe.KEY
    capabilities: Final = frozenset({Capability.SUBMIT, Capability.STATUS, Capability.WITHDRAW})

    def __init__(self, *, outbound: Outbound, partner: Partner, envelope: SharingEnvelope) -> None:
        self._outbound = outbound
        self._partner = partner
        self._envelope = envelope

    async def submit(self, dossier: Dossier) -> Receipt:
        """Open a case, or find the one opened for the same reference before.

        Raises:
            DossierDeclined: the answer names one of the page's reasons, or nobody of this name is known there.
            DepartmentUnavailable: no usable answer.
        """
        applicant = dossier.applicant
        asked = {
            "ywbh": dossier.reference,
            "certTypeCode": _KIND,
            "sxbm": dossier.matter,
            "holderCode": applicant.id_number.reveal(),
            "holderTypeCode": "111",
            "holderName": applicant.name.reveal(),
            "useCause": "办理本人申请的事项",
            "lxdh": applicant.mobile.reveal() if applicant.mobile else "",
            "sqsj": dossier.submitted_at.isoformat(timespec="seconds"),
            "bdnr": json.dumps(dict(dossier.form), ensure_ascii=False),
            "clqd": json.dumps(
                [
                    {
                        "cldm": file.material,
                        "wjm": file.name,
                        "wjlx": file.media_type,
                        "wjdx": file.size,
                        "sha256": file.sha256,
                        "qjdz": file.address,
                    }
                    for file in dossier.files
                ],
                ensure_ascii=False,
            ),
        }
        with as_department(self._partner.name):
            told = await self._ask("/sharing/SubmitApplication", asked)
            if told is None:
                raise DossierDeclined(self._partner.name, "not-eligible")
            if "bslyy" in told:
                raise DossierDeclined(self._partner.name, _REASONS.get(text(told, "bslyy"), "declined"))
            return Receipt(text(told, "ywlsh"))

    async def status(self, filed: Filed) -> CaseStatus | None:
        """Return what became of a case so far.

        Raises:
            DepartmentUnavailable: no usable answer.
        """
        with as_department(self._partner.name):
            told = await self._ask("/sharing/QueryApplication", {"ywbh": filed.reference, "certTypeCode": _KIND})
            if told is None:
                return None
            number, steps = text(told, "ywlsh"), told["jd"]
            if not isinstance(steps, list) or len(steps) > _STEPS:
                raise ValueError("jd")
            return CaseStatus(number, tuple(_event(filed, number, step) for step in steps))

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
            asked = {"ywbh": filed.reference, "certTypeCode": _KIND}
            told = await self._ask("/sharing/WithdrawApplication", asked, absent=(_UNKNOWN, _DECIDED))
            if told is None:
                raise WithdrawalDeclined

    async def _ask(
        self, path: str, data: Mapping[str, str], *, absent: Collection[int] = (_UNKNOWN,)
    ) -> dict[str, Any] | None:
        """Ask something and open the answer; None where its status is one of `absent`."""
        answer = await self._outbound.call(self._partner, "POST", path, json_body=self._envelope.wrap(data))
        told = answer.mapping()
        status = told["head"]["status"]
        if status in absent:
            return None
        if status != _DONE:
            raise refused_question(self._partner.name, status)
        return self._envelope.open(told["data"]["certData"])


def _event(filed: Filed, number: str, step: Mapping[str, Any]) -> ProgressEvent:
    """Read one step of a case.

    Raises:
        ValueError: it is not as the page says.
    """
    sequence, note = place(step["xh"]), step.get("sm", "")
    if not isinstance(note, str) or len(note) > _NOTE:
        raise ValueError("sm")
    return ProgressEvent(
        event_id=f"{number[:40]}.{sequence}",
        reference=filed.reference,
        sequence=sequence,
        state=_STATES[step["zt"]],
        at=moment(step["sj"]),
        note=note,
        result=details(step.get("jg")),
    )
