"""Decisions about cases: the state machine, the fold of a history, reading checks, deciding by rules, what comes next.

Everything here is a pure function of values.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from types import MappingProxyType
from typing import Final

from matters.catalogue.types import Check, Condition, DecisionTable
from matters.types import DeliveryState, Fact, NextAction, Outcome, State, Step, Text

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
_TARGET: Final[Mapping[Step, State]] = MappingProxyType(
    {
        Step.CREATED: State.DRAFT,
        Step.HANDED_OVER: State.PRE_REVIEW,
        Step.SUPPLEMENTED: State.PRE_REVIEW,
        Step.RESUMED: State.IN_REVIEW,
        **{
            step: State(step.value)
            for step in Step
            if step not in {Step.CREATED, Step.HANDED_OVER, Step.SUPPLEMENTED, Step.RESUMED}
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
# What a department's callback may say (docs/departments/public-security.md).
TOLD_BY_DEPARTMENTS: Final = frozenset(
    {State.ACCEPTED, State.IN_REVIEW, State.APPROVED, State.REJECTED, State.NOT_ACCEPTED},
)


@dataclass(frozen=True, slots=True)
class Action:
    """One line of a history, as the fold sees it.

    `department_sequence` is the department's own count, None for our own actions; `follows` then is the highest count
    known when ours was written.
    """

    seq: int
    step: Step
    at: datetime
    department_sequence: int | None = None
    follows: int = 0
    reason: str = ""

    @property
    def place(self) -> tuple[int, int, int]:
        """Where the action stands in the case's own order, whatever order the news came in."""
        if self.department_sequence is not None:
            return (self.department_sequence, 0, self.seq)
        return (self.follows, 1, self.seq)


@dataclass(frozen=True, slots=True)
class Folded:
    """What a history adds up to. `effective` are the actions that had an effect, in the case's own order."""

    state: State
    effective: tuple[Action, ...]
    accepted_at: datetime | None
    decided_at: datetime | None

    @property
    def decision(self) -> Action | None:
        """The action that decided the case."""
        return next((each for each in reversed(self.effective) if target_of(each.step) in DECIDED), None)


def news_of(state: State) -> str | None:
    """Return the event by which an applicant is told that a case came to a state, None where nobody is told."""
    return f"matters.{state.value.replace('_', '-')}" if state in _TOLD_TO_APPLICANTS else None


def target_of(step: Step) -> State:
    """Return the state that a step leads to."""
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
    accepted_at: datetime | None = None
    decided_at: datetime | None = None
    for action in sorted(actions, key=lambda each: each.place):
        target = target_of(action.step)
        overtaken = action.step is Step.HANDED_OVER and state in _ACCEPTED_OR_LATER
        if action.step is not Step.CREATED and not overtaken and not is_within_reach(state, target):
            continue
        if effective and action.at < effective[-1].at:
            action = replace(action, at=effective[-1].at)  # noqa: PLW2901 — from here on it counts as this
        effective.append(action)
        if overtaken:
            continue
        state = target
        if accepted_at is None and state in _ACCEPTED_OR_LATER:
            accepted_at = action.at
        if state in DECIDED:
            decided_at = action.at
    return Folded(state, tuple(effective), accepted_at, decided_at)


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
        if all(_holds(condition, facts, today) for condition in finding.when):
            return Read(Outcome(finding.outcome), finding.code, Text(finding.text.zh, finding.text.en))
    return Read(Outcome.UNCLEAR, "needs-a-person", Text(check.otherwise.zh, check.otherwise.en))


def _holds(condition: Condition, facts: Mapping[str, Fact], today: date) -> bool:
    fact = facts.get(condition.fact)
    value = condition.value
    if condition.op == "is":
        return fact is not None and type(fact) is type(value) and fact == value
    if condition.op == "in":
        return isinstance(value, tuple) and fact in value
    if condition.op == "within-months":
        return isinstance(fact, date) and isinstance(value, int) and months_back(today, value) < fact <= today
    return False


def months_back(day: date, months: int) -> date:
    """Return the same day so many months earlier; the last day of a shorter month."""
    month = day.year * 12 + day.month - 1 - months
    year, month = divmod(month, 12)
    for last in (day.day, 30, 29, 28):
        try:
            return date(year, month + 1, last)
        except ValueError:
            continue
    raise ValueError("months")


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


# --- words --------------------------------------------------------------------------------------------------------

STEPS: Final[Mapping[Step, Text]] = MappingProxyType(
    {
        Step.CREATED: Text("开始填写", "Started"),
        Step.SUBMITTED: Text("已提交申请", "Submitted"),
        Step.HANDED_OVER: Text("材料已转交部门，等待预审", "Handed over to the department for pre-review"),
        Step.SUPPLEMENT_REQUESTED: Text("部门请您补充材料", "The department asks you for more"),
        Step.SUPPLEMENTED: Text("已补充材料", "You have supplied more"),
        Step.ACCEPTED: Text("部门已受理", "Accepted by the department"),
        Step.NOT_ACCEPTED: Text("部门不予受理", "Not accepted by the department"),
        Step.REVIEWED: Text("部门正在审核", "Under review"),
        Step.SUSPENDED: Text("办理已暂停", "Suspended"),
        Step.RESUMED: Text("办理已恢复", "Resumed"),
        Step.APPROVED: Text("已批准", "Approved"),
        Step.REJECTED: Text("未予批准", "Not approved"),
        Step.DELIVERED: Text("结果已送达", "The result was delivered"),
        Step.CLOSED: Text("已办结", "Closed"),
        Step.WITHDRAWN: Text("您已撤回申请", "You withdrew it"),
        Step.TERMINATED: Text("办理已终止", "Terminated"),
    },
)
# Why a department or a rule says no, in our codes.
REASONS: Final[Mapping[str, Text]] = MappingProxyType(
    {
        "not-due": Text("还没有到可以办理的时间", "It is not due yet"),
        "not-eligible": Text("不符合办理条件", "The conditions are not met"),
        "incomplete": Text("材料不齐全", "Something is missing"),
        "not-a-pensioner": Text("没有查到您正在领取养老金", "No pension paid to you is on record"),
        "payment-ended": Text("养老金已经停止发放", "Payment of the pension has ended"),
        "a-check-failed": Text(
            "有核验没有通过，详见各部门的结果", "A check did not pass; see the results of each department"
        ),
        "all-checks-passed": Text("各部门核验全部通过", "All departments confirmed"),
        "declined": Text("部门没有受理，请咨询部门", "The department declined; please ask it"),
    },
)


def reason_text(reason: str) -> Text:
    """Return a reason in words."""
    return REASONS.get(reason, REASONS["declined"])


def next_action(state: State, *, delivery: DeliveryState | None, failures: int, phone: str) -> NextAction | None:
    """Return what happens next, or what the resident has to do; None when nothing is left."""
    if state is State.SUBMITTED:
        if delivery is DeliveryState.UNKNOWN:
            return NextAction(
                "being-clarified",
                f"工作人员正在与部门核实是否已经收到，您不用重复提交；也可以拨打 {phone}",
                f"A person is asking the department whether it arrived; do not submit again. Phone: {phone}",
            )
        if failures:
            return NextAction(
                "forwarded-later",
                "部门系统暂时没有响应，您的申请已经收好，恢复后会自动转交，您不用再做什么",
                "The department's system does not answer now; your application is safe and will be forwarded by itself",
            )
        return NextAction("being-forwarded", "正在转交部门", "Being forwarded to the department")
    texts: dict[State, NextAction] = {
        State.DRAFT: NextAction("submit", "请核对内容后提交", "Check what is filled in and submit"),
        State.PRE_REVIEW: NextAction("wait", "等待部门预审", "The department is looking at it first"),
        State.SUPPLEMENT_REQUESTED: NextAction(
            "supplement", "请按部门的要求补充材料", "Please supply what the department asks for"
        ),
        State.ACCEPTED: NextAction("wait", "等待部门审核", "The department will review it"),
        State.IN_REVIEW: NextAction("wait", "部门正在审核", "The department is reviewing it"),
        State.SUSPENDED: NextAction(
            "wait", "办理已暂停，恢复后会通知您", "It is suspended; you will be told when it goes on"
        ),
        State.APPROVED: NextAction("rate", "已经办好，欢迎评价", "Done; tell us how it was"),
        State.DELIVERED: NextAction("rate", "已经办好，欢迎评价", "Done; tell us how it was"),
        State.REJECTED: NextAction("ask", f"如有疑问，请拨打 {phone}", f"For questions call {phone}"),
        State.NOT_ACCEPTED: NextAction(
            "ask",
            f"请看不予受理的原因，符合条件后可以再次申请；如有疑问，请拨打 {phone}",
            f"See the reason; you may apply again once it is settled. For questions call {phone}",
        ),
    }
    return texts.get(state)
