"""What residents read of where a case stands: who handles it, its time, and whether the department can be reached."""

from datetime import datetime

from api.operation import Out
from matters.clocks.types import CaseTime, Reading, Suspension, Unit
from matters.types import Availability, HandledBy, ServiceState, Step


class ServiceOut(Out):
    """How the department's system stands: also while it is `down` all is accepted, and forwarded by itself later.

    `since`: when the trouble began; `expected_at`: when it is expected to be over, where somebody has said so.
    """

    state: ServiceState
    since: datetime | None
    expected_at: datetime | None
    text: str

    @classmethod
    def of(cls, service: Availability, *, english: bool) -> "ServiceOut":
        """Return it in the words of the caller's language."""
        return cls(
            state=service.state,
            since=service.since,
            expected_at=service.expected_at,
            text=service.text.en if english else service.text.zh,
        )


class HandledByOut(Out):
    """Who handles it: the window's code, its region's code, and its name."""

    unit: str
    region: str
    title: str

    @classmethod
    def of(cls, handled_by: HandledBy, *, english: bool) -> "HandledByOut":
        """Return it in the words of the caller's language."""
        return cls(
            unit=handled_by.unit,
            region=handled_by.region,
            title=handled_by.title_en if english else handled_by.title,
        )


class ReadingOut(Out):
    """How a limit stands: `used`, `left` and `stopped` add up to `total`; `left` below nothing is overdrawn.

    In working days, or in minutes where the limit is in hours. None where a year's calendar is not published; `due_at`
    also while the clock stands. `note` says why.
    """

    unit: Unit
    granted: int
    used: int | None
    left: int | None
    stopped: int | None
    total: int | None
    due_at: datetime | None
    note: str

    @classmethod
    def of(cls, reading: Reading) -> "ReadingOut":
        """Return how a limit stands."""
        return cls(
            unit=reading.unit,
            granted=reading.granted,
            used=reading.used,
            left=reading.left,
            stopped=reading.stopped,
            total=reading.total,
            due_at=reading.due_at,
            note=reading.note,
        )


class SuspensionOut(Out):
    """One time that the clock stood, in working days; `until` is open while it does."""

    reason: str
    text: str
    at: datetime
    until: datetime | None
    days: int | None

    @classmethod
    def of(cls, stop: Suspension, *, english: bool) -> "SuspensionOut":
        """Return it in the words of the caller's language."""
        text = stop.text_en if english else stop.text
        return cls(reason=stop.reason, text=text, at=stop.at, until=stop.until, days=stop.days)


class StandsOut(Out):
    """Why the clock does not run."""

    code: str
    text: str


class CaseTimeOut(Out):
    """The step, who has it since when, how both limits stand, and why the clock does not run.

    `promised` and `legal` are there once it is accepted; until `pre_review_due_at` it is looked at before that.
    """

    step: Step
    step_title: str
    since: datetime
    handler: str
    stands: StandsOut | None
    promised: ReadingOut | None
    legal: ReadingOut | None
    pre_review_due_at: datetime | None
    suspensions: list[SuspensionOut]
    extended_days: int

    @classmethod
    def of(cls, told: CaseTime, *, english: bool) -> "CaseTimeOut":
        """Return it in the words of the caller's language."""
        stands = StandsOut(code=told.stands, text=told.stands_text_en if english else told.stands_text)
        return cls(
            step=Step(told.step),
            step_title=told.step_text_en if english else told.step_text,
            since=told.since,
            handler=told.handler_en if english else told.handler,
            stands=stands if told.stands else None,
            promised=ReadingOut.of(told.promised) if told.promised else None,
            legal=ReadingOut.of(told.legal) if told.legal else None,
            pre_review_due_at=told.pre_review_due_at,
            suspensions=[SuspensionOut.of(stop, english=english) for stop in told.suspensions],
            extended_days=told.extended_days,
        )
