"""What several departments decide together: the same whatever the order of their answers."""

import itertools
from collections.abc import Iterator, Mapping

import pytest

from matters.branches.rules import joined, needed
from matters.branches.types import BranchOutcome
from matters.catalogue.terms.types import BranchRule, Join, Parallel, Wording
from matters.types import State

YES, NO = BranchOutcome.APPROVED, BranchOutcome.REJECTED
TITLE = Wording(zh="审核", en="Review")


def together(join: Join, number: int, *, quorum: int = 0, vetoes: int = 0, refuses_early: bool = True) -> Parallel:
    """Return a matter's departments; the first so many have a veto."""
    branches = tuple(
        BranchRule(name=f"b{place}", title=TITLE, department="taxation", days=1, veto=place < vetoes)
        for place in range(number)
    )
    return Parallel(join=join, branches=branches, quorum=quorum, refuses_early=refuses_early)


def every(number: int) -> Iterator[Parallel]:
    """Return every way in which so many departments can decide together; which of them has a veto is only a name."""
    kinds = [(Join.ALL, 0), (Join.ANY, 0), *((Join.QUORUM, quorum) for quorum in range(1, number + 1))]
    for (join, quorum), vetoes, early in itertools.product(kinds, range(number + 1), (True, False)):
        yield together(join, number, quorum=quorum, vetoes=vetoes, refuses_early=early)


def expected(parallel: Parallel, said: Mapping[str, BranchOutcome]) -> State:
    """Return what all answers come to, written the other way round than the rule."""
    if any(branch.veto and said[branch.name] is NO for branch in parallel.branches):
        return State.REJECTED
    agree = [name for name, outcome in said.items() if outcome is YES]
    if parallel.join is Join.ALL:
        return State.APPROVED if len(agree) == len(said) else State.REJECTED
    if parallel.join is Join.ANY:
        return State.APPROVED if agree else State.REJECTED
    return State.APPROVED if len(agree) >= parallel.quorum else State.REJECTED


@pytest.mark.parametrize("number", [1, 2, 3, 4, 5])
def test_every_order_of_every_answers_comes_to_one_decision(number: int) -> None:
    names = [f"b{place}" for place in range(number)]
    orders = list(itertools.permutations(names))
    for parallel in every(number):
        for said in itertools.product((YES, NO), repeat=number):
            outcomes = dict(zip(names, said, strict=True))
            end = expected(parallel, outcomes)
            decided: dict[frozenset[str], State | None] = {}
            for order in orders:
                seen: list[State] = []
                for count in range(number + 1):
                    heard = frozenset(order[:count])
                    if heard not in decided:
                        decided[heard] = joined(parallel, {name: outcomes[name] for name in heard})
                    if decided[heard] is not None:
                        seen.append(decided[heard])  # type: ignore[arg-type]
                # Decided at the latest with the last answer; once decided nothing heard later says otherwise.
                assert seen
                assert set(seen) == {end}


@pytest.mark.parametrize("early", [True, False])
def test_a_refusal_comes_early_only_where_the_matter_says_so(early: bool) -> None:
    parallel = together(Join.ALL, 3, refuses_early=early)
    assert joined(parallel, {"b0": NO}) is (State.REJECTED if early else None)
    assert joined(parallel, {"b0": NO, "b1": YES, "b2": YES}) is State.REJECTED


def test_a_veto_is_heard_before_anything_is_approved() -> None:
    parallel = together(Join.ANY, 3, vetoes=1)
    assert joined(parallel, {"b1": YES, "b2": YES}) is None
    assert joined(parallel, {"b1": YES, "b0": YES}) is State.APPROVED
    assert joined(parallel, {"b1": YES, "b0": NO}) is State.REJECTED


def test_a_quorum_needs_no_more_than_it_says() -> None:
    parallel = together(Join.QUORUM, 5, quorum=3)
    assert needed(parallel) == 3
    assert joined(parallel, {"b0": YES, "b1": YES}) is None
    assert joined(parallel, {"b0": YES, "b1": YES, "b4": YES}) is State.APPROVED
    assert joined(parallel, {"b0": NO, "b1": NO, "b4": NO}) is State.REJECTED
