"""What an operator is offered: never what would be refused."""

import pytest

from auth.types import Role, StaffScope
from matters.handling.rules import may
from matters.handling.types import Holder, Move
from matters.types import DeliveryState, State
from tests.matters.handling.conftest import operator


@pytest.mark.parametrize("together", [False, True])
def test_what_departments_decide_together_is_offered_to_no_single_operator(together: bool) -> None:
    offered = may(
        operator(Role.APPROVER),
        StaffScope(),
        state=State.IN_REVIEW,
        holder=Holder.STAFF,
        delivery=DeliveryState.ACKNOWLEDGED,
        hands=frozenset(),
        decided_together=together,
    )
    decisions = {Move.APPROVE, Move.REJECT} & set(offered)
    assert decisions == (set() if together else {Move.APPROVE, Move.REJECT})
    assert Move.SUSPEND in offered
