"""An application as its owner sees it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from matters.clocks.types import CaseTime
from matters.types import (
    AttachmentView,
    Availability,
    Branch,
    HandledBy,
    MaterialLine,
    Result,
    Satisfaction,
    State,
    Step,
)


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One line of what happened, for the resident."""

    at: datetime
    step: Step
    actor: str
    actor_en: str
    note: str
    note_en: str


@dataclass(frozen=True, slots=True)
class NextAction:
    """What happens next, or what the resident has to do."""

    code: str
    text: str
    text_en: str


@dataclass(frozen=True, slots=True, repr=False)
class FormValue:
    """A value in a form with where it came from. `masked`: only a part is shown at the caller's level.

    `certificate` is the one it was read from; `reported` the ticket under which it was called wrong.
    """

    value: object
    source: str
    editable: bool = True
    masked: bool = False
    as_of: datetime | None = None
    certificate: UUID | None = None
    reported: str | None = None


@dataclass(frozen=True, slots=True, repr=False)
class ApplicationView:
    """An application as its owner sees it."""

    id: UUID
    matter: str
    title: str
    title_en: str
    state: State
    version: int
    number: str | None
    created_at: datetime
    updated_at: datetime
    submitted_at: datetime | None
    due_at: datetime | None
    due_note: str | None
    clock: str
    next_action: NextAction | None
    time: CaseTime
    timeline: Sequence[TimelineEntry] = ()
    branches: Sequence[Branch] = ()
    result: Result | None = None
    form: Mapping[str, FormValue] = field(default_factory=dict)
    hidden: Sequence[str] = ()
    missing: Sequence[str] = ()
    expires_at: datetime | None = None
    attachments: Sequence[AttachmentView] = ()
    materials: Sequence[MaterialLine] = ()
    rated: Satisfaction | None = None
    service: Availability | None = None
    handled_by: HandledBy | None = None
