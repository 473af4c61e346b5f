"""When several departments have decided: a pure function of what they said."""

from collections.abc import Mapping

from matters.branches.types import BranchOutcome
from matters.catalogue.terms.types import Join, Parallel
from matters.types import State


def needed(parallel: Parallel) -> int:
    """Return how many departments have to approve."""
    return {Join.ALL: len(parallel.branches), Join.ANY: 1, Join.QUORUM: parallel.quorum}[parallel.join]


def joined(parallel: Parallel, outcomes: Mapping[str, BranchOutcome]) -> State | None:
    """Return what the departments have decided together, None while that is open.

    Whoever has a veto must have approved before anything is. So it does not matter in which order the departments
    answer: whatever is decided early is what all answers would come to.
    """
    approved = sum(outcome is BranchOutcome.APPROVED for outcome in outcomes.values())
    pending = len(parallel.branches) - len(outcomes)
    of_vetoes = [outcomes.get(branch.name) for branch in parallel.branches if branch.veto]
    enough = approved >= needed(parallel)
    if enough and all(outcome is BranchOutcome.APPROVED for outcome in of_vetoes):
        return State.APPROVED
    impossible = BranchOutcome.REJECTED in of_vetoes or approved + pending < needed(parallel)
    if impossible and (parallel.refuses_early or not pending):
        return State.REJECTED
    return None
