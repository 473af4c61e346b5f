"""The words of the dynamic list: revisions, what becomes of them, and operations on the list."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID


class RevisionState(StrEnum):
    """Where a revision stands. What is published or withdrawn counts from its time on."""

    DRAFT = "draft"
    CHECKED = "checked"
    PUBLISHED = "published"
    WITHDRAWN = "withdrawn"


class OperationKind(StrEnum):
    """What is done to the list. `merge`: several become one; `delegate`: the same, exercised at a lower level."""

    PUBLISH = "publish"
    MERGE = "merge"
    SPLIT = "split"
    CANCEL = "cancel"
    DELEGATE = "delegate"


@dataclass(frozen=True, slots=True)
class Entry:
    """A matter as the list knows it: its implementation code of 31 characters, and whose it is."""

    code: str
    department: str
    title: str

    @property
    def level(self) -> str:
        """At which level it is exercised (GB/T 39046): the character after the body's 18."""
        return self.code[18]

    @property
    def basic_code(self) -> str:
        """What it is, whoever exercises it at whatever level."""
        return self.code[19:]


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation: codes that leave the list and entries that come onto it."""

    kind: OperationKind
    sources: tuple[str, ...]
    targets: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """A revision's row. `content` is the matter as JSON; times are when it counts from, and until when."""

    id: UUID
    code: str
    slug: str
    department: str
    version: int
    state: RevisionState
    content: Mapping[str, Any]
    edition: int
    effective_at: datetime | None
    ends_at: datetime | None
    created_by: str
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class OperationLine:
    """An operation that was done, as it is remembered."""

    id: UUID
    kind: OperationKind
    department: str
    sources: tuple[str, ...]
    targets: tuple[str, ...]
    effective_at: datetime
    reason: str
    approved_by: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """How many matters a department had, has now, and by which operations it came to that."""

    department: str
    before: int
    after: int
    by_kind: Mapping[OperationKind, int] = field(default_factory=dict)
