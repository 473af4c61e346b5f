"""The documents that steps owe by law: kind and number, kept with the action. Papers are made of them elsewhere."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from matters.types import Step, Text

# Under this name an action's `data` holds its document, under the other how long a suspension takes.
DOCUMENT: Final = "document"
WORKING_DAYS: Final = "working_days"


class DocumentKind(StrEnum):
    """What is written for the applicant (行政许可法 arts. 32, 38, 45)."""

    ACCEPTANCE = "acceptance-notice"
    NON_ACCEPTANCE = "non-acceptance-decision"
    SUPPLEMENT = "supplement-notice"
    APPROVAL = "approval-decision"
    REJECTION = "rejection-decision"
    SPECIAL_PROCEDURE = "special-procedure-notice"
    TERMINATION = "termination-notice"


TITLES: Final[Mapping[DocumentKind, Text]] = MappingProxyType(
    {
        DocumentKind.ACCEPTANCE: Text("受理通知书", "Notice of acceptance"),
        DocumentKind.NON_ACCEPTANCE: Text("不予受理决定书", "Decision of non-acceptance"),
        DocumentKind.SUPPLEMENT: Text("一次性补正告知书", "Notice of what is to be supplemented"),
        DocumentKind.APPROVAL: Text("准予决定书", "Decision of approval"),
        DocumentKind.REJECTION: Text("不予许可决定书", "Decision of rejection"),
        DocumentKind.SPECIAL_PROCEDURE: Text("特别程序告知书", "Notice of a special procedure"),
        DocumentKind.TERMINATION: Text("终止办理告知书", "Notice of termination"),
    },
)
# The letters of a kind at the head of its numbers (the initials of its title).
_LETTERS: Final[Mapping[DocumentKind, str]] = MappingProxyType(
    {
        DocumentKind.ACCEPTANCE: "SL",
        DocumentKind.NON_ACCEPTANCE: "BSL",
        DocumentKind.SUPPLEMENT: "BZ",
        DocumentKind.APPROVAL: "ZY",
        DocumentKind.REJECTION: "BY",
        DocumentKind.SPECIAL_PROCEDURE: "TC",
        DocumentKind.TERMINATION: "ZZ",
    },
)
_OWED: Final[Mapping[Step, DocumentKind]] = MappingProxyType(
    {
        Step.ACCEPTED: DocumentKind.ACCEPTANCE,
        Step.NOT_ACCEPTED: DocumentKind.NON_ACCEPTANCE,
        Step.SUPPLEMENT_REQUESTED: DocumentKind.SUPPLEMENT,
        Step.APPROVED: DocumentKind.APPROVAL,
        Step.REJECTED: DocumentKind.REJECTION,
        Step.SUSPENDED: DocumentKind.SPECIAL_PROCEDURE,
        Step.TERMINATED: DocumentKind.TERMINATION,
    },
)


@dataclass(frozen=True, slots=True)
class Document:
    """One document: what it is, and its number, which no other has."""

    kind: DocumentKind
    number: str

    @property
    def data(self) -> dict[str, str]:
        """How an action keeps it."""
        return {"kind": self.kind.value, "number": self.number}


def document_for(step: Step, case_number: str, before: Iterable[Document]) -> Document | None:
    """Return the document that a step owes, None where it owes none; `before` are those that the case has.

    The number is made of the case's, so it needs no counter, and none is lost or given twice.
    """
    kind = _OWED.get(step)
    if kind is None:
        return None
    place = 1 + sum(each.kind is kind for each in before)
    return Document(kind, f"{_LETTERS[kind]}{case_number}-{place}")


def document_in(data: Mapping[str, Any]) -> Document | None:
    """Return the document that an action keeps."""
    told = data.get(DOCUMENT)
    return None if told is None else Document(DocumentKind(told["kind"]), str(told["number"]))


def words_in(data: Mapping[str, Any]) -> Text | None:
    """Return in words for the applicant what was written for them with an action, None where nothing was."""
    document = document_in(data)
    if document is None:
        return None
    title, days = TITLES[document.kind], data.get(WORKING_DAYS)
    zh, en = f"{title.zh}（{document.number}）", f"{title.en} ({document.number})"
    return Text(zh, en) if days is None else Text(f"{zh}，预计需要{days}个工作日", f"{en}, about {days} working days")
