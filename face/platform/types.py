"""The words of a check by a platform: whom it is about, how it ended, what the resident is told."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from core.pii import IdNumber, PersonName, Secret


class Outcome(StrEnum):
    """How a check stands once the platform has been asked. `pending`: it has not told an end yet."""

    PASSED = "passed"
    FAILED = "failed"
    PENDING = "pending"


class Reason(StrEnum):
    """Why a check did not pass, as far as the platform says. `unavailable` was the platform's trouble: no attempt."""

    NOT_PASSED = "not_passed"
    NO_PORTRAIT = "no_portrait"
    NO_FACE = "no_face"
    TOO_BRIGHT = "too_bright"
    POOR_PICTURE = "poor_picture"
    TIMED_OUT = "timed_out"
    CANCELLED = "cancelled"
    CAMERA_DENIED = "camera_denied"
    DEVICE_UNFIT = "device_unfit"
    CONNECTION_LOST = "connection_lost"
    TOO_OFTEN = "too_often"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom a check is about: name and number, and the platform's account at which the face is shown."""

    name: PersonName
    id_number: IdNumber
    account: Secret


@dataclass(frozen=True, slots=True)
class Begun:
    """A check that the platform has begun. `reference` is its name there; it can be shown a face for `seconds`."""

    reference: Secret
    seconds: int


@dataclass(frozen=True, slots=True)
class Finding:
    """What the platform found. Without an end (`pending`) there is no reason."""

    outcome: Outcome
    reason: Reason | None = None


@dataclass(frozen=True, slots=True)
class StartedCheck:
    """What a client needs to have the platform look: by which name the check goes there, and by when."""

    id: UUID
    reference: str = field(repr=False)
    expires_at: datetime
    engine: str
    attempts_left: int


@dataclass(frozen=True, slots=True)
class Advice:
    """What a reason means for a resident: a sentence, one spoken for elders, and whether a new check may help."""

    text: str
    text_en: str
    plain: str
    may_help: bool


@dataclass(frozen=True, slots=True)
class CheckResult:
    """How a check stands, as callers are told."""

    outcome: Outcome
    reason: Reason | None
    advice: Advice | None
    attempts_left: int
