"""How the time of a case stands, for whoever follows it: who has it, since when, what is left, why the clock stands."""

from datetime import datetime

from core.calendar import WorkingCalendar
from matters.cases.course import course_of, review_due
from matters.cases.rules import Action, Folded
from matters.cases.wording import STEPS, reason_text, why_it_stands
from matters.catalogue.types import Limit, Published
from matters.clocks.rules import measure, working_days
from matters.clocks.types import Allowance, CaseTime, Stop, Suspension
from matters.types import State, Step, Text

_OURS = Text("政务服务平台", "The service platform")
_APPLICANT = Text("申请人", "The applicant")
_WITH_US = frozenset({State.SUBMITTED})
_WITH_THE_APPLICANT = frozenset({State.DRAFT, State.SUPPLEMENT_REQUESTED})


def case_time(
    folded: Folded, published: Published, calendar: WorkingCalendar, *, now: datetime, pre_review_hours: int
) -> CaseTime:
    """Return how the time of a case stands, under the version of its matter that it runs under."""
    matter, course = published.matter, course_of(folded)
    stops = () if course is None else course.stops
    stands, text = why_it_stands(folded.state, stops[-1].reason if stops else "")
    handler = _handler(folded.state, published)
    came = _came(folded, now)
    step = STEPS[came.step]
    return CaseTime(
        since=came.at,
        step=came.step.value,
        step_text=step.zh,
        step_text_en=step.en,
        handler=handler.zh,
        handler_en=handler.en,
        promised=None if course is None else measure(course, _allowance(matter.promised_limit), calendar, now),
        legal=None if course is None else measure(course, _allowance(matter.legal_limit), calendar, now),
        pre_review_due_at=review_due(folded, pre_review_hours),
        stands=stands,
        stands_text=text.zh,
        stands_text_en=text.en,
        suspensions=tuple(_suspension(stop, calendar, course.ended_at or now) for stop in stops) if course else (),
        extended_days=0 if course is None else course.added_days,
    )


def _allowance(limit: Limit) -> Allowance:
    return Allowance(limit.days, limit.hours)


def _handler(state: State, published: Published) -> Text:
    if state in _WITH_US:
        return _OURS
    if state in _WITH_THE_APPLICANT:
        return _APPLICANT
    return Text(published.department.name.zh, published.department.name.en)


def _came(folded: Folded, now: datetime) -> Action:
    """Return the action by which the case came to where it stands; what changes nothing about that does not count."""
    came = Action(0, Step.CREATED, now)
    for action, state in reversed(list(zip(folded.effective, folded.states, strict=True))):
        if state is not folded.state:
            break
        came = action
    return came


def _suspension(stop: Stop, calendar: WorkingCalendar, now: datetime) -> Suspension:
    text = reason_text(stop.reason)
    until = stop.until or now
    return Suspension(stop.reason, text.zh, text.en, stop.at, stop.until, working_days(stop.at, until, calendar))
