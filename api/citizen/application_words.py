"""What residents read of their applications."""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import JsonValue, TypeAdapter

from api.citizen.asking.progress_words import CaseTimeOut, HandledByOut, ServiceOut
from api.operation import Out
from matters.applications.progress import ApplicationLine
from matters.types import AttachmentView, Branch, MaterialLine, Result, Satisfaction, State, Step
from matters.views.types import ApplicationView, FormValue, NextAction, TimelineEntry

_VALUE: TypeAdapter[JsonValue] = TypeAdapter(JsonValue)


class FormValueOut(Out):
    """A value of the form and where it came from; `masked`: a part of it is hidden at the caller's level.

    `certificate` is the one it was read from, `reported` the number under which it was called wrong.
    """

    value: JsonValue
    source: str
    editable: bool
    masked: bool
    as_of: datetime | None
    certificate: UUID | None
    reported: str | None

    @classmethod
    def of(cls, value: FormValue) -> "FormValueOut":
        """Return a value with its source."""
        return cls(
            value=_VALUE.validate_python(value.value),
            source=value.source,
            editable=value.editable,
            masked=value.masked,
            as_of=value.as_of,
            certificate=value.certificate,
            reported=value.reported,
        )


class TimelineEntryOut(Out):
    """One line of what happened."""

    at: datetime
    step: Step
    actor: str
    note: str

    @classmethod
    def of(cls, entry: TimelineEntry, *, english: bool) -> "TimelineEntryOut":
        """Return a line in the words of the caller's language."""
        return cls(
            at=entry.at,
            step=entry.step,
            actor=entry.actor_en if english else entry.actor,
            note=entry.note_en if english else entry.note,
        )


class NextActionOut(Out):
    """What happens next, or what the resident has to do."""

    code: str
    text: str

    @classmethod
    def of(cls, action: NextAction, *, english: bool) -> "NextActionOut":
        """Return it in the words of the caller's language."""
        return cls(code=action.code, text=action.text_en if english else action.text)


class BranchOut(Out):
    """One department's part in the decision; `due_at` where it has promised a time."""

    check: str
    department: str
    outcome: str
    code: str
    due_at: datetime | None
    due_note: str | None

    @classmethod
    def of(cls, branch: Branch) -> "BranchOut":
        """Return a department's part."""
        return cls(
            check=branch.check,
            department=branch.department,
            outcome=branch.outcome,
            code=branch.code,
            due_at=branch.due_at,
            due_note=branch.due_note,
        )


class ResultOut(Out):
    """How it ended. `details` is what the department gave; `rule_version` the rules that decided."""

    outcome: State
    at: datetime
    reason: str | None
    text: str
    details: dict[str, str | int | bool | None] | None
    rule_version: str | None

    @classmethod
    def of(cls, result: Result, *, english: bool) -> "ResultOut":
        """Return a result in the words of the caller's language."""
        return cls(
            outcome=result.outcome,
            at=result.at,
            reason=result.reason,
            text=result.text_en if english else result.text,
            details=None if result.details is None else dict(result.details),
            rule_version=result.rule_version,
        )


class AttachmentOut(Out):
    """A file that was given."""

    id: UUID
    material: str
    sha256: str
    bytes: int
    media_type: str

    @classmethod
    def of(cls, view: AttachmentView) -> "AttachmentOut":
        """Return a file's description."""
        return cls(id=view.id, material=view.material, sha256=view.sha256, bytes=view.size, media_type=view.media_type)


class ApplicationMaterialOut(Out):
    """A material of the application: the `way` it is satisfied, the reason, and from where (`source`)."""

    code: str
    title: str
    way: str
    reason: str
    source: str
    handed_in: bool

    @classmethod
    def of(cls, line: MaterialLine, *, english: bool) -> "ApplicationMaterialOut":
        """Return a material in the words of the caller's language."""
        return cls(
            code=line.code,
            title=line.title.en if english else line.title.zh,
            way=line.way,
            reason=line.reason.en if english else line.reason.zh,
            source=line.source,
            handed_in=line.handed_in,
        )


class ProgressOut(Out):
    """How an application stands, without anything personal."""

    state: State
    number: str | None
    matter: str
    title: str
    submitted_at: datetime | None
    timeline: list[TimelineEntryOut]
    due_at: datetime | None
    due_note: str | None
    clock: Literal["running", "stopped"]
    next_action: NextActionOut | None
    service: ServiceOut | None
    handled_by: HandledByOut | None
    time: CaseTimeOut
    branches: list[BranchOut]
    result: ResultOut | None

    @classmethod
    def of(cls, view: ApplicationView, *, english: bool) -> "ProgressOut":
        """Return how it stands in the words of the caller's language."""
        return cls.model_validate(_progress(view, english=english))


class ApplicationOut(ProgressOut):
    """One application as its owner sees it.

    `hidden` are fields not asked for now, `missing` those that are required and empty; a draft is forgotten at
    `expires_at` unless somebody goes on with it.
    """

    id: UUID
    created_at: datetime
    updated_at: datetime
    form: dict[str, FormValueOut]
    hidden: list[str]
    missing: list[str]
    expires_at: datetime | None
    attachments: list[AttachmentOut]
    materials: list[ApplicationMaterialOut]
    rated: Satisfaction | None

    @classmethod
    def of(cls, view: ApplicationView, *, english: bool) -> "ApplicationOut":
        """Return an application in the words of the caller's language."""
        return cls.model_validate(
            {
                **_progress(view, english=english),
                "id": view.id,
                "created_at": view.created_at,
                "updated_at": view.updated_at,
                "form": {name: FormValueOut.of(value) for name, value in view.form.items()},
                "hidden": list(view.hidden),
                "missing": list(view.missing),
                "expires_at": view.expires_at,
                "attachments": [AttachmentOut.of(each) for each in view.attachments],
                "materials": [ApplicationMaterialOut.of(each, english=english) for each in view.materials],
                "rated": view.rated,
            },
        )


def _progress(view: ApplicationView, *, english: bool) -> Mapping[str, object]:
    return {
        "state": view.state,
        "number": view.number,
        "matter": view.matter,
        "title": view.title_en if english else view.title,
        "submitted_at": view.submitted_at,
        "timeline": [TimelineEntryOut.of(entry, english=english) for entry in view.timeline],
        "due_at": view.due_at,
        "due_note": view.due_note,
        "clock": view.clock,
        "next_action": NextActionOut.of(view.next_action, english=english) if view.next_action else None,
        "service": ServiceOut.of(view.service, english=english) if view.service else None,
        "handled_by": HandledByOut.of(view.handled_by, english=english) if view.handled_by else None,
        "time": CaseTimeOut.of(view.time, english=english),
        "branches": [BranchOut.of(branch) for branch in view.branches],
        "result": ResultOut.of(view.result, english=english) if view.result else None,
    }


class ApplicationLineOut(Out):
    """One application in the list."""

    id: UUID
    matter: str
    title: str
    state: State
    number: str | None
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, line: ApplicationLine, *, english: bool) -> "ApplicationLineOut":
        """Return a line in the words of the caller's language."""
        return cls(
            id=line.id,
            matter=line.matter,
            title=line.title_en if english else line.title,
            state=line.state,
            number=line.number,
            created_at=line.created_at,
            updated_at=line.updated_at,
        )
