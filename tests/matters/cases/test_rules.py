"""The state machine and the fold: one final state whatever order the news comes in."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matters.cases.rules import (
    EDGES,
    RATEABLE,
    TOLD_BY_DEPARTMENTS,
    Action,
    decide,
    fold,
    is_move,
    is_open,
    is_within_reach,
    may_step,
    read_check,
    step_to,
)
from matters.cases.wording import STEPS, next_action
from matters.catalogue.conditions.rules import months_back
from matters.catalogue.types import Check, DecisionTable
from matters.types import DeliveryState, Outcome, State, Step
from tests.fakes.shipped import shipped_matters

T0 = datetime(2026, 3, 10, 2, 0, tzinfo=UTC)

BEGUN = [Action(1, Step.CREATED, T0), Action(2, Step.SUBMITTED, T0), Action(3, Step.HANDED_OVER, T0)]
# What a department may tell of one case, in its own order.
ENDINGS = [
    [State.ACCEPTED, State.IN_REVIEW, State.APPROVED],
    [State.ACCEPTED, State.IN_REVIEW, State.REJECTED],
    [State.NOT_ACCEPTED],
    [State.ACCEPTED],
    [State.ACCEPTED, State.IN_REVIEW],
]


def settlement() -> tuple[dict[str, Check], DecisionTable]:
    matter = next(each.matter for each in shipped_matters() if each.matter.slug == "graduate-settlement")
    assert matter.decision is not None
    return {check.name: check for check in matter.checks}, matter.decision


def told(states: list[State], order: list[int], *, first_seq: int = 4) -> list[Action]:
    return [
        Action(first_seq + place, step_to(states[index]), T0 + timedelta(hours=index), department_sequence=index + 1)
        for place, index in enumerate(order)
    ]


@given(st.sampled_from(ENDINGS).flatmap(lambda states: st.tuples(st.just(states), st.permutations(range(len(states))))))
@settings(max_examples=300)
def test_any_order_of_the_news_gives_one_state_and_one_timeline(case: tuple[list[State], list[int]]) -> None:
    states, order = case
    folded = fold([*BEGUN, *told(states, order)])
    straight = fold([*BEGUN, *told(states, list(range(len(states))))])
    assert folded.state is straight.state is states[-1]
    assert [action.step for action in folded.effective] == [action.step for action in straight.effective]
    assert folded.accepted_at == straight.accepted_at
    assert folded.decided_at == straight.decided_at


@given(
    st.lists(st.sampled_from(sorted(TOLD_BY_DEPARTMENTS)), min_size=1, max_size=6),
    st.randoms(use_true_random=False),
)
def test_even_senseless_news_gives_the_same_state_in_any_order(states: list[State], random: object) -> None:
    order = list(range(len(states)))
    random.shuffle(order)  # type: ignore[attr-defined]
    straight = list(range(len(states)))
    assert fold([*BEGUN, *told(states, order)]).state is fold([*BEGUN, *told(states, straight)]).state


@given(st.permutations(range(3)))
def test_news_that_comes_before_our_call_returned_is_not_undone_by_the_receipt(order: list[int]) -> None:
    news = told([State.ACCEPTED, State.IN_REVIEW, State.APPROVED], order, first_seq=3)
    for received in range(4):
        known = max((each.department_sequence or 0 for each in news[:received]), default=0)
        receipt = Action(3 + received, Step.HANDED_OVER, T0, follows=known)
        assert fold([*BEGUN[:2], *news, receipt]).state is State.APPROVED


def test_news_skips_steps_only_where_nobody_has_to_act() -> None:
    assert is_within_reach(State.SUBMITTED, State.APPROVED)
    assert is_within_reach(State.SUPPLEMENT_REQUESTED, State.ACCEPTED)
    assert not is_within_reach(State.DRAFT, State.ACCEPTED)
    assert not is_within_reach(State.APPROVED, State.IN_REVIEW)
    assert not is_within_reach(State.ACCEPTED, State.NOT_ACCEPTED)
    assert not is_within_reach(State.WITHDRAWN, State.APPROVED)


@pytest.mark.parametrize(
    ("state", "target"),
    [
        ("draft", "submitted"),
        ("submitted", "pre_review"),
        ("pre_review", "accepted"),
        ("pre_review", "not_accepted"),
        ("pre_review", "supplement_requested"),
        ("supplement_requested", "pre_review"),
        ("accepted", "in_review"),
        ("in_review", "approved"),
        ("in_review", "rejected"),
        ("in_review", "suspended"),
        ("suspended", "in_review"),
        ("approved", "delivered"),
        ("delivered", "closed"),
    ],
)
def test_the_moves_of_the_surface_are_legal(state: str, target: str) -> None:
    assert is_move(State(state), State(target))


def test_ended_cases_move_no_more() -> None:
    for ended in (State.CLOSED, State.WITHDRAWN, State.TERMINATED):
        assert EDGES[ended] == frozenset()
        assert not is_open(ended)
    assert State.DRAFT not in RATEABLE


def test_every_state_has_its_moves_and_every_open_one_its_next_action() -> None:
    assert set(EDGES) == set(State)
    for state in State:
        action = next_action(state, delivery=None, failures=0, phone="0999-1")
        assert (action is None) == (state in {State.CLOSED, State.WITHDRAWN, State.TERMINATED})


def test_what_happens_next_depends_on_the_way_to_the_department() -> None:
    def code(delivery: DeliveryState, failures: int) -> str:
        action = next_action(State.SUBMITTED, delivery=delivery, failures=failures, phone="0999-1")
        assert action is not None
        return action.code

    assert code(DeliveryState.PENDING, 0) == "being-forwarded"
    assert code(DeliveryState.SENT, 2) == "forwarded-later"
    assert code(DeliveryState.UNKNOWN, 1) == "being-clarified"


def test_checks_are_read_by_the_first_finding_that_fits() -> None:
    checks, _ = settlement()
    today = date(2026, 3, 10)

    def degree(**facts: object) -> tuple[Outcome, str]:
        read = read_check(checks["degree"], facts, today)  # type: ignore[arg-type]
        return read.outcome, read.code

    fresh = {"result": "confirmed", "degree": "bachelor"}
    assert degree(**fresh, graduated_on=date(2024, 3, 11)) == (Outcome.PASSED, "fresh-graduate")
    assert degree(**fresh, graduated_on=date(2024, 3, 10)) == (Outcome.FAILED, "graduated-too-long-ago")
    assert degree(**fresh, graduated_on=date(2026, 6, 30))[0] is Outcome.FAILED
    assert degree(result="none") == (Outcome.FAILED, "no-degree")
    assert degree(result="something new") == (Outcome.UNCLEAR, "needs-a-person")
    assert degree() == (Outcome.UNCLEAR, "needs-a-person")


def test_insured_here_and_not_insured_are_both_fine_and_anything_else_needs_a_person() -> None:
    checks, _ = settlement()
    read = [read_check(checks["insurance"], {"insured": value}, date(2026, 3, 10)) for value in (True, False, "true")]
    assert [each.outcome for each in read] == [Outcome.PASSED, Outcome.PASSED, Outcome.UNCLEAR]


@given(st.lists(st.sampled_from([Outcome.PASSED, Outcome.FAILED, Outcome.UNCLEAR]), min_size=4, max_size=4))
def test_one_failed_check_rejects_all_passed_approve_and_the_rest_goes_to_a_person(outcomes: list[Outcome]) -> None:
    _, table = settlement()
    decision = decide(table, outcomes)
    expected = (
        State.REJECTED if Outcome.FAILED in outcomes else State.APPROVED if set(outcomes) == {Outcome.PASSED} else None
    )
    assert decision.state is expected
    assert decision.version == "graduate-settlement@1"


def test_months_are_counted_to_the_last_day_of_shorter_ones() -> None:
    assert months_back(date(2026, 3, 31), 1) == date(2026, 2, 28)
    assert months_back(date(2024, 3, 31), 1) == date(2024, 2, 29)
    assert months_back(date(2026, 1, 15), 24) == date(2024, 1, 15)


@pytest.mark.parametrize("step", [Step.EXTENDED, Step.MOVED, Step.BRANCH_SETTLED])
def test_a_step_that_moves_nothing_leaves_the_case_where_it_stands(step: Step) -> None:
    accepted = Action(4, Step.ACCEPTED, T0)
    folded = fold([*BEGUN, accepted, Action(5, step, T0 + timedelta(hours=1))])
    assert folded.state is State.ACCEPTED
    assert folded.effective[-1].step is step
    assert may_step(State.ACCEPTED, step)
    assert not may_step(State.APPROVED, step)
    late = fold([*BEGUN, accepted, Action(5, Step.APPROVED, T0), Action(6, step, T0)])
    assert late.effective[-1].step is Step.APPROVED


def test_every_step_has_its_words() -> None:
    assert STEPS.keys() == set(Step)
