"""Whatever happens in whatever order: access only under an active, accepted, unexpired mandate of that very agent.

A machine of principals and agents takes random steps through the real use cases over a real database, beside a model
in plain values; after each step they agree about who may do what.
"""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from auth.delegation.effects import use_mandate
from auth.delegation.errors import MandateStateForbids
from auth.errors import MandateMissing
from auth.types import Caller, Scope
from core.db import transaction
from tests.fakes.delegation import Household

T = TypeVar("T")
KINDS = ("driving-licence", "social-security-card")
PEOPLE = st.integers(0, 2)
PICKED = st.integers(0, 30)


@dataclass
class Expected:
    """A mandate as the model has it."""

    id: UUID
    principal: int
    agent: int
    scope: frozenset[str]
    one_time: bool
    ends_at: datetime
    state: str = "offered"
    effects: int = 0


@pytest.mark.slow
async def test_no_order_of_steps_gives_anybody_more_than_their_mandates(  # noqa: C901 — the steps share one scene
    house: Household,
) -> None:
    people = [(await house.somebody())[0] for _ in range(3)]
    links = {(a, b): await house.tied(people[a], people[b]) for a in range(3) for b in range(a + 1, 3)}
    loop = asyncio.get_running_loop()
    clock = house.auth.ground.clock

    def run(work: Coroutine[Any, Any, T]) -> T:
        """Do a step of the machine, which runs in a thread, in the loop of the database."""
        return asyncio.run_coroutine_threadsafe(work, loop).result(30)

    class Machine(RuleBasedStateMachine):
        """Three people who offer, accept, refuse, revoke and use mandates while time goes on."""

        def __init__(self) -> None:
            super().__init__()
            self.known: list[Expected] = []
            self.steps = 0

        @initialize(principal=PEOPLE, agent=PEOPLE, one_time=st.booleans())
        def begin(self, principal: int, agent: int, one_time: bool) -> None:
            self.offer(principal, agent, frozenset(KINDS[:1]), one_time, 40)

        @rule(
            principal=PEOPLE,
            agent=PEOPLE,
            scope=st.frozensets(st.sampled_from(KINDS), min_size=1),
            one_time=st.booleans(),
            hours=st.integers(1, 40),
        )
        def offer(self, principal: int, agent: int, scope: frozenset[str], one_time: bool, hours: int) -> None:
            if principal == agent or len(self.known) > 30:
                return
            pair = (min(principal, agent), max(principal, agent))
            terms = house.terms(Scope(scope, frozenset()), days=hours / 24, one_time=one_time)
            view = run(house.mandates.offer_to_relative(people[principal], links[pair], terms))
            assert view is not None
            self.known.append(Expected(view.id, principal, agent, scope, one_time, terms.ends_at))

        @precondition(lambda self: self.known)
        @rule(picked=PICKED, by=PEOPLE)
        def accept(self, picked: int, by: int) -> None:
            mandate = self.pick(picked)
            may = mandate.state == "offered" and by == mandate.agent and clock.now() < mandate.ends_at
            try:
                view = run(house.mandates.accept(people[by], mandate.id))
            except MandateStateForbids:
                assert not may
                return
            assert (view is not None) == may
            if may:
                mandate.state = "active"

        @precondition(lambda self: self.known)
        @rule(picked=PICKED, by=PEOPLE)
        def revoke(self, picked: int, by: int) -> None:
            mandate = self.pick(picked)
            live = mandate.state in {"offered", "active", "used"}
            try:
                done = run(house.mandates.revoke(people[by], mandate.id))
            except MandateStateForbids:
                assert not live
                return
            assert done == (live and by in {mandate.principal, mandate.agent})
            if done:
                refused = mandate.state == "offered" and by == mandate.agent
                mandate.state = "refused" if refused else "revoked"

        @precondition(lambda self: self.known)
        @rule(picked=PICKED, by=PEOPLE, kind=st.sampled_from(KINDS))
        def use(self, picked: int, by: int, kind: str) -> None:
            mandate = self.pick(picked)
            may = self.may_act(mandate, by) and mandate.state == "active" and kind in mandate.scope
            try:
                run(self.effect(people[by], mandate, kind))
            except MandateMissing:
                assert not may
                return
            assert may
            mandate.effects += 1
            if mandate.one_time:
                mandate.state = "used"

        @precondition(lambda self: self.known)
        @rule(picked=PICKED, kind=st.sampled_from(KINDS))
        def use_at_once(self, picked: int, kind: str) -> None:
            mandate = self.pick(picked)
            may = self.may_act(mandate, mandate.agent) and mandate.state == "active" and kind in mandate.scope
            done = run(self.effects_at_once(people[mandate.agent], mandate, kind))
            assert done == (0 if not may else 1 if mandate.one_time else 3)
            mandate.effects += done
            if done and mandate.one_time:
                mandate.state = "used"

        @rule(minutes=st.sampled_from((1, 59, 60, 300)))
        def wait(self, minutes: int) -> None:
            clock.move(timedelta(minutes=minutes))

        @rule()
        def tidy(self) -> None:
            run(house.ending.tidy())
            for mandate in self.known:
                if mandate.state in {"offered", "active"} and mandate.ends_at <= clock.now():
                    mandate.state = "ended"

        @invariant()
        def the_newest_lets_in_whom_it_should(self) -> None:
            """One question a step, to each of the three in turn: over all steps everybody is asked about everything."""
            self.steps += 1
            for mandate in self.known[-1:]:
                by = (mandate.agent, self.steps % 3)[self.steps % 2]
                assert run(self.lets_in(people[by], mandate)) == self.may_act(mandate, by)

        @invariant()
        def once_is_once(self) -> None:
            assert all(mandate.effects <= 1 for mandate in self.known if mandate.one_time)

        def teardown(self) -> None:
            for mandate in self.known:
                assert run(self.lets_in(people[mandate.agent], mandate)) == self.may_act(mandate, mandate.agent)

        # --- beside the steps ---------------------------------------------------------------------------------------

        def pick(self, number: int) -> Expected:
            return self.known[number % len(self.known)]

        def may_act(self, mandate: Expected, by: int) -> bool:
            is_live = mandate.state in {"active", "used"} and clock.now() < mandate.ends_at
            return is_live and by == mandate.agent

        async def lets_in(self, caller: Caller, mandate: Expected) -> bool:
            try:
                acting = await house.acting(caller, mandate.id)
            except MandateMissing:
                return False
            assert acting.citizen_id == people[mandate.principal].citizen_id
            assert {kind for kind in KINDS if acting.covers_certificate(kind)} == mandate.scope
            assert not acting.covers_matter("119999")
            return True

        async def effect(self, caller: Caller, mandate: Expected, kind: str) -> None:
            """What a use case does: scope first, then the mandate's row with the effect."""
            acting = await house.acting(caller, mandate.id)
            if not acting.covers_certificate(kind):
                raise MandateMissing
            await transaction(lambda: use_mandate(acting, clock.now()))

        async def effects_at_once(self, caller: Caller, mandate: Expected, kind: str) -> int:
            results = await asyncio.gather(
                *(self.effect(caller, mandate, kind) for _ in range(3)), return_exceptions=True
            )
            assert all(result is None or isinstance(result, MandateMissing) for result in results)
            return sum(result is None for result in results)

    await asyncio.to_thread(
        run_state_machine_as_test,
        Machine,
        settings=settings(
            max_examples=200,
            stateful_step_count=50,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            database=None,
        ),
    )
