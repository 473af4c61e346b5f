"""The notary office: a drop folder with acknowledgements (`docs/departments/notary.md`)."""

import base64
import hashlib
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final
from xml.etree.ElementTree import Element, register_namespace

from pydantic import SecretStr

from core.outbound import Incoming, Outbound, Partner
from matters.adapters.reading import as_department, details, moment, place, read_xml, refused_question, text
from matters.adapters.writing import add, add_case, add_files, written
from matters.errors import DepartmentUnavailable, FileStoreUnavailable, QuestionRefused
from matters.handover.errors import WithdrawalDeclined
from matters.ports import FileContents
from matters.types import (
    Capability,
    CaseStatus,
    Dedupe,
    Dossier,
    DossierFile,
    Filed,
    ProgressEvent,
    Receipt,
    State,
    Supplement,
)

_SPACE: Final = "urn:notary:exchange:1"
_STATES: Final[Mapping[str, State]] = {
    "taken": State.ACCEPTED,
    "drafting": State.IN_REVIEW,
    "issued": State.APPROVED,
    "turned-down": State.REJECTED,
    "not-taken": State.NOT_ACCEPTED,
}
_STEPS: Final = 100
_NOTE: Final = 400

register_namespace("n", _SPACE)


class Notary:
    """Takes each case as a file and is asked for its acknowledgement. A file that lies there is seen before another."""

    dedupe: Final = Dedupe.QUERY
    capabilities: Final = frozenset({Capability.SUBMIT, Capability.STATUS, Capability.WITHDRAW})

    def __init__(
        self, *, outbound: Outbound, partner: Partner, app_id: str, secret: SecretStr, contents: FileContents
    ) -> None:
        """`contents`: of the files that are brought with a case."""
        self._outbound = outbound
        self._contents = contents
        self._partner = partner
        pair = f"{app_id}:{secret.get_secret_value()}".encode()
        self._proof = {"Authorization": "Basic " + base64.b64encode(pair).decode()}

    async def submit(self, dossier: Dossier) -> Receipt:
        """Put a case into the folder, after the files that it names; the receipt is the file's name.

        Raises:
            QuestionRefused: the office cannot read the file, which an operator has to look into.
            DepartmentUnavailable: no usable answer, or a file of the case cannot be read now.
        """
        root = Element(f"{{{_SPACE}}}Case")
        add(root, _SPACE, "Reference", dossier.reference)
        add(root, _SPACE, "Matter", dossier.matter)
        add(root, _SPACE, "SubmittedAt", dossier.submitted_at.isoformat(timespec="seconds"))
        add_case(root, _SPACE, dossier)
        add_files(root, _SPACE, dossier.files, fetched=False)
        for file in dossier.files:
            await self._bring(dossier.reference, file)
        name = f"{dossier.reference}.xml"
        with as_department(self._partner.name):
            content = written(root)
            answer = await self._put(name, content)
            if answer.status == HTTPStatus.UNPROCESSABLE_ENTITY:
                raise QuestionRefused
            if answer.status == HTTPStatus.PRECONDITION_FAILED:
                return Receipt(name)
            if answer.status != HTTPStatus.CREATED:
                raise refused_question(self._partner.name, answer.status)
            if answer.headers.get("X-Content-SHA256") != hashlib.sha256(content).hexdigest():
                raise ValueError("X-Content-SHA256")
            return Receipt(name)

    async def status(self, filed: Filed) -> CaseStatus | None:
        """Return what a case's acknowledgement says; before there is one, whether its file has arrived.

        Raises:
            DepartmentUnavailable: no usable answer.
        """
        name = f"{filed.reference}.xml"
        with as_department(self._partner.name):
            told = await self._look("GET", f"/out/{filed.reference}.ack.xml")
            if told is None:
                arrived = await self._look("HEAD", f"/in/{name}")
                return None if arrived is None else CaseStatus(name)
            root = read_xml(told.body)
            number, steps = text(root.attrib, "number"), root.findall(f"{{{_SPACE}}}Step")
            if root.tag != f"{{{_SPACE}}}Acknowledgement" or len(steps) > _STEPS:
                raise ValueError("Acknowledgement")
            return CaseStatus(name, tuple(_event(filed, number, step) for step in steps))

    async def supplement(self, supplement: Supplement) -> None:
        """Refuse: its page has no supplements.

        Raises:
            QuestionRefused: always.
        """
        del supplement
        raise QuestionRefused

    async def withdraw(self, filed: Filed) -> None:
        """Put a withdrawal beside a case.

        Raises:
            WithdrawalDeclined: it has been issued, or there is no such case.
            DepartmentUnavailable: no usable answer.
        """
        root = Element(f"{{{_SPACE}}}Withdrawal")
        add(root, _SPACE, "Reference", filed.reference)
        with as_department(self._partner.name):
            answer = await self._put(f"{filed.reference}.withdrawal.xml", written(root))
            if answer.status in {HTTPStatus.CONFLICT, HTTPStatus.NOT_FOUND}:
                raise WithdrawalDeclined
            if answer.status not in {HTTPStatus.CREATED, HTTPStatus.PRECONDITION_FAILED}:
                raise refused_question(self._partner.name, answer.status)

    async def _bring(self, reference: str, file: DossierFile) -> None:
        """Put a file of a case into the folder. One that lies there whole is none of a case before the case does."""
        try:
            content = await self._contents.read(file.id)
        except FileStoreUnavailable as error:
            retry_after = error.extras.retry_after
            raise DepartmentUnavailable(self._partner.name, ambiguous=False, retry_after=retry_after) from error
        with as_department(self._partner.name):
            answer = await self._put(f"{reference}/{file.name}", content, file.media_type)
            if answer.status not in {HTTPStatus.CREATED, HTTPStatus.PRECONDITION_FAILED}:
                raise refused_question(self._partner.name, answer.status)

    async def _put(self, name: str, content: bytes, media_type: str = "application/xml") -> Incoming:
        headers = {
            **self._proof,
            "Content-Type": media_type,
            "X-Content-SHA256": hashlib.sha256(content).hexdigest(),
            "If-None-Match": "*",
        }
        return await self._outbound.call(
            self._partner, "PUT", f"/in/{name}", body=content, headers=headers, repeatable=False
        )

    async def _look(self, method: str, path: str) -> Incoming | None:
        answer = await self._outbound.call(self._partner, method, path, headers=self._proof)
        if answer.status == HTTPStatus.NOT_FOUND:
            return None
        if answer.status != HTTPStatus.OK:
            raise refused_question(self._partner.name, answer.status)
        return answer


def _event(filed: Filed, number: str, step: Element) -> ProgressEvent:
    """Read one step of an acknowledgement.

    Raises:
        ValueError: it is not as the page says.
    """
    sequence, note = place(step.get("sequence")), step.findtext(f"{{{_SPACE}}}Note") or ""
    if len(note) > _NOTE:
        raise ValueError("Note")
    given = {each.get("name", ""): each.text or "" for each in step.findall(f"{{{_SPACE}}}Result")}
    return ProgressEvent(
        event_id=f"{number[:40]}.{sequence}",
        reference=filed.reference,
        sequence=sequence,
        state=_STATES[step.get("state", "")],
        at=moment(step.get("at")),
        note=note,
        result=details(given or None),
    )
