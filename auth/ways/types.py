"""The words of the ways: methods, claims, what a provider finds, what a resident is told."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Literal
from uuid import UUID

from auth.types import Level
from core.pii import IdNumber, Mobile, PersonName, Secret


class Method(StrEnum):
    """How somebody can prove who they are without showing their face."""

    SMS = "sms"
    BANK_CARD = "bank-card"
    PAYMENT_PASSWORD = "payment-password"  # noqa: S105 — the name of a method
    NETWORK_ID = "network-id"
    COUNTER = "counter"


class Purpose(StrEnum):
    """What a check is for: to raise a session, or to open one."""

    STEP_UP = "step-up"
    LOGIN = "login"


class Outcome(StrEnum):
    """How a check stands once it has been asked about."""

    PASSED = "passed"
    FAILED = "failed"
    PENDING = "pending"


class Reason(StrEnum):
    """Why a check is not passed. `not_passed` says no more on purpose: another person, or nobody."""

    CODE_WRONG = "code_wrong"
    NO_CODES_LEFT = "no_codes_left"
    NOT_PASSED = "not_passed"
    REFUSED = "refused"
    REVOKED = "revoked"
    UNAVAILABLE = "unavailable"


class State(StrEnum):
    """A check in the history of its owner."""

    OPEN = "open"
    PASSED = "passed"
    FAILED = "failed"
    REVOKED = "revoked"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Claim:
    """Who somebody says to be, and what else the method asks for."""

    name: PersonName
    id_number: IdNumber
    mobile: Mobile | None = None
    card_number: Secret | None = None


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a client shows: a code was sent, a ticket is to be opened, or a code is to be shown to an officer."""

    kind: Literal["code", "open", "show"]
    sent_to: str | None = None
    ticket: str | None = field(default=None, repr=False)
    code: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Begun:
    """A proof under way. `reference` is all that the way itself needs to finish it; it is kept sealed."""

    reference: Secret
    prompt: Prompt


@dataclass(frozen=True, slots=True)
class Proof:
    """A proof to be finished: of which check, what `begin` gave, and of whom."""

    check_id: UUID
    reference: Secret
    claim: Claim


@dataclass(frozen=True, slots=True)
class Finding:
    """What a way finds. A failure for `code_wrong` may be tried again, any other is the end of the check.

    `pseudonym` is by which name the national identity service knows the person here, where the way is that one.
    """

    outcome: Outcome
    reason: Reason | None = None
    pseudonym: Secret | None = None


@dataclass(frozen=True, slots=True)
class Offer:
    """A way as callers are told of it: `attempts` in the window, seconds an attempt lives, seconds a lock lasts."""

    method: str
    start: str | None
    text: str
    text_en: str
    attempts: int
    expires_in: int | None
    lockout_seconds: int


@dataclass(frozen=True, slots=True)
class StartedCheck:
    """A check that has begun. `attempts_left`: checks by this method; `codes_left`: codes that may be tried in it."""

    id: UUID
    method: Method
    expires_at: datetime
    attempts_left: int
    codes_left: int | None
    prompt: Prompt
    elder: bool


@dataclass(frozen=True, slots=True)
class CheckResult:
    """How a check stands now, as its caller is told."""

    method: Method
    outcome: Outcome
    reason: Reason | None
    attempts_left: int
    codes_left: int | None
    elder: bool


@dataclass(frozen=True, slots=True)
class CheckView:
    """One line of the history of somebody's checks."""

    id: UUID
    method: Method
    state: State
    reason: Reason | None
    started_at: datetime
    expires_at: datetime
    decided_at: datetime | None


class AssistanceState(StrEnum):
    """How a request of an officer to act for somebody stands."""

    WAITING = "waiting"
    CONFIRMED = "confirmed"
    USED = "used"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class AssistanceView:
    """A request of an officer to act for somebody. `session_id` is the session it has led to, if any."""

    id: UUID
    purpose: str
    state: AssistanceState
    created_at: datetime
    expires_at: datetime
    session_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Worth:
    """What passing a check by a method gives: at a login, and to a session that is raised. None: it is not offered."""

    login: Level | None
    step_up: Level | None
