"""Decisions about cases: the state machine, the fold of a history, reading checks, deciding by rules.

Everything here is a pure function of values.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from types import MappingProxyType
from typing import Final

from matters.catalogue.conditions.rules import holds
from matters.catalogue.types import Check, DecisionTable
from matters.types import Fact, Outcome, State, Step, Text

# --- the state machine (surface.md) -------------------------------------------------------------------------------

_OPEN: Final = frozenset(
    {
        State.DRAFT, State.SUBMITTED, State.PRE_REVIEW, State.SUPPLEMENT_REQUESTED, State.ACCEPTED, State.IN_REVIEW,
        State.SUSPENDED,
    },
)  # fmt: skip
EDGES: Final[Mapping[State, frozenset[State]]] = MappingProxyType(
    {
        State.DRAFT: frozenset({State.SUBMITTED, State.WITHDRAWN}),
        State.SUBMITTED: frozenset({State.PRE_REVIEW, State.WITHDRAWN, State.TERMINATED}),
        State.PRE_REVIEW: frozenset(
            {State.ACCEPTED, State.NOT_ACCEPTED, State.SUPPLEMENT_REQUESTED, State.WITHDRAWN, State.TERMINATED},
        ),
        State.SUPPLEMENT_REQUESTED: frozenset({State.PRE_REVIEW, State.WITHDRAWN, State.TERMINATED}),
        State.ACCEPTED: frozenset({State.IN_REVIEW, State.WITHDRAWN, State.TERMINATED}),
        State.IN_REVIEW: frozenset(
            {State.APPROVED, State.REJECTED, State.SUSPENDED, State.WITHDRAWN, State.TERMINATED},
        ),
        State.SUSPENDED: frozenset({State.IN_REVIEW, State.WITHDRAWN, State.TERMINATED}),
        State.APPROVED: frozenset({State.DELIVERED}),
        State.REJECTED: frozenset({State.DELIVERED}),
        State.DELIVERED: frozenset({State.CLOSED}),
        State.NOT_ACCEPTED: frozenset({State.CLOSED}),
        State.CLOSED: frozenset(),
        State.WITHDRAWN: frozenset(),
        State.TERMINATED: frozenset(),
    },
)
# A department may tell of a later step only, because the news of an earlier one is still on its way; these may be
# passed through unseen. A supplement or a suspension never is: somebody has to act on it.
_PASSED_THROUGH: Final = frozenset({State.PRE_REVIEW, State.ACCEPTED, State.IN_REVIEW})
# Steps that leave the case where it stands, and where it may stand then.
STANDING: Final[Mapping[Step, frozenset[State]]] = MappingProxyType(
    {
        Step.EXTENDED: frozenset({State.ACCEPTED, State.IN_REVIEW, State.SUSPENDED}),
        Step.MOVED: frozenset(
            {State.SUBMITTED, State.PRE_REVIEW, State.SUPPLEMENT_REQUESTED, State.ACCEPTED, State.IN_REVIEW,
             State.SUSPENDED},
        ),
        Step.BRANCH_SETTLED: frozenset({State.ACCEPTED, State.IN_REVIEW, State.SUSPENDED}),
    },
)  # fmt: skip
_TARGET: Final[Mapping[Step, State]] = MappingProxyType(
    {
        Step.CREATED: State.DRAFT,
        Step.HANDED_OVER: State.PRE_REVIEW,
        Step.SUPPLEMENTED: State.PRE_REVIEW,
        Step.RESUMED: State.IN_REVIEW,
        **{
            step: State(step.value)
            for step in Step
            if step not in {Step.CREATED, Step.HANDED_OVER, Step.SUPPLEMENTED, Step.RESUMED, *STANDING}
        },
    },
)
# Two steps lead to one state; each has its own origin.
_ONLY_FROM: Final[Mapping[Step, State]] = MappingProxyType(
    {
        Step.HANDED_OVER: State.SUBMITTED,
        Step.SUPPLEMENTED: State.SUPPLEMENT_REQUESTED,
        Step.RESUMED: State.SUSPENDED,
    },
)
DECIDED: Final = frozenset({State.APPROVED, State.REJECTED, State.NOT_ACCEPTED})
RATEABLE: Final = DECIDED | {State.DELIVERED, State.CLOSED}
# From these on the promised time runs.
_RUNNING: Final = frozenset({State.ACCEPTED, State.IN_REVIEW})
_ACCEPTED_OR_LATER: Final = frozenset(
    {State.ACCEPTED, State.IN_REVIEW, State.SUSPENDED, State.APPROVED, State.REJECTED},
)
# Moves that are told to the applicant; what they do themselves, and what only closes the file, is not.
_TOLD_TO_APPLICANTS: Final = frozenset(
    {
        State.ACCEPTED, State.IN_REVIEW, State.SUSPENDED, State.SUPPLEMENT_REQUESTED, State.APPROVED, State.REJECTED,
        State.NOT_ACCEPTED, State.TERMINATED,
    },
)  # fmt: skip
# What a department's callback may say (docs/departments/public-security.md), besides asking for materials.
TOLD_BY_DEPARTMENTS: Final = frozenset(
    {State.ACCEPTED, State.IN_REVIEW, State.APPROVED, State.REJECTED, State.NOT_ACCEPTED},
)
# A receipt that comes after one of these has been told changes nothing.
_OVERTAKE_A_RECEIPT: Final = _ACCEPTED_OR_LATER | {State.SUPPLEMENT_REQUESTED}
# Under this name an action's `data` holds the codes of the materials that it asks for.
DEMANDED: Final = "materials"


@dataclass(frozen=True, slots=True)
class Action:
    """One line of a history, as the fold sees it.

    `department_sequence` is the department's own count, None for our own actions; `follows` then is the highest count
    known when ours was written. `added_days` are working days by which an extension makes the limits longer.
    """

    seq: int
    step: Step
    at: datetime
    department_sequence: int | None = None
    follows: int = 0
    reason: str = ""
    added_days: int = 0

    @property
    def place(self) -> tuple[int, int, int]:
        """Where the action stands in the case's own order, whatever order the news came in."""
        if self.department_sequence is not None:
            return (self.department_sequence, 0, self.seq)
        return (self.follows, 1, self.seq)


@dataclass(frozen=True, slots=True)
class Folded:
    """What a history adds up to. `effective` are the actions that had an effect, in the case's own order.

    `states` says for each of them where the case stood after it.
    """

    state: State
    effective: tuple[Action, ...]
    accepted_at: datetime | None
    decided_at: datetime | None
    states: tuple[State, ...] = ()

    @property
    def decision(self) -> Action | None:
        """The action that decided the case."""
        return next((each for each in reversed(self.effective) if _TARGET.get(each.step) in DECIDED), None)


def news_of(state: State) -> str | None:
    """Return the event by which an applicant is told that a case came to a state, None where nobody is told."""
    return f"matters.{state.value.replace('_', '-')}" if state in _TOLD_TO_APPLICANTS else None


def target_of(step: Step) -> State:
    """Return the state that a step leads to.

    Raises:
        KeyError: it leaves the case where it stands.
    """
    return _TARGET[step]


def step_to(state: State) -> Step:
    """Return the step by which a department or a rule brings a case into a state."""
    return Step(state.value)


def is_move(state: State, target: State) -> bool:
    """Tell whether one step leads from a state to another."""
    return target in EDGES[state]


def is_within_reach(state: State, target: State) -> bool:
    """Tell whether a case comes to a state by one step, or through steps whose news may still be on its way."""
    seen = {state}
    border = [state]
    while border:
        for following in EDGES[border.pop()] - seen:
            if following is target:
                return True
            seen.add(following)
            if following in _PASSED_THROUGH:
                border.append(following)
    return False


def may_step(state: State, step: Step) -> bool:
    """Tell whether a step may be taken now.

    Residents and operators take one step at a time; what departments and rules decide may skip what is unseen.
    """
    if step in STANDING:
        return state in STANDING[step]
    if step in _ONLY_FROM:
        return state is _ONLY_FROM[step]
    target = target_of(step)
    return is_within_reach(state, target) if target in TOLD_BY_DEPARTMENTS else is_move(state, target)


def fold(actions: Iterable[Action]) -> Folded:
    """Return what a history adds up to; it depends on which actions there are, not on the order they were written in.

    An action that leads nowhere from where the case stands is kept in the history and has no effect. So is one of ours
    that the department's news has overtaken. Departments' clocks know whole seconds and differ from ours: an effective
    action is never earlier than the one before it, so that time and order agree.
    """
    state = State.DRAFT
    effective: list[Action] = []
    states: list[State] = []
    accepted_at: datetime | None = None
    decided_at: datetime | None = None
    for action in sorted(actions, key=lambda each: each.place):
        target = _TARGET.get(action.step, state)
        # Where more was asked for meanwhile, a receipt (of a department it was moved to) answers nothing.
        overtaken = action.step is Step.HANDED_OVER and state in _OVERTAKE_A_RECEIPT
        stays = overtaken or action.step in STANDING
        if action.step in STANDING and state not in STANDING[action.step]:
            continue
        if action.step is not Step.CREATED and not stays and not is_within_reach(state, target):
            continue
        if effective and action.at < effective[-1].at:
            action = replace(action, at=effective[-1].at)  # noqa: PLW2901 — from here on it counts as this
        effective.append(action)
        states.append(state if stays else target)
        if stays:
            continue
        state = target
        if accepted_at is None and state in _ACCEPTED_OR_LATER:
            accepted_at = action.at
        if state in DECIDED:
            decided_at = action.at
    return Folded(state, tuple(effective), accepted_at, decided_at, tuple(states))


def is_running(state: State) -> bool:
    """Tell whether the promised time runs."""
    return state in _RUNNING


def is_open(state: State) -> bool:
    """Tell whether a case can still move towards a decision."""
    return state in _OPEN


# --- reading checks and deciding (秒批) ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Read:
    """What an answer of a department's records means for one check."""

    outcome: Outcome
    code: str
    text: Text


def read_check(check: Check, facts: Mapping[str, Fact], today: date) -> Read:
    """Return the first finding that fits the facts; when none does a person has to look."""
    for finding in check.findings:
        if all(holds(condition, facts, today) for condition in finding.when):
            return Read(Outcome(finding.outcome), finding.code, Text(finding.text.zh, finding.text.en))
    return Read(Outcome.UNCLEAR, "needs-a-person", Text(check.otherwise.zh, check.otherwise.en))


@dataclass(frozen=True, slots=True)
class Decision:
    """What rules decided: a state, or None when a person has to; always with the rule and its version."""

    state: State | None
    rule: str
    version: str


def decide(table: DecisionTable, outcomes: Sequence[Outcome]) -> Decision:
    """Return what the first fitting rule decides; the same outcomes always give the same decision."""
    for rule in table.rules:
        wanted = Outcome(rule.outcome)
        hits = [outcome is wanted for outcome in outcomes]
        if all(hits) if rule.quantity == "all" else any(hits):
            return Decision(State(rule.then), rule.name, table.version)
    return Decision(None, "needs-a-person", table.version)
