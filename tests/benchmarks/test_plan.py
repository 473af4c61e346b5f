"""How long is measured."""

import pytest

from benchmarks.plan import NIGHTLY, QUICK, WATCHED, Loop, Pace, Plan


def test_every_round_has_its_share_of_what_is_sent_once() -> None:
    loops = (Loop(connections=1, rounds=2, seconds=0.9, warm_seconds=0.1), Loop(connections=8, rounds=3, seconds=0.7))
    plan = Plan(name="small", loops=loops, once=loops, residents=1, face_repeats=1)
    pace = Pace(many=900, alone=500)
    assert [loop.share(pace) for loop in loops] == [500, 900]
    assert plan.needed(pace) == 2 * 500 + 3 * 900 + WATCHED


@pytest.mark.parametrize("plan", [QUICK, NIGHTLY], ids=lambda plan: plan.name)
def test_both_plans_measure_alone_and_at_thirty_two_connections(plan: Plan) -> None:
    for loops in (plan.loops, plan.once):
        assert {1, 32} <= {loop.connections for loop in loops}
        assert all(loop.rounds >= 3 for loop in loops)


def test_the_quick_plan_fits_into_six_minutes_beside_its_set_up() -> None:
    seconds = sum(
        2 * loop.rounds * (loop.seconds + loop.warm_seconds)
        for again in (True, True, True, False)
        for loop in QUICK.loops_of(again=again)
    )
    assert seconds < 150
