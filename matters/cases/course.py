"""What a history says of time: when its clock began, stood and ended, and until when a case is looked at first."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from core.db import as_json, as_moment
from matters.cases.rules import Action, Folded
from matters.clocks.types import Course, Stop
from matters.types import State, Step

# How an extension says in its `data` by how many working days it makes the limits longer.
ADDED_DAYS: Final = "added_days"
_HANDLED: Final = frozenset({State.ACCEPTED, State.IN_REVIEW, State.SUSPENDED})
_LOOKED_AT_FIRST: Final = frozenset({State.SUBMITTED, State.PRE_REVIEW})


def action_of(row: Mapping[str, Any]) -> Action:
    """Return an action from its row."""
    sequence, step = row["department_sequence"], Step(row["step"])
    return Action(
        seq=int(row["seq"]),
        step=step,
        at=as_moment(row["at"]),
        department_sequence=None if sequence is None else int(sequence),
        follows=int(row["follows"]),
        reason=str(row["reason"]),
        added_days=added_days(step, as_json(row["data"])) if step is Step.EXTENDED else 0,
    )


def added_days(step: Step, data: Mapping[str, Any]) -> int:
    """Return by how many working days an action makes the limits longer."""
    return int(data.get(ADDED_DAYS, 0)) if step is Step.EXTENDED else 0


def course_of(folded: Folded) -> Course | None:
    """Return the course of a case's clock, None while it is not accepted."""
    if folded.accepted_at is None:
        return None
    stops: list[Stop] = []
    ended_at: datetime | None = None
    added = 0
    begun = False
    standing: tuple[datetime, str] | None = None
    for action, state in zip(folded.effective, folded.states, strict=True):
        begun = begun or state in _HANDLED
        if standing is not None and state is not State.SUSPENDED:
            stops.append(Stop(standing[0], action.at, standing[1]))
            standing = None
        elif standing is None and state is State.SUSPENDED:
            standing = (action.at, action.reason)
        added += action.added_days
        if ended_at is None and begun and state not in _HANDLED:
            ended_at = action.at
    if standing is not None:
        stops.append(Stop(standing[0], None, standing[1]))
    if not begun:
        ended_at = folded.accepted_at
    return Course(folded.accepted_at, tuple(stops), ended_at, added)


def review_due(folded: Folded, hours: int) -> datetime | None:
    """Return until when a case is looked at that waits for it, by hours of the day; what was supplied begins anew."""
    entered: datetime | None = None
    for action, state in zip(folded.effective, folded.states, strict=True):
        if state not in _LOOKED_AT_FIRST:
            entered = None
        elif entered is None or action.step is Step.SUPPLEMENTED:
            entered = action.at
    return None if entered is None else entered + timedelta(hours=hours)
