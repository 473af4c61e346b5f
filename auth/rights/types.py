"""The words of rights: exports, corrections, closings."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from auth.types import Kept, Stop


class ExportState(StrEnum):
    """How far an export is."""

    REQUESTED = "requested"
    READY = "ready"


class ExportFormat(StrEnum):
    """In what form an export is fetched."""

    JSON = "json"
    PDF = "pdf"


@dataclass(frozen=True, slots=True)
class ExportView:
    """One export of a person's data. It is gone at `expires_at`."""

    id: UUID
    state: ExportState
    requested_at: datetime
    ready_at: datetime | None
    expires_at: datetime | None
    downloads: int


@dataclass(frozen=True, slots=True)
class ExportFile:
    """An export's file, opened for its owner."""

    name: str
    media_type: str
    content: bytes = field(repr=False)


class About(StrEnum):
    """What a correction is about."""

    IDENTITY = "identity"
    MOBILE = "mobile"
    CERTIFICATE = "certificate"
    APPLICATION = "application"


class CorrectionState(StrEnum):
    """What became of a correction."""

    OPEN = "open"
    CORRECTED = "corrected"
    REFUSED = "refused"


class Recheck(StrEnum):
    """What the population registry said of name and number when an identity was called wrong."""

    AGREES = "agrees"
    DIFFERS = "differs"
    UNKNOWN = ""


@dataclass(frozen=True, slots=True)
class CorrectionLine:
    """A correction as operators list it: nothing of what was written."""

    id: UUID
    number: str
    about: About
    object_id: UUID | None
    state: CorrectionState
    recheck: Recheck
    created_at: datetime
    answered_at: datetime | None


@dataclass(frozen=True, slots=True)
class CorrectionView:
    """A correction with its texts, opened for its owner or for the operator who deals with it."""

    line: CorrectionLine
    text: str = field(repr=False)
    answer: str | None = field(repr=False)
    name: str | None = None
    id_number: str | None = None


class ClosureState(StrEnum):
    """What became of a closing."""

    WAITING = "waiting"
    TAKEN_BACK = "taken_back"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class ClosureView:
    """A closing that waits: when it happens, what is kept after it, and what stops with it."""

    id: UUID
    requested_at: datetime
    closes_at: datetime
    kept: tuple[Kept, ...]
    stops: tuple[Stop, ...]
    is_new: bool = False


class ReportKind(StrEnum):
    """What a person says about a line of their ledger."""

    NOT_ME = "not-me"
    ERASURE = "erasure"


class ReportAnswer(StrEnum):
    """What became of it: a use that was in order or was not; data that were erased, or have to be kept by law."""

    IN_ORDER = "in-order"
    MISUSE = "misuse"
    ERASED = "erased"
    KEPT_BY_LAW = "kept-by-law"


@dataclass(frozen=True, slots=True)
class LedgerReport:
    """A report on a line; without an `answer` it is open."""

    id: UUID
    line_id: UUID
    kind: ReportKind
    answer: ReportAnswer | None
    reported_at: datetime
    answered_at: datetime | None
